"""Takes out of posts what points to a private person: numbers, addresses, handles. In every script and digit system.

What is taken out leaves a sign that needs no translation. Where the choice is between a number too many masked and one
too few, it is one too many; prices, dates, times, years and products' names stay: they are what a complaint is about.
"""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import regex

PHONE = "[☎]"
MAIL = "[✉]"
NUMBER = "[#]"
"""Stands for a number of an order, booking, account, card, or any other that may be looked up."""
ADDRESS = "[⌂]"
PUBLIC_FOLLOWERS = 10_000
"""Whoever so many follow speaks in public, and keeps their name."""
_LONGEST = 20_000
"""A post has fewer characters; of what is longer the rest is cut off, for it could not be checked in time."""
_PASSES = 6
_UNSEEN = {"Cf", "Cc"}
_UNSEEN_MARKS = frozenset("\u034f\u20e3").union(map(chr, range(0xFE00, 0xFE10)))
"""What makes an emoji of a digit, or nothing of it at all."""
_LOOK_ALIKE = str.maketrans("＋－﹣−–—‐‑．（）＠﹫／：＃，｜～〜\u3164\uffa0\u2800", "+-------.()@@/:#,|~~   ")

_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts that put no space around a handle or an address."""
_STARTS_SPACELESS = regex.compile(rf".?[{_SPACELESS}]", regex.DOTALL)
_ALPHABET = rf"[[\p{{L}}\p{{M}}\p{{N}}_]--[{_SPACELESS}]]"
_TLD = (
    r"(?:com|net|org|info|biz|io|me|co|app|tv|ly|gg|be|ee|ru|su|ua|by|kz|cn|jp|kr|tw|hk|sg|th|vn|in|id|br|mx|ar|cl|pt|es|fr|"
    r"de|at|ch|it|nl|pl|tr|uk|ie|eu|us|ca|au|nz|za|sa|ae|eg|il|se|no|dk|fi|cz|gr|ro|hu|ai|dev|link|page|social|club|xyz|"
    r"site|online|shop|рф|бел|укр|中国|中國|公司|网络|網絡|网站|网址|商城|在线|集团|香港|台湾|台灣|한국|닷컴|닷넷|コム|みんな|ไทย|คอม)"
    r"(?![\p{Latin}\p{Cyrillic}\p{N}_])"
)
_PROVIDER = (
    r"(?:gmail|googlemail|yahoo|hotmail|outlook|icloud|live|msn|aol|gmx|web|proton|protonmail|mail|yandex|rambler|bk|inbox|"
    r"list|ukr|qq|163|126|sina|foxmail|naver|hanmail|daum|orange|wanadoo|laposte|libero|terra|uol|bol)"
)
_AT_WORD = r"(?:at|ät|arroba|arobase|chiocciola|małpa|собака|собачка)"
_DOT_WORD = r"(?:dot|punkt|point|punto|ponto|kropka|точка|крапка|nokta)"

_PATH = rf"[/?#](?:[{_ALPHABET}…!$%&()*+,\-./:;=?@~#]|(?<=[/=@])[{_SPACELESS}]{{1,20}})*"
_LINK = regex.compile(
    rf"(?V1)(?<![{_ALPHABET}@])(?:(?P<scheme>[a-z]{{2,10}}://)(?:[^\s/@?#]{{1,64}}@)?(?P<host>[\p{{L}}\p{{M}}\p{{N}}.-]{{1,100}})"
    rf"|(?P<bare>(?:[{_ALPHABET}-]{{1,63}}\.){{1,4}}{_TLD}))(?::\d{{1,5}})?(?P<path>{_PATH}(?<![.,:;!?)]))",
    regex.IGNORECASE,
)
_L = r"\p{Latin}\p{Cyrillic}\p{Greek}\p{Arabic}\p{Hebrew}\p{Devanagari}\p{M}"
_MAIL = regex.compile(
    rf"(?V1)(?<![{_ALPHABET}.%+'-]){_ALPHABET}[{_ALPHABET}.%+'-]{{0,63}}+"
    rf"(?:@|\s?[(\[]\s?{_AT_WORD}\s?[)\]]\s?)[{_ALPHABET}{_SPACELESS}-]{{1,63}}"
    rf"(?:(?:\.|\s?[(\[]{_DOT_WORD}[)\]]\s?)(?:[{_ALPHABET}-]{{2,63}}|{_TLD})){{1,5}}"
    # "jean@gmail"
    rf"|(?<![{_ALPHABET}.%+'-]){_ALPHABET}[{_ALPHABET}.%+'-]{{0,63}}+@{_PROVIDER}(?![{_ALPHABET}-])"
    # a name in a script without spaces, of which the beginning cannot be known
    rf"|(?:[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}ー]{{1,4}}|[\p{{Hangul}}\p{{Thai}}\p{{Lao}}\p{{Khmer}}\p{{Myanmar}}._-]{{1,20}})@"
    rf"(?:[{_ALPHABET}{_SPACELESS}-]{{1,63}}\.){{1,4}}{_TLD}",
    regex.IGNORECASE,
)
_NO_MAILBOX = (
    r"(?:it|this|that|these|them|him|her|us|look|looking|shop|shopping|buy|buying|bought|order|ordered|orders|sold|sale|"
    r"available|found|find|visit|online|site|website|page|is|was|are|were|be|cheaper|price|prices|deal|deals|work|works|and|or)"
)
_SPELT_MAIL = regex.compile(
    rf"(?V1)(?<![{_ALPHABET}.-])(?:[{_ALPHABET}.-]{{1,40}}\s{{1,2}}{_DOT_WORD}\s{{1,2}}){{0,2}}"
    rf"(?!{_NO_MAILBOX}\s)[{_ALPHABET}.-]{{1,40}}+\s{{1,2}}{_AT_WORD}\s{{1,2}}"
    rf"(?:[{_ALPHABET}-]{{1,40}}(?:\s{{1,2}}{_DOT_WORD}\s{{1,2}}[{_ALPHABET}-]{{2,40}}){{0,2}}\s{{1,2}}{_DOT_WORD}\s{{1,2}}(?:{_TLD}|ру|ком)"
    rf"|{_PROVIDER}\.{_TLD})(?![{_ALPHABET}])",
    regex.IGNORECASE,
)
_VK = regex.compile(r"\[(id|club|public)(\d{1,15})\|([^\[\]|\n]{0,80})\]")
_AT = r"(?:(?<![A-Za-z0-9_])|(?<=(?<![A-Za-z0-9_])(?i:rt|mt|qt|ht|via|by|cc)))@(?![^\s@]{1,2}…)"
_STOP = r"\s@:,.!?;/|()\[\]\"“”»。！？；、…」』】》"
_HANDLE = regex.compile(
    # on Weibo a handle goes on until a space or colon
    rf"(?V1){_AT}(?P<name>(?P<bare>{_ALPHABET}(?:[{_ALPHABET}.-]*{_ALPHABET})?)(?:\p{{Han}}{{1,4}}(?=[\s:]))?…?)"
)
_OTHER_HANDLE = regex.compile(
    rf"(?V1){_AT}(?!{_ALPHABET})(?P<name>(?P<bare>[^{_STOP}](?:[^{_STOP}]|\((?!\s)){{0,19}})(?=[[{_STOP}]--[@…\[]]|$)"
    rf"|(?P<open>[^{_STOP}{_SPACELESS}]{{0,10}}(?:[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}ー]{{1,4}}|[{_SPACELESS}]{{1,12}})"
    rf"|[^{_STOP}]{{1,50}})…?)"
)
_REDDIT = regex.compile(r"(?<!\w)(?<!\w/)(?:/user/|/?[uU]/)(?P<name>(?P<bare>[A-Za-z0-9_-]{3,20})…?)(?![A-Za-z0-9_-])")
_IBAN = regex.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_CURRENCY_SIGN = r"[€$£¥￥₽₹₴₺₩₪฿]"
_SMALL_CURRENCY = r"(?:원|円|₩|Rp\.?|KRW|IDR|JPY|yen|rupiah)"
"""One is worth so little that prices have seven digits, and end in two zeros."""
_CURRENCY = (
    r"元|円|원|块|руб(?:лей|ля|ль|\.)?|грн|zł|TL|Rp\.?|EUR|USD|GBP|CHF|RUB|INR|JPY|CNY|KRW|UAH|PLN|TRY|IDR|"
    r"BRL|MXN|AED|SAR|euros?|dollars?|pounds?|lira|reais|rupees?|rupiah|yen|yuan|Euro"
)
_AMOUNT = (
    r"(?:\d{1,3}(?:[ .,'’]\d{3}){1,3}(?:[.,]\d{1,2})?|\d{1,2}(?:,\d{2}){1,3},\d{3}(?:\.\d{1,2})?|\d{1,9}[.,]\d{1,2}|"
    r"[1-9]\d{3,5}000|\d{1,6})"
)
_SHORT_DATE = r"(?<![\d)] )(?<!\))\d{1,2}([./-])\d{1,2}\3\d{2}(?!\d| \d\d[ .-]?\d\d(?!\d?:))"
_KEPT = regex.compile(
    # dates, times, spans of years, prices, great round numbers, percentages and measures
    rf"(?<![\d./-])(?:\d{{4}}([./-])\d{{1,2}}\1\d{{1,2}}|\d{{1,2}}([./-])\d{{1,2}}\2\d{{4}}|{_SHORT_DATE})"
    r"(?:T\d{2}:\d{2}(?::\d{2})?Z?)?(?![\d/-]|\.\d)"
    r"|(?<![\d:])\d{1,2}:\d{2}(?::\d{2})?(?![\d:])|(?<!\d)\d{1,2}[.h]\d{2}\s?(?:Uhr|h)\b"
    r"|(?<![\d./-])(?:19|20)\d{2}\s?[-/]\s?(?:(?:19|20)\d{2}|\d{2})(?![\d./-]|\s\d)"
    rf"|(?:{_CURRENCY_SIGN}|(?<!\p{{L}})(?:{_CURRENCY}))\s?{_AMOUNT}(?![\d]|[ .-]\d)"
    rf"|(?<![\d]|\d[ .-]){_AMOUNT}\s?(?:{_CURRENCY_SIGN}|{_CURRENCY})(?!\p{{L}}{{3}})"
    rf"|(?<!\p{{L}}){_SMALL_CURRENCY}\s?[1-9]\d{{4,6}}00(?!\d|[ .-]\d)"
    rf"|(?<!\d|\d[ .-])[1-9]\d{{4,6}}00\s?{_SMALL_CURRENCY}(?!\p{{Latin}})"
    r"|(?P<great>(?<![\d+]|\d[ .-])[1-9]\d{0,2}(?:[ .,'’]\d{3}){0,2}(?:[ .,'’]000)(?:[.,]\d{1,2})?(?![\d]|[ .-]\d)"
    r"|(?<![\d+]|\d[ .-])[1-9](?:[ .,'’]\d{3}){2}(?![\d]|[ .-]\d))"
    r"|(?<![\d.])\d{1,6}[.,]\d{1,6}\s?(?:%|[kKМмmM]?[mMбБ][bBб]|km|kg|GB|MB|GHz)",
    regex.IGNORECASE,
)
_MILLIONS = (" 000 000", ".000.000", ",000,000")
_TAKEN = "\0"
"""Stands where a date or price was; no post has it in its plain form."""
_DIGITS = regex.compile(rf"(?<![{_L}\d])[+(]{{0,2}}\d(?:[ ().\-/·_*]{{0,3}}\d){{4,60}}(?!\d)|(?<!\d)\d{{7,}}+")
_WIDE = "\n,|~:"
_SPREAD = tuple(
    regex.compile(rf"(?<![{_L}\d]){start}(?:[ ().\-/·_*{_WIDE}]{{0,3}}\d){{8,18}}(?!\d)")
    for start in (r"(?:[+(]{1,2}\d|0)", r"(?<!\d[,|~:.])[1-9]")
)
"""Numbers over several lines, or with signs between their digits that lists have too."""
_CODE = regex.compile(rf"(?<![{_L}\d-])[A-Z0-9](?:-?[A-Z0-9]){{5,40}}(?![{_L}\d])")
_SIGN = (
    r"(?:№|#|n[°ºo]\.?|nr\.?|num\.?|number|numéro|nummer|número|numero|номер|id|code|код|kodu?|numarası|numer|no\.?|"
    r"号码?|號碼?|番号|번호|رقم|नंबर)"
)
_THING = (
    r"order|booking|reservation|reference|ref|pnr|record\s?locator|case|ticket|tracking|parcel|account|customer|contract|"
    r"invoice|policy|membership|complaint|commande|réservation|dossier|référence|client|facture|suivi|colis|réclamation|"
    r"bestellung|bestell|auftrag|auftrags|buchung|buchungs|vorgangs?|kunden|rechnungs?|vertrags?|sendungs?|pedido|reserva|"
    r"localizador|factura|cliente|cuenta|contrato|guía|expediente|protocolo|cpf|cnpj|ordine|prenotazione|pratica|"
    r"bestelling|bestel|boeking|boekings|klant|klantnr|zamówieni[ea]|rezerwacj[ai]|zgłoszeni[ea]|заказа?|брон[ьи]|бронирования|"
    r"трек|сч[её]та?|договора?|обращени[ея]|замовлення|бронювання|ттн|sipariş|rezervasyon|takip|müşteri|başvuru|tc|pesanan|"
    r"resi|invoice|booking|订单|訂單|单号|單號|运单|運單|预订|預訂|账号|賬號|帐号|会员|會員|注文|予約|問い合わせ|주문|예약|운송장|"
    r"الطلب|طلب|الحجز|حجز|ऑर्डर|बुकिंग|आर्डर|पीएनआर"
)
_NAMED = regex.compile(
    rf"(?<!\p{{L}})(?:(?:{_THING})[\s:._-]{{0,3}}(?:{_SIGN})?|{_SIGN})[\s:._=-]{{0,3}}[#№]?\s?"
    rf"(?<![{_L}])(?P<code>(?-i:[A-Z0-9](?:[ -]?[A-Z0-9]){{3,30}}))(?![{_L}\d])",
    regex.IGNORECASE,
)
_RECORD = regex.compile(
    r"(?<!\p{L})(?i:pnr|record locator|booking (?:ref(?:erence)?|code)|buchungscode|localizador|numéro de réservation)"
    r"[\s:#.]{0,3}(?:(?i:is|ist|est|es)\s)?(?P<code>[A-Z]{6})(?!\p{L})"
)
_NAME = r"\p{Lu}[\p{L}\p{M}'’.-]{1,30}"
_TO_HOUSE = r",? (?:д\.? ?|nº? ?)?\d{1,4}[\p{L}]?(?:,? ?(?:кв|apto?|int)\.? ?\d{1,4})?(?!\p{L}|\d)"
_STREET = tuple(
    regex.compile(pattern)
    for pattern in (
        rf"(?<!\d)\d{{1,5}}[a-z]?,? (?:{_NAME} ){{1,3}}"
        r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Close|Court)\b\.?",
        r"(?<!\d)\d{1,4}(?: ?(?:bis|ter))?,? (?i:rue|avenue|av\.|boulevard|bd|chemin|impasse|allée|quai)"
        rf"(?: (?:de|du|des|la|le|les|l['’]|{_NAME})){{1,5}}",
        r"\p{Lu}[\p{L}-]{0,30}(?:straße|strasse|str\.|weg|gasse|allee|straat|laan|gracht) \d{1,4} ?[a-z]?(?!\p{L}|\d)",
        r"(?<!\p{L})(?i:calle|c/|avenida|avda\.|via|viale|piazza|rua|travessa|ul\.|ulica|ул\.|улица|улице|вул\.|вулиця|"
        rf"пр\.|проспект)(?: (?:de|del|da|do|di|la|{_NAME})){{1,4}}{_TO_HOUSE}",
        r"\p{Lu}[\p{L}]{1,30} (?i:sokak|sokağı|sok\.|cad\.|caddesi)(?: no)?[ :.]{0,2}\d{1,4}(?:/\d{1,4})?(?!\d)",
        r"[\p{Han}]{1,4}(?:路|街|道|巷|弄)\d{1,5}[号號](?:[\p{Han}]{0,2}\d{1,5}[号號楼樓室栋棟单元座]{1,2}){0,3}(?:\d{1,5})?",
        r"\d{1,3}丁目\d{1,3}(?:番地?|-)?\d{0,4}(?:号|-\d{1,4})?",
    )
)  # fmt: skip


def mask(text: str, *, country: str, keep: Collection[str] = ()) -> str:
    """Return a post without what points to a private person; never raises.

    A text that has neither digits nor "@" nor "/" comes back as it is, but for a mail address that is spelt out
    ("me (at) …") and a booking's record locator of six capitals that is called so. Links are cut to their host. Masking
    what is masked changes nothing.

    Args:
        text: a post, hostile.
        country: ISO 3166 alpha-2, for telephone numbers as they are written there.
        keep: handles that stay, such as the brand's own accounts.
    """
    text = text[:_LONGEST]
    kept = frozenset(handle.lstrip("@").casefold() for handle in keep)
    for _ in range(_PASSES):
        masked = _masked_once(text, country, kept)
        if masked == text:
            break
        text = masked
    return text


def shortened(handle_or_name: str) -> str:
    """Return a private person's handle or name as a reader may see it: "@ma…", "M. K."; never raises.

    Shortening what is shortened changes nothing.
    """
    name = handle_or_name.strip()
    if name.startswith("@"):
        bare = name[1:].rstrip("…")
        if name.endswith("…") and len(bare) <= 2:
            return name
        # two letters of a script without spaces are a whole name as often as not
        return f"@{bare[: 2 if len(bare) > 3 and not _STARTS_SPACELESS.match(bare) else 1]}…"
    found = (regex.match(r"[^\p{L}]*+(\p{L}\p{M}?)", word) for word in name.split())
    initials = [match[1] for match in found if match][:3]
    return " ".join(f"{_capital(initial)}." for initial in initials) if initials else "…"


def is_public(followers: int | None, *, verified: bool | None = False, journalist: bool = False) -> bool:
    """Return whether an account speaks in public, so that its name is no private matter."""
    return bool(verified) or journalist or (followers or 0) >= PUBLIC_FOLLOWERS


def _capital(letter: str) -> str:
    upper = letter.upper()
    return upper if len(upper) == len(letter) else letter  # ß has no capital of one letter


@dataclass(frozen=True, slots=True)
class _Plain:
    """A post with plain digits and signs and nothing unseen, and where each of its characters stood."""

    text: str
    places: tuple[int, ...]

    @classmethod
    @lru_cache(maxsize=4)  # a post is looked through many times, and seldom changed
    def of(cls, post: str) -> "_Plain":
        if post.isascii() and post.isprintable():
            return cls(post, tuple(range(len(post))))
        pairs = [(_plain(one), at) for at, one in enumerate(post) if one in "\n\t\r" or not _is_unseen(one)]
        return cls("".join(one for one, _ in pairs), tuple(at for _, at in pairs))


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN or character in _UNSEEN_MARKS


def _plain(character: str) -> str:
    value = unicodedata.digit(character, None)
    if value is not None:
        return str(value)
    return " " if unicodedata.category(character) == "Zs" else character.translate(_LOOK_ALIKE)


Cut = tuple[int, int, str]
"""Where something begins and ends, and what stands in its place."""
Replace = Callable[["regex.Match[str]"], str | None]
"""What stands in place of a match; None leaves it."""


def _masked_once(text: str, country: str, kept: frozenset[str]) -> str:
    plain = _Plain.of(text).text
    if not regex.search(r"[\d@/]", plain) and not any(one.search(plain) for one in (_RECORD, _MAIL, _SPELT_MAIL)):
        return text
    steps: list[tuple[regex.Pattern[str], Replace, str | int]] = [
        (_LINK, lambda match: _link(match, kept), 0),
        (_MAIL, lambda match: MAIL, 0),
        (_SPELT_MAIL, lambda match: MAIL, 0),
        (_VK, lambda match: shortened(match[3]) if match[1] == "id" else match[3], 0),
        *((handle, lambda match: _handle(match, kept), 0) for handle in (_HANDLE, _OTHER_HANDLE, _REDDIT)),
        (_IBAN, lambda match: NUMBER if _is_account(match[0]) else None, 0),
        *((street, lambda match: ADDRESS, 0) for street in _STREET),
        (_NAMED, _named, "code"),
        (_RECORD, lambda match: NUMBER, "code"),
    ]
    for pattern, replace, group in steps:
        text = _replaced(text, pattern, replace, group)
    for find in (_spread_numbers, _plain_numbers, _references):
        text = _freely_replaced(text, country, find)
    return text.replace(f"#{NUMBER}", NUMBER)


def _replaced(text: str, pattern: "regex.Pattern[str]", replace: Replace, group: str | int) -> str:
    """Return a post with the matches of a pattern in its plain form replaced."""
    plain = _Plain.of(text)
    cuts = []
    for match in pattern.finditer(plain.text):
        sign = replace(match)
        if sign is not None:
            cuts.append((*match.span(group), sign))
    return _cut(text, plain, cuts)


def _cut(text: str, plain: _Plain, cuts: Iterable[Cut]) -> str:
    parts, at = [], 0
    for start, end, sign in cuts:
        parts += [text[at : plain.places[start]], sign]
        at = plain.places[end - 1] + 1
        while at < len(text) and text[at] in _UNSEEN_MARKS:
            at += 1
    return "".join([*parts, text[at:]])


def _handle(match: "regex.Match[str]", kept: frozenset[str]) -> str | None:
    """Return a handle's name, shortened; where none can see its end it may be a kept one with the post's next words."""
    name, groups = match["name"], match.groupdict()
    if {name.rstrip("…").casefold(), (groups["bare"] or "").casefold()} & kept:
        return None
    if groups.get("open"):
        after = match.string[match.start("name") :][:64].casefold()
        if any(one and after.startswith(one) for one in kept):
            return None
    return match[0][: match.start("name") - match.start()] + shortened(f"@{name}")[1:]


def _link(match: "regex.Match[str]", kept: frozenset[str]) -> str | None:
    """Return a link's host, for the rest names who wrote or is written about; None where there is no rest."""
    path = match["path"]
    host = match["bare"] or f"{match['scheme']}{match['host']}"
    account = regex.match(r"/@?([^/?#]+)", path)
    if account and account[1].casefold() in kept:
        host, path = f"{host}{account[0]}", path[account.end() :]
    return f"{host}/…" if path.strip("/") else None


