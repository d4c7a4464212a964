"""The commands `listener config …`: which configurations were in force, what differs between them, the way back."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from listener.errors import ListenerError
from listener.terminal import (
    DEFAULT_CONFIG,
    ConfigOption,
    account,
    check_is_file,
    end_with_the_pipe,
    load_settings,
    say,
    usage_error,
)

if TYPE_CHECKING:
    from listener.config.origins import Setting
    from listener.store import Store
    from listener.store.configurations import Version

config_app = typer.Typer(
    help="Which configurations were in force, what differs between them, and the way back; see docs/admins.md.",
    no_args_is_help=True,
)
NumberArgument = Annotated[int | None, typer.Argument(min=1, max=2**53, help="A version's number, from `history`.")]
FormatOption = Annotated[Literal["text", "json"], typer.Option("--format", help="What to write.")]
StoreOption = Annotated[
    str | None, typer.Option("--store", help="The database's URL, where the file does not say it any more.")
]
_SHOWN = 6
"""So many changed settings of a version are named, the rest is counted."""


@config_app.command("history")
def history(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many versions.")] = 20,
    output: FormatOption = "text",
    store_url: StoreOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """List the configurations that were in force, the latest first: since when, by whom, what each changed.

    The daemon keeps one whenever it starts with, or is given, another configuration; so do the console and
    `listener tune --write`. Times are in UTC.
    """
    end_with_the_pipe()
    with _store(config, store_url) as store:
        rows = store.configurations.versions(limit + 1)
    pairs = [(row, rows[index + 1] if index + 1 < len(rows) else None) for index, row in enumerate(rows[:limit])]
    if output == "json":
        typer.echo(json.dumps([_facts(row, before) for row, before in pairs], ensure_ascii=False, indent=1))
        return
    if not pairs:
        typer.echo("No configuration was kept yet: `listener run` keeps the first.")
    for row, before in pairs:
        typer.echo("\n".join(_lines(row, before)))


@config_app.command("diff")
def diff(
    before: NumberArgument = None,
    after: NumberArgument = None,
    effective: Annotated[
        bool, typer.Option("--effective", help="The settings in effect that differ, not the files' lines.")
    ] = False,
    store_url: StoreOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show what differs: between two versions, between one and the files as they stand, or the last and the files.

    Exit status 1 where something differs, as diff does.
    """
    from listener.keeping import changes, version_of
    from listener.keeping import diff as lines_of

    end_with_the_pipe()
    with _store(config, store_url) as store:
        old = store.configurations.latest() if before is None else store.configurations.version(before)
        if before is None and old is None:
            raise ListenerError("no configuration was kept yet: `listener run` keeps the first")
        first = version_of(old, before or 0)
        if after is None:
            files, settings = _as_they_stand(config, needs_settings=effective)
        else:
            second = version_of(store.configurations.version(after), after)
            files, settings = second.files, second.effective
    lines = changes(first.effective, settings) if effective else lines_of(first.files, files)
    if lines:
        typer.echo("\n".join(map(_printable, lines)))
        raise typer.Exit(1)
    say("nothing differs")


@config_app.command("rollback")
def rollback(
    version: NumberArgument = None,
    by: Annotated[str | None, typer.Option("--by", help="Who does it; else the account that runs this.")] = None,
    store_url: StoreOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Put an earlier configuration back; without a number the one before the last.

    The files are written as they were, with their comments. Works while the file is invalid, too. A daemon that runs
    takes them over within seconds; what was in force before stays in the history.
    """
    from listener.clock import SystemClock
    from listener.keeping import ConfigFiles, roll_back
    from listener.keeping import diff as lines_of

    with _store(config, store_url, read_only=False) as store:
        files = ConfigFiles(config, store, SystemClock())
        target, back = roll_back(files, version, by or account())
    now = ", which stays in force" if target == back.version.id else f"; that is version {back.version.id} now"
    typer.echo(f"{config} is again what it was as version {target}{now}")
    for line in lines_of(back.before, back.version.files):
        typer.echo(f"  {_printable(line)}")
    if back.aside:
        kept = " and ".join(map(str, back.aside))
        say(f"what stood there was invalid: {kept} {'holds' if len(back.aside) == 1 else 'hold'} it")
    say("a daemon that runs takes it over within seconds; `listener config history` lists all versions")


@config_app.command("show")
def show(
    country: Annotated[str, typer.Option(help="Whose settings (ISO code).")],
    output: FormatOption = "text",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show every setting in effect for a country, and where it comes from: the country, `defaults`, or built in."""
    from listener.config import config_texts
    from listener.config.origins import settings_of, written_value
    from listener.countries import country_asked

    end_with_the_pipe()
    settings = load_settings(config)
    country = country_asked(country, settings.countries)
    if country not in settings.countries:
        raise usage_error(f"country {country} is not configured; known: {', '.join(settings.countries)}")
    found = settings_of(config_texts(config)[config.name], settings, country)
    if output == "json":
        typer.echo(json.dumps([_setting(one) for one in found], ensure_ascii=False, indent=1, default=str))
        return
    names = [".".join(map(str, one.path)) for one in found]
    width = min(48, max(map(len, names), default=0))
    for name, one in zip(names, found, strict=True):
        where = f"line {one.line}" if one.line else ""
        value = _printable(written_value(one.value))
        typer.echo(f"{name:<{width}}  {value}  ({', '.join(filter(None, (one.origin, where)))})")


@config_app.command("schema")
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors that complete and check while you write."""
    from listener.config.json_schema import json_schema
    from listener.plugins import plugin_options

    end_with_the_pipe()
    typer.echo(json.dumps(json_schema(plugin_options()), ensure_ascii=False, indent=2))


@contextmanager
def _store(path: Path, url: str | None, *, read_only: bool = True) -> Iterator["Store"]:
    from listener.keeping import store_settings
    from listener.store import Store

    if url is None:
        check_is_file(path)
    store = Store(url or store_settings(path).address, read_only=read_only)
    try:
        yield store
    finally:
        store.close()


def _as_they_stand(path: Path, *, needs_settings: bool) -> tuple[Mapping[str, str], str]:
    from listener.config import config_texts
    from listener.keeping import effective_json

    return config_texts(path), effective_json(load_settings(path)) if needs_settings else ""


def _lines(row: "Version", before: "Version | None") -> Iterator[str]:
    note = f": {_printable(row.note)}" if row.note else ""
    yield f"{row.id:>4}  {row.at:%Y-%m-%d %H:%M:%S} UTC  by {_printable(row.author)} ({row.origin}){note}"
    found = _changes(row, before)
    yield from (f"        {_printable(line)}" for line in found[:_SHOWN])
    if len(found) > _SHOWN:
        yield f"        and {len(found) - _SHOWN} more settings: listener config diff {before.id if before else ''} {row.id} --effective"  # noqa: E501


def _changes(row: "Version", before: "Version | None") -> list[str]:
    from listener.keeping import changes

    return [] if before is None else changes(before.effective, row.effective)


def _facts(row: "Version", before: "Version | None") -> dict[str, Any]:
    return {
        "version": row.id,
        "at": row.at.isoformat(),
        "author": row.author,
        "origin": row.origin,
        "note": row.note,
        "digest": row.digest,
        "changes": _changes(row, before),
    }


def _setting(one: "Setting") -> dict[str, Any]:
    return {"path": list(one.path), "value": one.value, "origin": one.origin, "line": one.line}


def _printable(text: str) -> str:
    from alerts.escaping import clean_page

    return clean_page(text).replace("\n", " ")
