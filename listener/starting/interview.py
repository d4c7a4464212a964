"""The questions of `listener init`: which comes next hangs on what was answered; any can be taken back.

Knows nothing of terminals: whoever asks hands in how.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from listener.errors import ListenerError
from listener.starting import answers as reading
from listener.starting.answers import (
    NETWORKS,
    SOURCES,
    TELLS,
    AnswerError,
    Answers,
    BrandAnswer,
    CountryAnswer,
    Mail,
)
from listener.starting.places import country_name, has_several_clocks, languages_of, zones_of

EVERYBODY = ""
"""Key of the team of all countries."""
HOMES: Mapping[str, frozenset[str]] = {
    "vk": frozenset({"RU", "BY", "KZ", "KG", "AM", "UZ", "TJ"}),
    "wechat": frozenset({"CN", "HK", "MO"}),
}
"""Countries in which many use a network that few use elsewhere."""
_NETWORK_NAMES = {"x": "X", "vk": "VK", "wechat": "WeChat"}


@dataclass(frozen=True, slots=True)
class Question:
    """One question: what is asked, why, what Enter takes, how an answer is read, and by which option it is given."""

    key: str
    text: str
    read: Callable[[str], Any]
    default: str | None = None
    """What an empty answer means; None where there must be one."""
    hint: str = ""
    option: str = ""


class BackError(Exception):
    """Whoever answers wants the question before this one again."""


class Ask(Protocol):
    """Puts one question to somebody."""

    def __call__(self, question: Question, problem: str) -> str:
        """Return the answer as it was typed; `problem` says what was wrong with the last one.

        Raises:
            BackError: the question before is wanted again.
        """
        ...


class MissingAnswersError(ListenerError):
    """Nobody can be asked, and something was not given as an option."""


@dataclass(slots=True)
class Interview:
    """The answers so far, by question; those given as options are never asked."""

    now: datetime
    given: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def run(self, ask: Ask) -> Answers:
        """Ask what was not given, and return all answers."""
        problem = ""
        while (question := self.next()) is not None:
            try:
                answer = ask(question, problem)
                self.given[question.key] = question.read(answer.strip() or question.default or "")
            except BackError:
                problem = "" if self.back() else "this is the first question"
            except ListenerError as error:
                problem = str(error)
            else:
                self.asked.append(question.key)
                problem = ""
        return self.answers()

    def fill(self) -> Answers:
        """Take the default of every question that was not given.

        Raises:
            MissingAnswersError: some have none; all of them are named.
        """
        missing: dict[str, None] = {}
        while (question := self.next()) is not None:
            if question.default is None:
                missing[question.option] = None
                self.given[question.key] = _placeholder(question)
            else:
                self.given[question.key] = question.read(question.default)
        if missing:
            raise MissingAnswersError(
                f"nobody can be asked here: give {' and '.join(missing)}; `listener init --help` shows examples"
            )
        return self.answers()

    def next(self) -> Question | None:
        """Return the first question that has no answer yet."""
        return next((one for one in questions(self.given, self.now) if one.key not in self.given), None)

    def back(self) -> bool:
        """Forget the last answer that was asked for; False where there is none."""
        if not self.asked:
            return False
        del self.given[self.asked.pop()]
        return True

    def answers(self) -> Answers:
        """Return what all answers make together."""
        return _answers(self.given)


def _placeholder(question: Question) -> Any:
    """Return something for a question without an answer, so that the ones after it can be looked through."""
    return {"countries": ("FR",), "brand:0": "brand", "mail_host": ("host", None)}.get(question.key, ("",))


def questions(given: Mapping[str, Any], now: datetime) -> Iterator[Question]:
    """Yield the questions in their order, as far as the answers to those before are there."""
    yield from _where(given, now)
    yield from _what(given)
    yield from _who(given)
    yield from _how(given)


def _where(given: Mapping[str, Any], now: datetime) -> Iterator[Question]:
    yield Question(
        "countries",
        "In which countries do your customers write?",
        reading.read_countries,
        hint="names or ISO codes, in any language, with commas: France, DE, 日本",
        option="--country",
    )
    for code in given.get("countries", ()):
        name = country_name(code)
        yield Question(
            f"languages:{code}",
            f"{name}: which languages do they write?",
            reading.read_languages,
            ", ".join(languages_of(code)),
            "tags such as fr, nl-BE, zh-Hant",
            f"--language {code}=fr,nl",
        )
        if has_several_clocks(code, now):
            yield Question(
                f"timezone:{code}",
                f"{name}: in which time zone does its team work?",
                reading.read_timezone,
                zones_of(code)[0],
                f"such as {', '.join(zones_of(code)[1:4])}",
                f"--timezone {code}=ZONE",
            )


def _what(given: Mapping[str, Any]) -> Iterator[Question]:
    yield Question(
        "sources",
        "Where shall we listen?",
        reading.one_of(SOURCES),
        ", ".join(_usual_sources(given.get("countries", ()))),
        "; ".join(f"{name}: {what}" for name, what in SOURCES.items()),
        "--source",
    )
    number = 0
    while given.get(f"brand:{number}", True):
        yield from _brand(given, number)
        number += 1
        if f"brand:{number - 1}" not in given:
            return
    yield Question(
        "competitors",
        "Brands to compare with, if any?",
        reading.read_list,
        "",
        "names with commas; they are counted, never alerted of",
        "--competitor",
    )


def _brand(given: Mapping[str, Any], number: int) -> Iterator[Question]:
    key = f"brand:{number}"
    earlier = [given[f"brand:{one}"] for one in range(number)]
    if number == 0:
        yield Question(key, "Which brand do you listen for?", reading.read_line, option="--brand")
    else:
        yield Question(key, "Another brand of yours?", partial(_another, earlier), "", "Enter: no more", "--brand")
    name = given.get(key)
    if not name:
        return
    yield Question(
        f"terms:{number}",
        f"{name}: words and phrases that people use for it?",
        lambda text: reading.read_list(text) or (name,),
        name if not reading.splits(name) else "",
        "with commas, in every script, with #tags and frequent misspellings; the fewer homonyms the better",
        f"--terms '{name}=…'",
    )
    for network in (one for one in given.get("sources", ()) if one in NETWORKS):
        yield Question(
            f"account:{number}:{network}",
            f"{name}: its own account on {_NETWORK_NAMES[network]}?",
            reading.read_account(network),
            "",
            "Enter: none",
            f"--account '{name}={network}:HANDLE'",
        )


def _who(given: Mapping[str, Any]) -> Iterator[Question]:
    countries = given.get("countries", ())
    if len(countries) > 1:
        yield Question(
            "team_each",
            "Has each country a team of its own?",
            reading.read_yes,
            "no",
            "no: one team for all",
            "--team-each",
        )
    codes = countries if given.get("team_each") else (EVERYBODY,)
    for code in codes:
        yield Question(
            f"team:{code}",
            f"{country_name(code)}: how is its team called?" if code else "How is the team called that answers?",
            reading.read_line,
            f"Customer care {country_name(code)}" if code else "Customer care",
            option="--team",
        )
    yield Question(
        "hours",
        "When do they work?",
        reading.read_hours,
        "mon-fri 09:00-18:00",
        "in each country's time zone; public holidays are known",
        "--hours",
    )


def _how(given: Mapping[str, Any]) -> Iterator[Question]:
    yield Question(
        "tells",
        "How shall people be told?",
        reading.one_of(TELLS),
        "terminal",
        "; ".join(f"{name}: {what}" for name, what in TELLS.items()),
        "--tell",
    )
    tells = given.get("tells", ())
    if "slack" in tells:
        yield Question(
            "slack_channel",
            "Which Slack channel?",
            reading.read_channel,
            hint="its ID, C…: in Slack, the channel's name, About, at the bottom. `<` goes back",
            option="--slack-channel",
        )
        yield Question(
            "buttons",
            "Shall people act on alerts in Slack (claim, reply, resolve)?",
            reading.read_yes,
            "yes",
            "yes needs a second token, SLACK_APP_TOKEN",
            "--buttons",
        )
    if "email" in tells:
        yield Question(
            "mail_host",
            "Which mail server sends?",
            reading.read_mail_host,
            hint="such as smtp.example.com or smtp.example.com:587",
            option="--mail-host",
        )
        yield Question("mail_from", "From which address?", reading.read_mailbox, option="--mail-from")
        yield Question("mail_to", "To which addresses?", reading.read_mailboxes, option="--mail-to")
    yield Question(
        "practice",
        "Write practice posts, so that there is an alert to look at at once?",
        reading.read_yes,
        "yes",
        "invented posts in posts/practice.jsonl; delete them when you have seen them",
        "--practice",
    )


def _usual_sources(countries: tuple[str, ...]) -> list[str]:
    found = ["x"] if set(countries) - {"CN", "RU"} or not countries else []
    found += [network for network, homes in HOMES.items() if homes & set(countries)]
    return found or ["file"]


def _another(earlier: Sequence[str], text: str) -> str:
    name = reading.read_line(text) if text else ""
    if name in earlier:
        raise AnswerError(f"'{name}' was named already")
    return name


def _answers(given: Mapping[str, Any]) -> Answers:
    brands = tuple(_brands(given))
    names = {one.name for one in brands}
    rivals = tuple(
        BrandAnswer(name, (name,), {}, competitor=True) for name in given["competitors"] if name not in names
    )
    countries = tuple(
        CountryAnswer(code, given[f"languages:{code}"], given.get(f"timezone:{code}", zones_of(code)[0]))
        for code in given["countries"]
    )
    codes = given["countries"] if given.get("team_each") else (EVERYBODY,)
    return Answers(
        brands=brands + rivals,
        countries=countries,
        sources=given["sources"],
        teams={code: given[f"team:{code}"] for code in codes},
        hours=given["hours"],
        tells=given["tells"],
        slack_channel=given.get("slack_channel", ""),
        has_buttons=bool(given.get("buttons")),
        mail=_mail(given) if "email" in given["tells"] else None,
        has_practice=given["practice"],
        addresses=given.get("addresses", {}),
    )


def _mail(given: Mapping[str, Any]) -> Mail:
    host, port = given["mail_host"]
    return Mail(host, port, given["mail_from"], given["mail_to"])


def _brands(given: Mapping[str, Any]) -> Iterator[BrandAnswer]:
    number = 0
    while name := given.get(f"brand:{number}"):
        accounts = {network: given.get(f"account:{number}:{network}", "") for network in NETWORKS}
        yield BrandAnswer(name, given[f"terms:{number}"], {key: value for key, value in accounts.items() if value})
        number += 1
