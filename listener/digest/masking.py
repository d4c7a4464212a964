"""Takes out of posts what points to a private person: numbers, addresses, handles. In every script and digit system.

What is taken out leaves a sign that needs no translation. Where the choice is between a number too many masked and one
too few, it is one too many; prices, dates, times, years and products' names stay: they are what a complaint is about.
"""

import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass

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
_LOOK_ALIKE = str.maketrans("＋－﹣−–—‐‑．（）＠／：＃，\u00a0\u2005\u2009\u202f\u3000", "+-------.()@/:#,     ")

_L = r"\p{Latin}\p{Cyrillic}\p{Greek}\p{Arabic}\p{Hebrew}\p{Devanagari}\p{M}"
_MAIL = regex.compile(
    rf"(?<![{_L}0-9._%+'-])[{_L}0-9_][{_L}0-9._%+'-]{{0,63}}+(?:@|\s?[(\[]\s?(?:at|ät|arroba|собака)\s?[)\]]\s?)"
    rf"[{_L}0-9-]{{1,63}}(?:(?:\.|\s?[(\[](?:dot|punkt|point|punto|точка)[)\]]\s?)[{_L}0-9-]{{2,63}}){{1,5}}",
    regex.IGNORECASE,
)
_VK = regex.compile(r"\[(id|club|public)(\d{1,15})\|([^\[\]|\n]{0,80})\]")
_HANDLE = regex.compile(r"(?<![\p{L}\p{N}._%+/-])@([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,48}[A-Za-z0-9_])?)(?![A-Za-z0-9_…])")
_OTHER_HANDLE = regex.compile(r"(?<![\p{L}\p{N}._%+/-])@([^\s@:,.!?，。！？…\[\]]{1,20})(?=[\s:,.!?，。！？]|$)")
_IBAN = regex.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_CURRENCY = (
    r"[€$£¥₽₹₴₺₩₪฿]|元|円|원|块|руб(?:лей|ля|ль|\.)?|грн|zł|TL|Rp\.?|EUR|USD|GBP|CHF|RUB|INR|JPY|CNY|KRW|UAH|PLN|TRY|IDR|"
    r"BRL|MXN|AED|SAR|euros?|dollars?|pounds?|lira|reais|rupees?|rupiah|yen|yuan|Euro"
)
_AMOUNT = r"\d{1,9}(?:[ .,'’]\d{3}){0,3}(?:[.,]\d{1,2})?"
_KEPT = regex.compile(
    # dates, times, spans of years, prices, great round numbers, percentages and measures
    r"(?<![\d./-])(?:\d{4}([./-])\d{1,2}\1\d{1,2}|\d{1,2}([./-])\d{1,2}\2(?:\d{4}|\d{2}))(?:T\d{2}:\d{2}(?::\d{2})?Z?)?(?![\d/-]|\.\d)"
    r"|(?<![\d:])\d{1,2}:\d{2}(?::\d{2})?(?![\d:])|(?<!\d)\d{1,2}[.h]\d{2}\s?(?:Uhr|h)\b"
    r"|(?<![\d./-])(?:19|20)\d{2}\s?[-/]\s?(?:(?:19|20)\d{2}|\d{2})(?![\d./-]|\s\d)"
    rf"|(?:{_CURRENCY})\s?{_AMOUNT}(?![\d]|[ .-]\d)|(?<![\d]|\d[ .-]){_AMOUNT}\s?(?:{_CURRENCY})(?!\p{{L}}{{3}})"
    r"|(?<![\d+]|\d[ .-])[1-9]\d{0,2}(?:[ .,'’]\d{3}){0,2}(?:[ .,'’]000)(?:[.,]\d{1,2})?(?![\d]|[ .-]\d)"
    r"|(?<![\d+]|\d[ .-])[1-9](?:[ .,'’]\d{3}){2}(?![\d]|[ .-]\d)"
    r"|(?<![\d.])\d{1,6}[.,]\d{1,6}\s?(?:%|[kKМмmM]?[mMбБ][bBб]|km|kg|GB|MB|GHz)",
    regex.IGNORECASE,
)
_DIGITS = regex.compile(rf"(?<![{_L}\d])[+(]{{0,2}}\d(?:[ ().\-/·_*]{{0,3}}\d){{4,60}}(?!\d)|(?<!\d)\d{{7,}}+")
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

    A text that has neither digits nor "@" comes back as it is, but for a mail address that is spelt out ("me (at) …")
    and a booking's record locator of six capitals that is called so. Masking what is masked changes nothing.

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
        return name if name.endswith("…") else f"@{bare[: 2 if len(bare) > 3 else 1]}…"
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
    def of(cls, post: str) -> "_Plain":
        if post.isascii() and post.isprintable():
            return cls(post, tuple(range(len(post))))
        pairs = [(_plain(one), at) for at, one in enumerate(post) if one in "\n\t\r" or not _is_unseen(one)]
        return cls("".join(one for one, _ in pairs), tuple(at for _, at in pairs))


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN


