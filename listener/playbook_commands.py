"""The commands for the playbook library: lint, preview, new, schema."""

import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener.errors import ListenerError, TemplateError
from listener.terminal import DEFAULT_CONFIG, ConfigOption, end_with_the_pipe, load_settings, say, usage_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from listener.config import Config
    from listener.errors import Problem
    from playbooks.library import PlaybookLibrary
    from playbooks.linting import Speaker
    from playbooks.preview import Scene

playbooks_app = typer.Typer(
    help="What to answer, in whose manners: check, look at and extend the library; see docs/playbooks.md.",
    no_args_is_help=True,
)
FolderOption = Annotated[Path | None, typer.Option("--folder", help="Another library; else the daemon's own.")]
_PAGE = Path("var/playbooks.html")


@playbooks_app.command()
def lint(
    folder: FolderOption = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Whose brand.yaml counts; config.yaml where there is one.")
    ] = None,
) -> None:
    """Check every text: length, placeholders, gaps, personal data, promises, blame, register, script, look-alikes.

    Each finding names file, line and what to do. Exit status 1 where there is one.
    """
    from playbooks import linting

    end_with_the_pipe()
    settings = _settings(config) if config or DEFAULT_CONFIG.exists() else None
    voices = list(settings.voices.values()) if settings else []
    # Another library must be whole in the locales that it has.
    locales = linting.REQUIRED_LOCALES if folder is None else [path.stem for path in folder.glob("_phrases/*.yaml")]
    problems = linting.check(folder, locales, voices, speakers=_speakers(settings) if settings else ())
    for problem in problems:
        typer.echo(str(problem))
    if problems and not _loads(folder):
        say("the library does not load, so only its form was checked: texts were not looked at yet")
    if problems:
        say(f"{len(problems)} finding{'' if len(problems) == 1 else 's'}")
        raise typer.Exit(1)
    library = _library(folder)
    variants = sum(map(len, library.contents.templates.values()))
    typer.echo(f"{len(library.names)} playbooks in {len(library.locales)} locales, {variants} replies: all is well")


def library_problems(settings: "Config") -> "list[Problem]":
    """Return what is wrong with the texts that a configuration's countries can be offered."""
    from playbooks import linting

    speakers = _speakers(settings)
    locales = frozenset[str]().union(*(speaker.locales for speaker in speakers))
    return linting.check(voices=list(settings.voices.values()), only=locales, speakers=speakers)


def _speakers(settings: "Config") -> "list[Speaker]":
    """Return what each country's team signs with, once for every brand."""
    from playbooks.linting import Speaker
    from playbooks.locales import FALLBACK_LOCALE, locale_chain

    found = []
    for code, country in settings.countries.items():
        chains = (locale_chain(language, code, country.playbook.locales) for language in country.languages)
        locales = frozenset({FALLBACK_LOCALE}).union(*chains)
        for brand_id, brand in settings.brands.items():
            voice = settings.voices[brand_id]
            said = voice.contact(code)
            agent, channel = settings.teams[country.team].signature, said.channel if said else ""
            found.append(Speaker(voice.signature, brand.name, agent, channel, code, locales))
    return found


