"""Digests as the figures would bring them, for tests of what is drawn from them. Everybody in them is invented."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from listener.digest.model import (
    Advice,
    BrandVoice,
    Causes,
    Coverage,
    CurvePoint,
    Day,
    Desk,
    DeskRow,
    Digest,
    Errata,
    IncidentFacts,
    Irritant,
    Lack,
    Load,
    Measure,
    Outcome,
    Post,
    Row,
    Scope,
    Spoken,
    Times,
    Unit,
    Unseen,
    Verdict,
    Voices,
)
from listener.digest.weeks import Week

T = TypeVar("T")
WEEK = Week.parse("2026-W46")
COUNTRIES = ("FR", "RU", "JP", "NL")
_WEEKS = tuple(str(WEEK.back(weeks)) for weeks in range(11, -1, -1))
_MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
_NO_HOURS = tuple((0,) * 24 for _ in range(7))
_AN_HOUR = 3600.0


def count(value: float, last: float | None = None, mean: float | None = None, verdict: Verdict = "noise") -> Measure:
    """Return a number of things, within the usual unless said otherwise."""
    return Measure(value, "count", last=last, mean=mean, verdict=verdict if mean is not None else "unknown")


def share(
    part: int, of: int, last: float | None = None, mean: float | None = None, verdict: Verdict = "noise"
) -> Measure:
    """Return a share with its parts."""
    known: Verdict = verdict if mean is not None else "unknown"
    return Measure(part / of, "share", part, of, last=last, mean=mean, verdict=known)


def seconds(
    value: float, of: int, last: float | None = None, mean: float | None = None, verdict: Verdict = "noise"
) -> Measure:
    """Return a duration taken over `of` alerts."""
    known: Verdict = verdict if mean is not None else "unknown"
    return Measure(value, "seconds", of=of, last=last, mean=mean, verdict=known)


def lacking(lack: Lack, unit: Unit = "share", of: int | None = None) -> Measure:
    """Return a figure that is not there."""
    return Measure(None, unit, of=of, lack=lack)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of the week, in UTC; day 0 is Monday."""
    return _MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def post(number: int, language: str, country: str, text: str, who: str, **more: object) -> Post:
    """Return a post; `more` sets its other fields."""
    plain = Post(
        mention_id=number,
        network=str(more.pop("network", "x")),
        country=country,
        language=language,
        text=text,
        who=who,
        url=f"https://x.com/i/status/{10_000 + number}",
        published_at=at(3, 9, number % 60),
    )
    return replace(plain, **more)  # type: ignore[arg-type]