def _plain(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return str(value) if value is not None else character.translate(_LOOK_ALIKE)


Replace = Callable[["regex.Match[str]"], str | None]
"""What stands in place of a match; None leaves it."""


def _masked_once(text: str, country: str, kept: frozenset[str]) -> str:
    if not any(one.isdecimal() or one in "@＠" for one in text) and not (_RECORD.search(text) or _MAIL.search(text)):
        return text
    steps: list[tuple[regex.Pattern[str], Replace]] = [
        (_MAIL, lambda match: MAIL),
        (_VK, lambda match: shortened(match[3]) if match[1] == "id" else match[3]),
        (_HANDLE, lambda match: _handle(match[1], kept)),
        (_OTHER_HANDLE, lambda match: _handle(match[1], kept)),
        (_IBAN, lambda match: NUMBER if _is_account(match[0]) else None),
        *((street, lambda match: ADDRESS) for street in _STREET),
    ]
    for pattern, replace in steps:
        text = _replaced(text, pattern, replace)
    text = _replaced(text, _NAMED, _named, group="code")
    text = _replaced(text, _RECORD, lambda match: NUMBER, group="code")
    text = _freely_replaced(text, _DIGITS, lambda match: _number_sign(match[0], country))
    text = _freely_replaced(text, _CODE, lambda match: NUMBER if _is_reference(match[0]) else None)
    return text.replace(f"#{NUMBER}", NUMBER)


def _replaced(text: str, pattern: "regex.Pattern[str]", replace: Replace, group: str | int = 0) -> str:
    """Return a post with the matches of a pattern in its plain form replaced."""
    plain = _Plain.of(text)
    cuts = []
    for match in pattern.finditer(plain.text):
        sign = replace(match)
        if sign is not None:
            cuts.append((*match.span(group), sign))
    return _cut(text, plain, cuts)


def _cut(text: str, plain: _Plain, cuts: list[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for start, end, sign in cuts:
        parts += [text[at : plain.places[start]], sign]
        at = plain.places[end - 1] + 1
    return "".join([*parts, text[at:]])


def _handle(name: str, kept: frozenset[str]) -> str | None:
    return None if name.casefold() in kept else shortened(f"@{name}")


def _is_account(code: str) -> bool:
    """Return whether it is an international bank account number, or looks so much like one that it must go."""
    bare = "".join(one for one in code if one.isalnum())
    return 15 <= len(bare) <= 34 and sum(one.isdigit() for one in bare) >= 8


def _named(match: "regex.Match[str]") -> str | None:
    """Return the sign for what is called a number of something; years and short numbers stay."""
    code = match["code"]
    digits = sum(one.isdigit() for one in code)
    is_year = len(code) == 4 and code[:2] in {"19", "20"}
    is_dated = any(kept.start() <= match.start("code") < kept.end() for kept in _KEPT.finditer(match.string))
    is_several = " " in code and digits < 5  # "no 22 AC"
    return NUMBER if digits >= 2 and not (is_year or is_dated or is_several) else None


def _freely_replaced(text: str, pattern: "regex.Pattern[str]", replace: Replace) -> str:
    """Return a post with the matches of a pattern replaced that touch no date, time, price or great round number."""
    plain = _Plain.of(text)
    free = list(plain.text)
    for match in _KEPT.finditer(plain.text):
        free[match.start() : match.end()] = "\n" * (match.end() - match.start())
    found = ((match.span(), replace(match)) for match in pattern.finditer("".join(free)))
    return _cut(text, plain, [(*span, sign) for span, sign in found if sign is not None])


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


def _is_reference(code: str) -> bool:
    """Return whether capitals and digits are a reference, and no product's name: those have few digits together."""
    runs = [len(run) for run in regex.findall(r"\d+", code)]
    letters = any(one.isalpha() for one in code)
    return bool(runs) and letters and (max(runs) >= 5 or sum(runs) >= 8)
