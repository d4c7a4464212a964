"""Makes the digests that are due and puts them into the outbox: each reader's week once, whatever happens meanwhile."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from alerts.card import DigestImage, DigestMessage, DigestTile, DigestWords, dump_message, load_message
from alerts.digest_parts import digest_for
from alerts.receivers.registry import receiver_specs
from listener.clock import Clock
from listener.config import Config, DigestReader
from listener.digest.composing import compose
from listener.digest.document import Document, Figure
from listener.digest.json_file import dump, load
from listener.digest.mail import mail_parts
from listener.digest.making import Maker, scope_of
from listener.digest.model import Digest
from listener.digest.pdf import pdf
from listener.digest.weeks import Week, last_finished
from listener.digest.words import Words
from listener.errors import DigestError
from listener.store import Store
from listener.store.digests import Kept

_LONGEST_WEEK = timedelta(days=9)
"""A week in all time zones, with a clock change."""
CATCHES_UP = timedelta(minutes=15)
"""So long it waits for watches that have not fetched anything since the week ended, as after a night without power."""
SETTLES = timedelta(hours=3)
"""So long a digest waits, from when it is due, for posts of its week that were not classified yet."""

log = structlog.get_logger("listener.digest")


class DigestStep:
    """Looks whether a reader's digest is due, makes it, and records it together with its messages."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        maker: Maker,
        effective_receiver: Callable[[str], str],
    ) -> None:
        """Put the step together.

        Args:
            config: readers and what they may see.
            store: where everything is.
            clock: what time it is.
            maker: makes digests.
            effective_receiver: who takes over for one that is off.
        """
        self._config = config
        self._store = store
        self._clock = clock
        self._maker = maker
        self._effective = effective_receiver
        self._started_at = clock.now()

    def run(self) -> int:
        """Make the digests that are due; return how many."""
        now = self._clock.now()
        for kept in self._store.digests.stale():
            self._guarded(kept.reader, partial(self._renew, kept))
        return sum(
            self._guarded(name, partial(self._make_if_due, name, reader, now))
            for name, reader in self._config.digests.items()
        )

    @staticmethod
    def _guarded(reader: str, step: Callable[[], bool]) -> bool:
        """Run one reader's step; what it could not do it does at the next run."""
        try:
            return step()
        except DigestError as error:
            log.warning("digest not made", reader=reader, problem=str(error))
        except Exception as error:  # one that nobody foresaw must not hold back the digests of all others
            log.error("digest not made", reader=reader, exc_info=error)
        return False

    def _make_if_due(self, name: str, reader: DigestReader, now: datetime) -> bool:
        week = due_week(self._config, reader, now)
        if self._store.digests.made(name, str(week)) is not None or not self._is_ready(reader, week, now):
            return False
        return self._make(name, reader, week, now)

    def _is_ready(self, reader: DigestReader, week: Week, now: datetime) -> bool:
        """Tell whether the week was listened to, its last posts were fetched, and all of them are read."""
        ends_at = week_ends(self._config, reader, week)
        began_at = self._store.digests.first_collected_at()
        if began_at is None or began_at >= ends_at:
            return False  # posts from before the daemon ran make no week of it
        due = due_at(self._config, reader, week)
        watches = [one.id for one in self._config.watches]
        if now < max(due, self._started_at) + CATCHES_UP and self._store.digests.is_behind(watches, ends_at):
            return False
        return now >= due + SETTLES or not self._store.digests.is_waiting(ends_at - _LONGEST_WEEK, ends_at)

    def _make(self, name: str, reader: DigestReader, week: Week, now: datetime) -> bool:
        scope = scope_of(self._config, name, reader)
        digest = self._maker.make(week, scope, now, timezone=reader.timezone)
        message = digest_message(digest, compose(digest, Words.of(reader.language)))
        receivers = dict.fromkeys(self._effective(receiver) for receiver in reader.receivers)
        with self._store.digests.recording(name, str(week), dump(digest), now) as recording:
            if recording is None:
                return False  # another daemon was quicker
            if recording.is_any_deleted(_quoted(digest)):
                raise DigestError("a post in it was deleted while it was made; it is made anew")
            for receiver in receivers:
                recording.post(receiver, *self._parts(receiver, message), now)
        log.info("digest made", reader=name, week=str(week), receivers=list(receivers))
        return True

    def _renew(self, kept: Kept) -> bool:
        """Write a digest anew that quotes a post which was deleted before it was sent."""
        reader = self._config.digests.get(kept.reader)
        digest = load(kept.document)
        message = digest_message(digest, compose(digest, Words.of(reader.language if reader else self._language(kept))))
        self._store.digests.replace(
            kept, [(number, *self._parts(receiver, message)) for receiver, number in kept.messages]
        )
        return True

    def _language(self, kept: Kept) -> str:
        """Return the language of a digest whose reader left the configuration."""
        rows = (self._store.outbox.row(number) for _, number in kept.messages)
        messages = (load_message(row["payload"]) for row in rows if row is not None)
        return next((one.language for one in messages if isinstance(one, DigestMessage)), "en")

    def _parts(self, receiver: str, message: DigestMessage) -> tuple[str, str | None]:
        """Return the digest as a receiver takes it, and the file that goes into its thread."""
        options = self._config.receivers.get(receiver)
        form = receiver_specs()[options.type].digest_form if options else "text"
        shown, file = digest_for(form, message)
        return dump_message(shown), dump_message(file) if file else None


