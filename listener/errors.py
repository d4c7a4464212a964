"""Every error the daemon raises on purpose, grouped by what the caller does about it."""

import re
from dataclasses import dataclass
from datetime import datetime

_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066\u2067\u206a-\u206f\ud800-\udfff]")


def visible(text: str) -> str:
    """Return `text` with every character written out that a terminal would obey; line ends and tabs stay."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class ListenerError(Exception):
    """Root of all errors raised on purpose. Messages never carry a secret."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file that an admin wrote: where it stands and what to do."""

    file: str
    line: int
    column: int
    path: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        said = f"{where} {self.path} - {self.text}" if self.path else f"{where} {self.text}"
        return visible(said).replace("\n", "\\n")


class ConfigError(ListenerError):
    """The configuration cannot be used: stop at start with all problems, keep the old one on reload."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class MissingSecretError(ListenerError):
    """A secret's variable or file is not there: whoever needs it is off until it is set."""

    def __init__(self, hint: str) -> None:
        super().__init__(hint)
        self.hint = hint


class SourceError(ListenerError):
    """A fetch did not succeed."""


class RetryableSourceError(SourceError):
    """A passing fault: leave the cursor, move the next poll."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QuotaExhaustedError(SourceError):
    """A quota is used up: pause the watch until it resets and note the gap."""

    def __init__(self, message: str, resets_at: datetime | None = None) -> None:
        super().__init__(message)
        self.resets_at = resets_at


class RefusedSourceError(SourceError):
    """The network refuses the credentials or the right: stop the source and tell operators."""


class RefusedWatchError(RefusedSourceError):
    """The network refuses what one watch asks (a query, an account): stop that watch and tell operators."""


class MalformedItemError(SourceError):
    """One item cannot be read: skip it, count it, keep a sample."""


class ModelUnavailableError(ListenerError):
    """The classifier's model cannot be loaded: stop at start."""


class DeliveryError(ListenerError):
    """A notification was not delivered."""


class RetryableDeliveryError(DeliveryError):
    """A passing fault: try again after a while.

    `ambiguous` is True where the receiver may have accepted the message all the same (a time-out, a cut
    connection, a 5xx): look for it before sending again.
    """

    def __init__(self, message: str, retry_after_s: float | None = None, *, ambiguous: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.ambiguous = ambiguous


class PermanentDeliveryError(DeliveryError):
    """Trying again will not help.

    `receiver_gone` is True where the whole receiver is unusable (token revoked, channel archived): disable it
    and tell operators through another; otherwise only this one message is undeliverable. `account_gone` is True where
    that holds for every receiver of the same account (token revoked).
    """

    def __init__(self, message: str, *, receiver_gone: bool = False, account_gone: bool = False) -> None:
        super().__init__(message)
        self.receiver_gone = receiver_gone or account_gone
        self.account_gone = account_gone


class MessageGoneError(PermanentDeliveryError):
    """People deleted the message that was meant: there is nothing left to edit, and no thread to answer in."""


class EditRefusedError(PermanentDeliveryError):
    """The vendor lets this message be edited no more: say in its thread how things stand."""


class TemplateError(ListenerError):
    """A reply template is wrong: caught when playbooks are loaded."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class LabelledFileError(ListenerError):
    """A file of corrections or labels cannot be used: nothing of it is taken."""


class StoreError(ListenerError):
    """The database cannot be used as it is."""


class DigestError(ListenerError):
    """A digest cannot be made as it was asked for."""


class StaleError(ListenerError):
    """Somebody else changed meanwhile what was to be changed: look again, then decide."""
