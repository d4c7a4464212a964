"""Countries: what is in force in each, where it comes from, and changes whose effect is seen before they are made."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo, available_timezones

from pydantic import ValidationError
from starlette.responses import Response
from starlette.routing import Route

from alerts.calendars import DAY_OFF, Calendar, kept_holidays
from listener.config.editing import REMOVE
from listener.config.models import Country
from listener.config.origins import Setting, settings_of, written_span, written_value
from listener.config.types import WEEKDAYS, Hours
from listener.console import changing
from listener.console.changing import DEFAULTS, GROUPS
from listener.console.names import CRITERIA
from listener.console.office import Office
from listener.console.page import Nav, NotFoundError, PageRequest, page
from listener.console.previewing import SPANS_DAYS, Previews, with_countries
from listener.console.showing import country_name, network_of, said_of, team_name
from listener.console.words import Words, marked
from listener.errors import ConfigError, ListenerError, StaleError
from listener.piloting import readiness
from listener.pipeline.workplaces import Workplaces
from listener.tuning.comparison import Comparison
from listener.tuning.spans import rate

MODES: Mapping[str, tuple[str, str]] = {
    "live": (marked("live"), "good"),
    "pilot": (marked("pilot"), "warn"),
    "off": (marked("off"), "plain"),
}
ORIGINS: Mapping[str, str] = {
    "country": marked("set here"),
    "defaults": marked("from defaults"),
    "built-in": marked("built in"),
}
_WEEK = timedelta(days=7)
_READINESS = timedelta(days=14)
_HOLIDAYS_AHEAD = 60
_LONGEST_NOTE = 500
_previews: WeakKeyDictionary[Office, Previews] = WeakKeyDictionary()
_previews_lock = threading.Lock()


@page("admin")
def countries(request: PageRequest) -> Response:
    """Show every country that the visitor sees."""
    office, now = request.office, request.office.clock.now()
    raised = office.store.alerts.raised_since(now - _WEEK)
    places = Workplaces(office.config)
    codes = request.visitor.countries_of(office.config)
    heard = office.store.decisions.heard_since(list(office.config.brands), codes)
    rows = [
        _row(request, code, places, _a_day(request.words, raised.get(code, 0), heard.get(code), now), now)
        for code in codes
    ]
    return request.render("countries.html", {"rows_": rows, "MODES": MODES})


def _a_day(words: Words, raised: int, heard_since: datetime | None, now: datetime) -> str:
    """Write how many alerts a day there were in the last week, of the days that were listened to."""
    if heard_since is None:
        return "–"
    a_day = rate(raised, min(_WEEK, now - heard_since) / timedelta(days=1))
    if a_day is not None:
        return words.number(a_day)
    return words.plural("{count} alert; too short for a rate", "{count} alerts; too short for a rate", raised)


@page("admin")
def country(request: PageRequest) -> Response:
    """Show one country, or what holds for all of them, with the forms that change it."""
    code = _code(request)
    return request.render("countries/country.html", _details(request, code))


@page("admin")
def preview(request: PageRequest) -> Response:
    """Show what thresholds as they were typed would have meant, without changing anything."""
    code = _code(request)
    values = _details(request, code, group="thresholds") | {"comparison": None, "preview_problem": ""}
    wanted, changed = changing.typed(
        values["groups"]["thresholds"], request.form, request.chosen("reset"), request.words.say
    )
    values["groups"]["thresholds"] = wanted
    if any(one.wrong for one in wanted):
        values["preview_problem"] = _nothing_compared(request.words, wanted)
    else:
        try:
            values["comparison"] = _compared(request, code, changing.given_back(wanted, changed))
        except ValidationError:
            values["preview_problem"] = request.words.say("Some of the values are out of bounds; nothing was compared.")
    values["is_changed"] = bool(changed)
    template = "countries/_preview.html" if request.is_htmx else "countries/country.html"
    return request.render(template, values)


@page("admin")
def change(request: PageRequest) -> Response:
    """Write what was typed into the configuration file, and keep the version."""
    code, group, words = _code(request), request.path["group"], request.words
    if group not in GROUPS or (code == DEFAULTS and group != "thresholds"):
        raise NotFoundError("no such form")
    values = _details(request, code, group=group)
    wanted, changed = changing.typed(values["groups"][group], request.form, request.chosen("reset"), request.words.say)
    values["groups"][group] = wanted
    if any(one.wrong for one in wanted):
        values["refusal"] = words.say("Some of the values cannot be read; nothing was changed.")
        return request.render("countries/country.html", values, 422)
    here = f"/countries/{code}"
    if not changed:
        return request.back(here, words.say("Nothing was different; nothing was changed."), "bad")
    if not request.is_first_press():
        return request.back(here)
    note = request.form.get("note", "").strip()[:_LONGEST_NOTE]
    try:
        version = request.office.keeper.change(
            changing.edits(code, changed),
            request.visitor.full_name,
            note,
            seen=request.form.get("seen") or None,
            origin="console",
        )
    except StaleError:
        values = _details(request, code, group=group)
        values["groups"][group] = changing.typed(
            values["groups"][group], request.form, request.chosen("reset"), request.words.say
        )[0]
        values["refusal"] = _why_stale(request)
        return request.render("countries/country.html", values, 409)
    except ConfigError as error:
        values["groups"][group], others = changing.placed(code, wanted, error.problems, words.said)
        values["problems"] = [one for one in others if request.visitor.sees_setting(one.path)]
        values["elsewhere"] = len(values["problems"]) < len(others)
        values["refusal"] = words.say("The configuration would be invalid; nothing was changed.")
        return request.render("countries/country.html", values, 422)
    except ListenerError as error:
        values["refusal"] = str(error)
        return request.render("countries/country.html", values, 422)
    request.note(
        "settings changed",
        code,
        country=None if code == DEFAULTS else code,
        version=version.id,
        note=note,
        settings={field.name: None if value is REMOVE else value for field, value in changed},
    )
    return request.back(here, words.say("It is in force, as version {number}.", number=str(version.id)))


def _why_stale(request: PageRequest) -> str:
    try:
        request.office.keeper.check_standing()
    except ConfigError:
        return request.words.say(
            "The configuration file is invalid as it stands, so nothing was written. What you typed still stands below."
            " Mend the file, or bring a version back under Settings, then save again."
        )
    return request.words.say(
        "Somebody else changed the configuration meanwhile; nothing of yours was written."
        " What you typed still stands below. Look at what is in force now, then save again."
    )


def _nothing_compared(words: Words, wanted: Sequence[changing.Standing]) -> str:
    """Say which fields hold what cannot be compared, and what each takes."""
    problems = [f"{words.say('{label}:', label=words.say(one.field.label))} {one.wrong}" for one in wanted if one.wrong]
    return words.say("Nothing was compared. {problems}", problems="; ".join(problems))


def _code(request: PageRequest) -> str:
    code = request.path["code"]
    if code == DEFAULTS:
        request.require_country(None)
        return code
    if code not in request.office.config.countries:
        raise NotFoundError(f"no country {code}")
    request.require_country(code)
    return code


def _details(request: PageRequest, code: str, group: str = "") -> dict[str, Any]:
    """Return all that a country's page shows. `group` is the form that somebody sent."""
    office, words, now = request.office, request.words, request.office.clock.now()
    config, text = office.config, office.keeper.text
    is_defaults = code == DEFAULTS
    names = ("thresholds",) if is_defaults else tuple(GROUPS)
    values: dict[str, Any] = {
        "code": code,
        "is_defaults": is_defaults,
        "title": words.say("All countries: defaults") if is_defaults else country_name(config, words, code),
        "groups": {name: changing.standings(text, config, code, GROUPS[name]) for name in names},
        "choices": _choices(request),
        "seen": office.keeper.digest,
        "note": request.form.get("note", "")[:_LONGEST_NOTE],
        "days": _days(request),
        "SPANS": SPANS_DAYS,
        "comparison": None,
        "is_changed": False,
        "preview_problem": "",
        "problems": [],
        "elsewhere": False,
        "refusal": "",
        "sent": group,
        "MODES": MODES,
        "ORIGINS": ORIGINS,
        "CRITERIA": CRITERIA,
        "team_name": lambda key: team_name(config, key),
        "network_of": partial(network_of, words),
        "tables": tables,
        "a_day_said": partial(_a_day_said, words),
        "said_of": lambda texts: said_of(words, texts),
    }
    if not is_defaults:
        settings = config.countries[code]
        values |= {
            "country": settings,
            "row": _row(request, code, Workplaces(config), "", now),
            "settings": [
                (".".join(map(str, one.path)), _as_in_the_file(one), one) for one in settings_of(text, config, code)
            ],
            "watches": [watch for watch in config.watches if watch.country == code],
            "hours": _hours(words, settings.hours),
            "holidays": _holidays(words, code, settings, now),
            "readiness": readiness(config, office.store, code, now - _READINESS, now)
            if settings.mode == "pilot"
            else None,
        }
    else:
        values["affected"] = _affected(request)
    return values


