"""The files of a first configuration, as text: every section commented, secrets by the names of their variables."""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from listener.config.loopback import is_loopback
from listener.drill_texts import TEXTS, language_of
from listener.starting.answers import NETWORKS, SIGNATURE_CHARS, Answers, BrandAnswer
from listener.starting.interview import EVERYBODY, HOMES
from listener.starting.places import country_name
from listener.starting.yaml_text import flow_list, flow_mapping, quoted, remark, scalar

POSTS = "posts/"
_TOPIC = "outage"
_PAIRS = ((3, 4), (0, 1))
"""Sentences that, put together, raise an alert in every language with the thresholds as they ship."""
_MOST_PRACTISED = 3
HEAD_OFFICE = "head-office"
_NAME_CHARS = 60
_SECRETS = {
    "x": {"X_BEARER_TOKEN": "X: the app's bearer token; docs/sources.md says how to get it"},
    "vk": {"VK_TOKEN": "VK: a service token; docs/sources.md says how to get it"},
    "slack": {"SLACK_BOT_TOKEN": "Slack: the bot's token, xoxb-…; docs/slack.md goes step by step"},
    "buttons": {"SLACK_APP_TOKEN": "Slack: the app-level token, xapp-…, for buttons"},
    "email": {"SMTP_USERNAME": "the mail server's user", "SMTP_PASSWORD": "and password"},
}


@dataclass(frozen=True, slots=True)
class FirstFile:
    """A file to be written, by its name in the folder."""

    name: str
    text: str


def first_files(answers: Answers, now: datetime) -> list[FirstFile]:
    """Return the files that the answers make; config.yaml stands first."""
    files = [
        FirstFile("config.yaml", config_text(answers)),
        FirstFile("brand.yaml", voice_text(answers)),
        FirstFile(".env.example", secrets_text(answers)),
    ]
    return files + (practice_files(answers, now) if answers.has_practice else [])


def secrets_of(answers: Answers) -> dict[str, str]:
    """Return the environment variables that the configuration names, each with what it is."""
    wanted = [*answers.sources, *answers.tells]
    wanted += ["buttons"] if answers.has_buttons else []
    found = {name: what for part in wanted for name, what in _SECRETS.get(part, {}).items()}
    if answers.mail is not None and is_loopback(answers.mail.host):
        found = {name: what for name, what in found.items() if not name.startswith("SMTP_")}
    return found


def config_text(answers: Answers) -> str:
    """Return config.yaml."""
    parts = (_head, _brands, _sources, _teams, _receivers, _route, _defaults, _countries, _rest)
    return "\n".join(line for part in parts for line in part(answers)) + "\n"


def _head(answers: Answers) -> Iterator[str]:
    yield "# What is listened for, where, and who is told; written by `listener init`."
    yield "# `listener check` says what is wrong and what is off. docs/configuration.md explains every key."
    yield "# Secrets are ${env:NAME} or ${file:PATH}, never in clear. An editor completes and checks this file after"
    yield "# `listener config schema > config.schema.json`, with this as its first line:"
    yield "#   # yaml-language-server: $schema=config.schema.json"
    yield "version: 1"
    yield remark("voice: brand.yaml", "how the brands speak: what closes replies, what is never said")


def _title(text: str) -> list[str]:
    return ["", f"# --- {text} ".ljust(113, "-")]


def brand_keys(brands: Sequence[BrandAnswer]) -> list[str]:
    """Return how each brand is called in the configuration."""
    return _keys([brand.name for brand in brands], "brand")


def _keys(names: Sequence[str], fallback: str) -> list[str]:
    keys: list[str] = []
    for number, name in enumerate(names, 1):
        plain = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFKC", name).casefold()).strip("-_")[: _NAME_CHARS - 5]
        key = plain if plain and not plain.isdecimal() else f"{fallback}-{plain or number}"
        while key in keys:
            key = f"{key}-{number}"
        keys.append(key)
    return keys


def _brands(answers: Answers) -> Iterator[str]:
    yield from _title("What is listened for")
    yield "# terms: words and phrases, in every script. exclude: phrases that mean something else (homonyms)."
    yield "brands:"
    for key, brand in zip(brand_keys(answers.brands), answers.brands, strict=True):
        yield f"  {scalar(key)}:"
        yield f"    name: {scalar(brand.name)}"
        yield f"    terms: {flow_list(brand.terms)}"
        if brand.competitor:
            yield remark("    competitor: true", "counted in the digest's share of voice, never alerted of")
            continue
        yield "    exclude: []"
        if brand.accounts:
            yield f"    accounts: {flow_mapping({name: scalar(one) for name, one in brand.accounts.items()})}"
        yield remark("    products: []", "named in replies where a post names them")


