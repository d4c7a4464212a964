"""The slash command /listener: status, silence, who, digest."""

import shlex
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from alerts.slack import modals
from alerts.slack.client import SlackDesk
from listener.clock import Clock
from listener.config import Config
from listener.config.types import parse_duration
from listener.desk import Actor, Answer, Desk
from listener.errors import ListenerError
from listener.pipeline.announce import Announcer
from listener.reports import digest_lines, status_lines, who_lines
from listener.slack.inbox import Job, Payload, Reaction
from listener.slack.presser import press_key, storable
from listener.store import Store
from listener.store.silences import SilenceRow

_SILENCE_EXAMPLE = "/listener silence country=FR topic=outage 2h known outage"
HELP = (
    "/listener status: what listens and what waits",
    "/listener who: who works now, and who has what",
    f"/listener silence: mute alerts; or at once: {_SILENCE_EXAMPLE}",
    "/listener silence list, /listener silence end 3",
    "/listener digest: the last seven days in figures",
)
_LONGEST = 2_000

NameActor = Callable[[str, str], Actor]


class CommandError(ListenerError):
    """A command cannot be carried out; the message says what to write."""


class Commands:
    """Answers the slash command, to whoever wrote it alone."""

    def __init__(
        self, config: Config, slack: SlackDesk, desk: Desk, announcer: Announcer, store: Store, clock: Clock
    ) -> None:
        self._config = config
        self._slack = slack
        self._desk = desk
        self._announcer = announcer
        self._store = store
        self._clock = clock

    def react(self, payload: Payload, actor_of: NameActor) -> Reaction:
        """Return what a slash command leads to."""
        text = _text(payload, "text")[:_LONGEST].strip()
        user, name, trigger = (_text(payload, field) for field in ("user_id", "user_name", "trigger_id"))
        respond = partial(self._slack.respond, _text(payload, "response_url"))
        word, _, rest = text.partition(" ")
        if word.lower() == "silence" and not rest.strip():
            return Reaction(front=lambda: self._open_silence(trigger), excuse=respond)

        def work() -> Job:
            lines = self._lines(word.lower(), rest.strip(), lambda: actor_of(user, name), trigger)
            return partial(respond, "\n".join(lines))

        return Reaction(work=work, excuse=respond)

    def silence(self, matchers: list[str], actor: Actor, lasting: timedelta, reason: str, key: str) -> Answer:
        """Mute alerts, if whoever asks may.

        Raises:
            CommandError: they may not.
            RepeatedError: that same press made a silence before.
        """
        self._check_may_silence(actor)
        made, text = self._desk.silence(matchers, actor, lasting=lasting, reason=reason, press=key)
        muted, live = len(self._desk.muted_by(matchers)), self._store.alerts.count_live()
        return Answer(True, f"{text}. {muted} of {live} open alerts match now. End it: /listener silence end {made}")

    def _open_silence(self, trigger_id: str) -> None:
        self._slack.open_view(trigger_id, modals.silence_view())

    def _lines(self, word: str, rest: str, actor: Callable[[], Actor], key: str) -> list[str]:
        now = self._clock.now()
        if word == "status":
            return status_lines(self._config, self._store, now)
        if word == "who":
            return who_lines(self._config, self._announcer.workplaces, self._store, now)
        if word == "digest":
            return digest_lines(self._config, self._store, now)
        if word == "silence":
            return self._silence(rest, actor(), press_key(key))
        return list(HELP)

    def _silence(self, rest: str, actor: Actor, key: str) -> list[str]:
        first, _, more = rest.partition(" ")
        if first == "list":
            rows = self._store.silences.coming(self._clock.now())
            return [_described(row) for row in rows] or ["No silence is in force."]
        if first == "end":
            number = more.strip()
            if not number.isascii() or not number.isdigit() or len(number) > 12:
                raise CommandError("write the silence's number: /listener silence end 3")
            self._check_may_silence(actor)
            return [self._desk.end_silence(int(number), actor).text]
        matchers, lasting, reason = _read_silence(rest)
        return [self.silence(matchers, actor, lasting, reason, key).text]

    def _check_may_silence(self, actor: Actor) -> None:
        admins = self._config.slack.admins if self._config.slack else []
        if admins and actor.address.removeprefix("slack:") not in admins:
            raise CommandError("only those under `slack.admins` in the configuration may silence; ask one of them")


def _described(row: SilenceRow) -> str:
    until = f"{row.ends_at:%Y-%m-%d %H:%M} UTC"
    return f"{row.id}: {', '.join(row.matchers)} until {until}, by {row.author}: {row.reason}"


def _read_silence(text: str) -> tuple[list[str], timedelta, str]:
    """Read `country=FR topic=outage 2h known outage`.

    Raises:
        CommandError: there is no span or no reason.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise CommandError("a quotation mark is missing") from None
    matchers = []
    while words and "=" in words[0]:
        matchers.append(words.pop(0))
    try:
        lasting = timedelta(seconds=parse_duration(words[0])) if words else timedelta()
    except ValueError:
        lasting = timedelta()
    if not matchers or not lasting or len(words) < 2:
        raise CommandError(f"write matchers, a span and a reason: {_SILENCE_EXAMPLE}")
    return matchers, lasting, " ".join(words[1:])


def _text(payload: Payload, name: str) -> str:
    value = payload.get(name)
    return storable(value) if isinstance(value, str) else ""
