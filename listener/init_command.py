"""`listener init`: asks what it must, writes a first configuration, tries the credentials, names the next steps."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.errors import ListenerError
from listener.terminal import StoppedError, say

if TYPE_CHECKING:
    from listener.starting.answers import Answers
    from listener.starting.interview import Question
    from listener.starting.writing import FirstFile

_ASK = "Questions"
_GIVE = "Answers, for scripts"
_DO = "What is done"


@dataclass(slots=True)
class Given:
    """Answers as options give them."""

    brands: list[str] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    competitors: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    timezones: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    team_each: bool | None = None
    hours: str | None = None
    tells: list[str] = field(default_factory=list)
    slack_channel: str | None = None
    buttons: bool | None = None
    mail_host: str | None = None
    mail_from: str | None = None
    mail_to: list[str] = field(default_factory=list)
    practice: bool | None = None
    addresses: list[str] = field(default_factory=list)


def init(
    folder: Annotated[Path, typer.Argument(help="Where the files are written; made where it is not there.")] = Path(),
    brand: Annotated[
        list[str] | None, typer.Option(help="A brand of yours; may be repeated.", rich_help_panel=_GIVE)
    ] = None,
    terms: Annotated[
        list[str] | None,
        typer.Option(
            help="What people call it: 'yunfan, 云帆', of several brands 'Yunfan=yunfan, 云帆'.", rich_help_panel=_GIVE
        ),
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(help="Its own account: x:yunfan, of several brands Yunfan=x:yunfan.", rich_help_panel=_GIVE),
    ] = None,
    competitor: Annotated[
        list[str] | None, typer.Option(help="A brand to compare with; may be repeated.", rich_help_panel=_GIVE)
    ] = None,
    country: Annotated[
        list[str] | None,
        typer.Option(
            help="Code or name, in any language: FR, Deutschland, 日本; may be repeated.", rich_help_panel=_GIVE
        ),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="A country's languages, BE=nl,fr; else by CLDR.", rich_help_panel=_GIVE),
    ] = None,
    timezone: Annotated[
        list[str] | None,
        typer.Option(help="A country's time zone, US=America/Chicago; else most people's.", rich_help_panel=_GIVE),
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="x, vk, wechat or file; may be repeated.", rich_help_panel=_GIVE)
    ] = None,
    team: Annotated[
        list[str] | None,
        typer.Option(help="Who answers; with --team-each a country's: 'FR=Équipe France'.", rich_help_panel=_GIVE),
    ] = None,
    team_each: Annotated[
        bool | None,
        typer.Option("--team-each/--one-team", help="A team for each country, or one for all.", rich_help_panel=_GIVE),
    ] = None,
    hours: Annotated[
        str | None, typer.Option(help="'mon-fri 09:00-18:00, sat 10:00-16:00'.", rich_help_panel=_GIVE)
    ] = None,
    tell: Annotated[
        list[str] | None, typer.Option(help="terminal, slack or email; may be repeated.", rich_help_panel=_GIVE)
    ] = None,
    slack_channel: Annotated[
        str | None, typer.Option(help="The channel's ID, C0123ABCD; means --tell slack.", rich_help_panel=_GIVE)
    ] = None,
    buttons: Annotated[
        bool | None, typer.Option("--buttons/--no-buttons", help="Act on alerts in Slack.", rich_help_panel=_GIVE)
    ] = None,
    mail_host: Annotated[
        str | None, typer.Option(help="smtp.example.com:587; means --tell email.", rich_help_panel=_GIVE)
    ] = None,
    mail_from: Annotated[str | None, typer.Option(help="Who sends the mails.", rich_help_panel=_GIVE)] = None,
    mail_to: Annotated[
        list[str] | None, typer.Option(help="Who gets them; may be repeated.", rich_help_panel=_GIVE)
    ] = None,
    practice: Annotated[
        bool | None,
        typer.Option("--practice/--no-practice", help="Write invented posts to begin with.", rich_help_panel=_GIVE),
    ] = None,
    base_url: Annotated[
        list[str] | None,
        typer.Option(help="A proxy for a network: x=https://proxy.example.", rich_help_panel=_GIVE),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Ask nothing: what was not given takes its default.", rich_help_panel=_DO),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there; copies are kept.", rich_help_panel=_DO)
    ] = False,
    test: Annotated[
        bool, typer.Option("--test/--no-test", help="Try the credentials in the environment.", rich_help_panel=_DO)
    ] = True,
) -> None:
    """Ask what it must, write a commented configuration, try the credentials, and say what comes next.

    Writes config.yaml, brand.yaml, .env.example, .gitignore and, if wanted, practice posts. Every question has a
    sensible answer that Enter takes; `<` goes back to the question before, Ctrl-C leaves everything as it was. No file
    is replaced without --force, and then a copy of it is kept.

    Secrets are never asked for and never written: the files name environment variables (.env.example lists them). Those
    that are set are tried with the smallest request that the network knows; --no-test asks nothing of anyone.
    """
    given = Given(
        brand or [], terms or [], account or [], competitor or [], country or [], language or [], timezone or [],
        source or [], team or [], team_each, hours, tell or [], slack_channel, buttons, mail_host, mail_from,
        mail_to or [], practice, base_url or [],
    )  # fmt: skip
    _begin(folder, given, asks=not yes and sys.stdin.isatty(), force=force, test=test)


def _begin(folder: Path, given: Given, *, asks: bool, force: bool, test: bool) -> None:
    from listener.clock import SystemClock
    from listener.starting import files as placing
    from listener.starting.interview import Interview
    from listener.starting.writing import first_files, folders

    now = SystemClock().now()
    there = placing.in_the_way(folder, [_empty(name) for name in ("config.yaml", "brand.yaml", ".env.example")])
    if there and not force:
        raise ListenerError(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} in {_shown(folder)} already;"
            " name another folder, or write --force to replace (a copy is kept)"
        )
    interview = Interview(now, answers_of(given))
    answers = _interviewed(interview) if asks else interview.fill()
    files = first_files(answers, now)
    there = placing.in_the_way(folder, files)
    with placing.staged(folder, files) as place:
        _check(place)
        kept = placing.put(place, folder, files, folders(answers), now)
    say(f"written to {_shown(folder)}: {', '.join(file.name for file in files)}")
    if kept:
        say(f"kept from before: {', '.join(kept)}")
    if lacking := placing.ignore(folder):
        say(f"add to {folder / '.gitignore'}, so that no secret and no post is published: {' '.join(lacking)}")
    _try(folder, test=test)
    _say_next(folder, answers)


def _empty(name: str) -> "FirstFile":
    from listener.starting.writing import FirstFile

    return FirstFile(name, "")


def _shown(folder: Path) -> str:
    return "this folder" if folder == Path() else str(folder)


def answers_of(given: Given) -> dict[str, Any]:
    """Return the answers that options give, by question.

    Raises:
        ListenerError: one cannot be read; the message names the option.
    """
    from listener.starting import answers as reading

    found: dict[str, Any] = {}
    found |= _places(given)
    found |= _brands(given)
    if given.sources:
        found["sources"] = _read("--source", reading.one_of(reading.SOURCES), ",".join(given.sources))
    if given.competitors:
        found["competitors"] = tuple(_read("--competitor", reading.read_line, name) for name in given.competitors)
    found |= _teams(given, found.get("countries", ()))
    found |= _tells(given)
    for key, value in (("team_each", given.team_each), ("buttons", given.buttons), ("practice", given.practice)):
        if value is not None:
            found[key] = value
    found["addresses"] = dict(_read("--base-url", _address, text) for text in given.addresses)
    return found


def _read(option: str, read: Any, text: str) -> Any:
    try:
        return read(text)
    except ListenerError as error:
        raise ListenerError(f"{option}: {error}") from error


def _places(given: Given) -> dict[str, Any]:
    from listener.starting import answers as reading
    from listener.starting.places import country_code

    found: dict[str, Any] = {}
    if given.countries:
        codes = [code for text in given.countries for code in _read("--country", reading.read_countries, text)]
        found["countries"] = tuple(dict.fromkeys(codes))
    known = found.get("countries")
    for option, texts, read in (
        ("--language", given.languages, reading.read_languages),
        ("--timezone", given.timezones, reading.read_timezone),
    ):
        for text in texts:
            name, sign, value = text.partition("=")
            if not sign and known is not None and len(known) == 1:
                name, value = known[0], text
            elif not sign:
                raise ListenerError(f"{option}: name the country, such as {option} FR={text}")
            code = _read(option, country_code, name)
            if known is not None and code not in known:
                raise ListenerError(f"{option}: {code} is not among the countries {', '.join(known)}")
            found[f"{option[2:]}{'s' if option == '--language' else ''}:{code}"] = _read(option, read, value)
    return found


def _brands(given: Given) -> dict[str, Any]:
    from listener.starting import answers as reading

    names = list(dict.fromkeys(_read("--brand", reading.read_line, name) for name in given.brands))
    found: dict[str, Any] = {f"brand:{number}": name for number, name in enumerate(names)}
    if names:
        found[f"brand:{len(names)}"] = ""
        found.setdefault("competitors", ())
    for text in given.terms:
        number, value = _of_brand("--terms", names, text)
        found[f"terms:{number}"] = (*found.get(f"terms:{number}", ()), *_read("--terms", reading.read_list, value))
    for text in given.accounts:
        number, value = _of_brand("--account", names, text)
        network, _, handle = value.partition(":")
        if network not in reading.NETWORKS:
            raise ListenerError(
                f"--account: write network and handle, such as x:yunfan; networks: {', '.join(reading.NETWORKS)}"
            )
        found[f"account:{number}:{network}"] = _read("--account", reading.read_account(network), handle)
    return found


def _of_brand(option: str, names: list[str], text: str) -> tuple[int, str]:
    """Return which brand a value is of, and the rest of it."""
    for name in sorted(names, key=len, reverse=True):
        if text.startswith(f"{name}="):
            return names.index(name), text[len(name) + 1 :]
    if len(names) == 1:
        return 0, text
    known = f"the brands are {', '.join(names)}" if names else "give --brand as well"
    raise ListenerError(f"{option}: say of which brand, such as {option} 'NAME={text[:40]}'; {known}")


def _teams(given: Given, countries: Iterable[str]) -> dict[str, Any]:
    from listener.starting import answers as reading
    from listener.starting.interview import EVERYBODY
    from listener.starting.places import country_code

    found: dict[str, Any] = {}
    if given.hours is not None:
        found["hours"] = _read("--hours", reading.read_hours, given.hours)
    for text in given.teams:
        name, sign, rest = text.partition("=")
        if given.team_each and sign:
            found[f"team:{_read('--team', country_code, name)}"] = _read("--team", reading.read_line, rest)
        elif given.team_each:
            raise ListenerError(f"--team: with --team-each name the country, such as --team 'FR={text[:40]}'")
        else:
            found[f"team:{EVERYBODY}"] = _read("--team", reading.read_line, text)
            found["team_each"] = False
    if len(given.teams) > 1 and not given.team_each:
        raise ListenerError("--team: several teams go with --team-each")
    for key in found:
        if key.startswith("team:") and key[5:] and countries and key[5:] not in countries:
            raise ListenerError(f"--team: {key[5:]} is not among the countries {', '.join(countries)}")
    return found


def _tells(given: Given) -> dict[str, Any]:
    from listener.starting import answers as reading

    wanted = list(given.tells)
    wanted += ["slack"] if given.slack_channel is not None and "slack" not in wanted else []
    wanted += ["email"] if given.mail_host is not None and "email" not in wanted else []
    found: dict[str, Any] = {}
    if wanted:
        found["tells"] = _read("--tell", reading.one_of(reading.TELLS), ",".join(wanted))
    readers: Mapping[str, tuple[str, Any, str | None]] = {
        "slack_channel": ("--slack-channel", reading.read_channel, given.slack_channel),
        "mail_host": ("--mail-host", reading.read_mail_host, given.mail_host),
        "mail_from": ("--mail-from", reading.read_mailbox, given.mail_from),
        "mail_to": ("--mail-to", reading.read_mailboxes, ",".join(given.mail_to) or None),
    }
    for key, (option, read, text) in readers.items():
        if text is not None:
            found[key] = _read(option, read, text)
    return found


def _address(text: str) -> tuple[str, str]:
    from listener.starting.answers import AnswerError, read_base_url

    name, _, address = text.partition("=")
    if name not in ("x", "vk", "slack"):
        raise AnswerError("write x=, vk= or slack= and an address")
    return name, read_base_url(address)


def _interviewed(interview: Any) -> "Answers":
    say("A few questions. Enter takes what stands in [brackets], < goes back, Ctrl-C leaves everything as it was.")
    try:
        answers: Answers = interview.run(_ask)
    except (KeyboardInterrupt, EOFError):
        say("", "nothing was written")
        raise StoppedError from None
    return answers


def _ask(question: "Question", problem: str) -> str:
    from listener.starting.interview import BackError

    if problem:
        typer.secho(f"  {problem}", fg=typer.colors.RED, err=True)
    else:
        say("")
    typer.secho(question.text, bold=True, err=True)
    if question.hint and not problem:
        typer.secho(f"  {question.hint}", dim=True, err=True)
    default = f"[{question.default}] " if question.default else ""
    answer = _line(f"  {default}> ")
    if answer.strip() == "<":
        raise BackError
    return answer


def _line(prompt: str) -> str:
    """Read a line; what is no text is asked for again as nothing."""
    import readline  # noqa: F401  (arrows and history work in `input` where it is loaded)

    try:
        return input(prompt)
    except UnicodeDecodeError:
        return ""


def _check(place: Path) -> None:
    """Check what was made as `listener check` does, before it goes to where it belongs."""
    from listener.terminal import load_settings

    load_settings(place / "config.yaml")


def _try(folder: Path, *, test: bool) -> None:
    from listener.clock import SystemClock
    from listener.starting.trying import try_credentials
    from listener.terminal import load_settings

    config = load_settings(folder / "config.yaml")
    if not test:
        say("credentials were not tried (--no-test)")
        return
    for number, tried in enumerate(try_credentials(config, SystemClock())):
        say(*(("", "credentials:") if number == 0 else ()), tried.line())


def _say_next(folder: Path, answers: "Answers") -> None:
    from listener.starting.writing import secrets_of

    steps = [f"cd {folder}"] if folder.absolute() != Path.cwd() else []
    if secrets_of(answers):
        steps.append("cp .env.example .env    # fill it in, then: set -a; . ./.env; set +a")
    steps += ["listener check", "listener run --once" if answers.has_practice else "listener run"]
    steps += ["listener people add ann --role admin --everywhere    # your own name; asks for a password"]
    steps += ["listener console    # pages in a browser"]
    say("", "next:", *(f"  {step}" for step in steps), "", "docs/getting-started.md goes on from there")