def due_week(config: Config, reader: DigestReader, now: datetime) -> Week:
    """Return the last week whose digest is due by now."""
    week = last_finished(now, reader.timezone)
    while now < due_at(config, reader, week):
        week = week.back()
    return week


def due_at(config: Config, reader: DigestReader, week: Week) -> datetime:
    """Return when a reader gets a week's digest: on Monday at their time, not before it ended in every country.

    Where clocks skip that time, it is as much later; where it comes twice, the first.
    """
    monday = week.back(-1).monday
    at = datetime.combine(monday, reader.at, ZoneInfo(reader.timezone)).astimezone(UTC)
    return max(at, week_ends(config, reader, week))


def week_ends(config: Config, reader: DigestReader, week: Week) -> datetime:
    """Return when a week is over in the last of a reader's countries."""
    codes = scope_of(config, "", reader).countries
    zones = {config.countries[code].timezone for code in codes} or {reader.timezone}
    return max(week.span(zone)[1] for zone in zones)


def _quoted(digest: Digest) -> set[int]:
    """Return the posts that a digest quotes."""
    heard = digest.voices
    lists = (heard.journalists, heard.critics, heard.friends, heard.travelled, heard.supporters)
    return {post.mention_id for posts in (*lists, *(one.posts for one in digest.causes.irritants)) for post in posts}


def digest_message(digest: Digest, document: Document) -> DigestMessage:
    """Return a digest as receivers take it."""
    parts = mail_parts(document)
    alts = {block.picture: block.alt for section in document.sections for block in section.blocks
            if isinstance(block, Figure)}  # fmt: skip
    shown = [key for key in document.slack_pictures if key in document.pictures]
    return DigestMessage(
        title=f"{document.title} · {document.subtitle.partition(' · ')[0]}",
        subtitle=document.subtitle,
        week=digest.week,
        language=document.language,
        summary=document.summary,
        tiles=tuple(DigestTile(tile.label, tile.value, tile.change) for tile in document.tiles.tiles),
        images=(
            *(DigestImage(name, _in_letters(png), alt) for name, png, alt in parts.images),
            *(DigestImage(key, _in_letters(document.pictures[key].png), alts.get(key, "")) for key in shown),
        ),
        slack_pictures=tuple(shown),
        html=parts.html,
        text=parts.text,
        pdf=_in_letters(_pdf(document)),
        file_name=f"{document.file_name}.pdf",
        command=command_for(digest),
        words=_receivers_words(document.language),
    )


def command_for(digest: Digest) -> str:
    """Return what shows the whole page in a terminal."""
    reader = f" --reader {digest.scope.reader}" if digest.scope.reader else ""
    return f"listener digest --week {digest.week}{reader}"


def _pdf(document: Document) -> bytes:
    """Return the page as PDF; nothing where it cannot be drawn: the digest goes without it."""
    try:
        return pdf(document)
    except (DigestError, OSError) as error:
        log.warning("the digest's PDF could not be made", file=document.file_name, problem=str(error))
        return b""


def _in_letters(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _receivers_words(language: str) -> DigestWords:
    words = Words.of(language)
    return DigestWords(
        open=words.say("Open the digest"),
        whole=words.say("All of it"),
        without_charts=words.say("Not all charts could be shown here."),
        without_pdf=words.say("The PDF is not attached: the mail would be too large."),
        without_file=words.say("The PDF could not be put here."),
    )
