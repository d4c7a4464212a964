"""Posts: search in any script with facets, one post with its scores and reasons, and what people say of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.responses import Response
from starlette.routing import Route

from listener.config import Config
from listener.console import names, showing
from listener.console.filtering import SPANS, Chip, address, wanted_since, wanted_text
from listener.console.page import Nav, NotFoundError, PageRequest, page
from listener.console.words import Words
from listener.errors import StoreError
from listener.learning import correct
from listener.model import DRILL_NETWORK, TOPICS, Reason, Sentiment
from listener.pipeline.assess import influence_of
from listener.pipeline.withdraw import WithdrawStep
from listener.searching import Query, parse_query
from listener.store import TriageItem
from listener.store.browsing import FACETS, Facets, FacetValue, MentionFilter, MentionRow, Tally
from listener.store.corrections import Correction
from listener.words import marked

_PAGE = 50
_MOST_VALUES = 12
"""Of a facet, at once; what is chosen is shown besides."""
_USUAL_SPAN = "30d"
_EVER = "all"
_TITLES: Mapping[str, str] = {
    "country": marked("Country"),
    "brand": marked("Brand"),
    "network": marked("Network"),
    "language": marked("Language"),
    "topic": marked("Topic"),
    "sentiment": marked("Sentiment"),
    "urgency": marked("Urgency"),
    "outcome": marked("What came of it"),
    "severity": marked("Severity"),
}
_OUTCOMES: Mapping[str, str] = {
    **names.OUTCOMES,
    "waiting": marked("not decided yet"),
    "withdrawn": marked("withdrawn"),
}
_SAID: Mapping[str, Callable[[str], object]] = {
    "complaint": lambda value: {"yes": True, "no": False}.get(value),
    "urgency": lambda value: int(value) if value in ("0", "1", "2", "3") else None,
    "topic": lambda value: value if value in TOPICS else None,
    "sentiment": lambda value: value if value in tuple(Sentiment) else None,
}


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet, with the address that adds it or takes it away."""

    text: str
    count: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One facet of a list of posts."""

    title: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A post in a list, in words."""

    row: MentionRow
    author: str
    text: str
    pieces: tuple[showing.Piece, ...]
    """The same text, cut at what was searched for."""
    network: str
    brand: str
    country: str
    language: str
    topic: str
    sentiment: str
    urgency: str
    outcome: str


@page("viewer")
def mentions(request: PageRequest) -> Response:
    """Posts that fulfil the filters, the latest first, with what they are made of."""
    office, asked, sees = request.office, _asked(request), request.visitor.countries
    found = office.store.browsing.mentions(asked, sees=sees, limit=_PAGE, before=request.query.get("before"))
    counted = office.store.browsing.facets(asked, sees=sees)
    query = parse_query(asked.text) if asked.text else None
    values = {
        "lines": [line_of(request, row, query) for row in found.rows],
        "facets": _facets(request, counted),
        "total": _told(request.words, counted.total),
        "chips": _chips(request),
        "text": wanted_text(request),
        "spans": [
            *((key, request.words.say(text)) for key, (text, _) in SPANS.items()),
            (_EVER, request.words.say("all that is stored")),
        ],
        "span": _span(request),
        "kept": [(name, value) for name in FACETS for value in request.choices(name) if value],
        "next": address(request, before=found.next) if found.next else "",
        "first": address(request) if request.query.get("before") else "",
    }
    return request.render("mentions.html", values)


def _span(request: PageRequest) -> str:
    asked = request.query.get("span", "")
    return asked if asked in SPANS or asked == _EVER else _USUAL_SPAN


