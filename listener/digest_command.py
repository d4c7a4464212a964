"""The command `listener digest`: any week's digest, in any format."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from listener.errors import DigestError, ListenerError
from listener.terminal import (
    DEFAULT_CONFIG,
    ConfigOption,
    end_with_the_pipe,
    load_settings,
    open_output,
    say,
    show_progress,
)

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier
    from listener.config import Config
    from listener.digest.model import Digest, Scope
    from listener.digest.naming import CatalogueNamer
    from listener.digest.weeks import Week
    from listener.store import Store

Format = Literal["text", "html", "pdf", "md", "json", "csv", "xlsx"]
_BINARY = ("pdf", "xlsx")
_DEFAULT_LANGUAGE = "en"


def digest(
    week: Annotated[
        str | None, typer.Option(help="ISO week, such as 2026-W46; the last one that is over unless given.")
    ] = None,
    country: Annotated[list[str] | None, typer.Option(help="Only this country; may be given again.")] = None,
    brand: Annotated[list[str] | None, typer.Option(help="Only this brand; may be given again.")] = None,
    team: Annotated[str | None, typer.Option(help="Only alerts raised for this team.")] = None,
    reader: Annotated[
        str | None, typer.Option(help="As this reader of `digests` in the configuration sees it.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="en, fr, de, es, ru or zh.")] = None,
    format: Annotated[Format, typer.Option(help="What to write.")] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; standard output, but for pdf and xlsx.")
    ] = None,
    as_sent: Annotated[
        bool, typer.Option("--as-sent", help="The figures as they were when --reader got the digest.")
    ] = False,
    personal_data: Annotated[
        Literal["masked", "shown"] | None, typer.Option(help="Whether names of private persons and numbers are shown.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say how a week went: what was said, where it hurts and why, how well it was answered, what to do.

    By itself the daemon sends it on Mondays to the readers under `digests`; see docs/digest.md.
    """
    from listener.clock import SystemClock
    from listener.countries import countries_asked
    from listener.digest.making import Maker
    from listener.digest.weeks import Week, last_finished
    from listener.store import Store

    end_with_the_pipe()
    settings = load_settings(config)
    configured = settings.digests.get(reader) if reader is not None else None
    if reader is not None and configured is None:
        known = ", ".join(settings.digests) or "none"
        raise DigestError(f"there is no reader {reader!r} under `digests` in the configuration; known: {known}")
    if as_sent:
        _check_as_sent(reader, country, brand, team, personal_data)
    timezone = configured.timezone if configured else _home(settings)
    now = SystemClock().now()
    wanted = Week.parse(week) if week is not None else last_finished(now, timezone)
    store = Store(settings.store.address)
    try:
        if as_sent:
            made = _as_sent(store, str(reader), wanted)
        else:
            country = countries_asked(country, settings.countries) or None
            scope = _scope(settings, reader, country, brand, team, personal_data)
            made = Maker(settings, store, _namer(settings)).make(wanted, scope, now, timezone=timezone)
        usual = configured.language if configured else _DEFAULT_LANGUAGE
        _write(made, usual if language is None else language, format, output)
    finally:
        store.close()


def _check_as_sent(reader: str | None, *narrowed: object) -> None:
    if reader is None:
        raise DigestError("--as-sent needs --reader: what was sent, was sent to a reader")
    if any(one not in (None, []) for one in narrowed):
        raise DigestError("--as-sent shows what was sent: leave out --country, --brand, --team and --personal-data")


def _home(settings: "Config") -> str:
    """Return head office's time zone; else that of the first country."""
    if settings.head_office:
        return settings.teams[settings.head_office].timezone
    return next((country.timezone for country in settings.countries.values()), "UTC")


def _namer(settings: "Config") -> "CatalogueNamer":
    """Return what names causes; it loads the model where a week has to be grouped that was not."""
    from listener.app import load_classifier
    from listener.digest.naming import CatalogueNamer

    def load() -> "MentionClassifier":
        with show_progress() as progress:
            return load_classifier(settings, progress)

    return CatalogueNamer(load, Path(settings.model.cache))


def _scope(
    settings: "Config",
    reader: str | None,
    countries: list[str] | None,
    brands: list[str] | None,
    team: str | None,
    personal_data: str | None,
) -> "Scope":
    """Return what is to be seen: all of it, or what a reader may see, and of that what was asked for."""
    from dataclasses import replace

    from listener.digest.making import make_scope, scope_of

    if team is not None and team not in settings.teams:
        raise DigestError(f"there is no team {team!r}; known: {', '.join(settings.teams)}")
    asked = make_scope(settings, countries=countries, brands=brands, team=team or "", masked=personal_data != "shown")
    if reader is None:
        return asked
    own = scope_of(settings, reader, settings.digests[reader])
    for what, names, seen in (
        ("country", countries or (), own.countries),
        ("brand", brands or (), own.brands),
        ("team", [team] if team else (), (own.team,) if own.team else tuple(settings.teams)),
    ):
        for name in names:
            if name not in seen:
                raise DigestError(f"{reader} does not see {what} {name!r}; they see: {', '.join(seen)}")
    narrowed = countries or brands or team or personal_data
    return replace(
        own,
        reader="" if narrowed else own.reader,
        countries=asked.countries if countries else own.countries,
        brands=asked.brands if brands else own.brands,
        team=team or own.team,
        masked=own.masked if personal_data is None else asked.masked,
    )


def _as_sent(store: "Store", reader: str, week: "Week") -> "Digest":
    from listener.digest.json_file import load

    made = store.digests.made(reader, str(week))
    if made is None:
        weeks = ", ".join(store.digests.made_weeks(reader)[:8]) or "none yet"
        raise DigestError(f"{reader} has no digest of {week}; there are: {weeks}")
    return load(made[1])


def _write(digest: "Digest", language: str, format: Format, output: Path | None) -> None:
    content, name = _content(digest, language, format)
    if output is None and format in _BINARY:
        output = Path(name)
    if output is None:
        _write_out(content if content.endswith(b"\n") else content + b"\n")
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise ListenerError(f"cannot write {output}: {error.strerror}") from error
    say(f"{output}: {len(content):,} bytes")


def _write_out(content: bytes) -> None:
    """Write to standard output, in UTF-8 whatever the terminal is said to know."""
    from listener.classifying import OutputError

    with open_output() as out:
        try:
            out.write(content)
            out.flush()
        except OSError as error:
            raise OutputError(f"cannot write to standard output: {error.strerror}") from error


def _content(digest: "Digest", language: str, format: Format) -> tuple[bytes, str]:
    """Return a digest in one format, and a name for its file. The figures alone need no charts and load none."""
    from listener.digest.composing import compose, file_name
    from listener.digest.words import Words

    words = Words.of(language)
    name = f"{file_name(digest, words)}.{format}"
    if format == "json":
        from listener.digest.json_file import dump

        return dump(digest).encode(), name
    if format == "csv":
        from listener.digest.tables import figures_csv

        return figures_csv(digest).encode(), name
    if format == "xlsx":
        from classifiers.cause_names import cause_name
        from listener.digest.phrases import Phrases
        from listener.digest.tables import workbook

        return workbook(digest, Phrases(words, digest, cause_name)), name
    document = compose(digest, words, pictures_wanted=format in ("html", "pdf"))
    if format == "pdf":
        from listener.digest.pdf import pdf

        return pdf(document), name
    from listener.digest.html import page
    from listener.digest.markdown import markdown
    from listener.digest.plain_text import plain_text

    write = {"html": page, "md": markdown, "text": plain_text}[format]
    return write(document).encode(), name
