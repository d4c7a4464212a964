"""The command `listener`. Parses arguments, shows progress and errors; everything else is done elsewhere."""

import os
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from listener.errors import ListenerError

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier
    from listener.app import App, Progress
    from listener.config import Config
    from listener.store import Store

app = typer.Typer(
    name="listener",
    help="Hears complaints about your brands across networks, countries and languages, and gets people to answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")]
_DEFAULT_CONFIG = Path("config.yaml")
_is_the_program = False
"""Whether this process is `listener` and nothing else: only then may it end at a broken pipe, sockets among them."""


def main() -> None:
    """Run the command; errors raised on purpose become a message and exit status 1."""
    global _is_the_program
    _is_the_program = True
    try:
        app()
    except ListenerError as error:
        print(f"error: {error}" if "\n" not in str(error) else str(error), file=sys.stderr)
        sys.exit(1)
    except _StoppedError:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if type(error).__module__.split(".")[0] != "sqlalchemy":
            raise
        reason = str(getattr(error, "orig", None) or error).split("\n", 1)[0]
        print(f"error: the database does not answer: {reason}; nothing that was stored is lost", file=sys.stderr)
        sys.exit(1)


@app.command()
def run(
    config: ConfigOption = _DEFAULT_CONFIG,
    once: Annotated[bool, typer.Option("--once", help="End after one pass, with a summary.")] = False,
    verbose: VerboseOption = False,
) -> None:
    """Listen: collect, classify, raise alerts and send them, until Ctrl-C."""
    from listener.app import DatabaseLock, open_app
    from listener.plugins import missing_secrets, status_lines

    settings = _load(config)
    off = missing_secrets(settings)
    _say(*status_lines(settings, off))
    live = [item.type for name, item in settings.receivers.items() if f"receiver {name}" not in off]
    _configure_logging(verbose, quiet="terminal" in live)  # a line about every step would stand between the cards
    stop = _stop_on_signals()
    with DatabaseLock(settings.store.address):
        try:
            with _progress(stop) as progress:
                application = open_app(settings, progress=progress)
            exit_status = (_pass_once if once else _listen)(application, stop)
        except _StoppedError:
            exit_status = 0
            _say("stopped; nothing is lost")
    # A fetch or a classification may still be at work in a thread: everything is stored, so leave it behind.
    sys.stdout.flush()
    os._exit(exit_status)


def _pass_once(application: "App", stop: threading.Event) -> int:
    """Return the exit status: 1 where not one watch could be read."""
    with _progress(stop) as progress:
        tally = application.run_once(stop, progress)
    typer.echo("\n".join(tally.lines()))
    watches = application.collector.watches()
    if tally.failed:
        _say(f"{len(tally.failed)} of {len(watches)} watches could not be read:")
        _say(*(f"  {watch}: {problem}" for watch, problem in tally.failed.items()))
    waiting = application.store.outbox.rows(("pending", "sending"))
    refused = sum(row["attempts"] > 0 for row in waiting)
    if refused:
        _say(f"{_messages(refused)} not accepted by their receivers; the next run tries again")
    if later := len(waiting) - refused:
        _say(f"{_messages(later)} not due yet; the next run sends them; `listener outbox` says when and why")
    application.close()
    return 1 if watches and len(tally.failed) == len(watches) else 0


def _messages(count: int) -> str:
    return "1 message is" if count == 1 else f"{count} messages are"


def _listen(application: "App", stop: threading.Event) -> int:
    from listener.scheduler import Daemon

    live = application.store.alerts.count_live()
    _say(f"listening{f'; {live} alerts are open from before' if live else ''}; Ctrl-C stops")
    Daemon(application, stop).run()
    _say("stopped; nothing is lost")
    return 0