FRENCH = post(
    1,
    "fr",
    "FR",
    "Toujours pas reçu ma bouilloire K2, commandée le 20 octobre. Trois courriels, zéro réponse. C'est long…",
    "Marion D.",
    gloss=("parcel_late", "delivery", "R", "T"),
    followers=412,
    sentiment="negative",
    complaint=0.97,
    urgent=True,
    alert="A-1042",
)
RUSSIAN = post(
    2,
    "ru",
    "RU",
    "Заказ едет четвёртую неделю, поддержка молчит. @yunfan_ru, вы живы вообще? <b>Верните деньги!</b>",
    "Ольга П.",
    network="vk",
    gloss=("parcel_late", "delivery", "M", "R"),
    followers=2_310,
    sentiment="negative",
    complaint=0.95,
    alert="A-1057",
)
DUTCH = post(
    3,
    "nl",
    "NL",
    "Waterkoker zou maandag komen, nu vrijdag. Track & trace zegt al 5 dagen 'onderweg'…",
    "Joost v.",
    gloss=("parcel_late", "delivery"),
    sentiment="negative",
    complaint=0.91,
)
JAPANESE = post(
    4,
    "ja",
    "JP",
    "K2のケトル、ふたが閉まらなくなった。まだ二か月しか使ってないのに、お湯がこぼれて危ないです。",
    "h***a",
    gloss=("product_broke_soon", "quality", "S"),
    followers=88,
    sentiment="negative",
    complaint=0.93,
    urgent=True,
    alert="A-1061",
)
CHINESE = post(
    5,
    "zh",
    "JP",
    "云帆的壶盖又坏了，客服让我自己掏邮费寄回去，这合理吗？？",
    "小林***",
    network="wechat",
    gloss=("product_broke_soon", "quality"),
    sentiment="negative",
    complaint=0.9,
)
ARABIC = post(
    6,
    "ar",
    "FR",
    "خصمتم المبلغ مرتين من بطاقتي ولم يرد أحد على رسائلي منذ ١٠ أيام!",
    "سارة",
    gloss=("charged_twice", "billing", "M", "R"),
    followers=5_400,
    sentiment="negative",
    complaint=0.96,
    urgent=True,
    alert="A-1066",
)
HINDI = post(
    7,
    "hi",
    "NL",
    "दो बार पैसे कट गए और रिफंड अब तक नहीं आया। ग्राहक सेवा कोई जवाब नहीं देती।",
    "आर*** के.",
    gloss=("", "billing", "M"),
    sentiment="negative",
    complaint=0.88,
)
JOURNALIST = post(
    20,
    "fr",
    "FR",
    "Enquête : pourquoi les bouilloires Yunfan arrivent-elles avec trois semaines de retard ? Vos témoignages en MP.",
    "Claire Vasseur",
    gloss=("parcel_late", "delivery"),
    followers=48_200,
    influence=0.81,
    journalist=True,
    copies=14,
    views=210_000,
    reposts=95,
    sentiment="negative",
    complaint=0.62,
    alert="A-1049",
)
CRITIC = post(
    21,
    "ru",
    "RU",
    "Разбор: чайник Yunfan K2 за год подорожал на 40 %, а крышка всё та же.\nНе берите.",
    "Техноблог «Розетка»",
    network="vk",
    gloss=("price_raised", "price"),
    followers=126_000,
    influence=0.77,
    copies=3,
    views=88_000,
    sentiment="negative",
    complaint=0.71,
)
FRIEND = post(
    22,
    "ja",
    "JP",
    "雲帆のケトル、静かで本当に好き。朝の一杯が変わりました☕",
    "珈琲日和",
    gloss=("", "praise"),
    followers=31_000,
    influence=0.66,
    views=15_400,
    sentiment="positive",
)
TRAVELLED = post(
    23,
    "nl",
    "NL",
    "Mijn waterkoker is op wereldreis: Shenzhen, Luik, Keulen, Luik, Keulen… Duik jij 'm nog even op @yunfan?",
    "Femke",
    gloss=("parcel_late", "delivery"),
    followers=690,
    copies=61,
    views=340_000,
    reposts=1_204,
    sentiment="negative",
    complaint=0.74,
    alert="A-1051",
)
SUPPORTER = post(
    24,
    "fr",
    "FR",
    "Couvercle cassé, remplacé en deux jours sans discuter. Merci @yunfan, c'est rare.",
    "Idriss B.",
    gloss=("", "praise"),
    followers=203,
    sentiment="positive",
)