def _sources(answers: Answers) -> Iterator[str]:
    yield from _title("Where: one connection per network")
    yield "# A source without its token is reported as off, and the rest runs. docs/sources.md: tokens, costs, limits."
    yield "sources:"
    for name in _source_names(answers):
        yield f"  {name}:" if name in ("x", "vk") else remark(f"  {name}: {{every: 30s}}", _FILE_REMARKS[name])
        if name == "x":
            yield "    bearer_token: ${env:X_BEARER_TOKEN}"
        if name == "vk":
            yield "    token: ${env:VK_TOKEN}"
        if name in ("x", "vk"):
            yield from _address(answers, name, "    ")
            yield remark("    every: 5m", "how often each watch asks")


_FILE_REMARKS = {
    "wechat": "exported chats, in watched folders",
    "file": "JSON Lines and CSV: docs/file-format.md",
}


def _source_names(answers: Answers) -> list[str]:
    return [*answers.sources, *(["file"] if "file" not in answers.sources and answers.has_practice else [])]


def _address(answers: Answers, name: str, indent: str) -> Iterator[str]:
    address = answers.addresses.get(name)
    if address:
        yield f"{indent}base_url: {quoted(address)}"


def team_keys(answers: Answers) -> dict[str, str]:
    """Return how each country's team is called in the configuration; under EVERYBODY that of all the others."""
    if EVERYBODY in answers.teams:
        return dict(zip(answers.teams, _keys(list(answers.teams.values()), "team"), strict=True))
    taken = {EVERYBODY: HEAD_OFFICE}
    return taken | {code: f"team-{code.lower()}" for code in answers.teams}


def _teams(answers: Answers) -> Iterator[str]:
    keys = team_keys(answers)
    by_code = {country.code: country for country in answers.countries}
    every = list(dict.fromkeys(tag for country in answers.countries for tag in country.languages))
    yield from _title("Who answers")
    yield "# people: [{name: Ann, slack: U0123ABCD, on_call: true}] says who is told; docs/time.md explains the rest."
    yield "teams:"
    for code, key in keys.items():
        country = by_code.get(code)
        name = answers.teams.get(code, "Head office")
        yield f"  {scalar(key)}:"
        yield f"    name: {scalar(name)}"
        yield f"    timezone: {(country or answers.countries[0]).timezone}"
        tags = list(country.languages) if country else list(dict.fromkeys([*every, "en"]))
        yield remark(f"    languages: {flow_list(tags)}", "what it reads; cards say when a post is in another language")
        yield "    people: []"
        if country is not None:
            yield remark(f"    next: {HEAD_OFFICE}", "who is told when a target is missed")
    yield ""
    yield remark(f"head_office: {scalar(keys[EVERYBODY])}", "the team at the end of every chain")


def _receivers(answers: Answers) -> Iterator[str]:
    yield from _title("How people are told")
    yield "receivers:"
    yield "  terminal:"
    yield "    type: terminal"
    yield remark("    at_once: true", "no waiting for office hours: somebody looks at this screen")
    if "slack" in answers.tells:
        yield "  slack:"
        yield "    type: slack"
        yield "    token: ${env:SLACK_BOT_TOKEN}"
        yield remark(
            f"    channel: {answers.slack_channel}", "the channel's ID; invite the app there: /invite @Listening daemon"
        )
        yield from _address(answers, "slack", "    ")
        yield remark("    budget: 30", "the most cards an hour; the rest is folded into a summary")
    if answers.mail is not None:
        yield from _mail(answers)
    yield remark("  trial: {type: terminal}", "nothing in earnest goes here; better a channel for trials")
    yield ""
    yield remark("fallback_receiver: terminal", "takes over where a receiver is off or disabled")
    yield remark("trial_receiver: trial", "where `listener drill` goes")
    if answers.has_buttons:
        yield ""
        yield "# The app behind the buttons in Slack; docs/slack.md sets it up step by step."
        yield "slack:"
        yield "  token: ${env:SLACK_BOT_TOKEN}"
        yield "  app_token: ${env:SLACK_APP_TOKEN}"
        yield from _address(answers, "slack", "  ")