@app.command()
def check(config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Check the configuration, and say what is on and off."""
    from listener.plugins import missing_secrets, status_lines

    settings = _load(config)
    typer.echo("\n".join(status_lines(settings, missing_secrets(settings))))
    typer.echo(f"{config}: all is well")


@app.command("try")
def try_text(
    text: Annotated[str, typer.Argument(help="A post, in any language.")],
    country: Annotated[str, typer.Option(help="Whose rules apply (ISO code).")],
    network: Annotated[str, typer.Option(help="Where it was posted.")] = "x",
    brand: Annotated[
        str | None, typer.Option(help="Which brand it is about; the one it names, else the first.")
    ] = None,
    name: Annotated[str, typer.Option(help="The author's display name.")] = "",
    handle: Annotated[str | None, typer.Option(help="The author's handle.")] = None,
    followers: Annotated[int, typer.Option(min=0, help="How many follow the author.")] = 0,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Show what would become of a post: classification, priority, rules, route, card with reply drafts."""
    from listener.trial import Trial, print_trial

    _end_with_the_pipe()
    settings = _load(config)
    if country not in settings.countries:
        raise _usage(f"country {country} is not configured; known: {', '.join(settings.countries)}")
    if brand is not None and brand not in settings.brands:
        raise _usage(f"brand {brand} is not configured; known: {', '.join(settings.brands)}")
    with _progress() as progress:
        trial = Trial(settings, progress)
    print_trial(
        trial.run(text, country=country, network=network, brand=brand, name=name, handle=handle, followers=followers)
    )


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="JSON Lines or CSV; see docs/file-format.md.")],
    speed: Annotated[
        float | None, typer.Option(min=0.001, help="Keep the posts' own distances, N times as fast; else at once.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="For posts whose country or language says nothing.")] = None,
    brand: Annotated[str | None, typer.Option(help="The brand the posts are about; else the one each names.")] = None,
    network: Annotated[str | None, typer.Option(help="For rows that name no network.")] = None,
    store: Annotated[
        str | None, typer.Option(help="Database URL to replay into; else one that is thrown away.")
    ] = None,
    cards: Annotated[bool, typer.Option("--cards", help="Print every alert's card.")] = False,
    config: ConfigOption = _DEFAULT_CONFIG,
    verbose: VerboseOption = False,
) -> None:
    """Run a file of posts through everything but the network, and show what it would have raised.

    Nothing is sent to anyone: alerts go to this terminal.
    """
    from listener.app import DatabaseLock
    from listener.replaying import Replay

    _end_with_the_pipe()
    settings = _load(config)
    _configure_logging(verbose, quiet=True)
    for value, known, what in ((country, settings.countries, "country"), (brand, settings.brands, "brand")):
        if value is not None and value not in known:
            raise _usage(f"{what} {value} is not configured; known: {', '.join(known)}")
    stop = _stop_on_signals()
    with DatabaseLock(store or ""), _progress(stop) as progress:
        replaying = Replay(settings, store_url=store, cards=cards, progress=progress)
        report = replaying.run(file, stop, country=country, brand=brand, network=network, speed=speed)
    typer.echo("\n".join(report.lines()))
    replaying.close()
    if not report.adds_up:
        raise typer.Exit(1)


@app.command()
def classify(
    file: Annotated[str, typer.Argument(help="JSON Lines with id and text; - reads standard input.")] = "-",
    reasons: Annotated[
        bool,
        typer.Option(" /--no-reasons", help="Leave out the words that moved each result.", show_default=False),
    ] = True,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Whose countries' languages apply; config.yaml where there is one."),
    ] = None,
) -> None:
    """Write the classification of each post in a file, as JSON Lines in the same order; see docs/classify.md."""
    from listener.classifying import Count, classify_lines

    _end_with_the_pipe()
    stop = _stop_on_signals()
    with _output() as sink, _opened(file) as (source, size), _progress(stop) as progress:
        settings = _load(config or _DEFAULT_CONFIG) if config or _DEFAULT_CONFIG.exists() else None
        classifier = _classifier(settings, progress)
        shown = sys.stderr.isatty() and not sys.stdout.isatty()

        def report(count: Count) -> None:
            if shown:
                done = count.classified + count.refused
                progress(f"classifying: {done:,} posts", min(1.0, count.bytes_read / size) if size else 0.0)
            elif stop.is_set():
                raise _StoppedError

        languages = {code: country.languages for code, country in settings.countries.items()} if settings else {}
        count = classify_lines(source, sink, classifier, languages=languages, reasons=reasons, report=report)
    if count.refused:
        _say(f"{count.refused} of {count.refused + count.classified} lines could not be read; each says why in `error`")
        raise typer.Exit(1)


