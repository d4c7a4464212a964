"""Pages made by hand, for tests of the formats. Everybody in them is invented."""

import struct
import zlib

from listener.digest.document import (
    Cell,
    Column,
    Document,
    Figure,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Quote,
    Quotes,
    Section,
    Table,
    Tile,
    Tiles,
)


def png(width: int = 640, height: int = 300, shade: int = 0xDD) -> bytes:
    """Return a plain grey picture with twice as many pixels as CSS pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2 * width, 2 * height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([shade]) * 2 * width) * 2 * height
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def picture(width: int = 640, height: int = 300) -> Picture:
    return Picture(png(width, height), width, height)


QUOTES = (
    Quote("Toujours pas reçu ma bouilloire K2, commandée le 20 octobre.\nTrois courriels, zéro réponse.", "fr",
          "Marion D., X, France, 12 Nov", "Late delivery · asks for an answer", "https://x.com/i/status/10001"),
    Quote("خصمتم المبلغ مرتين من بطاقتي ولم يرد أحد على رسائلي منذ ١٠ أيام!", "ar", "سارة, X, France, 12 Nov",
          "Charged twice"),
    Quote("दो बार पैसे कट गए और रिफंड अब तक नहीं आया।", "hi", "आर*** के., X, Netherlands, 12 Nov", "Charged twice"),
    Quote("K2のケトル、ふたが閉まらなくなった。お湯がこぼれて危ないです😡", "ja", "h***a, X, Japan, 12 Nov",
          "Lid broken"),
    Quote("Заказ едет четвёртую неделю, поддержка молчит.", "ru", "Ольга П., VK, Russia, 11 Nov", "Late delivery"),
    Quote("배송이 너무 늦어요. 환불해 주세요.", "ko", "k***, X, Japan, 10 Nov", "Late delivery"),
    Quote("ok ok", "und", "somebody"),
)  # fmt: skip

TILES = Tiles((
    Tile("Mentions", "12,480", "▲ 9 % on the four weeks before; within the usual", "plain", "Posts of the week."),
    Tile("Complaints", "1,310", "▲ 31 % on the four weeks before; more than noise", "bad", "Mentions that complain."),
    Tile("Share of complaints", "10.5 %", "▲ 1.8 points; more than noise", "bad", "Complaints / mentions."),
    Tile("Net sentiment", "−7.2", "▼ 3.1; within the usual"),
    Tile("Response rate", "71 %", "▲ 6 points; more than noise", "good", "Answered / needing an answer."),
    Tile("First answer, median", "1 h 40 min", "▼ 12 %; within the usual"),
    Tile("Answered in time", "Not enough data", "3 alerts only", "plain"),
    Tile("Seen", "97 % of the time", ""),
))  # fmt: skip


def measures(rows: int = 6) -> Table:
    """Return a table as those of countries and networks are."""
    names = ("France", "Russia", "Japan", "Netherlands", "مصر", "中国", "Brasil", "Deutschland")
    columns = (
        Column("Country"),
        Column("Mentions", numeric=True, explained="Posts published in the week that matched a brand."),
        Column("Complaints", numeric=True, explained="Mentions whose complaint probability reaches the threshold."),
        Column("Share of complaints", numeric=True, explained="Complaints / mentions."),
        Column("Net sentiment", numeric=True, explained="(Positive − negative) / mentions × 100."),
        Column("Reach", numeric=True),
    )
    body = tuple(
        (
            Cell(names[number % len(names)] + (f" {number}" if number >= len(names) else "")),
            Cell(f"{4_210 - 7 * number:,}", "▲ 4 %"),
            Cell("512", "▲ 41 %; more than noise", "bad") if number == 0 else Cell("318", "▼ 2 %"),
            Cell("12.2 %"),
            Cell("+4.1", "▲ 6; more than noise", "good") if number == 1 else Cell("−3.0"),
            Cell("Not enough data", tone="quiet") if number == 3 else Cell("3,841,000"),
        )
        for number in range(rows)
    )
    return Table(columns, body, "By country, this week and against the four weeks before")


def full_document(language: str = "en", **more: object) -> Document:
    """Return a page with every kind of block."""
    alt = "Late delivery 210 complaints, twice last week; lid broken 96; charged twice 41."
    sections = (
        Section("spoken", "How we are spoken of", (
            Paragraph("Complaints rose by a third, nearly all of it in France and Russia.", "lead"),
            Figure("days", "Complaints by day: Monday 120, Thursday 310, Sunday 95.", "Complaints by day"),
            measures(),
            Heading("Share of voice"),
            Paragraph("Competitors are counted, never alerted of.", "quiet"),
        )),
        Section("causes", "Where it hurts, and why", (
            Figure("causes", alt, "The week's irritants"),
            Heading("Late delivery"),
            Quotes(QUOTES),
            Paragraph("One watch was deaf for nine hours.", "warning"),
        )),
        Section("advice", "What to do", (
            Listing((
                Cell("Tell buyers of the K2 in France when their parcel comes.", "Late delivery doubled.", "bad"),
                Cell("Thank Marion D.", tone="good", url="https://x.com/i/status/10002"),
                Cell("Look at alert A-1042."),
            ), ordered=True),
            TILES,
        )),
    )  # fmt: skip
    fields: dict[str, object] = {
        "title": "How Yunfan is spoken of: week 46",
        "subtitle": "9 to 15 November 2026 · France, Russia, Japan, Netherlands",
        "language": language,
        "summary": (
            "Complaints rose by 31 %, more than noise; late delivery in France and Russia explains most of it.",
            "We answered 71 % of those who needed an answer, six points more than in the four weeks before.",
            "The lid of the K2 is a new irritant in Japan: 96 complaints, two of them about burns.",
        ),
        "tiles": TILES,
        "sections": sections,
        "footer": ("Made on 16 November 2026, 07:00 Europe/Paris.", "Handles of private persons are shortened."),
        "pictures": {"days": picture(), "causes": picture(640, 260)},
        "file_name": "digest-board-2026-W46-en",
    }
    return Document(**{**fields, **more})  # type: ignore[arg-type]


HOSTILE = (
    "</script></style></title><script>alert(1)</script><img src=http://evil.example/x.png onerror=alert(1)>",
    "\"'><b>bold</b>&amp;&lt;",
    "abc\u202edcba\u202c\u2066x\u2069 \u200bhidden\ufeff",
    "x" * 10_000,
    "nul\0 bell\a esc\x1b[31mred\x1b[0m \ud800",
    '#eval("1+1") #image("/etc/passwd") *b* _i_ $x$ `raw` = h @ref <label> \\ // /* https://evil.example/typ',
    "[click](http://evil.example) ![i](http://evil.example/i.png) | a | b |\n# heading\n- list\n1. one\n> q\n***",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "@everyone +1 -1 \t=1+1",
    "{{ 7*7 }}{% raw %}{% endraw %}",
    "\u2069\u2069 متن \u2068\u2068 unclosed",
    "Z" + "\u0301" * 500,
    "👩‍👩‍👧🇫🇷 " * 50,
    "javascript:alert(1)",
    "",
)  # fmt: skip


def hostile_document() -> Document:
    """Return a page whose every text is one that somebody wrote to do harm."""
    cells = tuple(Cell(text, text[:300], "bad", f"javascript:alert('{number}')") for number, text in enumerate(HOSTILE))
    table = Table(
        tuple(Column(text[:60], explained=text) for text in HOSTILE[:4]),
        tuple((cell, *cells[:5]) for cell in cells),
        HOSTILE[0],
    )
    quotes = Quotes(tuple(Quote(text, '"><script>', text[:200], text[:200], text) for text in HOSTILE))
    blocks = (
        *(Paragraph(text) for text in HOSTILE),
        *(Heading(text) for text in HOSTILE[:3]),
        Listing(cells),
        table,
        quotes,
        Figure("../../etc/passwd", HOSTILE[0], HOSTILE[1]),
        Figure("nothing there", HOSTILE[5]),
    )
    return Document(
        title=HOSTILE[0],
        subtitle=HOSTILE[1],
        language='en"><script>',
        summary=HOSTILE,
        tiles=Tiles(tuple(Tile(text[:200], text[:200], text[:200], "bad", text) for text in HOSTILE)),
        sections=(Section('"><script>', HOSTILE[6], blocks), Section("two", HOSTILE[5], ())),
        footer=HOSTILE,
        pictures={"../../etc/passwd": picture(100, 40)},
    )