def _is_account(code: str) -> bool:
    """Return whether it is an international bank account number, or looks so much like one that it must go."""
    bare = "".join(one for one in code if one.isalnum())
    return 15 <= len(bare) <= 34 and sum(one.isdigit() for one in bare) >= 8


def _named(match: "regex.Match[str]") -> str | None:
    """Return the sign for what is called a number of something; years and short numbers stay."""
    code = match["code"]
    digits = sum(one.isdigit() for one in code)
    is_year = len(code) == 4 and code[:2] in {"19", "20"}
    start = match.start("code")
    nearby = _KEPT.finditer(match.string, max(0, start - 40), start + 40)
    is_dated = any(kept.start() <= start < kept.end() for kept in nearby)
    is_several = " " in code and digits < 5  # "no 22 AC"
    return NUMBER if digits >= 2 and not (is_year or is_dated or is_several) else None


def _freely_replaced(text: str, country: str, find: Callable[[str, str], Iterable[Cut]]) -> str:
    """Return a post with what is found in it replaced that touches no date, time, price or great round number."""
    plain = _Plain.of(text)
    free = list(plain.text)
    for match in _KEPT.finditer(plain.text):
        if not (match["great"] and not match[0].endswith(_MILLIONS) and _is_bare_phone(match[0], country)):
            free[match.start() : match.end()] = _TAKEN * (match.end() - match.start())
    return _cut(text, plain, find("".join(free), country))