def _asked(request: PageRequest) -> MentionFilter:
    chosen = request.choices
    numbers = {
        name: [int(one) for one in chosen(name) if one in ("0", "1", "2", "3")] for name in ("urgency", "severity")
    }
    span = _span(request)
    return MentionFilter(
        text=wanted_text(request),
        countries=_given(chosen("country")),
        brands=_given(chosen("brand")),
        networks=_given(chosen("network")),
        languages=_given(chosen("language")),
        topics=_given(chosen("topic")),
        sentiments=_given(chosen("sentiment")),
        urgencies=numbers["urgency"],
        outcomes=_given(chosen("outcome")),
        severities=numbers["severity"],
        author_id=_number(request.query.get("author", "")) or None,
        since=None if span == _EVER else wanted_since(request, request.office.clock.now(), _USUAL_SPAN),
        drills=DRILL_NETWORK in chosen("network"),
    )


def _given(values: Sequence[str]) -> list[str]:
    return [value[:100] for value in dict.fromkeys(values) if value][:50]


def _facets(request: PageRequest, counted: Facets) -> list[Facet]:
    return [
        Facet(request.words.say(_TITLES[name]), values)
        for name in FACETS
        if name in counted.values and (values := tuple(_values(request, name, counted.values[name])))
    ]


def _values(request: PageRequest, name: str, found: Sequence[FacetValue]) -> list[Value]:
    chosen = request.choices(name)
    shown = [one for one in found if one.value is not None]
    shown = [one for number, one in enumerate(shown) if number < _MOST_VALUES or str(one.value) in chosen]
    there = {str(one.value) for one in shown}
    absent = [FacetValue(value, Tally(0)) for value in dict.fromkeys(chosen) if value and value not in there]
    return [
        Value(
            _called(request.office.config, request.words, name, str(one.value)),
            _told(request.words, one.tally),
            address(request, without=(name, str(one.value)))
            if str(one.value) in chosen
            else address(request, plus=(name, str(one.value))),
            str(one.value) in chosen,
        )
        for one in (*shown, *absent)
    ]


def _chips(request: PageRequest) -> list[Chip]:
    words, found = request.words, []
    if text := wanted_text(request):
        found.append(Chip(words.say("Words"), text, address(request, text="")))
    if author := _number(request.query.get("author", "")):
        found.append(Chip(words.say("Author"), str(author), address(request, author="")))
    for name in FACETS:
        for value in dict.fromkeys(request.choices(name)):
            if value:
                called = _called(request.office.config, words, name, value)
                found.append(Chip(words.say(_TITLES[name]), called, address(request, without=(name, value))))
    return found


def _called(config: Config, words: Words, name: str, value: str) -> str:
    """Return what one value of a facet is called."""
    if (called := showing.name_of(config, words, name, value)) is not None:
        return called
    if name == "language":
        return words.language_name(value)
    if name == "severity":
        return words.say("Severity {number}", number=value)
    if name == "urgency":
        return words.say(names.URGENCIES[int(value)]) if value in ("0", "1", "2", "3") else value
    told: Mapping[str, Mapping[str, str]] = {"topic": names.TOPICS, "sentiment": names.SENTIMENTS, "outcome": _OUTCOMES}
    known = told[name]
    return words.say(known[value]) if value in known else showing.short_name(value)


def _told(words: Words, tally: Tally) -> str:
    count = words.number(tally.count)
    return count if tally.exact else words.say("{count} or more", count=count)


def line_of(request: PageRequest, row: MentionRow, query: Query | None = None) -> Line:
    """Return a post as lists show it, with what was searched for marked."""
    config, words = request.office.config, request.words
    text = showing.whole_text(row.text) + ("…" if row.cut else "")
    return Line(
        row=row,
        author=showing.short_name(row.author_name or row.author_handle),
        text=text,
        pieces=tuple(showing.hits(text, query)),
        network=showing.network_of(words, row.network),
        brand=showing.brand_name(config, row.brand),
        country=showing.country_name(config, words, row.country),
        language=words.language_name(row.language) if row.language else "",
        topic=showing.topic_name(words, row.topic) if row.topic else "",
        sentiment=words.say(names.SENTIMENTS.get(row.sentiment, row.sentiment)) if row.sentiment else "",
        urgency="" if row.urgency is None else words.say(names.URGENCIES[row.urgency]),
        outcome=words.say(_OUTCOMES.get(row.outcome or "waiting", row.outcome or "")),
    )


