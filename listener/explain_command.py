"""`listener explain`: why a post became an alert, or did not."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from listener.terminal import DEFAULT_CONFIG, ConfigOption, end_with_the_pipe, load_in_force, usage_error

if TYPE_CHECKING:
    from listener.explaining import Explanation

FORMATS = ("text", "json")


def explain(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="MENTION|ALERT",
            help="An alert as A-12 or 12, an incident as I-12, a post as x:1790000000 (network and id) or its address.",
        ),
    ],
    text: Annotated[
        str, typer.Option(help="What a post says that is not stored: which watches' terms stand in it.")
    ] = "",
    at: Annotated[
        str, typer.Option(help="When a post was published that is not stored: 2026-03-14T09:12, in UTC.")
    ] = "",
    output: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show every step from a post to its message, or to the silence: watch, scores, rules, grouping, route, delivery.

    Nothing is written and no model is loaded; the daemon may be running meanwhile.
    """
    from listener.clock import SystemClock
    from listener.explaining import explain as why
    from listener.store import Store

    end_with_the_pipe()
    if output not in FORMATS:
        raise usage_error(f"--format cannot be {output!r}; write {' or '.join(FORMATS)}")
    moment = _moment(at)
    settings = load_in_force(config)
    store = Store(settings.store.address, read_only=True)
    try:
        found = why(store, settings, reference, now=SystemClock().now(), text=text, at=moment)
    finally:
        store.close()
    typer.echo(rendered(found, output))


def rendered(found: "Explanation", output: str) -> str:
    """Return an explanation as text for the terminal, or as JSON."""
    from listener.explaining import as_json, lines

    return as_json(found) if output == "json" else "\n".join(lines(found))


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    from listener.clock import read_moment

    try:
        return read_moment(text)
    except ValueError as error:
        raise usage_error(f"--at cannot be {text!r}; write a moment such as 2026-03-14T09:12") from error