def _plain_numbers(free: str, country: str) -> Iterator[Cut]:
    for match in _DIGITS.finditer(free):
        sign = _number_sign(match[0], country)
        if sign is not None:
            yield *match.span(), sign


def _references(free: str, _: str) -> Iterator[Cut]:
    return ((*match.span(), NUMBER) for match in _CODE.finditer(free) if _is_reference(match[0]))


def _spread_numbers(free: str, country: str) -> Iterator[Cut]:
    """Find the numbers that are written over lines or with the signs of a list; whatever else begins so stays."""
    found: list[Cut] = []
    for pattern in _SPREAD:
        for match in pattern.finditer(free):
            length, sign = _spread(match[0], country)
            end = match.start() + length
            if length and not any(start < end and match.start() < stop for start, stop, _ in found[-40:]):
                found.append((match.start(), end, sign))
        found.sort()
    return iter(found)


def _spread(written: str, country: str) -> tuple[int, str]:
    """Return how much of some digits with the signs of a list is one number, and its sign; 0 where none is."""
    if any(sum(one.isdigit() for one in part) >= 9 for part in regex.split(f"[{_WIDE}]", written)):
        return 0, ""  # a whole number stands between the signs
    ends = [run.end() for run in regex.finditer(r"\d+", written)]
    for end in reversed(ends):
        part = written[:end]
        if sum(one.isdigit() for one in part) < 9:
            break
        if _is_evenly_spread(part) and _is_spread_phone(part, country):
            return end, PHONE
    runs = [len(run) for run in regex.findall(r"\d+", written)]
    is_card = runs == [4, 4, 4, 4] and not _are_years(written)
    is_foreign = written.startswith(("0", "+", "(")) and min(runs) >= 2 and len(runs) > 2
    return (len(written), NUMBER) if _is_evenly_spread(written) and (is_card or is_foreign) else (0, "")