def _mail(answers: Answers) -> Iterator[str]:
    mail = answers.mail
    assert mail is not None  # noqa: S101  (asked for only where there is one)
    yield "  mail:"
    yield "    type: email"
    yield f"    host: {quoted(mail.host)}"
    if mail.port is not None:
        yield f"    port: {mail.port}"
    if is_loopback(mail.host):
        yield remark("    security: plain", "a server on this machine; others: starttls or tls")
    else:
        yield f"    security: {'tls' if mail.port == 465 else 'starttls'}"
        yield "    username: ${env:SMTP_USERNAME}"
        yield "    password: ${env:SMTP_PASSWORD}"
    yield f"    sender: {quoted(mail.sender)}"
    yield f"    to: [{', '.join(map(quoted, mail.to))}]"


def main_receiver(answers: Answers) -> str:
    """Return the receiver that the root route names: Slack before mail before the terminal."""
    return "slack" if "slack" in answers.tells else "mail" if answers.mail else "terminal"


def _route(answers: Answers) -> Iterator[str]:
    first = main_receiver(answers)
    others = [name for name in ("mail", "terminal") if name != first and _is_told(answers, name)]
    yield from _title("Where each alert goes")
    yield "# The first child that matches wins; `proceed: true` lets later ones match too: docs/configuration.md."
    yield "route:"
    yield remark(f"  receiver: {first}", "takes whatever no child takes")
    yield remark("  group_wait: 30s", "a new alert waits so long for further posts before it is sent")
    yield remark("  repeat_interval: 4h", "an alert that nobody took is told again so long after")
    if others:
        yield "  routes:"
        for name in others:
            yield f"    - {{receiver: {name}, proceed: true}}"
        yield f"    - {{receiver: {first}}}"


def _is_told(answers: Answers, receiver: str) -> bool:
    return {"mail": "email"}.get(receiver, receiver) in answers.tells


def _defaults(answers: Answers) -> Iterator[str]:
    yield from _title("Countries")
    yield "# Every country starts from `defaults` and says what differs: mappings merge key by key, lists are replaced."
    yield "# Before you change a threshold, `listener simulate` shows what it would do; `listener tune` proposes one."
    yield "defaults:"
    yield f"  languages: {flow_list(answers.countries[0].languages)}"
    yield f"  timezone: {answers.countries[0].timezone}"
    yield f"  hours: {flow_mapping({days: quoted(times) for days, times in answers.hours.items()})}"
    yield "  sources:"
    for name in answers.sources:
        yield from _default_watch(name)
    if answers.has_practice and "file" not in answers.sources:
        yield from _default_watch("file")
    yield "  thresholds:"
    yield remark("    urgent: 0.2", "chance of the highest urgency that alone raises an alert")
    yield remark("    priority: 0.3", "priority from which a complaint raises an alert")
    yield f"  team: {scalar(team_keys(answers)[EVERYBODY])}"
    yield remark("  mode: live", "pilot: everything runs, alerts go to pilot_receiver; off: nothing runs")
    yield "  pilot_receiver: trial"


def _default_watch(name: str) -> Iterator[str]:
    if name == "x":
        yield remark("    x: {monthly_posts: 20000}", "a cap per watch of your own: at $0.005 a post, $100 a month")
    elif name == "vk":
        yield remark("    vk: {}", "the query is made of the brand's terms and the country's languages")
    elif name == "wechat":
        yield remark("    wechat: {folder: exports/wechat}", "put exported chats there")
    else:
        yield "    # JSON Lines and CSV that are put there; only what names the brand is taken."
        yield '    file: {path: "posts/", match_terms: true}'


def _countries(answers: Answers) -> Iterator[str]:
    keys = team_keys(answers)
    yield ""
    yield "countries:"
    for country in answers.countries:
        yield remark(f"  {scalar(country.code)}:", country_name(country.code))
        yield f"    languages: {flow_list(country.languages)}"
        yield f"    timezone: {country.timezone}"
        if country.code in keys:
            yield f"    team: {keys[country.code]}"
        yield from _own_sources(answers, country.code)


def _own_sources(answers: Answers, code: str) -> Iterator[str]:
    """Yield what a country reads otherwise than `defaults` say: its own folder, no network that nobody has there."""
    off = [name for name in answers.sources if name in NETWORKS and not _is_used(name, code, answers)]
    has_files = "file" in _source_names(answers) and len(answers.countries) > 1
    if off or has_files:
        yield "    sources:"
    for name in off:
        yield f"      {name}: false"
    if has_files:
        yield f'      file: {{path: "{POSTS}{code}/"}}'