@playbooks_app.command()
def preview(
    country: Annotated[list[str] | None, typer.Option(help="Of this country alone; may be repeated.")] = None,
    network: Annotated[str, typer.Option(help="As on this network.")] = "x",
    topic: Annotated[str | None, typer.Option(help="What posts of this topic can be given.")] = None,
    brand: Annotated[str | None, typer.Option(help="In this brand's voice; else the first.")] = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Print it here instead of making a page.")] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the page is written.")] = _PAGE,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
    folder: FolderOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show all that people would be offered, as a page in the browser or in the terminal."""
    from listener.countries import countries_asked
    from listener.model import TOPICS
    from playbooks.networks import known_networks, network_key
    from playbooks.preview import lines, page

    end_with_the_pipe()
    settings, library = load_settings(config), _library(folder)
    country = countries_asked(country, settings.countries)
    for value in country:
        if value not in settings.countries:
            raise usage_error(f"country {value} is not configured; known: {', '.join(settings.countries)}")
    if network_key(network) not in known_networks():
        raise usage_error(f"there is no network {network}; known: {', '.join(known_networks())}")
    if topic is not None and topic not in TOPICS:
        raise usage_error(f"there is no topic {topic}; known: {', '.join(TOPICS)}")
    if brand is not None and brand not in settings.brands:
        raise usage_error(f"brand {brand} is not configured; known: {', '.join(settings.brands)}")
    scenes = _scenes(settings, country or list(settings.countries), network, brand or next(iter(settings.brands)))
    if terminal:
        typer.echo("\n".join(lines(library, scenes, topic)))
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page(library, scenes, topic), encoding="utf-8")
    except OSError as error:
        raise ListenerError(f"cannot write {output}: {error.strerror}") from error
    typer.echo(f"written to {output}")
    if open_page and sys.stdout.isatty():
        webbrowser.open(output.resolve().as_uri())


@playbooks_app.command()
def new(
    name: Annotated[str, typer.Argument(help="The playbook's name, such as lost-luggage; or a locale, such as sv.")],
    locale: Annotated[
        list[str] | None, typer.Option(help="Locales to begin with; may be repeated. Else en and the countries' own.")
    ] = None,
    like: Annotated[
        str | None, typer.Option(help="Make a locale instead, beginning with the texts of this one.")
    ] = None,
    folder: FolderOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make the files of a new playbook, or with --like of a new locale, and say what to do with them."""
    from playbooks.loading import LIBRARY_FOLDER
    from playbooks.skeleton import new_locale, new_playbook

    if like is not None:
        made = new_locale(_library(folder), name, like)
        typer.echo("\n".join(f"written: {path}" for path in made))
        typer.echo(f"write them anew in '{name}', then run: listener playbooks lint")
        return
    locales = locale or _own_locales(config)
    made = new_playbook(folder or LIBRARY_FOLDER, name, locales)
    typer.echo("\n".join(f"written: {path}" for path in made))
    typer.echo("fill them in, say in rules.yaml when the playbook is chosen, then run: listener playbooks lint")


@playbooks_app.command()
def schema(folder: FolderOption = None) -> None:
    """Write JSON Schemas beside the library, for editors that complete and check YAML."""
    from playbooks.loading import LIBRARY_FOLDER
    from playbooks.schema import write_schemas

    for path in write_schemas(folder or LIBRARY_FOLDER):
        typer.echo(f"written: {path}")


def _loads(folder: Path | None) -> bool:
    from playbooks.library import PlaybookLibrary

    try:
        PlaybookLibrary.load(folder)
    except TemplateError:
        return False
    return True


def _library(folder: Path | None) -> "PlaybookLibrary":
    from playbooks.library import PlaybookLibrary

    try:
        return PlaybookLibrary.load(folder)
    except TemplateError as error:
        raise ListenerError(f"{error}\nthe library cannot be used; `listener playbooks lint` says the same") from error


def _settings(config: Path | None) -> "Config":
    return load_settings(config or DEFAULT_CONFIG)


def _own_locales(config: Path) -> list[str]:
    """Return English and the languages of all configured countries."""
    if not config.exists():
        return ["en"]
    countries = load_settings(config).countries.values()
    return list(dict.fromkeys(["en", *(language for country in countries for language in country.languages)]))


def _scenes(settings: "Config", countries: "Sequence[str]", network: str, brand_id: str) -> "list[Scene]":
    from playbooks.model import Contact
    from playbooks.preview import Scene

    brand, voice = settings.brands[brand_id], settings.voices[brand_id]
    scenes = []
    for code in countries:
        country = settings.countries[code]
        team = settings.teams[country.team]
        scenes += [
            Scene(
                country=code,
                language=language,
                network=network,
                brand_name=brand.name,
                brand_signature=voice.signature,
                brand_phrase=voice.phrase,
                brand_account=brand.accounts.get(network, ""),
                agent=team.signature,
                products=tuple(brand.products),
                contact=Contact.of(voice, code, country),
                locales=country.playbook.locales,
                team_languages=tuple(team.languages),
            )
            for language in country.languages
        ]
    return scenes
