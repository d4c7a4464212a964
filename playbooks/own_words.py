"""What went wrong in the customer's own words: one short clause of the post that a reply can quote."""

from collections.abc import Sequence

import regex

from playbooks.personal_words import named_personal_data
from playbooks.rules import WordList
from playbooks.values import clean, is_disguised

# The point after a title ends no clause: what follows is a name, which would stand there without its title.
_TITLES = "dr|mr|mrs|ms|prof|hr|fr|m|mm|sr|sra|dra|dott|sig|dhr|mevr|mw|ing|г|д|bp|bpk|av"
_CLAUSE_END = regex.compile(
    rf"(?:[!?…:;,]|(?<!(?<![\p{{L}}\p{{M}}])(?:{_TITLES}))\.)[.!?…:;,]*+(?=\s|$)"
    r"|[。！？；：，、।؟،؛\n\r]+|\s[-–—]+\s",
    regex.IGNORECASE,
)
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_EDGES = " \t\"'«»“”„‘’「」『』[]()（）¿¡*_~-–—"
# Letters and what stands within a word or between two: figures, links, accounts, tags, pictures and all other marks
# say nothing in a quotation, or say what is nobody else's business.
_PLAIN = regex.compile(r"[\p{L}\p{M}\u200c\u200d '’ʼ‘\-‐‑–—・·]+")
_NUMBER_WORDS = """
zero oh nought one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred double triple
zéro un deux trois quatre cinq sept huit neuf dix onze douze treize quatorze quinze seize vingt trente quarante
cinquante soixante septante huitante nonante cent
null eins zwei zwo drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig vierzig fünfzig und
nul een één twee drie vijf zes zeven negen tien twaalf twintig dertig veertig vijftig en
cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce veinte treinta cuarenta cincuenta y
um dois três quatro meia sete oito nove dez vinte trinta quarenta cinquenta e
due tre quattro cinque sei sette otto dieci venti trenta quaranta cinquanta
jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć dwadzieścia trzydzieści
ноль нуль один два три четыре пять шесть семь восемь девять десять двадцать тридцать сорок пятьдесят девятьсот
чотири п'ять п’ять шість сім вісім дев'ять дев’ять десять двадцять тридцять
sıfır bir iki üç dört beş altı yedi sekiz dokuz on yirmi otuz kırk elli
nol kosong satu dua tiga empat lima enam tujuh delapan sembilan sepuluh
صفر واحد اثنان اثنين ثلاثة ثلاث أربعة اربعة أربع خمسة خمس ستة ست سبعة سبع ثمانية ثمان تسعة تسع عشرة
शून्य ज़ीरो जीरो एक दो तीन चार पांच पाँच छह छः सात आठ नौ दस
ゼロ ぜろ れい いち に さん よん ご ろく なな はち きゅう
공 영 일 이 삼 사 오 육 칠 팔 구
〇 零 一 二 三 四 五 六 七 八 九 十 百 千 万 萬 壹 贰 貳 叁 參 肆 伍 陆 陸 柒 捌 玖 拾 两 兩 幺
"""
_NUMBER_WORD = "|".join(map(regex.escape, sorted(set(_NUMBER_WORDS.split()), key=len, reverse=True)))
_GAP = r"[\s\-‐‑–—・·]*+"
_AT = (
    "at|ät|aet|arobase|arroba|chiocciola|klammeraffe|apenstaartje|małpa|собака|собачка|песик|равлик|"
    "アットマーク|アット|골뱅이|艾特|آت|एट|ऐट"
)
_DOT = "dot|point|punkt|punt|punto|ponto|kropka|точка|тчк|крапка|nokta|titik|نقطة|दॉट|डॉट|ドット|点|點|닷|점"
_SECRETS = (
    # Figures in words: a run of three or more, in whatever language. In scripts with spaces, whole words.
    rf"(?<![\p{{L}}\p{{M}}])(?:{_NUMBER_WORD})(?:{_GAP}(?:{_NUMBER_WORD})){{2,}}(?![\p{{L}}\p{{M}}])",
    rf"(?:[〇零一二三四五六七八九十百千万萬壹贰貳叁參肆伍陆陸柒捌玖拾两兩幺]{_GAP}){{3,}}",
    rf"(?:[공영일이삼사오육칠팔구]{_GAP}){{4,}}",
    rf"(?:(?:ゼロ|ぜろ|れい|いち|に|さん|よん|ご|ろく|なな|はち|きゅう){_GAP}){{4,}}",
    # An e-mail address in words.
    rf"(?<![\p{{L}}\p{{M}}])(?:{_AT})\b.{{1,25}}?(?<![\p{{L}}\p{{M}}])(?:{_DOT})\s+\p{{L}}{{2,}}",
    r"(?:アットマーク|アット|골뱅이|艾特).{1,25}?(?:ドット|点|點|닷|점)",
    rf"(?<![\p{{L}}\p{{M}}])(?:{_DOT})\s+(?:com|net|org|info|co|io|ru|ком|ру|de|fr|es|it|nl|pl|uk|br|jp|kr|cn|tr|ua|id)\b",
    r"\b(?:g-?mail|hotmail|outlook|yahoo|icloud|proton|gmx|yandex)\b",
    # Spelled letter by letter: "f u c k", "j-o-h-n".
    r"(?:(?<![\p{L}\p{M}])[\p{Latin}\p{Cyrillic}][\s\-·]++){2,}[\p{Latin}\p{Cyrillic}](?![\p{L}\p{M}])",
    # A street, wherever German and Dutch write it.
    r"\p{L}{2,}(?:stra(?:ß|ss)e|straat|gasse)\b",
    # A name with patronymic.
    r"\b\p{L}{2,}(?:ович|евич|йович)(?:а|у|ем|ом|е|і|у)?\b|\b\p{L}{2,}(?:овн|евн|івн|ївн)(?:а|ы|е|у|ой|ою|и|і)\b",
)
_SECRET = regex.compile("|".join(_SECRETS), regex.IGNORECASE)
_ROMAN_FIGURE = regex.compile(r"\b[IVX]{2,}\b")
# Two capitalised words side by side are most often somebody's name; German writes every noun so.
_FULL_NAME = regex.compile(r"\b\p{Lu}\p{Ll}[\p{L}\p{M}'’\-]* \p{Lu}(?:\b|\p{Ll})")
_STRETCHED = regex.compile(r"(\p{L})\1{2,}")
_SHORTEST, _LONGEST = 8, 45
_SHORTEST_UNSPACED, _LONGEST_UNSPACED = 4, 20
_LONGEST_READ = 2000