def _is_evenly_spread(written: str) -> bool:
    """Return whether digits have the same sign between them throughout, but for line ends and after a prefix."""
    between = regex.findall(r"(?<=\d)\D+(?=\d)", written)
    if written.startswith(("+", "(", "00")):
        between = between[1:]
    digits = "".join(regex.findall(r"\d", written))
    is_counted = digits in "0123456789101112131415" or digits in "010203040506070809101112131415"
    kinds = {one for one in between if "\n" not in one}
    return any(one in _WIDE for one in written) and len(kinds) <= 1 and not is_counted


def _is_spread_phone(written: str, country: str) -> bool:
    if written.startswith(("0", "+", "(")):
        return _is_valid(written, country)
    is_list = ", " in written or max(map(len, regex.findall(r"\d+", written))) <= 2
    return not (is_list or _are_years(written)) and _is_bare_phone(written, country)


def _are_years(written: str) -> bool:
    return all(regex.fullmatch(r"(?:19|20)\d\d", run) for run in regex.findall(r"\d+", written))


def _number_sign(written: str, country: str) -> str | None:
    """Return the sign for some digits as they are written, or None where they may stay."""
    digits = sum(one.isdigit() for one in written)
    if digits > 6 and _is_phone(written, country):
        return PHONE
    runs = [len(run) for run in regex.findall(r"\d+", written)]
    if max(runs) >= 7 or (digits >= 9 and min(runs) >= 2):
        return NUMBER
    return None


