"""The terminal: prints alert cards where the daemon runs. Nothing printed is ever edited or looked up."""

import io
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TextIO

from alerts.card import Card, Message, Note
from alerts.receivers.base import Delivery, ReceiverSpec
from listener.config import ReceiverOptions
from listener.errors import PermanentDeliveryError

if TYPE_CHECKING:
    from rich.console import Console

# Several receivers may share one terminal: a card must not be torn by another's.
_printing = threading.Lock()


class TerminalOptions(ReceiverOptions):
    """The terminal has no options of its own."""

    type: Literal["terminal"]
    at_once: bool = True


class TerminalReceiver:
    """Standard output, or another text stream."""

    min_interval_s = 0.0

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        """Print the whole message."""
        if isinstance(message, Note):
            self._tell(message)
            return Delivery("terminal", notification_id)
        assert isinstance(message, Card)
        card = message
        from alerts.terminal_card import print_card

        self._print(
            lambda console: print_card(
                console, card, wrap_drafts=not console.is_terminal, whole_links=not console.is_terminal
            )
        )
        return Delivery("terminal", notification_id)

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        """Print one line on how the alert stands now."""
        assert isinstance(message, Card)
        card = message
        from alerts.terminal_card import update_line

        self._print(lambda console: console.print(update_line(card)))
        return delivery

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Return None: what a terminal showed cannot be read back."""
        return None

    def _tell(self, message: Note) -> None:
        """Print a plain message."""
        from rich.text import Text

        from alerts.escaping import clean, one_line

        title = Text(f"! {one_line(message.title)}", style="bold magenta")
        text = Text(clean(message.text))
        self._print(lambda console: console.print(title, text, sep="\n"))

    def close(self) -> None:
        """Release nothing: the stream belongs to the process."""

    def _print(self, draw: "Callable[[Console], None]") -> None:
        from rich.console import Console

        from alerts.terminal_card import MAX_WIDTH

        # Drawn apart and written at once, in whatever encoding the stream has.
        drawn = io.StringIO()
        with _printing:
            file = self._file or sys.stdout
            console = Console(file=drawn, force_terminal=_is_tty(file), markup=False, highlight=False, emoji=False)
            console.width = min(console.width, MAX_WIDTH)
            draw(console)
            _write(file, drawn.getvalue())


def _is_tty(file: TextIO) -> bool:
    return not file.closed and file.isatty()


def _write(file: TextIO, text: str) -> None:
    encoding = file.encoding or "utf-8"
    try:
        file.write(text.encode(encoding, "replace").decode(encoding))
        file.flush()
    except (OSError, ValueError) as error:
        raise PermanentDeliveryError(
            f"the terminal cannot be written to ({type(error).__name__})", receiver_gone=True
        ) from error


def create(name: str, options: TerminalOptions) -> TerminalReceiver:
    """Return a receiver that prints to standard output."""
    return TerminalReceiver()


SPEC = ReceiverSpec("terminal", TerminalOptions, create)
