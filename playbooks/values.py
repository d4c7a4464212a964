"""Values from outside made fit to stand in a public reply: cleaned, bounded, never compiled."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import regex

_BREAKS = regex.compile(r"[\s\p{Zl}\p{Zp}\p{Cc}]+")
# Joiners (U+200C, U+200D) stay: Indic and Persian words are misspelt without them.
_INVISIBLE = regex.compile(r"[\p{Cs}\p{Co}\p{Cn}]|(?![\u200c\u200d])\p{Cf}")
_ADDRESS = regex.compile(r"[@＠#＃]|://|www\.|\w\.\w+/|(?<=\w\w)\.\p{L}{2,}")
_CASED = r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Nd}]"
_DECLINED = 4
_ENDING = rf"{_CASED}{{0,3}}"
# Names of up to three words; Chinese and Japanese ones stand without spaces, so a space joins two places.
_IDEOGRAPHS = r"[\p{Han}\p{Hiragana}\p{Katakana}ー]"
_PLACE_WORD = r"\p{L}[\p{L}\p{M}\u200c\u200d'’ʼ.\-]*"
_PLACE = regex.compile(
    rf"{_IDEOGRAPHS}{{2,}}|(?!\p{{Ll}}|{_IDEOGRAPHS}){_PLACE_WORD}(?: (?!{_IDEOGRAPHS}){_PLACE_WORD}){{0,2}}"
)
# Evil. Com, Evil Dot Com: an address that is not written as one.
_SPOKEN_ADDRESS = regex.compile(
    r"\.\s*(?:com|net|org|info|biz|io|co|ru|cn|de|fr|uk|shop|app|xyz|link|me|online|site|top)\b|\bdot\b",
    regex.IGNORECASE,
)
# Letters that only look like others, hidden ones, and marks piled on letters that carry one at most.
_JOINED = (
    r"\p{Arabic}\p{Syriac}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}"
    r"\p{Malayalam}\p{Sinhala}"
)
_ONE_MARK = r"\p{Latin}\p{Cyrillic}\p{Greek}\p{Armenian}\p{Georgian}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}"
_DISGUISES = (
    r"[\u2460-\u24ff\u2776-\u2793\u3200-\u32ff\U0001f100-\U0001f1ff\U0001f200-\U0001f2ff]",
    r"[\u1d00-\u1dbf\u2070-\u209f\u2100-\u218f\u2c60-\u2c7f\ua720-\ua7ff\uff01-\uffef\U0001d400-\U0001d7ff]",
    r"(?![\u200c\u200d])\p{Default_Ignorable_Code_Point}",
    rf"(?<![{_JOINED}])[\u200c\u200d]",
    rf"[{_ONE_MARK}]\p{{M}}{{2,}}|\p{{M}}{{5,}}|(?<![\p{{L}}\p{{M}}\u200c\u200d])\p{{M}}|[\u0334-\u0338\p{{Me}}]",
    rf"(?:[{_ONE_MARK}]\p{{M}}\P{{M}}*){{4,}}",
    r"\p{Latin}\p{M}*[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{M}*\p{Latin}",
)
_DISGUISE = regex.compile("|".join(_DISGUISES))
_LATIN_MARKED = regex.compile(r"(\p{Latin})\p{M}+")
_STRETCHED = regex.compile(r"(\p{L})\1{2,}")
_PARTS = regex.compile(r"[\p{L}\p{M}]+")
# Insults, and the words with which a sentence is made to look like a name: "Your Mother". Whole words alone, since
# people are called Dick, Cockburn or Fuchs.
_RUDE = frozenset(
    """
    fuck fucks fucking fucked fucker fuckers fuckyou motherfucker shit shits shitty shithead bullshit bitch bitches
    bastard bastards cunt cunts asshole assholes arsehole arse ass dickhead prick wanker wankers twat slut whore whores
    idiot idiots moron morons imbecile stupid dumb dumbass crap crappy scum trash garbage loser losers liar liars thief
    thieves scam scammer scammers fraud boycott worst suck sucks hate kill die dead hell damn nazi hitler rape retard
    nigger nigga faggot satan you your yours yourself their them they everyone everybody nothing who shut screw
    con conne connard connards connasse merde putain pute putes salope salaud enculé enculés batard bâtard crétin débile
    imbécile voleur voleurs menteur menteurs arnaque nique niquez votre vos mère
    arsch arschloch arschlöcher scheiß scheiss scheiße scheisse scheisser fick ficken fotze hure hurensohn hurensöhne
    wichser idioten trottel depp deppen drecksladen saftladen lügner betrüger betrug deine dein deiner eure euer euch
    klootzak klootzakken kut kutbedrijf hoer lul eikel kanker idioot oplichters oplichter jullie jouw jij
    puta putas puto putos mierda cabrón cabrones gilipollas pendejo pendejos imbécil imbéciles idiota idiotas estúpido
    estúpidos ladrón ladrones mentirosos estafa estafadores culero coño joder verga vuestra vosotros ustedes madre
    merda porra caralho foda fodase otário otários babaca ladrão ladrões golpistas burro burros vocês mãe
    cazzo cazzi stronzo stronzi stronza vaffanculo fanculo puttana bastardi coglione coglioni idioti ladri truffa
    truffatori vostra vostro
    kurwa kurwy chuj chuje jebać jebac pierdol pierdolę spierdalaj debil debile idiota idioci oszuści oszust złodzieje
    złodziej kłamcy twoja twoje twój wasza wy matka
    amk aq siktir orospu piç göt yarrak salak salaklar aptal aptallar gerizekalı şerefsiz şerefsizler hırsız hırsızlar
    dolandırıcı dolandırıcılar rezil senin sizin ananı anan annen
    anjing babi bangsat goblok tolol bodoh bego kontol memek jancok bajingan brengsek penipu maling kamu kalian ibumu
    хуй хуйня хуёво пизда пиздец блядь блять бля сука суки мудак мудаки говно дерьмо жопа идиот идиоты дебил дебилы
    дурак дураки тупые тупой козлы козёл урод уроды сволочь сволочи твари мразь воры вор лжецы мошенники мошенник
    лохотрон обманщики твоя твой твою твои ваша ваш ваши вы вас мать идиотка чмо
    гівно лайно ідіот ідіоти дебіли дурень дурні козли виродки сволота злодії брехуни шахраї твоє ваші матір
    كلب كلاب حمار حمير غبي أغبياء اغبياء حقير زبالة خرا خراء نصاب نصابين نصابون حرامي حرامية لصوص كذاب كذابين شرموطة
    تبا لعنة أمك امك أبوك ابوك أنت انت أنتم انتم
    चूतिया चूतिये मादरचोद बहनचोद कुत्ता कुत्ते कमीना कमीने हरामी हरामखोर गधा गधे साला साले बेवकूफ मूर्ख चोर चोरों धोखेबाज
    झूठा झूठे तेरा तेरी तेरे तुम तुम्हारी तुम्हारा आप आपका आपकी
    바보 병신 멍청이 등신 새끼 개새끼 씨발 시발 지랄 쓰레기 사기꾼 도둑 도둑놈 너희 당신 니들
    """.split()
)
_RUDE_ANYWHERE = regex.compile(
    "傻|垃圾|白痴|白癡|笨蛋|蠢|混蛋|王八|妈的|媽的|妈逼|你妈|你媽|他妈|他媽|尼玛|尼瑪|操你|滚蛋|滾蛋|狗屁|骗子|騙子|骗人|騙人|小偷|无耻|無恥|脑残|腦殘|"
    "弱智|智障|人渣|废物|廢物|去死|死|你们|你們|你爹|你爸|老子|婊|バカ|馬鹿|アホ|クソ|くそ|ゴミ|しね|てめえ|貴様|お前|おまえ|あなた|詐欺|泥棒|"
    "씨발|시발|병신|새끼|지랄|개새|꺼져|닥쳐"
)
MAX_PLACE_CHARACTERS = 25
MAX_VALUE_CHARACTERS = 80


def clean(value: str, limit: int = MAX_VALUE_CHARACTERS) -> str:
    """Return `value` on one line without control, bidi or other invisible characters, or "" if longer than `limit`."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", _BREAKS.sub(" ", value[: 50 * limit])))
    text = " ".join(text.split())
    return text if len(text) <= limit else ""


