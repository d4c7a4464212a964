"""The command `listener simulate`: what new rules would have made of what is stored."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from listener.errors import ConfigError, ListenerError
from listener.terminal import DEFAULT_CONFIG, end_with_the_pipe, load_settings, open_output, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from listener.config import Config
    from listener.store import Store
    from listener.tuning.comparison import Comparison

DIFFERS = 3
"""The exit status with --exit-code where anything would differ."""


def simulate(
    config: Annotated[Path, typer.Option("--config", "-c", help="The new configuration.")] = DEFAULT_CONFIG,
    since: Annotated[str, typer.Option(help="From when on: 7d, 24h, 2026-11-10, or a week such as 2026-W46.")] = "7d",
    until: Annotated[
        str | None, typer.Option(help="Until when: now unless given. A day or a week counts whole.")
    ] = None,
    country: Annotated[list[str] | None, typer.Option(help="Only this country; may be given again.")] = None,
    against: Annotated[
        Literal["stored", "config"],
        typer.Option(
            help="Compare with what was decided then, or with the configuration in force replayed as well, so that"
            " only your change shows."
        ),
    ] = "stored",
    current: Annotated[
        Path | None,
        typer.Option(help="The configuration in force; config.yaml, else the one that was kept last, unless given."),
    ] = None,
    texts: Annotated[
        int, typer.Option(min=0, max=10_000, help="How many alerts that appear, and vanish, to show.")
    ] = 10,
    format: Annotated[Literal["text", "json"], typer.Option(help="What to write.")] = "text",
    store: Annotated[
        str | None, typer.Option(help="The database's URL; that of the new configuration unless given.")
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with status 3 where any alert would appear, vanish or differ.")
    ] = False,
) -> None:
    """Replay what is stored under new rules: which alerts would appear and vanish, for whom, and what that means.

    Nothing is sent and the database is opened for reading only; the daemon may be running meanwhile. Scores are
    those that are stored: only decisions are made again. See docs/simulate.md.
    """
    from listener.config.models import Store as StoreSettings
    from listener.store import Store

    end_with_the_pipe()
    settings = load_settings(config)
    address = settings.store.address if store is None else StoreSettings(url=store).address
    opened = Store(address, read_only=True)
    try:
        found, then_name = _compared(opened, settings, config, since, until, country, against, current, texts)
    finally:
        opened.close()
    _write(found, str(config), then_name, format)
    if exit_code and _differs(found):
        raise typer.Exit(DIFFERS)


def _compared(
    store: "Store",
    settings: "Config",
    path: Path,
    since: str,
    until: str | None,
    asked: list[str] | None,
    against: str,
    current: Path | None,
    texts: int,
) -> "tuple[Comparison, str]":
    from listener.clock import SystemClock
    from listener.tuning.simulation import simulate as replay
    from listener.tuning.spans import SimulationError, check_span, span_of

    extent = store.decisions.extent()
    countries = _countries(settings, asked, extent.countries)
    timezone = _timezone(settings, countries)
    span = span_of(since, until, timezone, SystemClock().now())
    notes = list(check_span(span, extent, timezone))
    in_force, named = _in_force(store, path, current, notes)
    if against == "config" and in_force is None:
        raise SimulationError("there is no configuration in force to compare with; name it with --current")
    then = in_force if against == "config" else None
    then_name = f"{named}, replayed as well" if then is not None else "as it was decided"
    found = replay(
        store, then, settings, *span, countries=countries, in_force=in_force, texts=texts, notes=tuple(notes)
    )  # fmt: skip
    return found, then_name


def _countries(settings: "Config", asked: list[str] | None, stored: "Sequence[str]") -> list[str] | None:
    from listener.countries import countries_asked
    from listener.tuning.spans import SimulationError

    if not asked:
        return None
    known = sorted({*settings.countries, *stored})
    wanted = countries_asked(asked, known)
    for code in wanted:
        if code not in known:
            raise SimulationError(f"there is no country {code[:20]!r}; known: {', '.join(known)}")
    return wanted


def _timezone(settings: "Config", countries: list[str] | None) -> str:
    if countries and len(countries) == 1 and countries[0] in settings.countries:
        return settings.countries[countries[0]].timezone
    if settings.head_office:
        return settings.teams[settings.head_office].timezone
    return next((one.timezone for one in settings.countries.values()), "UTC")


def _in_force(store: "Store", path: Path, current: Path | None, notes: list[str]) -> "tuple[Config | None, str]":
    """Return the configuration in force and its name: the file named, else config.yaml, else what was kept last."""
    from listener.config import load_config
    from listener.plugins import plugin_options

    if current is not None:
        return load_settings(current), str(current)
    try:
        if DEFAULT_CONFIG.is_file() and not _is_same(DEFAULT_CONFIG, path):
            try:
                return load_settings(DEFAULT_CONFIG), str(DEFAULT_CONFIG)
            except ConfigError:  # then what was in force before still is
                notes.append(f"{DEFAULT_CONFIG} is invalid: what was in force before it is compared with")
        kept = store.configurations.latest()
        if kept is not None and kept.files:
            name = next((one for one in kept.files if one.endswith((".yaml", ".yml"))), "config.yaml")
            return load_config(path.with_name(name), plugin_options(), kept.files), f"version {kept.id}"
    except ListenerError as error:
        notes.append(f"the configuration in force cannot be read ({str(error).splitlines()[0]}): what changes of the"
                     " sources is not told")  # fmt: skip
    return None, ""


def _is_same(one: Path, other: Path) -> bool:
    return other.exists() and os.path.samefile(one, other)


def _differs(found: "Comparison") -> bool:
    change = found.change
    return bool(
        found.appearing or found.vanishing or change.severer or change.milder or change.other_receivers
        or change.other_team
    )  # fmt: skip


def _write(found: "Comparison", now_name: str, then_name: str, format: str) -> None:
    from listener.classifying import OutputError
    from listener.tuning.words import as_json, lines

    if format == "json":
        text = as_json(found)
    else:
        text = "\n".join(lines(found, shutil.get_terminal_size((80, 24)).columns, now_name, then_name))
    with open_output() as out:
        try:
            out.write(f"{text}\n".encode("utf-8", "replace"))
            out.flush()
        except OSError as error:
            raise OutputError(f"cannot write to standard output: {error.strerror}") from error
    if not found.mentions:
        say("no mention was decided on in that span for these countries")
