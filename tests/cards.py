"""Alert cards for tests: a usual one, and texts that try to break what shows them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from alerts.card import Card, CardAuthor
from listener.model import AlertState, Draft, Guidance, Handoff

AUTHOR = CardAuthor(
    name="Marta Ruiz",
    handle="marta_viaja",
    followers=48_200,
    verified=True,
    influence=0.64,
    because=("48,200 followers", "journalist (bio)"),
    url="https://x.com/marta_viaja",
)
GUIDANCE = Guidance(
    playbook="late-delivery",
    title="Late delivery",
    steps=("Answer within the hour.", "Ask for the order number in private."),
    drafts=(
        Draft("Hola Marta, sentimos el retraso. Escríbenos por privado.", "es-ES", "a", 55, 280),
        Draft("Marta, lo miramos ahora mismo. Un saludo.", "es-ES", "b", 41, 280, "shorter"),
    ),
    handoff=Handoff("Send the private link in your reply.", "https://x.com/messages/compose"),
    reply_url="https://x.com/intent/post?in_reply_to=42",
    never=("that it is the carrier's fault",),
    url="https://wiki.yunfan.example/late-delivery",
    tell=("The team; the carrier desk where the parcel cannot be found.",),
    promise=("That a person reads and answers.",),
    answer_within="4 h",
    ask=("the order number – to find the parcel",),
    close="Ask whether it has arrived.",
    private_text="Hola Marta, gracias por escribirnos. Envíanos el número de pedido. — Yunfan",
    moved=("Marta, seguimos por privado. — Yunfan", "Seguimos contigo por privado, Marta. — Yunfan"),
    tone=("Short, concrete.",),
)
_CARD = Card(
    alert_id=12,
    reference="A-12",
    severity=3,
    state=AlertState.OPEN,
    brand="Yunfan",
    country="ES",
    country_name="Spain",
    team="Care Iberia",
    network="x",
    pilot=False,
    language="es",
    language_name="Spanish",
    team_reads_language=True,
    author=AUTHOR,
    text="Mi hervidor Yunfan lleva tres semanas de retraso y nadie contesta.",
    place="Sevilla",
    url="https://x.com/marta_viaja/status/42",
    published_at=datetime(2026, 3, 14, 8, 12, tzinfo=UTC),
    opened_at=datetime(2026, 3, 14, 8, 14, tzinfo=UTC),
    topic="delivery",
    reasons=("urgency high with probability 0.91 (from 0.45)", "repeated or unanswered contact"),
    priority=0.78,
    priority_explanation="urgency 0.95, raised by influence 0.64",
    mentions=3,
    copies=1,
    guidance=GUIDANCE,
    timezone="Europe/Madrid",
    words=("nadie", "retraso"),
)


def card(**changes: Any) -> Card:
    """Return the usual card with some fields changed."""
    return replace(_CARD, **changes)


def filled_with(text: str) -> Card:
    """Return a card that has `text` wherever others, or a file, can put a text."""
    author = replace(AUTHOR, name=text, handle=text, because=(text, text), url=text)
    guidance = Guidance(
        playbook=text,
        title=text,
        steps=(text,) * 30,
        drafts=(Draft(text, text, text, len(text), 280, text, text, text),) * 12,
        handoff=Handoff(text, text),
        reply_url=text,
        never=(text,) * 9,
        url=text,
        tell=(text,) * 9,
        promise=(text,) * 20,
        answer_within=text,
        ask=(text,) * 20,
        close=text,
        best_unanswered=True,
        private_text=text,
        moved=(text,) * 3,
        tone=(text,) * 9,
    )
    shown = dict.fromkeys(
        ("reference", "brand", "country", "country_name", "team", "network", "language", "language_name", "text",
         "place", "url", "topic", "priority_explanation", "timezone"),
        text,
    )  # fmt: skip
    return card(author=author, guidance=guidance, reasons=(text,) * 20, words=(text,) * 9, **shown)


HOSTILE = (
    "<!channel> <!here> <!everyone> look",
    "<@U012AB3CD> <#C1|general> <!subteam^S1>",
    "<https://evil.example|Click to verify your account>",
    "&lt;!channel&gt; &amp;lt;!here&amp;gt;",
    "<!date^1^{date}|x><!channel>",
    "*bold* _italic_ ~struck~ `code` ```block```",
    ">>> quoted to the end\n> again",
    ":fire: :skull_and_crossbones:",
    "\u202eevil.exe\u202c \u2066\u2067 unclosed \u2069\u2069\u2069",
    "مرحبا \u202b السلام عليكم (abc) 123",
    "<!chan\u200bnel> zero\u200b\u2060\ufeffwidth",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;https://evil.example\x1b\\x\x1b]8;;\x1b\\ \x9b2J",
    "\x1b[2J\x1b[1;1Hcleared \x07\x08\x08\x00",
    "line\r\nover\rwritten\u2028and\u2029more\x85end\x0bv\x0cf",
    "\ud83d lone surrogate \udc00",
    "Z" + "\u0301\u0336\u0489" * 400,
    "👨‍👩‍👧‍👦" * 900,
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f \U000e0068\U000e0069 hidden",
    "a" * 100_000,
    "é&<>" * 25_000,
    "x\n" * 5_000,
    "",
    " \t\n\u200b",
    "[red]rich[/red] [link=https://evil.example]x[/link] [/]",
    "javascript:alert(1)",
    "https://user:secret@evil.example/",
    "https://evil.example/\"><script>alert(1)</script>",
    "https://ok.example/" + "a" * 4_000,
    "https://ok.example/" + "a" * 2_900,
    "{{ 7*7 }} %s %(x)s {0} \\u0000 ${env:HOME}",
    "\uffff\ufffe\ufdd0 noncharacters \ufff9a\ufffbb",
)  # fmt: skip
