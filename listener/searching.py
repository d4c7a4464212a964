"""What texts are searched by: words in any script, written one way however they were typed.

It knows nothing of databases. An index keeps `indexed(...)` of each text in order; a query becomes words in sequence
that are looked for there. Scripts without spaces are cut into overlapping pairs of characters, so that a word inside a
sentence is found: `快递员` is kept as `快递 递员 员` and asked for as `快递` directly before `递员`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

GAP = "|"
"""Stands in an index between what was not said in one breath, so that no phrase reaches across."""
MOST_TOKENS = 16_000
"""Of a longer text the beginning is indexed: PostgreSQL numbers no more positions."""
MOST_CHARACTERS = 64
"""Of a longer word the beginning counts."""
MOST_TERMS = 20
MOST_QUERY_CHARACTERS = 1_000
_LEAST_PREFIX = 2
"""Letters from which on the beginning of a word is looked for; one letter begins half of all posts."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words in sequence; the last may go on where `is_prefix`."""

    tokens: tuple[str, ...]
    is_prefix: bool = False
    forms: tuple[str, ...] = ()
    """Other forms of a single word that count as it: with the particles that are written together with it."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a text must hold, and what it must not."""

    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()
    is_hopeless: bool = False
    """Whether something was asked for that no index holds, such as a currency sign alone."""

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return not (self.wanted or self.unwanted or self.is_hopeless)


def indexed(text: str, author: str = "", handle: str | None = None) -> list[str]:
    """Return the words of a text and of its author's name, in order."""
    tokens = list(_words(_with_hosts(text)))
    tokens += _apart(_words(author))
    if handle:
        tokens += _apart([*_words(handle), *_marked("@" + handle.removeprefix("@"))])
    tokens += _apart(_marked(text))
    return [token[:MOST_CHARACTERS] for token in tokens[:MOST_TOKENS]]


def parse_query(text: str, *, typing: bool = False) -> Query:
    """Return what a query asks for. Any text is one; nobody is told off for a bracket.

    Words must all be there, `"quoted words"` in this order, `-word` must not, `wor*` may go on; so may the last word
    of a query that somebody is still typing.
    """
    cut = text.replace("\0", " ")[:MOST_QUERY_CHARACTERS]
    pieces = list(_PIECE.finditer(cut))[:MOST_TERMS]
    wanted: list[Term] = []
    unwanted: list[Term] = []
    for piece in pieces:
        goes_on = bool(piece["star"]) or (typing and piece.end() == len(cut) and piece["quoted"] is None)
        terms = _terms(piece, goes_on)
        (unwanted if piece["minus"] else wanted).extend(terms)
    found = bool(wanted or unwanted)
    return Query(_once(wanted), _once(unwanted), is_hopeless=not found and bool(_OPERATORS.sub("", cut)))


def found_in(text: str, query: Query) -> list[tuple[int, int]]:
    """Return where in a text stands what a query asks for, to be marked: start and end, in order, none in another."""
    folded, origins = _traced(text)
    spans = sorted(
        (origins[match.start()][0], origins[match.end() - 1][1])
        for term in query.wanted
        for match in re.finditer(_pattern(term), folded)
        if match.end() > match.start()
    )
    marked: list[tuple[int, int]] = []
    for start, end in spans:
        if marked and start < marked[-1][1]:
            start, end = marked[-1][0], max(end, marked[-1][1])
            marked.pop()
        marked.append((start, end))
    return marked