def _as_in_the_file(setting: Setting) -> str:
    """Write a value so that it can be copied into the file; nothing where nobody set it and it is empty."""
    value = setting.value
    if setting.origin == "built-in" and (value is None or value in ([], {})):
        return ""
    return written_value(value)


def _choices(request: PageRequest) -> dict[str, list[tuple[str, str]]]:
    config, words = request.office.config, request.words
    return {
        "team": [(key, team.name) for key, team in config.teams.items()],
        "mode": [(key, words.say(name)) for key, (name, _) in MODES.items()],
        "pilot_receiver": [("", words.say("none")), *((name, name) for name in config.receivers)],
        "timezone": [(name, name) for name in sorted(available_timezones())],
    }


def _affected(request: PageRequest) -> dict[str, list[str]]:
    """Return, by field, the countries that do not set it themselves: those that a default reaches."""
    config, text = request.office.config, request.office.keeper.text
    found: dict[str, list[str]] = {}
    for code in config.countries:
        for one in changing.standings(text, config, code, GROUPS["thresholds"]):
            if not one.is_own:
                found.setdefault(one.field.name, []).append(code)
    return found


def _compared(request: PageRequest, code: str, changed: Sequence[tuple[changing.Field, Any]]) -> Comparison:
    office = request.office
    config, reached = office.config, _affected(request) if code == DEFAULTS else {}

    def with_changes(other: str, settings: Country) -> Country:
        if code not in (other, DEFAULTS):
            return settings
        own = [(field, value) for field, value in changed if code == other or other in reached.get(field.name, ())]
        return changing.changed_country(settings, own) if own else settings

    new = with_countries(config, with_changes) if changed else config
    return _previews_of(office).compare(config, new, None if code == DEFAULTS else code, _days(request))


