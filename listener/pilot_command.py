"""The command `listener pilot`: whether countries that are being launched are ready."""

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Literal

import typer

from listener.terminal import DEFAULT_CONFIG, ConfigOption, end_with_the_pipe, load_settings, say, usage_error


def pilot(
    country: Annotated[
        list[str] | None, typer.Option(help="Only this country; may be given again. Else all in mode pilot.")
    ] = None,
    since: Annotated[str, typer.Option(help="How far to look back: 14d, 12h.")] = "14d",
    output: Annotated[Literal["text", "json"], typer.Option("--format", help="What to write.")] = "text",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say whether countries in mode pilot are ready to go live, by what their alerts and their people showed.

    Exit status 1 where one is not. What to set next is said as it is written in the configuration; docs/admins.md.
    """
    from listener.clock import SystemClock
    from listener.countries import countries_asked
    from listener.piloting import lines, readiness
    from listener.plugins import pilot_warnings
    from listener.silence_command import span
    from listener.store import Store

    end_with_the_pipe()
    settings = load_settings(config)
    codes = countries_asked(country, settings.countries) or [
        code for code, one in settings.countries.items() if one.mode == "pilot"
    ]
    for code in codes:
        if code not in settings.countries:
            raise usage_error(f"country {code} is not configured; known: {', '.join(settings.countries)}")
        if settings.countries[code].mode != "pilot":
            raise usage_error(f"country {code} is in mode {settings.countries[code].mode}, not pilot")
    if not codes:
        say("no country is in mode pilot; set `mode: pilot` and `pilot_receiver` for one")
        return
    say(*(f"warning: {warning}" for warning in pilot_warnings(settings, codes)))
    store, now = Store(settings.store.address, read_only=True), SystemClock().now()
    try:
        found = [readiness(settings, store, code, now - _span(span(since)), now) for code in codes]
    finally:
        store.close()
    if output == "json":
        facts = [{**asdict(one), "ready": one.is_ready, "next": one.next_step} for one in found]
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=1, default=str))
    else:
        typer.echo("\n".join(line for one in found for line in lines(one)))
    if not all(one.is_ready for one in found):
        raise typer.Exit(1)


def _span(wanted: timedelta) -> timedelta:
    if not timedelta(hours=1) <= wanted <= timedelta(days=366):
        raise usage_error("look back between an hour and a year: 14d, 12h")
    return wanted