# One post


@page("viewer")
def mention(request: PageRequest) -> Response:
    """One post: what it says, what the classifier makes of it, what was decided, and what people say of that."""
    row = _row(request)
    return request.render("mention.html", _values_of(request, row))


@page("community-manager")
def say(request: PageRequest) -> Response:
    """Note what the classifier got wrong of a post."""
    row, url = _row(request), f"/mentions/{_number(request.path['match'])}"
    said = {name: read(request.form.get(name, "")) for name, read in _SAID.items()}
    if all(value is None for value in said.values()):
        return request.back(url, request.words.say("Choose at least one thing that was wrong."), "bad")
    post = request.office.store.trails.post(row.mention_id)
    if post is None or row.is_deleted:
        return request.back(url, request.words.say("This post was withdrawn: nothing more is learned from it."), "bad")
    if not request.is_first_press():
        return request.back(url, request.words.say("That was done with your first press."))
    named = f"{post.mention.network}:{post.mention.external_id}"
    now, who = request.office.clock.now(), request.visitor.full_name
    try:
        correct(request.office.store, named, row.brand, said, who, now, origin="console")
    except StoreError:
        return request.back(
            url,
            request.words.say(
                "Nothing is learned from this post: it belongs to a drill, or it was not classified yet."
            ),
            "bad",
        )
    told = {name: value for name, value in said.items() if value is not None}
    request.note("classification corrected", named, country=row.country, **told)
    return request.back(
        url, request.words.say("Noted. The classifier learns from it at its next lesson; what was decided stays.")
    )


@page("communications-lead")
def forget(request: PageRequest) -> Response:
    """Ask whether a post is to be withdrawn because somebody asks for it, and withdraw it."""
    row, office = _row(request), request.office
    url, post = f"/mentions/{row.match_id}", office.store.trails.post(row.mention_id)
    if post is None or row.is_deleted:
        return request.back(url, request.words.say("This post was withdrawn before."), "bad")
    others = [one for one in office.store.trails.matches(row.mention_id) if not request.visitor.sees(one.country)]
    if not request.is_post:
        values = {"line": line_of(request, row), "row": row, "url": url, "is_elsewhere": bool(others)}
        return request.render("mention_forget.html", values)
    if request.form.get("sure") != "yes":
        return request.back(request.here, request.words.say("Tick that you are sure, then send it again."), "bad")
    step = WithdrawStep(office.config, {}, office.announcer, office.store, office.clock)
    step.forget(post.mention.network, post.mention.external_id, request.visitor.full_name)
    request.note("post withdrawn", f"{post.mention.network}:{post.mention.external_id}", country=row.country)
    said = request.words.say("The post is withdrawn; cards and notes that showed it change with the next sending.")
    return request.back(url, said)


def _row(request: PageRequest) -> MentionRow:
    row = request.office.store.browsing.mention(_number(request.path["match"]), sees=request.visitor.countries)
    if row is None:
        raise NotFoundError("no such post, or of another country")
    return row