def on_one_line(text: str) -> str:
    """Return `text` with line breaks and runs of plain spaces made one space; other spaces are typography."""
    return str(regex.sub(r"[ \t\r\n]+", " ", text)).strip()


def clean_place(value: str) -> str:
    """Return the first part of a place ("Zürich" of "Zürich, Schweiz"), or "" where it is not one short name.

    Links, accounts, tags, figures, flags, insults and whole sentences are no names.
    """
    text = clean(value)
    name = regex.split(r"[,，、،]", text)[0].strip()
    fits = len(name) <= MAX_PLACE_CHARACTERS and not _ADDRESS.search(text) and _PLACE.fullmatch(name)
    is_hostile = _SPOKEN_ADDRESS.search(text) or is_disguised(name) or is_rude(name)
    return name if fits and not is_hostile else ""


def is_disguised(text: str) -> bool:
    """Tell whether letters in `text` are others than they look, or stand under piles of marks.

    Circled and mathematical letters, Cyrillic among Latin ones, joiners where nothing joins, marks struck through.
    """
    return _DISGUISE.search(text) is not None


def is_rude(name: str) -> bool:
    """Tell whether a name holds an insult, or a word such as "your" that makes a sentence of it."""
    if _RUDE_ANYWHERE.search(name):
        return True
    said = name.casefold()
    bare = _LATIN_MARKED.sub(r"\1", unicodedata.normalize("NFD", said))
    forms = (said, unicodedata.normalize("NFC", bare), _STRETCHED.sub(r"\1", said))
    return any(word in _RUDE for form in forms for word in _PARTS.findall(form))


def find_product(text: str, products: Sequence[str]) -> str:
    """Return the product named first in `text`, as the brand writes it; the longer one where two begin together."""
    found = [(start, -len(product), clean(product)) for product in products if (start := _find(text, product)) >= 0]
    return min(found)[2] if found else ""


def names_product(text: str, product: str) -> bool:
    """Tell whether a text names a product, as a word of its own where its script has such; an ending may follow.

    Many languages decline names ("чайник", "чайником"): a name of at least four letters and no digit may go on for
    three more.
    """
    name = product.strip()
    may_end = len(name) >= _DECLINED and not any(map(str.isdigit, name))
    return bool(name) and _pattern(name, _ENDING if may_end else "").search(text) is not None


def _find(text: str, product: str) -> int:
    name = product.strip()
    match = _pattern(name).search(text) if name else None
    return match.start() if match else -1


@lru_cache(maxsize=256)
def _pattern(name: str, ending: str = "") -> regex.Pattern[str]:
    # Scripts without spaces or with joined articles have no usable word boundary.
    before = rf"(?<!{_CASED})" if regex.match(_CASED, name[0]) else ""
    after = rf"{ending}(?!{_CASED})" if regex.match(_CASED, name[-1]) else ""
    words = r"[\s\u00a0-]+".join(regex.escape(word) for word in regex.split(r"[\s\u00a0-]+", name) if word)
    return regex.compile(before + words + after, regex.IGNORECASE | regex.UNICODE)
