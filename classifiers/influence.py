"""How far an author's voice carries, from what the network shows of the account and of the post.

Every part is a saturating function in [0, 1]; parts join as independent chances (1 - product of 1 - w*v), so
the score rises with each of them and never leaves [0, 1].
"""

import math
import re
from collections.abc import Iterable

from listener.model import Author, Engagement, Influence, Part
from listener.sentences import counted, sentence

# Followers at which an account is as loud as it gets on that network. Chosen from the size of the networks'
# leading brand critics, not from a published table; only their order of magnitude matters on a log scale.
_FULL_FOLLOWERS = {
    "x": 1_000_000,
    "vk": 300_000,
    "weibo": 5_000_000,
    "instagram": 1_000_000,
    "tiktok": 2_000_000,
    "youtube": 1_000_000,
    "facebook": 500_000,
    "bluesky": 300_000,
    "mastodon": 100_000,
}
_FULL_FOLLOWERS_ELSEWHERE = 500_000
_FULL_VIEWS = 1_000_000
_FULL_SHARES = 10_000
_FULL_REACTIONS = 50_000

WEIGHTS = {
    "followers": 0.9,
    "verified": 0.12,
    "press": 0.5,
    "public figure": 0.4,
    "creator": 0.2,
    "views": 0.8,
    "shares": 0.7,
    "reactions": 0.5,
    "sponsored": 0.25,
}

_PRESS = (
    r"journalists?|reporters?|correspondents?|newsroom|news editor|editor[- ]in[- ]chief|columnist|anchor(?:wo)?man",
    r"journaliste|chroniqueu(?:r|se)|rédact(?:eur|rice) en chef|grand reporter|présentat(?:eur|rice) tv",
    r"journalist(?:in|en|e)?|redakteur(?:in)?|chefredakteur(?:in)?|korrespondent(?:in)?",
    r"periodista|reporter[oa]|corresponsal|redactor(?:a)? jefe",
    r"jornalista|repórter|correspondente|colunista",
    r"giornalista|inviat[oa] (?:di|del|rai)|caporedattore|cronista",
    r"verslaggever|verslaggeefster|hoofdredacteur|correspondent",
    r"dziennikar(?:z|ka)|reporterka|korespondent(?:ka)?|redaktor(?:ka)? naczeln[ya]",
    r"gazeteci|muhabir|haber müdürü|genel yayın yönetmeni",
    r"wartawan|jurnalis|pemimpin redaksi",
    r"журналист(?:ка)?|корреспондент(?:ка)?|главный редактор|главред|обозреватель|телеведущ(?:ий|ая)",
    r"журналіст(?:ка)?|кореспондент(?:ка)?|головн(?:ий|а) редактор(?:ка)?",
    r"صحفي[ةه]?|صحافي[ةه]?|إعلامي[ةه]?|مراسل[ةه]?|رئيس تحرير",
    r"पत्रकार|संवाददाता|संपादक",
)
_PRESS_CJK = (
    "记者",
    "記者",
    "主编",
    "主編",
    "总编",
    "總編",
    "媒体人",
    "媒體人",
    "ジャーナリスト",
    "編集長",
    "特派員",
    "기자",
    "언론인",
    "편집장",
    "특파원",
)
_FIGURE = (
    r"mp for|member of parliament|mep|senator|congress(?:man|woman)|councillor|mayor|minister",
    r"député(?:e)?|sénat(?:eur|rice)|maire de|ministre|eurodéputé(?:e)?|conseill(?:er|ère) fédéral(?:e)?",
    r"mdb|mitglied des (?:deutschen )?bundestage?s|bundesminister(?:in)?|oberbürgermeister(?:in)?",
    r"nationalrat|nationalrätin|ständer(?:at|ätin)",
    r"diputad[oa]|senadora?|alcalde(?:sa)?|ministr[oa]|concejal(?:a)?",
    r"deputad[oa] (?:federal|estadual)?|vereador(?:a)?|prefeit[oa]",
    r"deputat[oa]|senatrice|senatore|sindac[oa]|ministro",
    r"kamerlid|burgemeester|wethouder|volksvertegenwoordiger|schepen",
    r"pos(?:eł|łanka)|senatorka|burmistrz|prezydent miasta",
    r"milletvekili|belediye başkanı|bakan yardımcısı",
    r"anggota dpr|walikota|bupati|gubernur|menteri",
    r"депутат(?:ка)?|сенатор|министр|губернатор|мэр города|глава города",
    r"народн(?:ий|а) депутат(?:ка)?|міністр|мер міста",
    r"نائب برلماني|عضو مجلس|وزير[ةه]?|سفير[ةه]?",
    r"सांसद|विधायक|मंत्री|महापौर",
)
_FIGURE_CJK = (
    "议员",
    "議員",
    "市长",
    "市長",
    "部长",
    "部長",
    "人大代表",
    "立法委員",
    "大臣",
    "知事",
    "국회의원",
    "시장님",
    "장관",
)
_CREATOR = (
    r"influenc(?:er|euse|eur)|youtuber|streamer|blogg?er(?:in|ka)?|vlogger|content creator|podcaster|tiktoker",
    r"créat(?:eur|rice) de contenu|cread[oa]r(?:a)? de contenido|criador(?:a)? de conteúdo|içerik üreticisi",
    r"блог+ер(?:ка|ша)?|стример(?:ша)?|ютубер|مدون[ةه]?|صانع محتوى|यूट्यूबर|ब्लॉगर",
)
_CREATOR_CJK = (
    "博主",
    "大v",
    "up主",
    "部落客",
    "網紅",
    "网红",
    "インフルエンサー",
    "ユーチューバー",
    "크리에이터",
    "유튜버",
    "인플루언서",
)


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