def _values_of(request: PageRequest, row: MentionRow) -> dict[str, object]:
    office, words = request.office, request.words
    item = office.store.triage.item(row.match_id) if row.complaint is not None else None
    post = office.store.trails.post(row.mention_id)
    found = item.classification if item else None
    alert = office.store.alerts.alert(row.alert_id) if row.alert_id else None
    line = line_of(request, row)
    text = "" if post is None or row.is_deleted else showing.whole_text(post.mention.text)
    reasons = found.reasons if found else ()
    others = [
        one
        for one in office.store.trails.matches(row.mention_id)
        if one.id != row.match_id and request.visitor.sees(one.country)
    ]
    return {
        "line": line,
        "row": row,
        "found": found,
        "pieces": showing.pieces(text, reasons),
        "reasons": _strongest(reasons) if not row.is_deleted else [],
        "handle": showing.short_name((row.author_handle or "").lstrip("@")),
        "place": showing.short_name(post.mention.place if post else ""),
        "engagement": _engagement(words, item),
        "parts_of_it": _parts(words, item),
        "influence": None if item is None else influence_of(item),
        "signals": [
            (words.say(names.SIGNALS[letter]), share)
            for letter, share in sorted(found.signals.items(), key=lambda pair: -pair[1])
            if letter in names.SIGNALS
        ]
        if found
        else [],
        "url": showing.checked(row.url),
        "author_url": showing.checked(post.mention.author.url) if post else "",
        "alert": alert,
        "alert_name": f"{'I' if alert and alert.kind == 'incident' else 'A'}-{row.alert_id}" if row.alert_id else "",
        "reference": f"{post.mention.network}:{post.mention.external_id}" if post else "",
        "others": [(one, showing.brand_name(office.config, one.brand)) for one in others],
        "corrections": [(one, _corrected(words, one)) for one in reversed(_corrections(request, item))],
        "may_correct": request.visitor.may("community-manager")
        and found is not None
        and not row.is_deleted
        and row.network != DRILL_NETWORK,
        "may_forget": request.visitor.may("communications-lead") and not row.is_deleted,
        "topics": [(name, words.say(names.TOPICS[name])) for name in TOPICS],
        "sentiments": [(name, words.say(text)) for name, text in names.SENTIMENTS.items()],
        "urgencies": [(str(level), words.say(text)) for level, text in names.URGENCIES.items()],
    }


def _corrections(request: PageRequest, item: TriageItem | None) -> list[Correction]:
    if item is None:
        return []
    return request.office.store.corrections.history(item.mention.network, item.mention.external_id)


def _corrected(words: Words, one: Correction) -> str:
    """Say what somebody said of a post."""
    said = []
    if one.complaint is not None:
        said.append(words.say("a complaint") if one.complaint else words.say("no complaint"))
    if one.urgency is not None:
        said.append(words.say(names.URGENCIES[one.urgency]))
    if one.topic:
        said.append(words.say("topic {topic}", topic=showing.topic_name(words, one.topic)))
    if one.sentiment:
        said.append(words.say(names.SENTIMENTS[one.sentiment]))
    return ", ".join(said)


def _strongest(reasons: Sequence[Reason]) -> list[Reason]:
    shown = [replace(one, word=showing.short_name(one.word, 60)) for one in reasons]
    return sorted((one for one in shown if one.word), key=lambda one: -abs(one.weight))[:12]


def _parts(words: Words, item: TriageItem | None) -> list[tuple[str, float]]:
    if item is None:
        return []
    return [
        (showing.short_name(words.said(part.because), 200), part.value * part.weight)
        for part in influence_of(item).parts
    ]


def _engagement(words: Words, item: TriageItem | None) -> list[str]:
    if item is None:
        return []
    counts = item.mention.engagement
    told = (
        counts.likes is not None and words.plural("{count} like", "{count} likes", counts.likes),
        counts.replies is not None and words.plural("{count} answer", "{count} answers", counts.replies),
        counts.reposts is not None and words.plural("{count} repost", "{count} reposts", counts.reposts),
        counts.quotes is not None and words.plural("{count} quote", "{count} quotes", counts.quotes),
        counts.views is not None and words.plural("{count} view", "{count} views", counts.views),
    )
    return [one for one in told if one]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0


NAV = Nav(marked("Posts"), "/mentions", order=20)
ROUTES = (
    Route("/mentions", mentions),
    Route("/mentions/{match:int}", mention),
    Route("/mentions/{match:int}/corrections", say, methods=["POST"]),
    Route("/mentions/{match:int}/forget", forget, methods=["GET", "POST"]),
)
