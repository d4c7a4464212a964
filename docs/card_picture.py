"""Draws docs/images/alert-card.svg: a card that the daemon raises from examples/. Run from the repository root."""

import io
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from alerts.card import Card, Message
from alerts.receivers.base import Delivery
from alerts.terminal_card import print_card
from listener.app import App, load_classifier
from listener.clock import FixedClock
from listener.config import Config, load_config
from listener.pipeline.tally import Tally
from listener.plugins import Plugins, open_plugins, plugin_options
from listener.store import Store
from playbooks.library import PlaybookLibrary

PICTURE = Path(__file__).parent / "images" / "alert-card.svg"
WIDTH = 104
WATCH = "file/FR/skybird/example"
SHOWS = "passeport"
RAISED_AT = datetime(2026, 11, 21, 9, 14, tzinfo=UTC)
"""The same picture whenever it is drawn: minutes after the post, while France works."""
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


class Album:
    """A receiver that keeps every card as it stood last."""

    min_interval_s = 0.0

    def __init__(self) -> None:
        self.cards: dict[int, Card] = {}

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        """Keep a new card."""
        if isinstance(message, Card):
            self.cards[message.alert_id] = message
        return Delivery("album", notification_id)

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        """Keep its new look."""
        self.send(notification_id, message)
        return delivery

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Nothing is ever lost on the way here."""
        return None

    def close(self) -> None:
        """Nothing to release."""


def raised_card(config: Config, folder: str) -> Card:
    """Return the card of the example's lost passport, raised by the whole pipeline."""
    album, clock, tally = Album(), FixedClock(RAISED_AT), Tally()
    watches = tuple(watch for watch in config.watches if watch.id == WATCH)
    config = config.model_copy(update={"watches": watches})
    sources = open_plugins(config, clock).sources
    receivers = dict.fromkeys(config.receivers, album)
    app = App(
        config,
        Plugins(sources=sources, receivers=receivers),
        load_classifier(config),
        PlaybookLibrary.load(),
        Store(f"sqlite:///{folder}/picture.db"),
        clock,
    )
    for watch in app.collector.watches():
        app.collector.poll(watch, tally, lambda: False)
    app.work(tally, lambda: False)
    clock.advance(60)  # whatever waits for company has waited
    for name in receivers:
        app.sender.drain(name, tally, lambda seconds: True)
    app.close()
    return next(card for card in album.cards.values() if SHOWS in card.text)


def draw(card: Card) -> str:
    """Return the card as SVG, as a terminal shows it."""
    console = Console(
        record=True,
        width=WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    print_card(console, card, wrap_drafts=True, whole_links=False)
    return console.export_svg(title="listener", theme=THEME, code_format=FRAME, unique_id="card")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = raised_card(load_config(Path("config.yaml"), plugin_options()), folder)
    PICTURE.write_text(draw(found), encoding="utf-8")
    print(f"{PICTURE}: {found.reference}, severity {found.severity}")
