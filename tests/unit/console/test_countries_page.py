"""The countries' pages: what is in force, where it comes from, what a change would have meant, and making it."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from typing import Any

import pytest

from listener.config.editing import REMOVE, Edit
from listener.console import changing
from listener.console.changing import DEFAULTS, GROUPS, PILOT, THRESHOLDS, FieldError, Standing
from listener.errors import Problem
from tests.console_room import ConsoleRoom, SignedIn
from tests.desk_room import HOSTILE, DeskRoom
from tests.seeded import SeededRoom

HTMX = {"hx-request": "true"}


def seed(room: ConsoleRoom) -> None:
    made = DeskRoom(room)
    for number, complaint in enumerate((0.55, 0.62, 0.7, 0.8, 0.9)):
        for country in ("FR", "JP"):
            made.post(
                f"Acme lost parcel {number}", author=f"u{number}", complaint=complaint, country=country, urgent=0.1
            )
    made.triage()
    room.clock.advance(3600)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> SeededRoom:
    return SeededRoom(tmp_path_factory.mktemp("countries"), seed)


@pytest.fixture
def desk(seeded: SeededRoom) -> Iterator[DeskRoom]:
    with closing(seeded.open()) as room:
        yield DeskRoom(room, made=10)


def form(client: SignedIn, path: str, group: str = "thresholds", **changed: str) -> dict[str, Any]:
    """Return what the browser would send: the form as it stands on the page, with what somebody typed."""
    page = client.get(path).text
    part = re.search(rf'<form[^>]*action="{path}/{group}".*?</form>', page, re.DOTALL)
    assert part is not None
    fields = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', part[0])
        if name not in ("csrf", "reset")
    }
    areas = re.findall(r'<textarea[^>]*?name="([^"]+)"[^>]*>(.*?)</textarea>', part[0], re.DOTALL)
    fields |= {unescape(name): unescape(value) for name, value in areas}
    for name, options in re.findall(r'<select[^>]*?name="([^"]+)".*?>(.*?)</select>', part[0], re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = unescape(chosen[1]) if chosen else ""
    return fields | {name.replace("__", "."): value for name, value in changed.items()}


def text(room: ConsoleRoom) -> str:
    return (room.folder / "config.yaml").read_text()


# What is in force


def test_the_list_names_what_an_admin_asks_first(desk: DeskRoom) -> None:
    page = desk.room.client("admin").get("/countries").text
    for said in ("France", "Japan", "United States", "Japanese", "Tokyo", "/countries/defaults"):
        assert said in page
    assert "Hub works" in page  # 11:00 in Paris on a Monday


def test_alerts_a_day_are_told_by_the_days_that_were_listened_to(desk: DeskRoom) -> None:
    admin, wish = desk.room.client("admin"), form(desk.room.client("admin"), "/countries/FR")
    assert "5 alerts; too short for a rate" in admin.get("/countries").text
    preview = admin.post("/countries/FR/preview", wish, headers=HTMX).text
    assert "Alerts: 5 as it is, 5 with this. Less than a day is stored: too short for a rate." in preview
    desk.room.clock.advance(2 * 86400 - 3600)
    desk.post("Acme is fine", author="later", complaint=0.1, urgent=0.1)
    desk.triage()
    admin = desk.room.client("admin")
    wish = form(admin, "/countries/FR")
    assert re.search(r">\s*2\.5\s*<", admin.get("/countries").text)
    preview = admin.post("/countries/FR/preview", wish, headers=HTMX).text
    assert "2.5 alerts a day as it is, 2.5 with this." in preview


def test_each_setting_says_where_it_comes_from(desk: DeskRoom) -> None:
    room = desk.room
    room.office.keeper.change(
        [
            Edit(("defaults", "thresholds"), {"priority": 0.33}),
            Edit(("countries", "FR", "thresholds"), {"urgent": 0.21}),
        ],
        "tests",
    )
    page = room.client("admin").get("/countries/FR").text
    lines = {one.field.name: one for one in changing.standings(text(room), room.office.config, "FR", THRESHOLDS)}
    assert (lines["thresholds.priority"].origin, lines["thresholds.priority"].text) == ("defaults", "0.33")
    assert (lines["thresholds.urgent"].origin, lines["thresholds.urgent"].is_own) == ("country", True)
    assert lines["thresholds.urgent"].base == "0.2"
    assert lines["thresholds.complaint"].origin == "built-in"
    assert f"set here, line {lines['thresholds.urgent'].line}" in page
    assert f"from defaults, line {lines['thresholds.priority'].line}" in page
    assert "use the default again: 0.2" in page
    assert "<code>targets.severity_3.respond</code>" in page


def test_settings_are_shown_as_the_file_has_them_and_empty_ones_as_nothing(desk: DeskRoom) -> None:
    room = desk.room
    watch = {"folder": "exports", "owner_names": ["<Служба>", "客服"], "max_age": None}
    edits = [Edit(("sources", "wechat"), {}), Edit(("countries", "FR", "sources"), {"wechat": watch})]
    room.office.keeper.change(edits, "tests")
    settings = room.client("admin").get("/countries/FR").text.partition('id="settings"')[2]
    values = dict(re.findall(r"<code>([\w.]+)</code></th>\s*<td[^>]*>.*?<(?:code|span)[^>]*>([^<]*)</", settings))
    assert values["sources.wechat.owner_names"] == "[&#34;&lt;Служба&gt;&#34;, 客服]"
    assert values["sources.wechat.max_age"] == "null"  # this one lifts a limit
    assert values["holidays"] == "nothing"


def test_texts_are_shown_so_that_the_file_takes_them(desk: DeskRoom) -> None:
    room = desk.room
    watches = [
        {"query": "null"},
        {"query": "#skybird -is:retweet", "name": "b"},
        {"query": "acme lang:fr", "name": "c"},
    ]
    edits = [("name", "#1 <b>Ελλάδα</b>: null"), ("sources", {"x": watches}), ("join_within", "1000001s")]
    room.office.keeper.change([Edit(("countries", "FR", key), value) for key, value in edits], "tests")
    client = room.client("admin")
    settings = client.get("/countries/FR").text.partition('id="settings"')[2]
    shown = [unescape(one) for one in re.findall(r'<code dir="auto">([^<]*)</code>', settings)]
    for text_ in ('"#1 <b>Ελλάδα</b>: null"', '"null"', '"#skybird -is:retweet"', "acme lang:fr", "1000001s"):
        assert text_ in shown
    page = client.post("/countries/FR/preview", form(client, "/countries/FR")).text
    assert "out of bounds" not in page


def test_hours_to_midnight_are_shown_so(desk: DeskRoom) -> None:
    desk.room.office.keeper.change([Edit(("countries", "FR", "hours"), {"mon-tue": "13:00-24:00"})], "tests")
    assert "<dd>Mon–Tue 13:00–24:00</dd>" in desk.room.client("admin").get("/countries/FR").text


def test_days_off_are_named_in_the_visitors_language(desk: DeskRoom) -> None:
    room = desk.room
    room.office.keeper.change([Edit(("countries", "FR", "holidays"), {"add": ["2026-12-28"]})], "tests")
    named = {
        language: room.client("admin", language=language).get("/countries/FR").text for language in ("en", "fr", "ru")
    }
    assert "Christmas Day" in named["en"]
    assert "(<bdi>day off</bdi>)" in named["en"]
    assert "Noël" in named["fr"]
    assert "(<bdi>jour chômé</bdi>)" in named["fr"]
    assert "Christmas Day" in named["ru"]  # the library has none in Russian


def test_a_pilot_shows_whether_it_is_ready(desk: DeskRoom) -> None:
    edits = [Edit(("countries", "FR", "mode"), "pilot"), Edit(("countries", "FR", "pilot_receiver"), "log")]
    desk.room.office.keeper.change(edits, "tests")
    page = desk.room.client("admin").get("/countries/FR").text
    assert "not ready yet" in page
    assert "<strong>Alerts that were right</strong>" in page
    assert "readiness" not in desk.room.client("admin").get("/countries/JP").text


def test_whether_a_pilot_is_ready_is_said_in_the_visitors_language(desk: DeskRoom) -> None:
    edits = [Edit(("countries", "FR", "mode"), "pilot"), Edit(("countries", "FR", "pilot_receiver"), "log")]
    desk.room.office.keeper.change(edits, "tests")
    said = []
    for language in ("en", "es"):
        page = desk.room.client("admin", language=language).get("/countries/FR").text
        lines = page.split('id="pilot"')[1].split("</ul>")[0]
        found = re.findall(r"<strong>(.*?)</strong>: (.*?)(?:<br>|</li>)", lines, re.DOTALL)
        advice = re.findall(r'<br><span class="soft">(.*?)</span>', lines)
        said.append({*(name for name, _ in found), *(text for _, text in found), *advice})
    assert len(said[0]) > 16
    assert not said[0] & said[1]


# The preview


def test_the_preview_says_what_a_threshold_would_have_meant_and_changes_nothing(desk: DeskRoom) -> None:
    client, before = desk.room.client("admin"), text(desk.room)
    sent = form(client, "/countries/FR", thresholds__complaint="0.75")
    page = client.post("/countries/FR/preview", sent, headers=HTMX).text
    assert "<html" not in page
    assert "3 alerts would vanish" in page
    assert "0 alerts would appear" in page
    assert "Acme lost parcel 0" in page
    assert "complaint" in page
    assert text(desk.room) == before
    assert len(desk.store.alerts.alerts()) == 10


def test_the_preview_says_why_in_the_visitors_language(desk: DeskRoom) -> None:
    client = desk.room.client("admin", language="fr")
    sent = form(client, "/countries/FR", thresholds__complaint="0.75")
    page = client.post("/countries/FR/preview", sent, headers=HTMX).text
    reasons = re.findall(r'<ul class="because"><li[^>]*>(.*?)</li>', page)
    assert len(reasons) == 3
    assert all("plainte 0." in one for one in reasons)


def test_the_preview_tells_what_of_the_country_it_cannot_know(desk: DeskRoom) -> None:
    desk.post("Acme lost one more", author="late", country="JP", complaint=0.9)
    desk.room.clock.advance(60)
    client, said = desk.room.client("admin"), {}
    for code in ("FR", "JP"):
        sent = form(client, f"/countries/{code}", thresholds__complaint="0.75")
        said[code] = client.post(f"/countries/{code}/preview", sent, headers=HTMX).text
        assert "To keep in mind" in said[code]
        assert "of the time before there is nothing to replay" in said[code]
        assert f"{code}: another complaint threshold changes what counts in a burst" in said[code]
    assert "1 mention still waits to be classified" in said["JP"]
    assert "still wait" not in said["FR"]
    assert desk.store.decisions.extent("FR").countries == ("FR",)
    assert "To keep in mind" not in client.post("/countries/US/preview", form(client, "/countries/US")).text


def test_typing_along_is_answered_at_once(desk: DeskRoom) -> None:
    client = desk.room.client("admin")
    sent = form(client, "/countries/FR")
    client.post("/countries/FR/preview", sent, headers=HTMX)
    began = time.perf_counter()
    for hundredth in range(60, 90, 5):
        page = client.post("/countries/FR/preview", sent | {"thresholds.complaint": f"0.{hundredth}"}, headers=HTMX)
        assert page.status_code == 200
    assert (time.perf_counter() - began) / 6 < 1.0


def test_the_preview_of_defaults_reaches_the_countries_that_set_nothing_themselves(desk: DeskRoom) -> None:
    desk.room.office.keeper.change([Edit(("countries", "JP", "thresholds"), {"complaint": 0.5})], "tests")
    client = desk.room.client("admin")
    sent = form(client, "/countries/defaults", thresholds__complaint="0.75")
    page = client.post("/countries/defaults/preview", sent, headers=HTMX).text
    assert "3 alerts would vanish" in page
    assert "reaches 2 countries (FR, US)" in client.get("/countries/defaults").text


def test_without_scripts_the_preview_is_a_page_that_keeps_what_was_typed(desk: DeskRoom) -> None:
    client = desk.room.client("admin")
    page = client.post("/countries/FR/preview", form(client, "/countries/FR", thresholds__complaint="0,75")).text
    assert "<html" in page
    assert "3 alerts would vanish" in page
    assert 'value="0,75"' in page


@pytest.mark.parametrize("typed", ["", "no", "1.5", "-0.1", "nan", "1e-3", "0.5.5", "٠٫٥"])
def test_what_cannot_be_read_is_told_at_its_field(desk: DeskRoom, typed: str) -> None:
    client = desk.room.client("admin")
    sent = form(client, "/countries/FR", thresholds__complaint=typed)
    assert "Nothing was compared. Complaint: " in client.post("/countries/FR/preview", sent, headers=HTMX).text
    answer = client.post("/countries/FR/thresholds", sent)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "thresholds" not in text(desk.room)


def test_posts_in_the_preview_are_escaped(desk: DeskRoom) -> None:
    desk.post(HOSTILE, author="evil", name="<b>Evil</b>", complaint=0.9, urgent=0.19, followers=9_000_000)
    desk.triage()
    desk.room.clock.advance(400)
    client = desk.room.client("admin")
    sent = form(client, "/countries/FR", thresholds__complaint="0.95", thresholds__priority="0.9")
    page = client.post("/countries/FR/preview", sent, headers=HTMX).text
    assert "&lt;img src=x" in page
    assert "<img" not in page
    assert "<b>Evil" not in page


# Changing


def test_saving_edits_the_file_keeps_its_comments_and_is_noted(desk: DeskRoom) -> None:
    room = desk.room
    path = room.folder / "config.yaml"
    path.write_text(text(room).replace("  FR: {languages", "  # watch the French\n  FR: {languages"))
    room.office.keeper.look()
    room.office.keeper.look()
    client = room.client("admin", full_name="Ann Admin")
    sent = form(client, "/countries/FR", thresholds__complaint="0.75", note="too much noise")
    assert "It is in force, as version" in client.follow(client.post("/countries/FR/thresholds", sent)).text
    assert room.office.config.countries["FR"].thresholds.complaint == 0.75
    assert room.office.config.countries["JP"].thresholds.complaint == 0.5
    assert "# watch the French" in text(room)
    version = room.office.keeper.versions(1)[0]
    assert (version.author, version.origin, version.note) == ("Ann Admin", "console", "too much noise")
    (line,) = room.store.audit.page(action="settings changed")
    assert (line.object, line.country, line.data["settings"]) == ("FR", "FR", {"thresholds.complaint": 0.75})


def test_a_value_is_given_back_to_the_default(desk: DeskRoom) -> None:
    room, client = desk.room, desk.room.client("admin")
    client.post("/countries/FR/thresholds", form(client, "/countries/FR", thresholds__complaint="0.75"))
    sent = form(client, "/countries/FR", reset="thresholds.complaint")
    page = client.post("/countries/FR/preview", sent, headers=HTMX).text
    assert "3 alerts would appear" in page
    client.post("/countries/FR/thresholds", sent)
    assert room.office.config.countries["FR"].thresholds.complaint == 0.5
    assert "0.75" not in text(room)


def test_saving_what_is_in_force_writes_nothing(desk: DeskRoom) -> None:
    client, before = desk.room.client("admin"), text(desk.room)
    for code, group in (("FR", "thresholds"), ("FR", "people"), ("FR", "pilot"), (DEFAULTS, "thresholds")):
        answer = client.post(f"/countries/{code}/{group}", form(client, f"/countries/{code}", group))
        assert "Nothing was different" in client.follow(answer).text
    assert text(desk.room) == before


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(desk: DeskRoom) -> None:
    room, client = desk.room, desk.room.client("admin")
    sent = form(client, "/countries/FR", thresholds__complaint="0.75")
    room.office.keeper.change([Edit(("countries", "FR", "thresholds"), {"urgent": 0.4})], "Bob")
    answer = client.post("/countries/FR/thresholds", sent)
    assert answer.status_code == 409
    assert "Somebody else changed the configuration meanwhile" in answer.text
    assert 'value="0.75"' in answer.text
    assert room.office.config.countries["FR"].thresholds.complaint == 0.5
    again = sent | {"seen": room.office.keeper.digest, "press": "again", "thresholds.urgent": "0.4"}
    client.post("/countries/FR/thresholds", again)
    assert room.office.config.countries["FR"].thresholds.complaint == 0.75
    assert room.office.config.countries["FR"].thresholds.urgent == 0.4


def test_saving_while_the_file_is_invalid_says_that_it_is(desk: DeskRoom) -> None:
    client, path = desk.room.client("admin"), desk.room.folder / "config.yaml"
    sent = form(client, "/countries/FR", thresholds__complaint="0.75")
    path.write_text(path.read_text().replace("timezone: Europe/Paris", "timezone: Europe/Nowhere"))
    answer = client.post("/countries/FR/thresholds", sent)
    assert answer.status_code == 409
    assert "The configuration file is invalid as it stands" in answer.text
    assert "Somebody else changed" not in answer.text
    assert 'value="0.75"' in answer.text


def test_what_would_be_invalid_is_told_by_field_and_changes_nothing(desk: DeskRoom) -> None:
    client, before = desk.room.client("admin"), text(desk.room)
    sent = form(client, "/countries/FR", "people", hours="mon-fri: 25:00-26:00", languages="fr, <b>nonsense</b>")
    answer = client.post("/countries/FR/people", sent)
    assert answer.status_code == 422
    assert "The configuration would be invalid; nothing was changed." in answer.text
    assert answer.text.count('class="field setting wrong"') == 2
    assert "mon-fri: 25:00-26:00" in answer.text
    assert "&lt;b&gt;nonsense" in answer.text
    assert "<b>nonsense" not in answer.text
    assert text(desk.room) == before


def test_what_is_wrong_with_other_countries_is_not_told(desk: DeskRoom) -> None:
    path = desk.room.folder / "config.yaml"
    path.write_text(
        path.read_text().replace("timezone: Asia/Tokyo, team: tokyo}", "timezone: Geheim/Zone, team: tokyo}")
    )
    sent = {"thresholds.complaint": "0.75", "press": "1"}
    french = desk.room.client("admin", ["FR"]).post("/countries/FR/thresholds", sent)
    assert french.status_code == 422
    assert "Something is wrong outside your countries" in french.text
    assert "Geheim" not in french.text
    everywhere = desk.room.client("admin").post("/countries/FR/thresholds", sent)
    assert "countries.JP.timezone" in everywhere.text
    assert "outside your countries" not in everywhere.text


def test_a_severity_2_above_severity_3_is_refused_at_its_field(desk: DeskRoom) -> None:
    client, before = desk.room.client("admin"), text(desk.room)
    answer = client.post("/countries/FR/thresholds", form(client, "/countries/FR", thresholds__severity_2="0.7"))
    assert answer.status_code == 422
    assert "severity_2 (0.7) must not be above severity_3 (0.65)" in answer.text
    assert answer.text.count('class="field setting wrong"') == 1
    assert text(desk.room) == before


def test_team_hours_and_ramp_are_changed_as_well(desk: DeskRoom) -> None:
    room, client = desk.room, desk.room.client("admin")
    people = form(
        client, "/countries/FR", "people", team="tokyo", hours="mon-thu: 08:00-17:00\r\nfri: 08:00-12:00 13:00-16:00"
    )
    client.post("/countries/FR/people", people)
    country = room.office.config.countries["FR"]
    assert country.team == "tokyo"
    assert "fri 13:00-16:00" in repr(country.hours)
    sent = form(client, "/countries/FR", "pilot", mode="pilot", pilot_receiver="log", ramp__share="0.25")
    client.post("/countries/FR/pilot", sent | {"ramp.hours": "mon-fri: 10:00-12:00", "ramp.severities": "1"})
    country = room.office.config.countries["FR"]
    assert (country.mode, country.pilot_receiver, country.ramp.share, country.ramp.severities) == (
        "pilot",
        "log",
        0.25,
        [1],
    )
    assert country.ramp.hours is not None


def test_a_double_press_changes_once(desk: DeskRoom) -> None:
    client = desk.room.client("admin")
    sent = form(client, "/countries/FR", thresholds__complaint="0.75")
    client.post("/countries/FR/thresholds", sent)
    client.post("/countries/FR/thresholds", sent)
    assert len(desk.store.audit.page(action="settings changed")) == 1


def test_a_country_is_changed_by_those_who_see_it_and_defaults_by_those_who_see_all(desk: DeskRoom) -> None:
    french, before = desk.room.client("admin", ["FR"]), text(desk.room)
    assert french.get("/countries/FR").status_code == 200
    assert "/countries/defaults" not in french.get("/countries").text
    assert "Japan" not in french.get("/countries").text
    for code in ("JP", DEFAULTS, "XX", "DE"):
        for path in (f"/countries/{code}/thresholds", f"/countries/{code}/preview"):
            assert french.post(path, {"thresholds.complaint": "0.9"}).status_code == 404
        assert french.get(f"/countries/{code}").status_code == 404
    lead = desk.room.client("communications-lead")
    assert lead.get("/countries").status_code == 403
    assert lead.post("/countries/FR/thresholds", {"thresholds.complaint": "0.9"}).status_code == 403
    assert desk.room.client("admin").post("/countries/defaults/people", {"team": "tokyo"}).status_code == 404
    assert text(desk.room) == before


# Fields


def standing(name: str, value: Any, text: str, *, is_own: bool = True, base: str = "") -> Standing:
    field = next(one for group in GROUPS.values() for one in group if one.name == name)
    return Standing(field, value, text, "country" if is_own else "built-in", None, is_own, base)


def test_changes_follow_from_what_was_typed_and_given_back() -> None:
    own, built_in = (
        standing("thresholds.urgent", 0.4, "0.4", base="0.2"),
        standing("thresholds.priority", 0.3, "0.3", is_own=False),
    )
    assert changing.typed([own, built_in], {}, ())[1] == []
    assert changing.typed([own], {"thresholds.urgent": " 0,4 "}, ())[1] == []
    assert changing.typed([own], {"thresholds.urgent": "0.9"}, ["thresholds.urgent"])[1] == [(own.field, REMOVE)]
    assert changing.typed([built_in], {"thresholds.priority": ".5"}, ())[0][0].wrong
    assert changing.typed([built_in], {}, ["thresholds.priority"])[1] == []
    assert changing.given_back([own], [(own.field, REMOVE)]) == [(own.field, 0.2)]
    assert changing.edits(DEFAULTS, [(own.field, 0.5)]) == [Edit(("defaults", "thresholds", "urgent"), 0.5)]


def test_an_empty_field_says_null_where_that_is_allowed() -> None:
    by_name = {one.name: one for one in (*THRESHOLDS, *PILOT)}
    assert changing.read(by_name["thresholds.max_age"], "") is None
    assert changing.read(by_name["ramp.severities"], "3, 2") == [3, 2]
    for name, typed in (("join_within", ""), ("ramp.severities", "3, two"), ("ramp.hours", "always")):
        with pytest.raises(FieldError):
            changing.read(by_name[name], typed)


def test_problems_are_placed_at_their_field_or_told_apart() -> None:
    field = standing("ramp.hours", None, "")
    own = Problem("config.yaml", 3, 1, "countries.FR.ramp.hours.mon", "unknown day")
    other = Problem("config.yaml", 9, 1, "route", "wrong")
    placed, others = changing.placed("FR", [field], [own, other])
    assert placed[0].wrong == "unknown day"
    assert others == [other]