@app.command()
def bursts(
    file: Annotated[
        str, typer.Argument(help="CSV with the columns timestamp and value, evenly spaced; - reads standard input.")
    ] = "-",
    above: Annotated[bool, typer.Option("--above", help="Print the points at or above the threshold only.")] = False,
) -> None:
    """Score each point of a series of counts, from the past alone: 0.5 or more is a burst; see docs/bursts.md."""
    from listener.bursting import score_lines

    _end_with_the_pipe()
    with _output() as sink, _opened(file) as (source, size):
        score_lines(source, sink, above=above, at_once=not size)


@contextmanager
def _output() -> Iterator[BinaryIO]:
    """Give out standard output as bytes; what it refused to take is dropped, so that Python's end is quiet."""
    from listener.classifying import OutputError

    if sys.stdout is None:
        raise ListenerError("cannot write: standard output is closed")
    try:
        yield sys.stdout.buffer
    except OutputError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if isinstance(error.__cause__, BrokenPipeError):
            raise typer.Exit(1) from None
        raise


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file, or standard input for -, with its size; 0 where that is unknown."""
    try:
        source = open(0 if name == "-" else name, "rb", closefd=name != "-")  # noqa: SIM115
    except OSError as error:
        raise ListenerError(f"cannot read {name}: {error.strerror}") from error
    with source:
        status = os.fstat(source.fileno())
        yield source, status.st_size if stat.S_ISREG(status.st_mode) else 0


def _classifier(settings: "Config | None", progress: "Progress") -> "MentionClassifier":
    from listener.app import load_model
    from listener.config.models import Model

    return load_model(settings.model if settings else Model(), progress)


@app.command()
def status(config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Show where each watch stands, what was not seen, and what could not be delivered."""
    from listener.status import report
    from listener.store import Store

    _end_with_the_pipe()
    settings = _load(config)
    database = Store(settings.store.address)
    typer.echo("\n".join(report(settings, database)))
    database.close()


