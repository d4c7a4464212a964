"""What an operator asks first: does every watch still hear, what was not seen, what could not be delivered."""

from datetime import datetime

from listener.clock import SystemClock
from listener.config import Config
from listener.outbox_command import summary
from listener.plugins import missing_secrets, status_lines
from listener.store import Store
from listener.store.lock import no_daemon_runs


def report(config: Config, store: Store) -> list[str]:
    """Return the state of watches, gaps, skipped items and deliveries as lines."""
    off, now = missing_secrets(config), SystemClock().now()
    lines = status_lines(config, off)
    if no_daemon_runs(config.store.address):
        lines.append("no daemon runs on this database: nothing new is heard, nothing is sent; start `listener run`")
    states = store.collecting.states()
    lines.append("watches:")
    for watch in config.watches:
        state = states.get(watch.id)
        if hint := off.get(f"source {watch.source}"):
            lines.append(f"  {watch.id}: off: {hint}")
        elif state is None:
            lines.append(f"  {watch.id}: never polled")
        elif state.problem:
            until = _moment(state.next_poll_at)
            lines.append(f"  {watch.id}: failed {state.failures} times, next poll {until}: {state.problem}")
        else:
            every_s = watch.options.every or config.sources[watch.source].every
            overdue = ": overdue" if state.is_overdue(every_s, now) else ""
            heard, then = _moment(state.succeeded_at), _moment(state.next_poll_at)
            lines.append(f"  {watch.id}: heard at {heard}, next poll {then}{overdue}")
    lines += _section(
        "not seen",
        [
            f"{watch}: {_moment(gap.start_at)} to {_moment(gap.end_at)}: {gap.reason}"
            for watch, gap in store.collecting.gaps()
        ],
    )
    lines += _section(
        "not taken",
        [
            f"{row['watch_id']}: {row['count']} x {row['reason']} (last: {row['last_where']})"
            for row in store.collecting.skipped()
        ],
    )
    lines += _section("not delivered", summary(store, now))
    lines += _section("disabled receivers", [f"{name}: {why}" for name, why in store.outbox.disabled().items()])
    counts = ", ".join(f"{count} {name}" for name, count in store.counts().items())
    return [*lines, f"stored: {counts}"]


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _moment(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