def _traced(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return a text folded, and from where in the text each of its characters came."""
    if text.isascii():
        return text.lower(), [(place, place + 1) for place in range(len(text))]
    folded: list[str] = []
    origins: list[tuple[int, int]] = []
    for match in _CHARACTER.finditer(text):
        plain = _fold(match[0])
        folded.append(plain)
        origins += [match.span()] * len(plain)
    return "".join(folded), origins


def _pattern(term: Term) -> str:
    first, *others = term.tokens
    found = "(?:" + "|".join(re.escape(form) for form in (first, *term.forms)) + ")"
    before = first
    for token in others:
        overlaps = _PAIRED.match(before) and _PAIRED.match(token) and not _is_end_of(token, before)
        rest = _CHARACTER.findall(token)[-1] if overlaps else token
        found += (r"\s*" if overlaps else r"[\W_]*") + re.escape(rest)
        before = token
    if _ARABIC.match(first):
        found = _WITH_ARTICLE + found
    starts = "" if _PAIRED.match(first) or not first[0].isalnum() else _NO_LETTER_BEFORE
    ends = "" if _PAIRED.match(before) else f"{_LETTER}*" if term.is_prefix else _NO_LETTER_AFTER
    return starts + found + ends


def _once(terms: Iterable[Term]) -> tuple[Term, ...]:
    return tuple(dict.fromkeys(terms))


_PIECE = re.compile(r'(?P<minus>(?<!\S)-(?=[^\s-]))?(?:"(?P<quoted>[^"]*)"?|(?P<plain>[^\s"]*[^\s"*]))(?P<star>\*)?')
_OPERATORS = re.compile(r'[\s"*@#-]')


def _terms(piece: "re.Match[str]", goes_on: bool) -> list[Term]:
    plain = piece["plain"]
    if plain is None:
        return _term(list(_words(_with_hosts(piece["quoted"]))), goes_on)
    sign = plain[0]
    if sign in "@#" and (name := next(_marked(plain), "")):
        return [Term((name[:MOST_CHARACTERS],), goes_on)]
    return _term(list(_words(_with_hosts(plain))), goes_on)


def _term(tokens: list[str], goes_on: bool) -> list[Term]:
    """Return a term for a piece's words; without the character that ends a run, which the pair before it holds."""
    if not tokens:
        return []
    cut = [token[:MOST_CHARACTERS] for token in tokens]
    if _PAIRED.match(cut[-1]):
        if len(cut) > 1 and _PAIRED.match(cut[-2]) and _is_end_of(cut[-1], cut[-2]):
            return [Term(tuple(cut[:-1]))]
        return [Term(tuple(cut), is_prefix=True)]
    is_prefix = goes_on and (len(cut[-1]) >= _LEAST_PREFIX or not cut[-1].isascii())
    return [Term(tuple(cut), is_prefix, _forms(cut[0]) if len(cut) == 1 else ())]


def _is_end_of(last: str, pair: str) -> bool:
    return pair != last and pair.endswith(last)


# Words


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text in order, and pairs of characters where the script has no spaces."""
    if text.isascii():
        yield from _ASCII_WORD.findall(text.lower())
        return
    folded = _fold(text)
    if not _PAIRED.search(folded):
        yield from (_stem(word) for word in _WORD.findall(folded))
        return
    for word in _WORD.findall(_BETWEEN_PAIRED.sub("", folded)):
        for run in _RUNS.findall(word):
            yield from _pairs(run) if _PAIRED.match(run) else (_stem(run),)


def _pairs(run: str) -> Iterator[str]:
    characters = _CHARACTER.findall(run)
    yield from (one + other for one, other in pairwise(characters))
    yield characters[-1]


def _apart(tokens: Iterable[str]) -> list[str]:
    found = list(tokens)
    return [GAP, *found] if found else []


def _with_hosts(text: str) -> str:
    """Return a text with the host of each link in place of the link."""
    if "://" not in text and "www." not in text:
        return text
    return _LINK.sub(lambda match: f" {_host(match[0])} ", text)


def _host(link: str) -> str:
    try:
        host = urlsplit(link if "://" in link else f"//{link}").hostname or ""
    except ValueError:
        return ""
    host = host.removeprefix("www.")
    return "" if host in _SHORTENERS else host


def _marked(text: str) -> Iterator[str]:
    """Yield handles and hashtags with their sign, and the words that a hashtag was put together from."""
    if "@" not in text and "#" not in text and "＃" not in text and "＠" not in text:
        return
    for match in _MARKED.finditer(unicodedata.normalize("NFKC", text)):
        name = match[0]
        yield _fold(name)
        parts = _CAMEL.findall(name) if name[0] == "#" else ()
        if len(parts) > 1:
            yield from (_fold(part) for part in parts)


_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_SHORTENERS = frozenset({"t.co"})
"""Hosts that stand in place of every link of a network and so tell nothing."""


def _ranges(*blocks: tuple[int, int]) -> str:
    """Return the combining marks of some blocks as ranges of a regular expression."""
    marks = [code for start, end in blocks for code in range(start, end) if unicodedata.category(chr(code))[0] == "M"]
    return "".join(map(chr, marks))


_MARKS = _ranges((0x0300, 0x1E00), (0x20D0, 0x2100), (0xA660, 0xAC00), (0xFE20, 0xFE30))
_PAIRED_RANGES = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\uac00-\ud7a3"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1780-\u17d3"
)
"""Han, kana, Hangul, Thai, Lao, Myanmar, Khmer: letters and marks."""
_EMOJI = "\u203c\u2049\u2190-\u21ff\u231a-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(rf"(?:[^\W_]|[{_MARKS}])+|[{_EMOJI}]")
_PAIRED = re.compile(f"[{_PAIRED_RANGES}]")
_RUNS = re.compile(f"[{_PAIRED_RANGES}]+|[^{_PAIRED_RANGES}]+")
_BETWEEN_PAIRED = re.compile(rf"(?<=[{_PAIRED_RANGES}])\s+(?=[{_PAIRED_RANGES}])")
_CHARACTER = re.compile(f".[{_MARKS}]*", re.DOTALL)
_MARKED = re.compile(rf"(?<![\w@#])[@#](?:\w|[{_MARKS}])+(?:[.-](?:\w|[{_MARKS}])+)*")
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


# One way of writing


def _fold(text: str) -> str:
    """Return a text without what people leave out or write in several ways."""
    # Folding case can undo composition (of the Turkish dotted I, for one), so it is composed again.
    cased = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return cased if cased.isascii() else cased.translate(_FOLDED)


_TRADITIONAL = (
    "們這個來時為國說對話東車馬鳥魚門問間聞見觀現視覺規親讓認識請誰謝講記設許論證評詞試詩該詳語誤課談調誼讀謂"
    "貝財貴買賣費賠賺質責賬貨貼貿員賀購贊贈贏關開發經給結組織統絕級紀約紅純紙線練細終紹繼續緣網羅職聯聽聲業亞"
    "嚴喪麗舉義烏樂喬習鄉書亂爭於虧雲產億僅從倉儀價眾優夥會偉傳傷倫偽體傭俠侶偵側債傾償儲兒兌黨蘭興養獸岡冊寫"
    "軍農馮衝決況凍淨涼減湊鳳憑凱擊劉則剛創刪別劑劍劇勸辦務動勵勁勞勢勳華協單衛卻廠廳歷壓厭廁縣參雙變敘葉號嘆"
    "嚇嗎啟吳嘔嗚詠響啞喚嘯噴囑團園圍圖圓聖場壞塊堅壇壩墳墜壟壘墾墊牆壯殼壺處備複夠頭夾奪奮獎妝婦媽娛嬰孫寧寶"
    "實寵審憲宮寬賓寢導壽將爾塵嘗層屜屆屬歲豈崗島嶺幣帥師帳幟帶幫莊慶廬庫應廟廢廣異棄張彌彎彈強歸當錄徹徑憶憂"
    "懷態憐總戀恆懇惡惱懸驚懼慘懲慣憤願懾懶戲戰戶撲執擴掃揚擾撫拋搶護報擔擬攏擁擇掛擋擠揮損換據擲擱攜攝擺搖撐"
    "敵數斷無舊顯曬曉暈暫術機殺雜權條極構槍櫃標棧棟欄樹樣橋檢樓歡歐殘毀畢氣匯漢湯溝沒淚澤潔淺測濟濃濤潤漲漸漁"
    "溫灣濕滿滯濫滅燈靈災爐點煉爛煩燒熱愛爺牽猶狽獨狹獵豬獻瑪環電畫暢療瘋癢癮皺鹽監蓋盤瞇著礦碼磚礎確礙禮禍離"
    "種積稱稅穩竅窩競筆籠築簽簡糧緊糾纖維綁繞績緒綠編緩縮罰罷翹恥聰肅腸膚腎腫脹脅勝膠臟腦腳脫臉艦艷藝節蘆蘇蘋"
    "範繭薦榮藥蓮獲營蕭薩藍慮虛雖蝦蝕螞蟻蠻補襯襖裝褲觸訂計討訓訊訪訴診譯誠詢趕趙躍踐蹤軌轉輪軟輕載較輔輛輩輸"
    "辭邊遼達遷過邁運還進遠違連遲適選遜遞邏遺鄧郵鄰鄭醞釋裡針釘釣鐘鋼鑰錢鐵鈴鉛銀銅鋪鏈銷鎖鍋錯鍵鎮鏡長閃閉閒"
    "悶鬧閱隊陽陰陣階際陸陳險隨隱難霧靜頁項順須顧頓預領頻題顏額風飛飯飲飾飽餅館驅駛駕罵騙驗騎驟雞鴨鴻鵝麥黃齊"
    "齒龍龜臺後裏妳麼麵週隻髮復鍾託濾癥註佔併捨樑潰凈餘鬆鬚繫係乾幹薑嚮闆齣鬥穀幾傢儘盡賴賤貶鈔鈕鋁鑽鐲頸顫飄"
    "餓駐騷鬱魯鮮鯨鴿鷹兩衹羣峯牀綫啓説爲衆汙煙菸製諾謊諒諮謠貫貸賽贓轟釐銳鎊闖韓頂頒饋駁髒鹹"
)
_SIMPLIFIED = (
    "们这个来时为国说对话东车马鸟鱼门问间闻见观现视觉规亲让认识请谁谢讲记设许论证评词试诗该详语误课谈调谊读谓"
    "贝财贵买卖费赔赚质责账货贴贸员贺购赞赠赢关开发经给结组织统绝级纪约红纯纸线练细终绍继续缘网罗职联听声业亚"
    "严丧丽举义乌乐乔习乡书乱争于亏云产亿仅从仓仪价众优伙会伟传伤伦伪体佣侠侣侦侧债倾偿储儿兑党兰兴养兽冈册写"
    "军农冯冲决况冻净凉减凑凤凭凯击刘则刚创删别剂剑剧劝办务动励劲劳势勋华协单卫却厂厅历压厌厕县参双变叙叶号叹"
    "吓吗启吴呕呜咏响哑唤啸喷嘱团园围图圆圣场坏块坚坛坝坟坠垄垒垦垫墙壮壳壶处备复够头夹夺奋奖妆妇妈娱婴孙宁宝"
    "实宠审宪宫宽宾寝导寿将尔尘尝层屉届属岁岂岗岛岭币帅师帐帜带帮庄庆庐库应庙废广异弃张弥弯弹强归当录彻径忆忧"
    "怀态怜总恋恒恳恶恼悬惊惧惨惩惯愤愿慑懒戏战户扑执扩扫扬扰抚抛抢护报担拟拢拥择挂挡挤挥损换据掷搁携摄摆摇撑"
    "敌数断无旧显晒晓晕暂术机杀杂权条极构枪柜标栈栋栏树样桥检楼欢欧残毁毕气汇汉汤沟没泪泽洁浅测济浓涛润涨渐渔"
    "温湾湿满滞滥灭灯灵灾炉点炼烂烦烧热爱爷牵犹狈独狭猎猪献玛环电画畅疗疯痒瘾皱盐监盖盘眯着矿码砖础确碍礼祸离"
    "种积称税稳窍窝竞笔笼筑签简粮紧纠纤维绑绕绩绪绿编缓缩罚罢翘耻聪肃肠肤肾肿胀胁胜胶脏脑脚脱脸舰艳艺节芦苏苹"
    "范茧荐荣药莲获营萧萨蓝虑虚虽虾蚀蚂蚁蛮补衬袄装裤触订计讨训讯访诉诊译诚询赶赵跃践踪轨转轮软轻载较辅辆辈输"
    "辞边辽达迁过迈运还进远违连迟适选逊递逻遗邓邮邻郑酝释里针钉钓钟钢钥钱铁铃铅银铜铺链销锁锅错键镇镜长闪闭闲"
    "闷闹阅队阳阴阵阶际陆陈险随隐难雾静页项顺须顾顿预领频题颜额风飞饭饮饰饱饼馆驱驶驾骂骗验骑骤鸡鸭鸿鹅麦黄齐"
    "齿龙龟台后里你么面周只发复钟托滤症注占并舍梁溃净余松须系系干干姜向板出斗谷几家尽尽赖贱贬钞钮铝钻镯颈颤飘"
    "饿驻骚郁鲁鲜鲸鸽鹰两只群峰床线启说为众污烟烟制诺谎谅咨谣贯贷赛赃轰厘锐镑闯韩顶颁馈驳脏咸"
)

_KEPT = frozenset("йўїґѓќ")
"""Letters of their own, whatever their accent looks like."""
_INVISIBLE = (0x00AD, 0x034F, 0x061C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_ARABIC_MARKS = (0x0640, *range(0x0610, 0x061B), *range(0x064B, 0x0660), 0x0670, *range(0x06D6, 0x06ED))
_HEBREW_MARKS = (*range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C4, 0x05C5, 0x05C7)
_LETTERS = {
    **dict(zip("øłđðħıæœþ", ("o", "l", "d", "d", "h", "i", "ae", "oe", "th"), strict=True)),
    **dict.fromkeys("آأإٱ", "ا"),
    **dict.fromkeys("ىیئ", "ي"),
    **dict.fromkeys("ةۀۃھہە", "ه"),
    "ک": "ك",
    "ؤ": "و",
    "ʼ": " ",  # where others write an apostrophe
}


def _table() -> dict[int, str | None]:
    """Return what each character that is not ASCII is written as; None where it is left out."""
    gone = (*range(0x0300, 0x0370), *range(0xFE00, 0xFE10), *_INVISIBLE, *_SKIN_TONES, *_ARABIC_MARKS, *_HEBREW_MARKS)
    table: dict[int, str | None] = dict.fromkeys(gone)
    for start, end in ((0x00C0, 0x0530), (0x1E00, 0x2000)):
        for code in range(start, end):
            base = unicodedata.normalize("NFD", chr(code))[0]
            if base != chr(code) and chr(code) not in _KEPT:
                table[code] = base
    for start, end in ((0x0660, 0x1A9A), (0xA620, 0xABFA)):
        for code in range(start, end):
            if unicodedata.category(chr(code)) == "Nd":
                table[code] = str(unicodedata.digit(chr(code)))
    table |= {ord(letter): plain for letter, plain in _LETTERS.items()}
    return table | {ord(one): other for one, other in zip(_TRADITIONAL, _SIMPLIFIED, strict=True)}


_FOLDED = _table()


# Words that take others before them


def _stem(word: str) -> str:
    """Return an Arabic word without its article; any other as it is."""
    return _ARTICLE.sub("", word) if "\u0600" <= word[0] <= "\u06ff" else word


def _forms(word: str) -> tuple[str, ...]:
    """Return a word with the particles before it that Arabic and Hebrew write together with it."""
    if len(word) < _LEAST_WITH_PARTICLE:
        return ()
    if _ARABIC.match(word):
        return tuple(particle + word for particle in _ARABIC_PARTICLES)
    return tuple(particle + word for particle in _HEBREW_PARTICLES) if _HEBREW.match(word) else ()


_LETTER = f"(?:(?![{_PAIRED_RANGES}])(?:[^\\W_]|[{_MARKS}]))"
_NO_LETTER_BEFORE, _NO_LETTER_AFTER = f"(?<!{_LETTER})", f"(?!{_LETTER})"
_WITH_ARTICLE = "(?:[وف]?(?:[بك]?ال|لل))?"
_ARABIC = re.compile("[\u0620-\u064a]")
_HEBREW = re.compile("[\u05d0-\u05ea]")
_ARTICLE = re.compile("^[وف]?(?:[بك]?ال|لل)(?=[\u0620-\u06d3]{2})")
_ARABIC_PARTICLES = ("و", "ف", "ب", "ك", "ل", "وب", "ول")
_HEBREW_PARTICLES = ("ה", "ו", "ב", "ל", "מ", "ש", "כ", "וה", "שה", "מה")
_LEAST_WITH_PARTICLE = 3