def own_words(text: str, words: Sequence[str], language: str, unquotable: WordList) -> str:
    """Return the clause of `text` that holds most of `words` (strongest first), or "" where none can be quoted.

    A clause is quoted whole or not at all: half of one may say the opposite. One with a word of `unquotable`, with a
    figure in whatever script or spelled out, or with anything but letters is not quoted.
    """
    if not words:
        return ""
    weights = {word.casefold(): 1.0 / (rank + 1) for rank, word in reversed(list(enumerate(words))) if word}
    best, found = 0.0, ""
    for raw in _CLAUSE_END.split(text[:_LONGEST_READ]):
        clause = clean(raw.strip(_EDGES)).strip(_EDGES)
        lowered = clause.casefold()
        score = sum(weight for word, weight in weights.items() if word in lowered)
        if score > best:
            best, found = score, clause
    return found if _is_quotable(found, language) and not _says_one_of(unquotable, found, language) else ""


def _is_quotable(clause: str, language: str) -> bool:
    unspaced = bool(_UNSPACED.search(clause))
    shortest, longest = (_SHORTEST_UNSPACED, _LONGEST_UNSPACED) if unspaced else (_SHORTEST, _LONGEST)
    letters = [letter for letter in clause if letter.isalpha()]
    return (
        shortest <= len(clause) <= longest
        and (unspaced or " " in clause)
        and _PLAIN.fullmatch(clause) is not None
        and not is_disguised(clause)
        and not (len(letters) > 3 and all(letter.isupper() for letter in letters))
        and not _ROMAN_FIGURE.search(clause)
        and not _SECRET.search(clause)
        and (language.split("-")[0] == "de" or not _FULL_NAME.search(clause))
        and not named_personal_data(clause, language)
    )


def _says_one_of(words: WordList, clause: str, language: str) -> bool:
    """Stretched words count as well: "stuuupid"."""
    return any(words.found_in(said, language) for said in (clause, _STRETCHED.sub(r"\1", clause)))