def _is_phone(written: str, country: str) -> bool:
    import phonenumbers

    compact = regex.sub(r"[^\d+]", "", written)
    try:
        number = phonenumbers.parse(compact, country.upper())
    except phonenumbers.NumberParseException:
        return False
    if written.lstrip("(").startswith(("+", "00")):
        return phonenumbers.is_possible_number(number)
    return phonenumbers.is_valid_number(number) or (
        compact.startswith("0") and len(compact) <= 12 and phonenumbers.is_possible_number(number)
    )


def _is_valid(written: str, country: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(regex.sub(r"[^\d+]", "", written), country.upper()))
    except phonenumbers.NumberParseException:
        return False


def _is_bare_phone(written: str, country: str) -> bool:
    """Return whether it is a phone as it is dialled within the country without a 0 before it."""
    import phonenumbers

    compact = regex.sub(r"\D", "", written)
    if len(compact) < 9 or not _is_valid(compact, country):
        return False
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country.upper(), None)
    kind = phonenumbers.number_type(phonenumbers.parse(compact, country.upper()))
    is_mobile = kind in {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
    return is_mobile or metadata is None or metadata.national_prefix is None


def _is_reference(code: str) -> bool:
    """Return whether capitals and digits are a reference, and no product's name: those have few digits together."""
    runs = [len(run) for run in regex.findall(r"\d+", code)]
    letters = any(one.isalpha() for one in code)
    return bool(runs) and letters and (max(runs) >= 5 or sum(runs) >= 8)