def row(key: str, mentions: int, complaints: int, *, of_people: int, net: float | None = None) -> Row:
    """Return the figures of one country, network, language, product, topic or brand."""
    few = mentions < 10
    return Row(
        key=key,
        mentions=count(mentions, mentions * 0.9, mentions * 0.85),
        authors=Measure(of_people, "people", last=of_people - 3, mean=of_people * 0.9, verdict="noise"),
        reach=Measure(of_people * 740, "people", last=of_people * 700, mean=of_people * 690.0, verdict="noise"),
        complaints=count(complaints, complaints * 0.8, complaints * 0.7, "up" if complaints > 100 else "noise"),
        urgent=count(complaints // 9, complaints // 10, complaints / 11),
        complaint_share=lacking("few", of=mentions) if few else share(complaints, mentions, 0.24, 0.22),
        net_sentiment=lacking("few", "points", mentions) if few else Measure(net, "points", None, mentions, -9, -6.5),
    )


def _days(usual: bool = True) -> tuple[Day, ...]:
    mentions, complaints = (141, 150, 132, 268, 240, 188, 129), (34, 36, 31, 92, 70, 40, 27)
    return tuple(
        Day(number, mentions[number], complaints[number], 150.25 if usual else None, 35.5 if usual else None)
        for number in range(7)
    )


def _hours(most: int) -> tuple[tuple[int, ...], ...]:
    """Weekday by hour: quiet nights, a peak on Thursday at nine."""
    by_day = (1, 1, 1, 4, 3, 1, 1)
    by_hour = (*(0,) * 7, 1, 2, 3, 2, 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 0, 0)
    return tuple(tuple(min(most, day * hour) for hour in by_hour) for day in by_day)


def spoken() -> Spoken:
    """Return how the brands were spoken of in a bad week."""
    return Spoken(
        mentions=count(1_248, 1_093, 1_052.0, "up"),
        authors=Measure(911, "people", last=840, mean=822.5, verdict="up"),
        reach=Measure(1_804_300, "people", last=1_210_000, mean=1_165_000.0, verdict="up"),
        complaints=count(330, 251, 248.5, "up"),
        urgent=count(37, 29, 28.25),
        complaint_share=share(330, 1_248, 0.2296, 0.2362, "up"),
        net_sentiment=Measure(-14.2, "points", None, 1_248, -8.1, -6.4, "down"),
        days=_days(),
        hours=_hours(12),
        by_country=(
            row("FR", 604, 178, of_people=440, net=-21.0),
            row("RU", 351, 88, of_people=260, net=-12.3),
            row("JP", 287, 61, of_people=205, net=1.4),
            row("NL", 6, 3, of_people=6),
        ),
        by_network=(
            row("x", 820, 221, of_people=610, net=-16.5),
            row("vk", 351, 88, of_people=260, net=-12.3),
            row("wechat", 77, 21, of_people=70, net=2.0),
        ),
        by_language=(
            row("fr", 566, 166, of_people=420, net=-22.0),
            row("ru", 340, 86, of_people=250, net=-12.0),
            row("ja", 240, 50, of_people=190, net=3.1),
            row("zh", 84, 23, of_people=75, net=-1.0),
            row("und", 18, 5, of_people=17, net=0.0),
        ),
        by_product=(
            row("K2", 412, 160, of_people=370, net=-31.0),
            row("bouilloire", 133, 41, of_people=120, net=-18.0),
        ),
        by_topic=(
            row("delivery", 310, 172, of_people=260, net=-52.0),
            row("quality", 214, 74, of_people=180, net=-28.0),
            row("praise", 260, 0, of_people=250, net=96.0),
            row("other", 320, 12, of_people=280, net=2.0),
        ),
        by_brand=(row("yunfan", 902, 271, of_people=700, net=-17.0), row("skybird", 346, 59, of_people=230, net=-6.9)),
    )


def times(median: float, p90: float | None, of: int, verdict: Verdict = "noise") -> Times:
    """Return how long a step took; `p90` None is not reached."""
    slow = lacking("not_reached", "seconds", of) if p90 is None else seconds(p90, of, p90 * 0.9, p90 * 0.8)
    return Times(
        median=seconds(median, of, median * 0.7, median * 0.65, verdict),
        p90=slow,
        median_working=seconds(median * 0.5, of, median * 0.4, median * 0.38),
        p90_working=slow if p90 is None else seconds(p90 * 0.4, of, p90 * 0.3, p90 * 0.3),
    )


def desk() -> Desk:
    """Return how the alerts of the week were answered."""
    return Desk(
        alerts=count(118, 96, 94.0, "up"),
        needing=count(104, 88, 85.0, "up"),
        response_rate=share(71, 104, 0.852, 0.861, "down"),
        claim=times(34 * 60, 5.5 * _AN_HOUR, 104),
        answer=times(2 * _AN_HOUR + 600, None, 104, "up"),
        resolution=times(19 * _AN_HOUR, None, 104),
        in_target=share(66, 98, 0.80, 0.815, "down"),
        private=share(28, 71, 0.41, 0.385),
        first_contact=share(19, 44, 0.5, 0.47),
        recontacts=share(11, 118, 0.052, 0.049, "up"),
        precision=share(83, 92, 0.91, 0.9),
        snoozed=count(9, 7, 8.25),
        outcomes=(
            Outcome("solved", 44),
            Outcome("private", 18),
            Outcome("public", 9),
            Outcome("no_reply", 12),
            Outcome("was:praise", 3),
            Outcome("was:advert", 6),
            Outcome("open", 24),
            Outcome("snoozed", 2),
        ),
        load=(Load("Camille", 22, 18, 19), Load("Haruka", 11, 11, 10), Load("Lotte", 41, 30, 33)),
        hours=_hours(6),
        by_country=(
            DeskRow("FR", 66, share(36, 58, 0.86, 0.87, "down"), share(31, 55), seconds(3 * _AN_HOUR, 58)),
            DeskRow("RU", 31, share(20, 27, 0.8, 0.81), share(20, 25), seconds(1.9 * _AN_HOUR, 27)),
            DeskRow("JP", 20, share(15, 18, 0.9, 0.88), share(15, 17), seconds(55 * 60, 18)),
            DeskRow("NL", 1, lacking("few", of=1), lacking("few", of=1), lacking("few", "seconds", 1)),
        ),
        by_team=(
            DeskRow("western-europe", 67, share(36, 59, 0.86, 0.87), share(31, 56), seconds(3 * _AN_HOUR, 59)),
            DeskRow("tokyo", 20, share(15, 18), share(15, 17), seconds(55 * 60, 18)),
        ),
    )


def irritant(number: int, cause: str, trend: str, mentions: int, **more: object) -> Irritant:
    """Return a cause that people complain of; `more` sets its other fields."""
    history = tuple((week, max(0, mentions - 12 * (11 - place))) for place, week in enumerate(_WEEKS))
    plain = Irritant(
        id=number,
        brand="yunfan",
        cause=cause,
        words=("livraison", "доставка", "levering"),
        topic="delivery",
        product="K2",
        mentions=mentions,
        authors=mentions - 4,
        share=mentions / 330,
        last=58,
        mean=41.5,
        verdict="noise",
        trend="steady",
        history=history,
        countries=(("FR", mentions // 2), ("RU", mentions // 3)),
        languages=(("fr", mentions // 2), ("ru", mentions // 3)),
        urgent=mentions // 8,
        first_seen_at=datetime(2026, 10, 21, 8, tzinfo=UTC),
        posts=(),
        alerts=(),
    )
    return replace(plain, trend=trend, **more)  # type: ignore[arg-type]


def irritants() -> tuple[Irritant, ...]:
    """Return irritants of each trend, the greatest first."""
    return (
        irritant(
            7,
            "parcel_late",
            "growing",
            121,
            verdict="up",
            posts=(FRENCH, RUSSIAN, DUTCH),
            alerts=("A-1042", "A-1057"),
        ),
        irritant(
            11,
            "product_broke_soon",
            "new",
            46,
            topic="quality",
            last=0,
            mean=0.0,
            verdict="up",
            history=(*((week, 0) for week in _WEEKS[:-1]), (_WEEKS[-1], 46)),
            countries=(("JP", 40), ("FR", 6)),
            languages=(("ja", 30), ("zh", 16)),
            first_seen_at=at(2, 22, 15),
            posts=(JAPANESE, CHINESE),
            alerts=("A-1061",),
        ),
        irritant(4, "charged_twice", "recurring", 22, topic="billing", last=0, mean=4.5, posts=(ARABIC,)),
        irritant(
            13, "", "steady", 15, topic="billing", words=("रिफंड", "पैसे", "refund"), product="", last=14, posts=(HINDI,)
        ),
        irritant(5, "staff_rude", "fading", 9, topic="staff", last=24, mean=27.0, verdict="down"),
        irritant(2, "app_crashes", "ended", 0, topic="outage", last=18, mean=16.0, verdict="down", urgent=0, authors=0),
    )


def incident(reference: str = "I-31", *, over: bool = True) -> IncidentFacts:
    """Return a burst that began on Thursday morning."""
    counts = (2, 3, 2, 9, 31, 44, 38, 25, 16, 9, 5, 3)
    return IncidentFacts(
        reference=reference,
        brand="yunfan",
        country="FR",
        topic="delivery",
        severity=3,
        began_at=at(3, 7),
        opened_at=at(3, 8, 20),
        ended_at=at(3, 19) if over else None,
        mentions=187,
        authors=141,
        expected=31.5,
        peak=44.0,
        claimed_after_s=6 * 60.0,
        answered_after_s=72 * 60.0,
        closed_after_s=11 * _AN_HOUR if over else None,
        outcome="over" if over else "open",
        curve=tuple(CurvePoint(at(3, 4 + hour), number, 2.6) for hour, number in enumerate(counts)),
        timezone="Europe/Paris",
    )


def coverage() -> Coverage:
    """Return what an outage of one source hid."""
    return Coverage(
        watches=12,
        seen_share=Measure(0.968, "share", last=1.0, mean=0.998, verdict="down"),
        unseen=(
            Unseen("vk-ru-yunfan", "vk", "RU", "yunfan", 31 * _AN_HOUR, "HTTP 503 from api.vk.com", 64.0),
            Unseen("x-nl-yunfan", "x", "NL", "yunfan", 1.5 * _AN_HOUR, "rate limit, resets at 14:00", None),
        ),
        missed=64.0,
        skipped=3,
    )


def advice() -> tuple[Advice, ...]:
    """Return one of each kind."""
    return (
        Advice("incident_open", "I-31"),
        Advice("irritant_growing", "7", 121.0, 58),
        Advice("irritant_new", "11", 46.0),
        Advice("irritant_long", "7", 9.0, 121),
        Advice("journalists", figure=1.0),
        Advice("answers_few", "FR", 36 / 58, 58),
        Advice("answers_slow", "FR", 31 / 55, 55),
        Advice("precision_low", "", 0.55, 20),
        Advice("recontacts", "", 0.24, 118),
        Advice("load", "Lotte", 30.0, 59),
        Advice("coverage", "vk-ru-yunfan", 64.0),
        Advice("thank", figure=1.0),
    )


NAMES = {
    "brand:yunfan": "Yunfan",
    "brand:skybird": "Skybird Air",
    "brand:kettleco": "Kettle & Co",
    "team:western-europe": "Western Europe hub",
    "team:tokyo": "Tokyo",
}


def _spans() -> tuple[tuple[str, datetime, datetime], ...]:
    zones = {"FR": "Europe/Paris", "RU": "Europe/Moscow", "JP": "Asia/Tokyo", "NL": "Europe/Amsterdam"}
    return tuple((country, *WEEK.span(zones[country])) for country in COUNTRIES)


def full_digest() -> Digest:
    """Return a bad week with everything in it."""
    return Digest(
        week=str(WEEK),
        scope=Scope("board", COUNTRIES, ("yunfan", "skybird")),
        timezone="Europe/Paris",
        as_of=datetime(2026, 11, 16, 6, 0, tzinfo=UTC),
        complete=True,
        spans=_spans(),
        weeks_before=4,
        holidays=(("FR", "2026-11-11", "Armistice 1918"),),
        spoken=spoken(),
        share_of_voice=(
            BrandVoice("yunfan", "Yunfan", False, share(902, 2_018, 0.41, 0.405), Measure(-17.0, "points", None, 902)),
            BrandVoice("kettleco", "Kettle & Co", True, share(770, 2_018), Measure(8.0, "points", None, 770)),
            BrandVoice("skybird", "Skybird Air", False, share(346, 2_018), Measure(-6.9, "points", None, 346)),
        ),
        desk=desk(),
        causes=Causes(irritants(), alone=117, complaints=330, without_embedding=0),
        voices=Voices((JOURNALIST,), (CRITIC,), (FRIEND,), (TRAVELLED,), (SUPPORTER,)),
        incidents=(incident(),),
        coverage=coverage(),
        errata=Errata(str(WEEK.back()), said=1_081, late=12, now=1_093),
        advice=advice(),
        pilot=("NL",),
        names=NAMES,
    )


def _nothing(unit: Unit = "count") -> Measure:
    return (
        Measure(0, unit, last=0, mean=0.0, verdict="noise") if unit in ("count", "people") else lacking("nothing", unit)
    )


def _no_times() -> Times:
    none = lacking("nothing", "seconds", 0)
    return Times(none, none, none, none)


def _no_desk() -> Desk:
    none = lacking("nothing", of=0)
    return Desk(
        alerts=_nothing(),
        needing=_nothing(),
        response_rate=none,
        claim=_no_times(),
        answer=_no_times(),
        resolution=_no_times(),
        in_target=none,
        private=none,
        first_contact=none,
        recontacts=none,
        precision=none,
        snoozed=_nothing(),
        outcomes=(),
        load=(),
        hours=_NO_HOURS,
    )


def empty_digest() -> Digest:
    """Return a week in which nobody said anything and nothing was missed."""
    silence = tuple(Day(number, 0, 0, 0.0, 0.0) for number in range(7))
    none = Row(
        "NL",
        _nothing(),
        _nothing("people"),
        _nothing("people"),
        _nothing(),
        _nothing(),
        _nothing("share"),
        _nothing("points"),
    )
    return replace(
        full_digest(),
        scope=Scope("", ("NL",), ("yunfan",)),
        timezone="Europe/Amsterdam",
        spans=_spans()[-1:],
        holidays=(),
        spoken=Spoken(
            none.mentions,
            none.authors,
            none.reach,
            none.complaints,
            none.urgent,
            none.complaint_share,
            none.net_sentiment,
            silence,
            _NO_HOURS,
            by_country=(none,),
        ),
        share_of_voice=(),
        desk=_no_desk(),
        causes=Causes((), 0, 0),
        voices=Voices(),
        incidents=(),
        coverage=Coverage(1, Measure(1.0, "share", last=1.0, mean=1.0, verdict="noise"), (), None, 0),
        errata=Errata(str(WEEK.back()), 0, 0, 0),
        advice=(Advice("nothing"),),
        pilot=(),
    )


def _first(figures: T) -> T:
    """Return figures without anything to compare them with."""
    if isinstance(figures, Measure):
        return replace(figures, last=None, mean=None, verdict="unknown")
    if isinstance(figures, Spoken | Desk | Times | Row | DeskRow):
        return replace(figures, **{one.name: _first(getattr(figures, one.name)) for one in fields(figures)})
    return tuple(map(_first, figures)) if isinstance(figures, tuple) else figures  # type: ignore[return-value]


def first_week_digest() -> Digest:
    """Return the first week that anything was listened to, not over yet: nothing to compare with."""
    whole = full_digest()
    fresh = replace(
        _first(whole.spoken),
        days=_days(usual=False),
        by_country=_first(whole.spoken.by_country[:1]),
        by_brand=_first(whole.spoken.by_brand[:1]),
    )
    answered = replace(_first(whole.desk), by_country=_first(whole.desk.by_country[:1]), by_team=())
    newest = tuple(replace(one, trend="new", last=0, mean=None, verdict="unknown") for one in irritants()[:2])
    return replace(
        whole,
        scope=Scope("france", ("FR",), ("yunfan",), team="western-europe"),
        spans=_spans()[:1],
        complete=False,
        as_of=at(4, 12),
        weeks_before=0,
        spoken=fresh,
        share_of_voice=(),
        desk=answered,
        causes=replace(whole.causes, irritants=newest),
        incidents=(incident(over=False),),
        errata=Errata(str(WEEK.back()), None, 0, 0),
        advice=(Advice("incident_open", "I-31"), Advice("irritant_new", "7", 121.0)),
        pilot=(),
    )
