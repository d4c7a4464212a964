"""The commands for what people decide on alerts, and for what is sent: alerts, silences, outbox, drills, Slack's app.

Parses arguments; everything else is done elsewhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener.terminal import (
    DEFAULT_CONFIG,
    ConfigOption,
    VerboseOption,
    account,
    end_with_the_pipe,
    load_in_force,
    load_settings,
    say,
    show_progress,
    stop_on_signals,
    usage_error,
)

if TYPE_CHECKING:
    from listener.config import Config
    from listener.store import Store

silence_app = typer.Typer(help="Mute alerts for a while; see docs/desk.md.", no_args_is_help=True)
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
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Mute the alerts that fulfil all matchers; they are kept, and sent when the silence is over."""
    from listener import silence_command
    from listener.alert_command import actor
    from listener.app import open_desk
    from listener.logs import configure_logging

    configure_logging(verbose=False, quiet=True)
    wish = silence_command.Wish(matchers, lasting, reason, begins, timezone)
    with open_desk(load_in_force(config)) as office:
        typer.echo("\n".join(silence_command.add(office, wish, actor(office.config, by or account()))))


@silence_app.command("list")
def silence_list(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show who muted what, why, until when, and how many alerts that holds back now."""
    from listener import silence_command
    from listener.app import open_desk

    end_with_the_pipe()
    with open_desk(load_in_force(config), read_only=True) as office:
        typer.echo("\n".join(silence_command.listed(office, everything=everything)))


@silence_app.command("end")
def silence_end(
    silence: Annotated[int, typer.Argument(min=1, max=2**53, help="Its number.")],
    by: ByOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """End a silence before its time; what it held back goes on its way."""
    from listener import silence_command
    from listener.alert_command import actor
    from listener.app import open_desk

    with open_desk(load_in_force(config)) as office:
        typer.echo(silence_command.end(office, silence, actor(office.config, by or account())))


@silence_app.command("preview")
def silence_preview(matchers: MatchersArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Show which open alerts these matchers would mute, without muting any."""
    from listener import silence_command
    from listener.app import open_desk

    end_with_the_pipe()
    with open_desk(load_in_force(config), read_only=True) as office:
        typer.echo("\n".join(silence_command.preview(office, matchers)))


def alerts(
    country: Annotated[list[str] | None, typer.Option(help="Of this country alone; may be repeated.")] = None,
    team: Annotated[list[str] | None, typer.Option(help="With this team alone; may be repeated.")] = None,
    owner: Annotated[str, typer.Option(help="Of this person alone, or of nobody.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Those that ended, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The most to show.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """List the open alerts: who has each since when, what is due, its first words."""
    from listener import alert_command
    from listener.app import open_desk
    from listener.countries import countries_asked

    end_with_the_pipe()
    settings = load_in_force(config)
    country = countries_asked(country, settings.countries)
    for values, known, what in ((country, settings.countries, "country"), (team, settings.teams, "team")):
        for value in values or ():
            if value not in known:
                raise usage_error(f"{what} {value} is not configured; known: {', '.join(known)}")
    filters = alert_command.Filters(country, team or (), owner, everything, limit)
    with open_desk(settings, read_only=True) as office:
        rows = alert_command.listed(office, filters)
        typer.echo(
            alert_command.listing_json(office, rows) if as_json else "\n".join(alert_command.listing(office, rows))
        )


def alert(
    name: Annotated[str, typer.Argument(metavar="ALERT", help="Such as A-12; I-12 for an incident.")],
    action: Annotated[
        str,
        typer.Argument(
            help="claim, release, take-over, snooze 1h, wake, escalate, replied, resolve solved,"
            " not-a-complaint question, playbook safety, reopen, show."
        ),
    ],
    detail: Annotated[
        str,
        typer.Argument(
            help="snooze: 15m, 1h, or opening. resolve: public, private, solved or no-reply."
            " not-a-complaint: question, praise, other-brand, advert, joke, news, own or other."
            " playbook: the case that it is, by the playbook's name."
        ),
    ] = "",
    public: Annotated[bool, typer.Option("--public", help="replied: in public.")] = False,
    private: Annotated[bool, typer.Option("--private", help="replied: in a private channel.")] = False,
    topic: Annotated[str | None, typer.Option(help="not-a-complaint: the right topic.")] = None,
    seen_owner: Annotated[str, typer.Option("--from", help="take-over: from whom; else from whoever has it.")] = "",
    by: ByOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Do what can be done with an alert in Slack. Exit status 1 where nothing changed."""
    from alerts.escaping import one_line
    from listener import alert_command
    from listener.app import open_desk
    from listener.logs import configure_logging

    settings = load_in_force(config)
    configure_logging(verbose=False, quiet=True)
    request = alert_command.Request(action, detail, public, private, topic, seen_owner)
    with open_desk(settings) as office:
        found = alert_command.alert_of(office, name)
        answer = alert_command.act(office, found, request, alert_command.actor(settings, by or account()))
    typer.echo(one_line(answer.text))
    if not answer.done:
        raise typer.Exit(1)


def history(
    name: Annotated[str, typer.Argument(metavar="ALERT", help="Such as A-12; I-12 for an incident.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show an alert's whole record: who did what when, and what was sent where."""
    from listener import alert_command
    from listener.app import open_desk

    end_with_the_pipe()
    with open_desk(load_in_force(config), read_only=True) as office:
        found = alert_command.alert_of(office, name)
        typer.echo(
            alert_command.history_json(office, found) if as_json else "\n".join(alert_command.history(office, found))
        )


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

    settings = load_settings(config or DEFAULT_CONFIG) if config or (mode is None and DEFAULT_CONFIG.exists()) else None
    typer.echo(manifest_json(settings, mode=mode, request_url=request_url, name=name))


outbox_app = typer.Typer(help="What waits, is held back or could not be delivered; see docs/delivery.md.")
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
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show what waits, what is held back and what could not be delivered."""
    if context.invoked_subcommand is None:
        outbox_list(state, receiver, as_json, config)


@outbox_app.command("list")
def outbox_list(
    state: StatesOption = None,
    receiver: ReceiverOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show what waits, what is held back and what could not be delivered."""
    from listener import outbox_command
    from listener.clock import SystemClock

    end_with_the_pipe()
    with _outbox_store(config) as (_, database):
        if as_json:
            typer.echo(outbox_command.as_json(database, states=state or (), receiver=receiver))
        else:
            now = SystemClock().now()
            typer.echo("\n".join(outbox_command.listed(database, now, states=state or (), receiver=receiver)))


@outbox_app.command("show")
def outbox_show(
    number: Annotated[int, typer.Argument(help="Its number, from `listener outbox`.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show one notification: its message as text, its attempts, what went wrong, where it stands."""
    from listener import outbox_command
    from listener.clock import SystemClock

    end_with_the_pipe()
    with _outbox_store(config) as (_, database):
        typer.echo("\n".join(outbox_command.shown(database, number, SystemClock().now())))


@outbox_app.command("resend")
def outbox_resend(
    numbers: Annotated[list[int] | None, typer.Argument(help="Dead notifications, by number.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
    receiver: ReceiverOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Try dead notifications again. The daemon may be running meanwhile."""
    from listener import outbox_command
    from listener.clock import SystemClock

    if every == bool(numbers):
        raise usage_error("name the notifications by their numbers, or write --all")
    if receiver is not None and not every:
        raise usage_error("--receiver goes with --all")
    with _outbox_store(config) as (settings, database):
        now = SystemClock().now()
        refresh = outbox_command.refresher(settings, database, now)
        outbox_command.check_receiver(database, settings.receivers, receiver)
        done = outbox_command.resend(database, now, numbers or [], receiver=receiver, every=every, refresh=refresh)
        typer.echo("\n".join(done))


@outbox_app.command("drop")
def outbox_drop(
    numbers: Annotated[list[int], typer.Argument(help="Dead notifications, by number.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the notification.")],
    by: Annotated[str | None, typer.Option(help="Who says so; else the account that runs this.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Give up dead notifications for good."""
    from listener import outbox_command

    with _outbox_store(config) as (_, database):
        typer.echo("\n".join(outbox_command.drop(database, numbers, reason, by or account())))


@contextmanager
def _outbox_store(config: Path) -> Iterator[tuple["Config", "Store"]]:
    from listener.store import Store

    settings = load_in_force(config)
    database = Store(settings.store.address)
    try:
        yield settings, database
    finally:
        database.close()


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
    config: ConfigOption = DEFAULT_CONFIG,
    verbose: VerboseOption = False,
) -> None:
    """Put marked, harmless posts through everything to the trial channel; report how fast each step was."""
    from datetime import timedelta

    from listener import drilling
    from listener.alert_command import actor
    from listener.app import open_desk
    from listener.countries import country_asked
    from listener.logs import configure_logging
    from listener.silence_command import span

    settings = load_settings(config)
    configure_logging(verbose=verbose, quiet=True)
    over, patience = timedelta(minutes=minutes), span(wait)
    with open_desk(settings) as office:
        who = actor(settings, by or account())
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
                country=country_asked(country, settings.countries) if country is not None else None,
                brand=brand,
                topic=topic,
                posts=posts,
                over=over,
                wait=patience,
            )
            found = drilling.hold(planned, office, stop_on_signals(), who, say, show_progress)
        typer.echo(found.json() if as_json else "\n".join(found.lines()))


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command `listener`."""
    app.add_typer(silence_app, name="silence")
    app.add_typer(outbox_app, name="outbox")
    for command in (alerts, alert, history, drill):
        app.command()(command)
    app.command("slack-manifest")(slack_manifest)
