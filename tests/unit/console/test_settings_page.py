"""The settings' pages: configurations that were in force, what each changed, and the way back."""

from listener.config.editing import Edit
from tests.console_room import ConsoleRoom

PRIORITY = ("countries", "FR", "thresholds")


def changed(
    room: ConsoleRoom, value: float = 0.35, actor: str = "Ann <b>Admin</b>", note: str = "less <i>noise</i>"
) -> int:
    keeper = room.office.keeper
    keeper.keep()
    return keeper.change([Edit(PRIORITY, {"priority": value})], actor, note, origin="console").id


def test_history_names_who_changed_what_and_why(room: ConsoleRoom) -> None:
    number = changed(room)
    room.clock.advance(60)
    room.office.keeper.change([Edit(("countries", "JP", "thresholds"), {"urgent": 0.5})], "Bob", origin="cli")
    page = room.client("admin").get("/settings").text
    assert "countries.FR.thresholds.priority: 0.3 -&gt; 0.35" in page
    assert "Ann &lt;b&gt;Admin&lt;/b&gt;" in page
    assert "less &lt;i&gt;noise&lt;/i&gt;" in page
    assert f'href="/settings/{number}"' in page
    assert "on the command line" in page
    assert "valid and in force" in page


def test_a_version_shows_its_files_line_by_line_and_the_way_back(room: ConsoleRoom) -> None:
    number = changed(room)
    page = room.client("admin").get(f"/settings/{number}").text
    assert "<ins>+  FR: {languages: [fr], timezone: Europe/Paris, thresholds: {priority: 0.35}}</ins>" in page
    assert "in force" in page
    assert f"/settings/{number}/rollback" not in page
    first = room.client("admin").get(f"/settings/{number - 1}").text
    assert "countries.FR.thresholds.priority: 0.35 -&gt; 0.3" in first
    assert f"/settings/{number - 1}/rollback" in first


def test_a_bad_change_is_rolled_back(room: ConsoleRoom) -> None:
    before = (room.folder / "config.yaml").read_text()
    number = changed(room)
    client = room.client("admin", full_name="Ann Admin")
    answer = client.post(f"/settings/{number - 1}/rollback", {"seen": room.office.keeper.digest, "press": "1"})
    assert f"Version {number - 1} is in force again" in client.follow(answer).text
    assert (room.folder / "config.yaml").read_text() == before
    assert room.office.config.countries["FR"].thresholds.priority == 0.3
    version = room.office.keeper.versions(1)[0]
    assert (version.author, version.origin) == ("Ann Admin", "console")
    client.post(f"/settings/{number}/rollback", {"seen": room.office.keeper.digest, "press": "1"})  # the same press
    assert room.office.config.countries["FR"].thresholds.priority == 0.3


def test_what_somebody_changed_meanwhile_is_looked_at_first(room: ConsoleRoom) -> None:
    number, seen, client = changed(room), room.office.keeper.digest, room.client("admin")
    changed(room, 0.5)
    answer = client.post(f"/settings/{number - 1}/rollback", {"seen": seen, "press": "1"})
    assert "changed meanwhile by somebody else" in client.follow(answer).text
    assert room.office.config.countries["FR"].thresholds.priority == 0.5


def test_an_invalid_file_is_told_on_every_page_of_an_admin(room: ConsoleRoom) -> None:
    path = room.folder / "config.yaml"
    path.write_text(path.read_text().replace("timezone: Europe/Paris}", "timezone: Europe/Nowhere}"))
    room.office.keeper.look()
    room.office.keeper.look()
    page = room.client("admin").get("/settings").text
    assert "The configuration file is invalid; the one before stays in force." in page
    assert "unknown time zone" in page
    assert "valid and in force" not in page


def test_an_admin_of_some_countries_reads_what_is_wrong_in_these(room: ConsoleRoom) -> None:
    path = room.folder / "config.yaml"
    both = path.read_text().replace("timezone: Asia/Tokyo, team: tokyo}", "timezone: Geheim/Zone, team: tokyo}")
    path.write_text(both.replace("timezone: Europe/Paris}", "timezone: Europe/Nowhere}"))
    room.office.keeper.look()
    room.office.keeper.look()
    french, american = (room.client("admin", [code]).get("/account").text for code in ("FR", "US"))
    assert "countries.FR.timezone" in french
    assert "Europe/Nowhere" in french
    for page in (french, american):
        assert "The configuration file is invalid" in page
        assert "Something is wrong outside your countries" in page
        assert "Geheim" not in page
        assert "countries.JP" not in page
    assert "countries.FR" not in american
    assert "valid and in force" not in room.client("admin", ["US"]).get("/settings").text
    everywhere = room.client("admin").get("/account").text
    assert "Geheim/Zone" in everywhere
    assert "outside your countries" not in everywhere