@app.command()
def correct(
    post: Annotated[str, typer.Argument(help="An alert as A-12, or a post as x:1790000000 (network and id).")],
    complaint: Annotated[
        bool | None, typer.Option("--complaint/--not-a-complaint", help="Whether it is a complaint.")
    ] = None,
    urgency: Annotated[int | None, typer.Option(min=0, max=3, help="The right urgency.")] = None,
    topic: Annotated[str | None, typer.Option(help="The right topic.")] = None,
    sentiment: Annotated[str | None, typer.Option(help="negative, neutral or positive.")] = None,
    brand: Annotated[str | None, typer.Option(help="Which brand, where a post was found for several.")] = None,
    by: Annotated[str | None, typer.Option(help="Who says so; else the account that runs this.")] = None,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Say what the model got wrong of a post. `listener learn` learns from it; the alert itself stays as it is."""
    from listener.clock import SystemClock
    from listener.learning import correct as note
    from listener.store import Store

    said = {"complaint": complaint, "urgency": urgency, "topic": topic, "sentiment": sentiment}
    database = Store(_load(config).store.address)
    try:
        typer.echo(note(database, post, brand, said, by or _account(), SystemClock().now()))
    finally:
        database.close()


@app.command()
def forget(
    post: Annotated[str, typer.Argument(help="The post as x:1790000000 (network and id).")],
    by: Annotated[str | None, typer.Option(help="Who asks for it; else the account that runs this.")] = None,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Withdraw a post that somebody asks to delete: from the database, and from every card and note that shows it."""
    from listener.app import open_desk
    from listener.pipeline.withdraw import WithdrawStep

    settings = _load(config)
    network, colon, external_id = post.partition(":")
    if not (network and colon and external_id.strip()):
        raise _usage(f"'{post}' names no post; write it as x:1790000000")
    with open_desk(settings) as opened:
        step = WithdrawStep(opened.config, {}, opened.announcer, opened.store, opened.clock)
        typer.echo(step.forget(network.lower(), external_id.strip(), by or _account()))


silence_app = typer.Typer(help="Mute alerts for a while; see docs/desk.md.", no_args_is_help=True)
app.add_typer(silence_app, name="silence")
MatchersArgument = Annotated[list[str], typer.Argument(help="Such as country=FR 'topic=~outage|quality'.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who acts; else the account that runs this.")]


@silence_app.command("add")
def silence_add(
    matchers: MatchersArgument,
    lasting: Annotated[str, typer.Option("--for", help="For how long: 30m, 2h, 7d.")],
    reason: Annotated[str, typer.Option(help="Why; those who wonder about the silence read it.")] = "",
    begins: Annotated[str, typer.Option("--from", help='When it begins, such as "2026-12-01 09:00"; else now.')] = "",
    timezone: Annotated[str, typer.Option(help="The time zone of --from.")] = "UTC",
    by: ByOption = None,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Mute the alerts that fulfil all matchers; they are kept, and sent when the silence is over."""
    from listener import silence_command
    from listener.alert_command import actor
    from listener.app import open_desk

    _configure_logging(verbose=False, quiet=True)
    wish = silence_command.Wish(matchers, lasting, reason, begins, timezone)
    with open_desk(_load(config)) as office:
        typer.echo("\n".join(silence_command.add(office, wish, actor(office.config, by or _account()))))


@silence_app.command("list")
def silence_list(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Show who muted what, why, until when, and how many alerts that holds back now."""
    from listener import silence_command
    from listener.app import open_desk

    _end_with_the_pipe()
    with open_desk(_load(config)) as office:
        typer.echo("\n".join(silence_command.listed(office, everything=everything)))


@silence_app.command("end")
def silence_end(
    silence: Annotated[int, typer.Argument(min=1, max=2**53, help="Its number.")],
    by: ByOption = None,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """End a silence before its time; what it held back goes on its way."""
    from listener import silence_command
    from listener.alert_command import actor
    from listener.app import open_desk

    with open_desk(_load(config)) as office:
        typer.echo(silence_command.end(office, silence, actor(office.config, by or _account())))


@silence_app.command("preview")
def silence_preview(matchers: MatchersArgument, config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Show which open alerts these matchers would mute, without muting any."""
    from listener import silence_command
    from listener.app import open_desk

    _end_with_the_pipe()
    with open_desk(_load(config)) as office:
        typer.echo("\n".join(silence_command.preview(office, matchers)))


@app.command()
def alerts(
    country: Annotated[list[str] | None, typer.Option(help="Of this country alone; may be repeated.")] = None,
    team: Annotated[list[str] | None, typer.Option(help="With this team alone; may be repeated.")] = None,
    owner: Annotated[str, typer.Option(help="Of this person alone, or of nobody.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Those that ended, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The most to show.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """List the open alerts: who has each since when, what is due, its first words."""
    from listener import alert_command
    from listener.app import open_desk

    _end_with_the_pipe()
    settings = _load(config)
    for values, known, what in ((country, settings.countries, "country"), (team, settings.teams, "team")):
        for value in values or ():
            if value not in known:
                raise _usage(f"{what} {value} is not configured; known: {', '.join(known)}")
    filters = alert_command.Filters(country or (), team or (), owner, everything, limit)
    with open_desk(settings) as office:
        rows = alert_command.listed(office, filters)
        typer.echo(
            alert_command.listing_json(office, rows) if as_json else "\n".join(alert_command.listing(office, rows))
        )


@app.command()
def alert(
    name: Annotated[str, typer.Argument(metavar="ALERT", help="Such as A-12; I-12 for an incident.")],
    action: Annotated[
        str,
        typer.Argument(
            help="claim, release, take-over, snooze 1h, wake, escalate, replied, resolve solved,"
            " not-a-complaint question, reopen, show."
        ),
    ],
    detail: Annotated[
        str,
        typer.Argument(
            help="snooze: 15m, 1h, or opening. resolve: public, private, solved or no-reply."
            " not-a-complaint: question, praise, other-brand, advert, joke, news, own or other."
        ),
    ] = "",
    public: Annotated[bool, typer.Option("--public", help="replied: in public.")] = False,
    private: Annotated[bool, typer.Option("--private", help="replied: in a private channel.")] = False,
    topic: Annotated[str | None, typer.Option(help="not-a-complaint: the right topic.")] = None,
    seen_owner: Annotated[str, typer.Option("--from", help="take-over: from whom; else from whoever has it.")] = "",
    by: ByOption = None,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Do what can be done with an alert in Slack. Exit status 1 where nothing changed."""
    from alerts.escaping import one_line
    from listener import alert_command
    from listener.app import open_desk

    settings = _load(config)
    _configure_logging(verbose=False, quiet=True)
    request = alert_command.Request(action, detail, public, private, topic, seen_owner)
    with open_desk(settings) as office:
        found = alert_command.alert_of(office, name)
        answer = alert_command.act(office, found, request, alert_command.actor(settings, by or _account()))
    typer.echo(one_line(answer.text))
    if not answer.done:
        raise typer.Exit(1)


@app.command()
def history(
    name: Annotated[str, typer.Argument(metavar="ALERT", help="Such as A-12; I-12 for an incident.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Show an alert's whole record: who did what when, and what was sent where."""
    from listener import alert_command
    from listener.app import open_desk

    _end_with_the_pipe()
    with open_desk(_load(config)) as office:
        found = alert_command.alert_of(office, name)
        typer.echo(
            alert_command.history_json(office, found) if as_json else "\n".join(alert_command.history(office, found))
        )


@app.command("slack-manifest")
def slack_manifest(
    mode: Annotated[
        str | None, typer.Option(help="socket or http; else as the configuration's `slack` section says, else socket.")
    ] = None,
    request_url: Annotated[str, typer.Option(help="The daemon's public https address, for http.")] = "",
    name: Annotated[str, typer.Option(help="How the app is called in Slack.")] = "Listening daemon",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The configuration file; config.yaml where there is one.")
    ] = None,
) -> None:
    """Print the manifest to create the Slack app from, with exactly the scopes it needs; see docs/slack.md."""
    from listener.manifest_command import manifest_json

    settings = _load(config or _DEFAULT_CONFIG) if config or (mode is None and _DEFAULT_CONFIG.exists()) else None
    typer.echo(manifest_json(settings, mode=mode, request_url=request_url, name=name))


outbox_app = typer.Typer(help="What waits, is held back or could not be delivered; see docs/delivery.md.")
app.add_typer(outbox_app, name="outbox")
StatesOption = Annotated[
    list[str] | None, typer.Option("--state", help="waiting, held, dead, dropped, moved or sent; may be repeated.")
]
ReceiverOption = Annotated[str | None, typer.Option("--receiver", help="Of this receiver alone.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@outbox_app.callback(invoke_without_command=True)
def outbox(
    context: typer.Context,
    state: StatesOption = None,
    receiver: ReceiverOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Show what waits, what is held back and what could not be delivered."""
    if context.invoked_subcommand is None:
        outbox_list(state, receiver, as_json, config)


@outbox_app.command("list")
def outbox_list(
    state: StatesOption = None,
    receiver: ReceiverOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Show what waits, what is held back and what could not be delivered."""
    from listener import outbox_command
    from listener.clock import SystemClock

    _end_with_the_pipe()
    with _outbox_store(config) as (_, database):
        if as_json:
            typer.echo(outbox_command.as_json(database, states=state or (), receiver=receiver))
        else:
            now = SystemClock().now()
            typer.echo("\n".join(outbox_command.listed(database, now, states=state or (), receiver=receiver)))


@outbox_app.command("show")
def outbox_show(number: int, config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Show one notification: its message as text, its attempts, what went wrong, where it stands."""
    from listener import outbox_command
    from listener.clock import SystemClock

    _end_with_the_pipe()
    with _outbox_store(config) as (_, database):
        typer.echo("\n".join(outbox_command.shown(database, number, SystemClock().now())))


@outbox_app.command("resend")
def outbox_resend(
    numbers: Annotated[list[int] | None, typer.Argument(help="Dead notifications, by number.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
    receiver: ReceiverOption = None,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Try dead notifications again. The daemon may be running meanwhile."""
    from listener import outbox_command
    from listener.clock import SystemClock

    if every == bool(numbers):
        raise _usage("name the notifications by their numbers, or write --all")
    if receiver is not None and not every:
        raise _usage("--receiver goes with --all")
    with _outbox_store(config) as (settings, database):
        now = SystemClock().now()
        refresh = outbox_command.refresher(settings, database, now)
        done = outbox_command.resend(database, now, numbers or [], receiver=receiver, every=every, refresh=refresh)
        typer.echo("\n".join(done))


@outbox_app.command("drop")
def outbox_drop(
    numbers: Annotated[list[int], typer.Argument(help="Dead notifications, by number.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the notification.")],
    by: Annotated[str | None, typer.Option(help="Who says so; else the account that runs this.")] = None,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Give up dead notifications for good."""
    from listener import outbox_command

    with _outbox_store(config) as (_, database):
        typer.echo("\n".join(outbox_command.drop(database, numbers, reason, by or _account())))


@contextmanager
def _outbox_store(config: Path) -> Iterator[tuple["Config", "Store"]]:
    from listener.store import Store

    settings = _load(config)
    database = Store(settings.store.address)
    try:
        yield settings, database
    finally:
        database.close()


@app.command()
def drill(
    country: Annotated[str | None, typer.Option(help="Whose rules, team and language; else the first.")] = None,
    brand: Annotated[str | None, typer.Option(help="Which brand the posts name; else the first.")] = None,
    topic: Annotated[str, typer.Option(help="What they complain of: outage or delivery.")] = "outage",
    posts: Annotated[int, typer.Option(help="How many.")] = 12,
    minutes: Annotated[float, typer.Option(min=0, max=1440, help="In how many minutes they come in.")] = 5.0,
    wait: Annotated[str, typer.Option(help="How long people have after the last post.")] = "15m",
    report: Annotated[str | None, typer.Option(help="Show an earlier drill again: its number, or last.")] = None,
    end: Annotated[bool, typer.Option("--end", help="End what an interrupted drill left open.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    by: ByOption = None,
    config: ConfigOption = _DEFAULT_CONFIG,
    verbose: VerboseOption = False,
) -> None:
    """Put marked, harmless posts through everything to the trial channel; report how fast each step was."""
    from datetime import timedelta

    from listener import drilling
    from listener.alert_command import actor
    from listener.app import open_desk
    from listener.silence_command import span

    settings = _load(config)
    _configure_logging(verbose, quiet=True)
    over, patience = timedelta(minutes=minutes), span(wait)
    with open_desk(settings) as office:
        who = actor(settings, by or _account())
        if end:
            ended = drilling.end_alerts(office, [one.id for one in drilling.leftovers(office.store)], who)
            typer.echo(f"{ended} alert{'' if ended == 1 else 's'} of drills ended")
            return
        if report is not None:
            known = (office.store.drills.latest() or report) if report == "last" else report
            found = drilling.report(office.store, known)
        else:
            planned = drilling.plan(
                settings,
                office.store,
                office.clock.now(),
                country=country,
                brand=brand,
                topic=topic,
                posts=posts,
                over=over,
                wait=patience,
            )
            found = drilling.hold(planned, office, _stop_on_signals(), who, _say, _progress)
        typer.echo(found.json() if as_json else "\n".join(found.lines()))


@app.command()
def learn(
    corrections: Annotated[
        Path | None, typer.Option(help="JSON Lines of further corrections; see docs/learning.md.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come of it, install nothing.")] = False,
    back: Annotated[bool, typer.Option("--back", help="Use again the model that was in force before.")] = False,
    versions: Annotated[bool, typer.Option("--list", help="List the learned versions.")] = False,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Learn from what people corrected; install it where it is no worse than the model that ships."""
    from listener import learning
    from listener.clock import SystemClock
    from listener.store import Store

    if sum((back, versions, corrections is not None or dry_run)) > 1:
        raise _usage("--back and --list stand alone")
    settings = _load(config)
    if back or versions:
        typer.echo("\n".join((learning.back if back else learning.listed)(settings)))
        return
    if corrections is not None:
        learning.read_corrections(corrections)  # a bad line is told before the model is loaded
    database = Store(settings.store.address)
    try:
        with _progress(_stop_on_signals()) as progress:
            lessons = learning.Lessons(settings, progress)
            outcome = lessons.run(database, corrections, SystemClock().now(), dry_run=dry_run)
        typer.echo("\n".join(outcome.lines))
    finally:
        database.close()


@app.command()
def evaluate(
    file: Annotated[
        Path | None, typer.Argument(help="JSON Lines with text, complaint and urgency; see docs/learning.md.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigOption = _DEFAULT_CONFIG,
) -> None:
    """Say how good the model in force is: on the shipped evaluation set, and on a file of your own."""
    import json

    from listener.evaluating import evaluate_file, evaluate_shipped

    _end_with_the_pipe()
    settings = _load(config)
    found = [evaluate_shipped(settings)]
    if file is not None:
        with _progress() as progress:
            found.append(evaluate_file(settings, file, progress))
    if as_json:
        typer.echo(json.dumps([one.described() for one in found], indent=1, ensure_ascii=False))
    else:
        typer.echo("\n\n".join("\n".join(one.lines()) for one in found))


def _load(path: Path) -> "Config":
    from listener.config import load_config
    from listener.plugins import plugin_options

    return load_config(path, plugin_options())


def _account() -> str:
    """Return the name of the account that runs this; in a container it may have none."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def _end_with_the_pipe() -> None:
    """End quietly when whoever reads our output has gone, as in `listener status | head`."""
    if _is_the_program and hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _usage(message: str) -> typer.BadParameter:
    return typer.BadParameter(message)


def _configure_logging(verbose: bool, *, quiet: bool = False) -> None:
    from listener.logs import configure_logging

    configure_logging(verbose=verbose, quiet=quiet)


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)


def _stop_on_signals() -> threading.Event:
    """Return an event that Ctrl-C or SIGTERM sets; a second one ends the process at once."""
    stop = threading.Event()

    def on_signal(number: int, frame: object) -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()
        print("stopping…", file=sys.stderr)

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    return stop


class _StoppedError(Exception):
    """Somebody pressed Ctrl-C during a long step."""


@contextmanager
def _progress(stop: threading.Event | None = None) -> Iterator["Progress"]:
    """Show a bar on a terminal; elsewhere one line for each new thing that is being done.

    A long step that reports its progress ends at the next report once `stop` is set.
    """
    with _bar() if sys.stderr.isatty() else nullcontext(_say_new_things()) as show:

        def report(what: str, share: float) -> None:
            if stop is not None and stop.is_set():
                raise _StoppedError
            show(what, share)

        yield report


@contextmanager
def _bar() -> Iterator["Progress"]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loading the model", total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)


def _say_new_things() -> "Progress":
    said: set[str] = set()

    def say(what: str, share: float) -> None:
        subject = what.split(" ", 1)[0]
        if subject not in said:
            said.add(subject)
            _say(f"{what}…")

    return say


if __name__ == "__main__":
    main()