# CJK writes no spaces between words, so those words are looked for anywhere.
_BIO = tuple(
    (name, _pattern(words), re.compile("|".join(map(re.escape, cjk)), re.IGNORECASE))
    for name, words, cjk in (
        ("press", _PRESS, _PRESS_CJK),
        ("public figure", _FIGURE, _FIGURE_CJK),
        ("creator", _CREATOR, _CREATOR_CJK),
    )
)


def score_influence(author: Author, engagement: Engagement, *, sponsored: bool = False) -> Influence:
    """Return the influence of one post's author and reach, with every part that counted.

    Never falls when followers, views, shares or reactions rise.
    """
    author_parts = list(_author_parts(author))
    reach_parts = list(_reach_parts(engagement, sponsored))
    by_author, by_reach = _join(author_parts), _join(reach_parts)
    parts = sorted((*author_parts, *reach_parts), key=lambda part: -part.value * part.weight)
    return Influence(1 - (1 - by_author) * (1 - by_reach), by_author, by_reach, tuple(parts))


def _author_parts(author: Author) -> Iterable[Part]:
    if author.followers:
        full = _FULL_FOLLOWERS.get(author.network, _FULL_FOLLOWERS_ELSEWHERE)
        followers = counted(
            "{count} follower on {network}",
            "{count} followers on {network}",
            author.followers,
            network=author.network,
        )
        yield _part("followers", _scaled(author.followers, full), followers)
    if author.verified:
        yield _part("verified", 1.0, sentence("verified account"))
    for name, pattern, cjk in _BIO:
        found = pattern.search(author.bio) or cjk.search(author.bio)
        if found:
            yield _part(name, 1.0, sentence("“{words}” in the bio", words=found[0]))


def _reach_parts(engagement: Engagement, sponsored: bool) -> Iterable[Part]:
    if engagement.views:
        seen = counted("seen {count} time", "seen {count} times", engagement.views)
        yield _part("views", _scaled(engagement.views, _FULL_VIEWS), seen)
    shares = (engagement.reposts or 0) + (engagement.quotes or 0)
    if shares:
        shared = counted("shared {count} time", "shared {count} times", shares)
        yield _part("shares", _scaled(shares, _FULL_SHARES), shared)
    reactions = (engagement.likes or 0) + (engagement.replies or 0)
    if reactions:
        reacted = counted("{count} like or reply", "{count} likes and replies", reactions)
        yield _part("reactions", _scaled(reactions, _FULL_REACTIONS), reacted)
    if sponsored:
        yield _part("sponsored", 1.0, sentence("paid promotion"))


def _part(name: str, value: float, because: str) -> Part:
    return Part(name, value, WEIGHTS[name], because)


def _scaled(count: int, full: int) -> float:
    """Map a count to [0, 1]: squared logarithm, so that hundreds count for little and the last decade for most."""
    return float(min(1.0, math.log1p(max(0, count)) / math.log1p(full)) ** 2)


def _join(parts: Iterable[Part]) -> float:
    return 1.0 - math.prod(1.0 - part.weight * part.value for part in parts)