def test_an_admin_of_some_countries_sees_what_concerns_them_alone(room: ConsoleRoom) -> None:
    number = changed(room)
    room.office.keeper.change([Edit(("countries", "JP", "thresholds"), {"urgent": 0.5})], "Bob", origin="cli")
    client = room.client("admin", ["JP"])
    page = client.get("/settings").text
    assert "countries.JP.thresholds.urgent" in page
    for hidden in ("countries.FR", "Ann ", "noise", f'href="/settings/{number}"'):
        assert hidden not in page
    assert f'href="/settings/{number - 1}"' in page, "the first one concerns everybody"
    assert client.get(f"/settings/{number}").status_code == 404
    one = client.get(f"/settings/{number + 1}").text
    assert "countries.JP.thresholds.urgent" in one
    assert 'class="diff"' not in one
    audit = client.get("/audit").text
    assert ("Bob" in audit, "Ann " in audit, "noise" in audit) == (True, False, False)
    assert client.post(f"/settings/{number}/rollback", {"seen": room.office.keeper.digest}).status_code == 403
    assert room.client("communications-lead").get("/settings").status_code == 403


def test_a_change_of_defaults_concerns_everybody(room: ConsoleRoom) -> None:
    changed(room)
    edit = Edit(("defaults", "join_within"), "48h")
    number = room.office.keeper.change([edit], "Ann", "we answer late", origin="console").id
    own = Edit(("countries", "JP", "join_within"), "24h")
    room.office.keeper.change([own, Edit(("defaults", "join_within"), "24h")], "Ann", "back", origin="console")
    client = room.client("admin", ["JP"])
    for path in ("/settings", f"/settings/{number}", "/audit"):
        page = client.get(path).text
        assert "we answer late" in page
        assert "noise" not in page


def test_what_the_daemon_notes_of_the_whole_file_is_for_who_sees_all_of_it(room: ConsoleRoom) -> None:
    path = room.folder / "config.yaml"
    room.office.keeper.keep()
    path.write_text(path.read_text().replace("Asia/Tokyo, team", "Asia/Seoul, team"))
    room.office.keeper.look()
    room.office.keeper.look()
    room.office.keeper.withdraw("Geheim is not to be had")
    for path_ in ("/settings", "/settings/3", "/audit"):
        assert "Geheim" in room.client("admin").get(path_).text
        page = room.client("admin", ["JP"]).get(path_).text
        assert "Asia/Tokyo" in page or path_ == "/audit"
        assert "Geheim" not in page


def test_versions_of_other_countries_are_passed_over_page_by_page(room: ConsoleRoom) -> None:
    room.office.keeper.keep()
    for number in range(30):
        changed(room, round(0.2 + number / 100, 2))
        if number == 2:
            room.office.keeper.change([Edit(("countries", "JP", "join_within"), "48h")], "Bob", origin="cli")
    client = room.client("admin", ["JP"])
    page = client.get("/settings").text
    assert page.count('href="/settings/') == 2
    assert "countries.JP.join_within" in page
    assert 'href="/settings?before=' not in page
    assert client.get("/audit").text.count("configuration changed</a>") == 1


def test_many_versions_are_told_page_by_page(room: ConsoleRoom) -> None:
    for number in range(30):
        changed(room, round(0.2 + number / 100, 2))
    client = room.client("admin")
    first = client.get("/settings").text
    assert 'href="/settings?before=' in first
    last = client.get("/settings", params={"before": "6"}).text
    assert 'href="/settings?before=' not in last
    assert 'href="/settings/1"' in last
    for path in ("/settings/0", "/settings/x", "/settings/99999999999999999999"):
        assert client.get(path).status_code == 404


def test_what_is_in_force_is_brought_back_into_an_invalid_file(room: ConsoleRoom) -> None:
    number, path, client = changed(room), room.folder / "config.yaml", room.client("admin")
    good = path.read_text()
    path.write_text(good.replace("timezone: Europe/Paris", "timezone: Europe/Nowhere"))
    room.office.keeper.look()
    room.office.keeper.look()
    page = client.get(f"/settings/{number}").text
    assert "can be written into it again" in page
    seen = room.office.keeper.standing_digest
    assert f'name="seen" value="{seen}"' in page
    path.write_text(path.read_text() + "# somebody is at it\n")
    answer = client.post(f"/settings/{number}/rollback", {"seen": seen, "press": "1"})
    assert "changed meanwhile by somebody else" in client.follow(answer).text
    sent = {"seen": room.office.keeper.standing_digest, "press": "2"}
    answer = client.post(f"/settings/{number}/rollback", sent)
    assert "The files are again what is in force." in client.follow(answer).text
    assert path.read_text() == good
    assert (room.folder / "config.yaml.invalid").exists()
    assert "is invalid" not in client.get("/settings").text
