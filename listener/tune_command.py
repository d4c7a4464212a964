"""The command `listener tune`: thresholds for a wish, what they would lose, and the change in the file."""

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from listener.errors import ListenerError
from listener.terminal import DEFAULT_CONFIG, ConfigOption, account, end_with_the_pipe, say, usage_error

if TYPE_CHECKING:
    from listener.config.editing import Edit
    from listener.keeping import Keeper
    from listener.tuning.budgets import Budget
    from listener.tuning.tuned import Tuning


def tune(
    country: Annotated[list[str], typer.Option(help="Whose thresholds (ISO code); may be given several times.")],
    budget: Annotated[
        str | None, typer.Option(help="The most alerts as a mean: 25/day, 100/week or 3/hour, each country its own.")
    ] = None,
    precision: Annotated[
        float | None, typer.Option(help="The share of judged alerts that shall be right: 0.8 for eight of ten.")
    ] = None,
    since: Annotated[str, typer.Option(help="What to learn from: 28d, a day, a moment, an ISO week.")] = "28d",
    until: Annotated[str | None, typer.Option(help="Its end; now unless given.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Change the configuration file.")] = False,
    show: Annotated[int, typer.Option(min=0, help="So many of the alerts that would be lost are shown.")] = 10,
    output: Annotated[Literal["text", "json"], typer.Option("--format", help="What to write.")] = "text",
    by: Annotated[str | None, typer.Option("--by", help="Who does it; else the account that runs this.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Propose thresholds for so many alerts a day, or so many of them right, and say what that would lose.

    What was decided in the span is decided on anew with ever stricter thresholds; nothing is sent and nothing stored.
    No proposal lets an alert of severity 3 go, and those that people found right go last. Without --write the change
    of the file is shown; with it the file is changed, comments and order kept, and a daemon that runs takes it over.
    Exit status 1 where the wish cannot be met. See docs/tune.md.
    """
    from listener.clock import SystemClock
    from listener.keeping import Keeper, store_settings
    from listener.store import Store

    end_with_the_pipe()
    wish = _wish(budget, precision)
    store = Store(store_settings(config).address, read_only=not write)
    try:
        keeper = Keeper(config, store, SystemClock())
        seen = keeper.digest
        tunings = _tuned(store, keeper, country, wish, since, until)
        edits = [edit for one in tunings for edit in edits_of(one)]
        diff = _diff(keeper, config, edits)
        _tell(tunings, diff, output, show, write=write)
        unmet = [one.country for one in tunings if not one.proposal.met and one.proposal.proposed is None]
        if write and edits and not unmet:
            note = f"listener tune --country {' --country '.join(country)} {_said(wish)}"
            version = keeper.change(edits, by or account(), note, seen=seen)
            say(
                f"{config} is changed; that is version {version.id}, and `listener config rollback` takes it back",
                "a daemon that runs takes it over within seconds",
            )
    finally:
        store.close()
    if unmet:
        if write and edits:
            say(f"nothing was written: {', '.join(unmet)} cannot be met; name only the other countries")
        raise typer.Exit(1)


def edits_of(tuning: "Tuning") -> "list[Edit]":
    """Return the changes of the configuration file that a tuning proposes; none where there is nothing to change."""
    from listener.config.editing import Edit

    changes = tuning.proposal.changes
    return [Edit(("countries", tuning.country, "thresholds", knob), value) for knob, value in changes.items()]


def _wish(budget: str | None, precision: float | None) -> "Budget | float":
    from listener.tuning.budgets import parse_budget

    if (budget is None) == (precision is None):
        raise usage_error("say what is wished for: either --budget 25/day or --precision 0.8")
    if budget is None:
        assert precision is not None  # noqa: S101
        if not 0.01 <= precision <= 0.99:
            raise usage_error("a precision is a share between 0.01 and 0.99: write 0.8 for eight of ten")
        return precision
    try:
        return parse_budget(budget)
    except ListenerError as error:
        raise usage_error(str(error)) from None


def _said(wish: "Budget | float") -> str:
    return f"--precision {wish:g}" if isinstance(wish, float) else f"--budget {wish.text}"


def _tuned(
    store: object, keeper: "Keeper", countries: Sequence[str], wish: "Budget | float", since: str, until: str | None
) -> "list[Tuning]":
    from listener.clock import SystemClock
    from listener.countries import countries_asked
    from listener.store import Store
    from listener.tuning.spans import check_span, span_of
    from listener.tuning.tuned import tune_all

    settings = keeper.config
    countries = countries_asked(countries, settings.countries)
    for code in countries:
        if code not in settings.countries:
            raise usage_error(f"country {code} is not configured; known: {', '.join(settings.countries)}")
    assert isinstance(store, Store)  # noqa: S101
    timezone = settings.countries[countries[0]].timezone
    span = span_of(since, until, timezone, SystemClock().now())
    check_span(span, store.decisions.extent(), timezone)
    return tune_all(store, settings, countries, wish, *span)


def _diff(keeper: "Keeper", path: Path, edits: "Sequence[Edit]") -> list[str]:
    """Return what would change in the file; what would be invalid is refused before anybody relies on it."""
    from listener.config import load_config
    from listener.config.editing import edited
    from listener.plugins import plugin_options

    if not edits:
        return []
    text = edited(keeper.text, edits, name=path.name)
    load_config(path, plugin_options(), {path.name: text})
    return list(
        difflib.unified_diff(
            keeper.text.splitlines(), text.splitlines(), f"a/{path.name}", f"b/{path.name}", lineterm="", n=1
        )
    )


def _tell(tunings: "Sequence[Tuning]", diff: Sequence[str], output: str, show: int, *, write: bool) -> None:
    from alerts.escaping import clean_page
    from listener.tuning.telling import facts, lines

    if output == "json":
        found = {"countries": [facts(one) for one in tunings], "diff": list(diff)}
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for one in tunings:
        for line in lines(one, show):
            typer.echo(line)
        typer.echo("")
    for line in diff:
        typer.echo(clean_page(line))
    if diff and not write:
        say("nothing was written; --write changes the file")