def _is_used(network: str, code: str, answers: Answers) -> bool:
    """Say whether a network is worth reading in a country; one that suits none of them was wanted everywhere."""
    if network == "x":
        return not (code == "CN" and len(answers.sources) > 1)
    homes = HOMES[network]
    return code in homes or not any(country.code in homes for country in answers.countries)


def _rest(answers: Answers) -> Iterator[str]:
    first = main_receiver(answers)
    yield from _title("Further")
    yield "# The weekly digest, on Mondays: docs/digest.md. `listener digest` shows any week."
    yield "digests:"
    yield "  head-office:"
    yield f"    receivers: [{first}]"
    yield f"    timezone: {answers.countries[0].timezone}"
    yield '    at: "08:00"'
    yield ""
    yield "# Pages in a browser, on this machine alone: docs/console.md."
    yield "console:"
    yield "  listen: 127.0.0.1:8321"
    yield ""
    yield "# Where mentions and alerts are kept: SQLite here, or PostgreSQL by ${env:DATABASE_URL}: docs/operations.md."
    yield "store:"
    yield "  url: sqlite:///var/listener.db"


def voice_text(answers: Answers) -> str:
    """Return brand.yaml: how each of the brands speaks."""
    lines = [
        "# How the brands speak, the same in every country and language. docs/playbooks.md explains every key.",
    ]
    for key, brand in zip(brand_keys(answers.brands), answers.brands, strict=True):
        if brand.competitor:
            continue
        lines += [
            f"{scalar(key)}:",
            remark(f"  signature: {scalar(_signature(brand.name))}", "closes every reply"),
            remark("  promises: []", "what may be promised whatever the case"),
            remark("  never: {}", "words never used, by language: {en: [cheap]}"),
            "  tone: {emoji: false, exclamation_marks: 1}",
            "  contacts: {}" + " " * 29 + "# default: {channel: care@brand.example}",
        ]
    return "\n".join(lines) + "\n"


def _signature(name: str) -> str:
    if len(name) <= SIGNATURE_CHARS:
        return name
    return name[:SIGNATURE_CHARS].rsplit(" ", 1)[0].rstrip()


def secrets_text(answers: Answers) -> str:
    """Return .env.example: the names of the variables, with nothing in them."""
    secrets = secrets_of(answers)
    lines = [
        "# Copy this to .env, fill it in, keep it out of version control, and load it before you start:",
        "#   set -a; . ./.env; set +a",
    ]
    lines += [line for name, what in secrets.items() for line in (f"# {what}", f"{name}=")]
    if not secrets:
        lines.append("# Nothing is needed yet: no source and no receiver of config.yaml has a secret.")
    return "\n".join(lines) + "\n"


def folders(answers: Answers) -> list[str]:
    """Return the folders that sources read."""
    found = [str(PurePosixPath(one)) for one in _post_folders(answers)] if "file" in _source_names(answers) else []
    return [*found, *(["exports/wechat"] if "wechat" in answers.sources else [])]


def _post_folders(answers: Answers) -> list[str]:
    if len(answers.countries) == 1:
        return [POSTS]
    return [f"{POSTS}{country.code}/" for country in answers.countries]


def practice_files(answers: Answers, now: datetime) -> list[FirstFile]:
    """Return invented posts of each country, in the first of its languages that there are texts in."""
    own = [brand for brand in answers.brands if not brand.competitor]
    return [
        FirstFile(f"{folder}practice.jsonl", _practice(country.code, country.languages, own, now))
        for folder, country in zip(_post_folders(answers), answers.countries, strict=True)
    ]


def _practice(code: str, languages: Collection[str], brands: Sequence[BrandAnswer], now: datetime) -> str:
    texts = TEXTS[_TOPIC][language_of(list(languages), _TOPIC)]
    lines = []
    for number, brand in enumerate(brands[:_MOST_PRACTISED]):
        for place, (lead, tail) in enumerate(_PAIRS):
            post: Mapping[str, object] = {
                "id": f"practice-{code.lower()}-{now:%Y%m%d%H%M%S}-{number}-{place}",
                "network": "practice",
                "published_at": (now - timedelta(minutes=7 + 11 * place)).isoformat(timespec="seconds"),
                "author_name": f"Practice customer {code}-{number + 1}-{place + 1}",
                "text": f"{brand.terms[0]}: {texts[lead]} {texts[tail]}",
            }
            lines.append(json.dumps(post, ensure_ascii=False))
    return "\n".join(lines) + "\n"