def _previews_of(office: Office) -> Previews:
    with _previews_lock:
        if office not in _previews:
            _previews[office] = Previews(office.store, office.clock)
        return _previews[office]


def _days(request: PageRequest) -> int:
    asked = request.form.get("days") or request.query.get("days") or ""
    return next((days for days in SPANS_DAYS if asked == str(days)), SPANS_DAYS[0])


def _row(request: PageRequest, code: str, places: Workplaces, a_day: str, now: datetime) -> dict[str, Any]:
    config, words, text = request.office.config, request.words, request.office.keeper.text
    settings = config.countries[code]
    team, is_open = places.in_charge(code, now)
    return {
        "code": code,
        "name": country_name(config, words, code),
        "country": settings,
        "languages": [words.language_name(tag) for tag in settings.languages],
        "team": team_name(config, settings.team),
        "in_charge": team_name(config, team),
        "is_open": is_open,
        "local_time": words.clock(*_clock(now, settings.timezone)),
        "sources": list(dict.fromkeys(watch.source for watch in config.watches if watch.country == code)),
        "a_day": a_day,
        "own": sum(one.is_own for one in changing.standings(text, config, code, GROUPS["thresholds"])),
    }  # fmt: skip


def _clock(now: datetime, timezone: str) -> tuple[int, int]:
    there = now.astimezone(ZoneInfo(timezone))
    return there.hour, there.minute


def _hours(words: Words, hours: Hours) -> str:
    """Write a week's hours, days in a row with the same hours together: "Mon–Fri 09:00–18:00"."""
    times = [" ".join(written_span(*span, "–") for span in hours.spans.get(day, [])) for day in WEEKDAYS]
    written: list[str] = []
    for open_at, days in groupby(range(len(WEEKDAYS)), key=times.__getitem__):
        first, *_, last = [*days] * 2
        span = dict.fromkeys(words.weekday_short(day) for day in (first, last))
        written += [f"{'–'.join(span)} {open_at}"] if open_at else []
    return ", ".join(written) or "–"


def _holidays(words: Words, code: str, settings: Country, now: datetime) -> list[tuple[str, str]]:
    """Return the days off of the next weeks, with their names."""
    calendar = Calendar(settings.hours, settings.timezone, kept_holidays(code, settings.holidays))
    today = now.astimezone(ZoneInfo(settings.timezone)).date()
    days = [today + timedelta(days=ahead) for ahead in range(_HOLIDAYS_AHEAD)]
    language = words.language.partition("-")[0]
    named = [(day, calendar.holiday_on(day, language)) for day in days]
    return [(words.day(day), words.say("day off") if name == DAY_OFF else name) for day, name in named if name]


def _a_day_said(words: Words, comparison: Comparison) -> str:
    """Say how many alerts a day there would be; how many at all where too little is stored for a rate."""
    totals = {"then": comparison.then.tally.total, "now": comparison.now.tally.total}
    rates = {name: rate(total, comparison.covered_days) for name, total in totals.items()}
    said = {name: words.number(each) for name, each in rates.items() if each is not None}
    if not said:
        return words.say(
            "Alerts: {then} as it is, {now} with this. Less than a day is stored: too short for a rate.",
            **{name: words.number(total) for name, total in totals.items()},
        )
    return words.say("{then} alerts a day as it is, {now} with this.", **said)


def tables(comparison: Comparison) -> list[tuple[str, int, int]]:
    """Return each day with its alerts as in force and as changed."""

    def counted(side: Mapping[str, Mapping[int, int]], day: str) -> int:
        return sum(side.get(day, {}).values())

    return [
        (day, counted(comparison.then.tally.by_day, day), counted(comparison.now.tally.by_day, day))
        for day in comparison.days
    ]


NAV = Nav(marked("Countries"), "/countries", role="admin", order=62)
ROUTES = (
    Route("/countries", countries),
    Route("/countries/{code}", country),
    Route("/countries/{code}/preview", preview, methods=["POST"]),
    Route("/countries/{code}/{group}", change, methods=["POST"]),
)
