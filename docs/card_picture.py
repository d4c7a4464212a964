"""Draws docs/images/alert-card.svg: the alert card as the terminal shows it. Run from the repository root."""

import io
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from alerts.card import Card, CardAuthor
from alerts.terminal_card import print_card
from listener.model import AlertState, Draft, Guidance, Handoff

PICTURE = Path(__file__).parent / "images" / "alert-card.svg"
WIDTH = 104

DRAFTS = (
    "Bonjour Élodie, nous comprenons l'urgence avec votre départ après-demain. Envoyez-nous en privé vos numéros de "
    "vol et de siège : nous contactons tout de suite les objets trouvés de Lyon. Camille, Skybird Air",
    "Bonjour Élodie, un passeport oublié à bord juste avant un voyage : nous nous en occupons en priorité. "
    "Écrivez-nous en message privé vos numéros de vol et de siège. Camille, Skybird Air",
)
CARD = Card(
    alert_id=12,
    reference="A-12",
    severity=3,
    state=AlertState.OPEN,
    brand="Skybird Air",
    country="FR",
    country_name="France",
    team="Care France",
    network="x",
    pilot=False,
    language="fr",
    language_name="French",
    team_reads_language=True,
    author=CardAuthor(
        name="Élodie Marchetti",
        handle="elodie_en_route",
        followers=48_200,
        verified=True,
        influence=0.64,
        because=("48,200 followers", "writes travel reviews (bio)", "12 reposts in the first hour"),
        url="https://x.com/elodie_en_route",
    ),
    text="@skybirdair j'ai oublié mon passeport dans la poche du siège 14C, vol SB418 de ce matin. Je pars au Japon "
    "APRÈS-DEMAIN 😰 Deux heures que j'appelle, personne ne répond. Quelqu'un peut m'aider ??",
    place="Lyon",
    url="https://x.com/elodie_en_route/status/1901234567890123456",
    published_at=datetime(2026, 3, 14, 8, 12, tzinfo=UTC),
    opened_at=datetime(2026, 3, 14, 8, 14, tzinfo=UTC),
    topic="booking",
    reasons=(
        "urgency high with probability 0.91 (from 0.45)",
        "time-critical; repeated or unanswered contact",
        "complaint with probability 0.97 by an author of influence 0.64 (from 0.60)",
    ),
    priority=0.78,
    priority_explanation="urgency 0.95, raised by influence 0.64 and by velocity 0.31",
    mentions=3,
    copies=1,
    guidance=Guidance(
        playbook="service-complaint",
        title="Lost on board, needed soon",
        steps=(
            "Answer within 15 minutes, then call the station's lost property office.",
            "Ask for flight and seat in private only; never ask for passport data.",
            "Tell the author by noon what was found, also when nothing was.",
        ),
        drafts=(
            Draft(DRAFTS[0], "fr-FR", "a", len(DRAFTS[0]), 280),
            Draft(DRAFTS[1], "fr-FR", "b", len(DRAFTS[1]), 280),
        ),
        handoff=Handoff(
            "Send the link below in your reply; it opens a direct message.", "https://x.com/messages/compose"
        ),
        reply_url="https://x.com/intent/post?in_reply_to=1901234567890123456",
        never=("that lost items are the passenger's own risk", "a promise that it will be found"),
    ),
    timezone="Europe/Paris",
)

THEME = TerminalTheme(
    (22, 27, 34),
    (214, 220, 228),
    [
        (72, 79, 88),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 184, 255),
        (210, 168, 255),
        (86, 212, 221),
        (214, 220, 228),
    ],
)

# {lines} and the rest are filled in by rich; no font is fetched from anywhere.
FRAME = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>An alert card in the terminal</title>
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font-family: sans-serif; font-size: 16px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    """Write the picture."""
    console = Console(
        record=True,
        width=WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    print_card(console, CARD, wrap_drafts=True, whole_links=False)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(
        console.export_svg(title="listener", theme=THEME, code_format=FRAME, unique_id="card"), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
