"""The terminal: prints messages where the daemon runs. Nothing printed is ever edited or looked up."""

import io
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TextIO

from alerts.card import Card, Message
from alerts.receivers.base import Delivery, ReceiverSpec
from alerts.standing import Told
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
        self._told = Told()

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        """Print the whole message; one of a thread names its alert, as a screen has no threads."""
        from alerts.terminal_card import print_card, print_message

        def draw(console: "Console") -> None:
            plain = not console.is_terminal
            if isinstance(message, Card):
                print_card(console, message, wrap_drafts=plain, whole_links=plain)
            else:
                print_message(console, message, wrap_drafts=plain, whole_links=plain)

        self._print(draw)
        self._told.remember(notification_id, message)
        return Delivery("terminal", notification_id, thread.message_id if thread else "")

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        """Print one line on what is new, or how all stands where that is not known; `delivery` stays."""
        from alerts.terminal_card import update_line

        line = update_line(message, self._told.news(delivery.message_id, message))
        self._print(lambda console: console.print(line, soft_wrap=True))
        self._told.remember(delivery.message_id, message)
        return delivery

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Return None: what a terminal showed cannot be read back."""
        return None

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
