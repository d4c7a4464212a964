"""The command `listener`. Parses arguments; everything else is done elsewhere."""

import os
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener import desk_commands
from listener.config_command import config_app
from listener.console_command import console
from listener.digest_command import digest
from listener.errors import ListenerError
from listener.explain_command import explain
from listener.help_commands import completion, help_
from listener.init_command import init
from listener.manual import dress
from listener.people_command import people_app
from listener.pilot_command import pilot
from listener.playbook_commands import playbooks_app
from listener.simulate_command import simulate
from listener.source_command import try_source
from listener.terminal import (
    DEFAULT_CONFIG,
    ConfigOption,
    StoppedError,
    VerboseOption,
    account,
    be_the_program,
    check_is_file,
    end_with_the_pipe,
    last_valid,
    load_in_force,
    load_or_tell_the_way_back,
    load_settings,
    open_input,
    open_output,
    say,
    show_progress,
    stop_on_signals,
    usage_error,
)
from listener.tune_command import tune

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier
    from listener.app import App, Progress
    from listener.config import Config
    from listener.keeping import Keeper

app = typer.Typer(
    name="listener",
    help="Hears complaints about your brands across networks, countries and languages, and gets people to answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"listener {version('listening-daemon')}")
        raise typer.Exit


@app.callback()
def before_each(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Take the options that stand before every command."""


def main() -> None:
    """Run the command; errors raised on purpose become a message and exit status 1."""
    be_the_program()
    if "_LISTENER_COMPLETE" in os.environ:
        from listener.completion import complete_and_end

        complete_and_end(typer.main.get_command(app))
    from listener.logs import configure_logging

    configure_logging(quiet=True)  # no log stands between the sentences of commands; those that listen ask for it
    try:
        app()
    except ListenerError as error:
        say(f"error: {error}" if "\n" not in str(error) else str(error))
        sys.exit(1)
    except StoppedError:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if type(error).__module__.split(".")[0] != "sqlalchemy":
            raise
        reason = str(getattr(error, "orig", None) or error).split("\n", 1)[0]
        say(f"error: the database does not answer: {reason}; nothing that was stored is lost")
        sys.exit(1)


@app.command()
def run(
    config: ConfigOption = DEFAULT_CONFIG,
    once: Annotated[bool, typer.Option("--once", help="End after one pass, with a summary.")] = False,
    or_last_valid: Annotated[
        bool,
        typer.Option("--or-last-valid", help="Where the file is invalid, go on with what was in force last."),
    ] = False,
    verbose: VerboseOption = False,
) -> None:
    """Listen: collect, classify, raise alerts and send them, until Ctrl-C."""
    from listener.app import open_app
    from listener.keeping import Keeper, seen_now
    from listener.logs import configure_logging
    from listener.plugins import missing_secrets, status_lines
    from listener.store.lock import DatabaseLock

    check_is_file(config)
    seen, instead = seen_now(config), None
    try:
        settings = load_settings(config) if or_last_valid else load_or_tell_the_way_back(config)
        lines = status_lines(settings, off := missing_secrets(settings))
    except ListenerError as error:
        if not or_last_valid:
            raise
        instead = last_valid(config, str(error), seen)
        settings = instead.config
        lines = status_lines(settings, off := missing_secrets(settings))
    say(*lines)
    live = [item.type for name, item in settings.receivers.items() if f"receiver {name}" not in off]
    configure_logging(
        verbose=verbose, quiet="terminal" in live
    )  # a line about every step would stand between the cards
    stop = stop_on_signals()
    with DatabaseLock(settings.store.address):
        try:
            with show_progress(stop) as progress:
                try:
                    application = open_app(settings, progress=progress)
                except ListenerError as error:  # valid, and not to be had on this machine
                    if not or_last_valid or instead is not None:
                        raise
                    instead = last_valid(config, str(error), seen)
                    application = open_app(instead.config, progress=progress)
            keeper = Keeper(config, application.store, application.clock, instead)
            keeper.keep()
            exit_status = _pass_once(application, stop) if once else _listen(application, keeper, stop)
        except StoppedError:
            exit_status = 0
            say("stopped; nothing is lost")
    # A fetch or a classification may still be at work in a thread: everything is stored, so leave it behind.
    sys.stdout.flush()
    os._exit(exit_status)


def _pass_once(application: "App", stop: threading.Event) -> int:
    """Return the exit status: 1 where not one watch could be read."""
    with show_progress(stop) as progress:
        tally = application.run_once(stop, progress)
    typer.echo("\n".join(tally.lines()))
    watches = application.collector.watches()
    if tally.failed:
        say(f"{len(tally.failed)} of {len(watches)} watches could not be read:")
        say(*(f"  {watch}: {problem}" for watch, problem in tally.failed.items()))
    waiting = application.store.outbox.rows(("pending", "sending"), with_payload=False)
    refused = sum(row["attempts"] > 0 for row in waiting)
    if refused:
        say(f"{_messages(refused)} not accepted by their receivers; the next run tries again")
    if later := len(waiting) - refused:
        say(f"{_messages(later)} not due yet; the next run sends them; `listener outbox` says when and why")
    application.close()
    return 1 if watches and len(tally.failed) == len(watches) else 0


def _messages(count: int) -> str:
    return "1 message is" if count == 1 else f"{count} messages are"


def _listen(application: "App", keeper: "Keeper", stop: threading.Event) -> int:
    from listener.scheduler import Daemon

    live = application.store.alerts.count_live()
    say(f"listening{f'; {live} alerts are open from before' if live else ''}; Ctrl-C stops")
    Daemon(application, stop, keeper, say).run()
    say("stopped; nothing is lost")
    return 0


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check the configuration and the playbooks' texts in its countries' languages; say what is on and off."""
    from listener.digest.fonts import font_lines
    from listener.playbook_commands import library_problems
    from listener.plugins import missing_secrets, status_lines

    settings = load_or_tell_the_way_back(config)
    typer.echo("\n".join((*status_lines(settings, missing_secrets(settings)), *font_lines(settings))))
    if problems := library_problems(settings):
        typer.echo("\n".join(map(str, problems)))
        found = "1 finding" if len(problems) == 1 else f"{len(problems)} findings"
        say(f"{found} in the texts that these countries are offered; `listener playbooks lint` has all")
        raise typer.Exit(1)
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
    followers: Annotated[int, typer.Option(min=0, max=2**53, help="How many follow the author.")] = 0,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show what would become of a post: classification, priority, rules, route, card with reply drafts."""
    from listener.countries import country_asked
    from listener.trial import Trial, print_trial

    end_with_the_pipe()
    settings = load_settings(config)
    country = country_asked(country, settings.countries)
    if country not in settings.countries:
        raise usage_error(f"country {country} is not configured; known: {', '.join(settings.countries)}")
    if brand is not None and brand not in settings.brands:
        raise usage_error(f"brand {brand} is not configured; known: {', '.join(settings.brands)}")
    with show_progress() as progress:
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
    config: ConfigOption = DEFAULT_CONFIG,
    verbose: VerboseOption = False,
) -> None:
    """Run a file of posts through everything but the network, and show what it would have raised.

    Nothing is sent to anyone: alerts go to this terminal.
    """
    from listener.countries import country_asked
    from listener.logs import configure_logging
    from listener.replaying import Replay, check_replay
    from listener.store.lock import DatabaseLock

    end_with_the_pipe()
    settings = load_settings(config)
    configure_logging(verbose=verbose, quiet=True)
    country = country_asked(country, settings.countries) if country is not None else None
    for value, known, what in ((country, settings.countries, "country"), (brand, settings.brands, "brand")):
        if value is not None and value not in known:
            raise usage_error(f"{what} {value} is not configured; known: {', '.join(known)}")
    check_replay(file, network)
    stop = stop_on_signals()
    with (
        DatabaseLock(store or ""),
        show_progress(stop) as progress,
        closing(Replay(settings, store_url=store, cards=cards, progress=progress)) as replaying,
    ):
        report = replaying.run(file, stop, country=country, brand=brand, network=network, speed=speed)
    typer.echo("\n".join(report.lines()))
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

    end_with_the_pipe()
    stop = stop_on_signals()
    with open_output() as sink, open_input(file) as (source, size), show_progress(stop) as progress:
        settings = load_settings(config or DEFAULT_CONFIG) if config or DEFAULT_CONFIG.exists() else None
        classifier = _classifier(settings, progress)
        shown = sys.stderr.isatty() and not sys.stdout.isatty()

        def report(count: Count) -> None:
            if shown:
                done = count.classified + count.refused
                progress(f"classifying: {done:,} posts", min(1.0, count.bytes_read / size) if size else 0.0)
            elif stop.is_set():
                raise StoppedError

        languages = {code: country.languages for code, country in settings.countries.items()} if settings else {}
        count = classify_lines(source, sink, classifier, languages=languages, reasons=reasons, report=report)
    if count.refused:
        say(f"{count.refused} of {count.refused + count.classified} lines could not be read; each says why in `error`")
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

    end_with_the_pipe()
    with open_output() as sink, open_input(file) as (source, size):
        score_lines(source, sink, above=above, at_once=not size)


def _classifier(settings: "Config | None", progress: "Progress") -> "MentionClassifier":
    from listener.app import load_model
    from listener.config.models import Model

    return load_model(settings.model if settings else Model(), progress)


@app.command()
def status(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Show where each watch stands, what was not seen, and what could not be delivered."""
    from listener.status import report
    from listener.store import Store

    end_with_the_pipe()
    settings = load_in_force(config)
    database = Store(settings.store.address, read_only=True)
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
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say what the model got wrong of a post. `listener learn` learns from it; the alert itself stays as it is."""
    from listener.clock import SystemClock
    from listener.learning import correct as note
    from listener.store import Store

    said = {"complaint": complaint, "urgency": urgency, "topic": topic, "sentiment": sentiment}
    database = Store(load_in_force(config).store.address)
    try:
        typer.echo(note(database, post, brand, said, by or account(), SystemClock().now()))
    finally:
        database.close()


@app.command()
def forget(
    post: Annotated[str, typer.Argument(help="The post as x:1790000000 (network and id).")],
    by: Annotated[str | None, typer.Option(help="Who asks for it; else the account that runs this.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Withdraw a post that somebody asks to delete: from the database, and from every card and note that shows it."""
    from listener.app import open_desk
    from listener.pipeline.withdraw import WithdrawStep

    settings = load_in_force(config)
    network, colon, external_id = post.partition(":")
    if not (network and colon and external_id.strip()):
        raise usage_error(f"'{post}' names no post; write it as x:1790000000")
    with open_desk(settings) as opened:
        step = WithdrawStep(opened.config, {}, opened.announcer, opened.store, opened.clock)
        typer.echo(step.forget(network.lower(), external_id.strip(), by or account()))


desk_commands.add_to(app)
app.command()(init)
app.command("help")(help_)
app.command()(completion)
app.command()(digest)
app.command()(explain)
app.command()(pilot)
app.command()(simulate)
app.command()(tune)
app.command()(console)
app.command("test-source")(try_source)
app.add_typer(playbooks_app, name="playbooks")
app.add_typer(config_app, name="config")
app.add_typer(people_app, name="people")


@app.command()
def learn(
    corrections: Annotated[
        Path | None, typer.Option(help="JSON Lines of further corrections; see docs/learning.md.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come of it, install nothing.")] = False,
    back: Annotated[bool, typer.Option("--back", help="Use again the model that was in force before.")] = False,
    versions: Annotated[bool, typer.Option("--list", help="List the learned versions.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Learn from what people corrected; install it where it is no worse than the model that ships."""
    from listener import learning
    from listener.clock import SystemClock
    from listener.store import Store

    if sum((back, versions, corrections is not None or dry_run)) > 1:
        raise usage_error("--back and --list stand alone")
    settings = load_settings(config)
    if back or versions:
        typer.echo("\n".join((learning.back if back else learning.listed)(settings)))
        return
    if corrections is not None:
        learning.read_corrections(corrections)  # a bad line is told before the model is loaded
    database = Store(settings.store.address)
    try:
        with show_progress(stop_on_signals()) as progress:
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
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say how good the model in force is: on the shipped evaluation set, and on a file of your own."""
    import json

    from listener.evaluating import evaluate_file, evaluate_shipped

    end_with_the_pipe()
    settings = load_settings(config)
    found = [evaluate_shipped(settings)]
    if file is not None:
        with show_progress() as progress:
            found.append(evaluate_file(settings, file, progress))
    if as_json:
        typer.echo(json.dumps([one.described() for one in found], indent=1, ensure_ascii=False))
    else:
        typer.echo("\n\n".join("\n".join(one.lines()) for one in found))


dress(app)


if __name__ == "__main__":
    main()
