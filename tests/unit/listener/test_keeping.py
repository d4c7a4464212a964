"""The configuration in force: kept as versions, read again, changed, rolled back; an invalid one changes nothing."""

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from listener.clock import FixedClock
from listener.config.editing import REMOVE, Edit
from listener.errors import ConfigError, ListenerError, StaleError
from listener.keeping import (
    ConfigFiles,
    Keeper,
    LastValid,
    changes,
    diff,
    digest_of,
    roll_back,
    seen_now,
    store_settings,
    write_atomically,
)
from listener.store import Store
from listener.store.configurations import NewVersion
from tests.databases import migrated_database, migrated_sqlite

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
TEXT = """\
# Whom we listen for
version: 1
voice: brand.yaml
brands:
  acme: {name: Acme, terms: [acme]}     # more to come
teams:
  hub: {name: Hub, languages: [en, fr]}
sources: {file: {every: 30s}}
receivers:
  screen: {type: terminal}
  desk: {type: slack, token: "${env:KEEPING_TOKEN}", channel: C1}
fallback_receiver: screen
route: {receiver: screen}
defaults:
  languages: [en]
  timezone: UTC
  hours: {mon-fri: "09:00-18:00"}
  team: hub
  thresholds:
    priority: 0.3                        # agreed in October
countries:
  FR: {languages: [fr], timezone: Europe/Paris}
  GB: {}
"""
VOICE = "acme: {signature: Acme}\n"
PRIORITY = ("defaults", "thresholds", "priority")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    folder = tmp_path / "store"
    folder.mkdir()
    if request.param == "sqlite":
        return migrated_sqlite(folder)
    return migrated_database(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store(url)
    yield store
    store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT, encoding="utf-8")
    (tmp_path / "brand.yaml").write_text(VOICE, encoding="utf-8")
    return path


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def keeper(path: Path, store: Store, clock: FixedClock) -> Keeper:
    keeper = Keeper(path, store, clock)
    keeper.keep()
    return keeper


def write(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def settled(keeper: Keeper) -> bool:
    """Look twice, as the daemon does within two seconds."""
    first = keeper.look()
    return keeper.look() or first


def test_what_is_in_force_is_kept_once(keeper: Keeper, path: Path) -> None:
    first, again = keeper.keep(), keeper.keep()
    assert first.id == again.id
    assert [one.id for one in keeper.versions()] == [first.id]
    assert first.at == NOW
    assert first.author == path.owner()
    assert first.files == {"config.yaml": TEXT, "brand.yaml": VOICE}


def test_an_edited_file_comes_into_force_at_the_second_look(keeper: Keeper, path: Path, clock: FixedClock) -> None:
    write(path, "priority: 0.3 ", "priority: 0.4 ")
    clock.advance(300)
    assert not keeper.look()
    assert keeper.config.countries["FR"].thresholds.priority == 0.3
    assert keeper.look()
    assert keeper.config.countries["FR"].thresholds.priority == 0.4
    last, first = keeper.versions()
    assert (last.origin, last.at) == ("file", NOW + timedelta(minutes=5))
    assert [line.split(":")[0] for line in changes(first.effective, last.effective)] == [
        "countries.FR.thresholds.priority",
        "countries.GB.thresholds.priority",
    ]


def test_a_file_that_is_still_being_written_waits(keeper: Keeper, path: Path) -> None:
    for value in (0.41, 0.42, 0.43):
        path.write_text(TEXT.replace("priority: 0.3 ", f"priority: {value} "), encoding="utf-8")
        assert not keeper.look()
    assert keeper.look()
    assert keeper.config.countries["GB"].thresholds.priority == 0.43


def test_the_voice_file_counts_as_well(keeper: Keeper, path: Path) -> None:
    (path.parent / "brand.yaml").write_text("acme: {signature: The Acme team}\n", encoding="utf-8")
    assert settled(keeper)
    assert keeper.config.voices["acme"].signature == "The Acme team"
    assert diff(keeper.versions()[1].files, keeper.versions()[0].files)[:2] == ["--- a/brand.yaml", "+++ b/brand.yaml"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("priority: 0.3 ", "priority: 3 ", "less than or equal to 1"),
        ("route: {receiver: screen}", "route: {receiver: scren}", "there is no receiver 'scren'"),
        ("brands:\n", "brands: [\n", "not valid YAML"),
        ("voice: brand.yaml", "voice: missing.yaml", "no such file"),
        (TEXT, "", "the file is empty"),
    ],
)
def test_an_invalid_file_changes_nothing_and_says_why(
    keeper: Keeper, path: Path, before: str, after: str, said: str
) -> None:
    config, versions = keeper.config, len(keeper.versions())
    write(path, before, after)
    assert not settled(keeper)
    assert keeper.config is config
    assert said in keeper.problem
    assert len(keeper.versions()) == versions
    path.write_text(TEXT, encoding="utf-8")
    assert not settled(keeper)
    assert (keeper.problem, keeper.config is config) == ("", True)


def test_a_file_that_is_gone_changes_nothing(keeper: Keeper, path: Path) -> None:
    path.unlink()
    assert not settled(keeper)
    assert "there is no such file" in keeper.problem
    path.write_text(TEXT, encoding="utf-8")
    assert not settled(keeper)
    assert keeper.problem == ""


def test_a_change_keeps_comments_order_and_mode(keeper: Keeper, path: Path) -> None:
    path.chmod(0o600)
    version = keeper.change([Edit(PRIORITY, 0.35)], "Lotte", "fewer mild ones", seen=keeper.digest)
    assert path.read_text(encoding="utf-8") == TEXT.replace("priority: 0.3 ", "priority: 0.35")
    assert path.stat().st_mode & 0o777 == 0o600
    assert (version.author, version.note, version.origin) == ("Lotte", "fewer mild ones", "cli")
    assert keeper.config.countries["FR"].thresholds.priority == 0.35
    assert not settled(keeper)  # what we wrote ourselves is no news


def test_an_invalid_change_writes_nothing(keeper: Keeper, path: Path) -> None:
    with pytest.raises(ConfigError, match="less than or equal to 1"):
        keeper.change([Edit(PRIORITY, 7)], "Lotte")
    assert path.read_text(encoding="utf-8") == TEXT
    assert keeper.config.countries["FR"].thresholds.priority == 0.3
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".config")] == []


def test_whoever_saw_an_older_file_is_told(keeper: Keeper, path: Path) -> None:
    seen = keeper.digest
    keeper.change([Edit(PRIORITY, 0.35)], "Lotte", seen=seen)
    with pytest.raises(StaleError, match="changed meanwhile"):
        keeper.change([Edit(PRIORITY, 0.9)], "Ravi", seen=seen)
    assert keeper.config.countries["FR"].thresholds.priority == 0.35


def test_of_two_at_once_one_is_told(keeper: Keeper, path: Path, store: Store, clock: FixedClock) -> None:
    others = [Keeper(path, store, clock) for _ in range(4)]
    seen, outcomes = keeper.digest, []

    def change(one: Keeper, value: float) -> None:
        try:
            outcomes.append(one.change([Edit(PRIORITY, value)], f"person {value}", seen=seen).author)
        except StaleError:
            outcomes.append("stale")

    threads = [threading.Thread(target=change, args=(one, 0.4 + i / 100)) for i, one in enumerate(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[-3:] == ["stale"] * 3
    assert len(store.configurations.versions()) == 2


def test_an_edit_that_no_daemon_saw_is_kept_before_it_is_replaced(keeper: Keeper, path: Path) -> None:
    write(path, "GB: {}", "GB: {name: Britain}")
    keeper.change([Edit(PRIORITY, 0.35)], "Lotte")
    assert [one.origin for one in keeper.versions()] == ["cli", "file", "file"]
    assert keeper.config.countries["GB"].name == "Britain"


def test_back_to_an_earlier_version(keeper: Keeper, path: Path) -> None:
    keeper.change([Edit(PRIORITY, 0.35), Edit(("countries", "GB"), REMOVE)], "Lotte")
    version = keeper.rollback(keeper.versions()[-1].id, "Ravi")
    assert path.read_text(encoding="utf-8") == TEXT
    assert (version.author, version.note) == ("Ravi", f"back to version {keeper.versions()[-1].id}")
    assert set(keeper.config.countries) == {"FR", "GB"}
    assert len(keeper.versions()) == 3


def test_back_while_the_file_is_invalid(keeper: Keeper, path: Path, store: Store, clock: FixedClock) -> None:
    path.write_text("brands: [", encoding="utf-8")
    (path.parent / "brand.yaml").unlink()
    target, back = roll_back(ConfigFiles(path, store, clock), None, "Ravi")
    assert (target, back.version.id) == (1, 1)  # it is what was kept last
    assert path.read_text(encoding="utf-8") == TEXT
    assert (path.parent / "brand.yaml").read_text(encoding="utf-8") == VOICE
    assert not settled(keeper)


def test_back_without_a_number_is_the_one_before(keeper: Keeper, path: Path, store: Store, clock: FixedClock) -> None:
    keeper.change([Edit(PRIORITY, 0.35)], "Lotte")
    target, back = roll_back(ConfigFiles(path, store, clock), None, "Ravi")
    assert (target, back.version.id) == (1, 3)
    assert path.read_text(encoding="utf-8") == TEXT


def test_going_back_twice_goes_further_back(keeper: Keeper, path: Path, store: Store, clock: FixedClock) -> None:
    keeper.change([Edit(PRIORITY, 0.35)], "Lotte")
    keeper.change([Edit(PRIORITY, 0.45)], "Lotte")
    assert roll_back(ConfigFiles(path, store, clock), None, "Ravi")[0] == 2
    assert roll_back(ConfigFiles(path, store, clock), None, "Ravi")[0] == 1
    with pytest.raises(ListenerError, match="no other configuration was kept"):
        roll_back(ConfigFiles(path, store, clock), None, "Ravi")
    assert path.read_text(encoding="utf-8") == TEXT


def test_back_to_nowhere_is_said(keeper: Keeper, path: Path, store: Store, clock: FixedClock) -> None:
    with pytest.raises(ListenerError, match="no other configuration was kept"):
        roll_back(ConfigFiles(path, store, clock), None, "Ravi")
    with pytest.raises(ListenerError, match="there is no version 99"):
        roll_back(ConfigFiles(path, store, clock), 99, "Ravi")


def test_back_to_one_that_is_invalid_now_writes_nothing(
    keeper: Keeper, path: Path, store: Store, clock: FixedClock
) -> None:
    first = keeper.versions()[0]
    old = {**first.files, "config.yaml": TEXT.replace("version: 1", "version: 0")}
    store.configurations.keep(NewVersion("x", "file", "", digest_of(old), old, first.effective), NOW)
    with pytest.raises(ConfigError, match="this release reads version 1"):
        keeper.rollback(2, "Ravi")
    assert path.read_text(encoding="utf-8") == TEXT


def test_what_cannot_be_had_is_withdrawn(keeper: Keeper, path: Path) -> None:
    config = keeper.config
    write(path, "GB: {}", "GB: {name: Britain}")
    assert settled(keeper)
    keeper.withdraw("the model cannot be loaded")
    assert keeper.config is config
    assert keeper.problem == "the model cannot be loaded"
    assert not settled(keeper)
    assert keeper.versions()[0].digest == keeper.versions()[-1].digest


def test_a_folder_that_cannot_be_written_is_said(keeper: Keeper, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*ignored: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refused)  # root may write everywhere
    with pytest.raises(ListenerError, match="Permission denied"):
        keeper.change([Edit(PRIORITY, 0.35)], "Lotte")
    assert path.read_text(encoding="utf-8") == TEXT
    assert sorted(one.name for one in path.parent.iterdir()) == ["brand.yaml", "config.yaml", "store"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays_the_owner(keeper: Keeper, path: Path) -> None:
    os.chown(path, 1234, 1234)
    keeper.change([Edit(PRIORITY, 0.35)], "Lotte")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1234)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("a: 1\n", encoding="utf-8")
    link.symlink_to(real)
    write_atomically({link: "a: 2\n"})
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "a: 2\n"


def test_line_ends_stay_as_they_are(tmp_path: Path, store: Store, clock: FixedClock) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(TEXT.replace("voice: brand.yaml\n", "").replace("\n", "\r\n").encode())
    keeper = Keeper(path, store, clock)
    keeper.change([Edit(PRIORITY, 0.35)], "Lotte")
    assert path.read_bytes().count(b"\r\n") == path.read_bytes().count(b"\n")
    assert keeper.config.countries["FR"].thresholds.priority == 0.35


def test_secrets_are_kept_as_references(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPING_TOKEN", "xoxb-very-secret")
    assert "xoxb" not in keeper.versions()[0].effective
    assert "${env:KEEPING_TOKEN}" in keeper.versions()[0].effective


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (TEXT, "sqlite:///var/listener.db"),
        (TEXT + 'store: {url: "sqlite:///elsewhere.db"}\n', "sqlite:///elsewhere.db"),
        ('{"brands": [], "store": {"url": "sqlite:///a.db"}}', "sqlite:///a.db"),
        ('one: &it {url: "sqlite:///a.db"}\n"store": *it\n', "sqlite:///a.db"),
        ('brands: [\nstore:\n  # here\n  url: "sqlite:///a.db"\n\nroute: {{', "sqlite:///a.db"),
        ('brands: [\n"store": {url: "sqlite:///a.db"}\n', "sqlite:///a.db"),
        ("brands: [", "sqlite:///var/listener.db"),
    ],
)
def test_the_store_is_found_in_an_invalid_file(tmp_path: Path, text: str, url: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    assert store_settings(path).url == url


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("brands: {}\nstore: {url: 5}\n", r"config\.yaml:2:9 store\.url - must be a valid string \(found '5'\)"),
        ("store: [1]\n", r"config\.yaml:1:1 store - "),
        ("brands: [\nstore: {path: here}\n", r"store\.path - unknown key 'path'"),
        ("brands: [\nstore: {path: [\n", "not valid YAML"),
    ],
)
def test_a_store_that_cannot_be_understood_is_said(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        store_settings(path)


def test_a_large_file_is_taken_apart_once_for_many_looks(
    keeper: Keeper, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(TEXT + "# a comment\n" * 10, encoding="utf-8")
    assert settled(keeper)

    def parsed_again(*ignored: object) -> None:
        raise AssertionError("the same text is parsed at each look")

    monkeypatch.setattr("listener.config.loading.parse_yaml", parsed_again)
    assert not keeper.look()
    assert not keeper.look()
    assert keeper.problem == ""


@pytest.mark.parametrize("name", ["v" * 300 + ".yaml", "brand.yaml/none"])
def test_a_voice_file_that_cannot_be_is_a_problem_like_others(keeper: Keeper, path: Path, name: str) -> None:
    path.write_text(TEXT.replace("voice: brand.yaml", f"voice: {name}"), encoding="utf-8")
    assert not settled(keeper)
    assert "config.yaml:3:1 voice" in keeper.problem


def test_an_invalid_file_is_put_aside_before_an_earlier_one_comes_back(
    keeper: Keeper, path: Path, store: Store, clock: FixedClock
) -> None:
    long_work = TEXT.replace("FR:", "IT: {languages: [it]}\n  FR:") + "typo"
    path.write_text(long_work, encoding="utf-8")
    _, back = roll_back(ConfigFiles(path, store, clock), 1, "Ravi")
    assert back.aside == (path.with_name("config.yaml.invalid"),)
    assert back.aside[0].read_text(encoding="utf-8") == long_work
    assert path.read_text(encoding="utf-8") == TEXT
    assert roll_back(ConfigFiles(path, store, clock), 1, "Ravi")[1].aside == ()


def test_each_invalid_file_is_put_aside_and_no_copy_is_lost_to_the_next(
    keeper: Keeper, path: Path, store: Store, clock: FixedClock
) -> None:
    voice, files = path.with_name("brand.yaml"), ConfigFiles(path, store, clock)
    for number, precious in enumerate([b"acme: {hours of work}", b"\xff not UTF-8", b"\xff not UTF-8"]):
        voice.write_bytes(precious)
        _, back = roll_back(files, 1, "Ravi")
        assert back.aside == (path.with_name(f"brand.yaml.invalid{'-2' if number else ''}"),)
        assert back.aside[0].read_bytes() == precious
        assert voice.read_text(encoding="utf-8") == VOICE
    path.write_text("brands: [", encoding="utf-8")
    voice.write_bytes(b"acme: {more}")
    keeper.rollback(1, "Ravi")
    assert sorted(one.name for one in path.parent.glob("*.invalid*")) == [
        "brand.yaml.invalid", "brand.yaml.invalid-2", "brand.yaml.invalid-3", "config.yaml.invalid"
    ]  # fmt: skip


def test_where_no_version_can_be_kept_no_file_is_changed(
    keeper: Keeper, path: Path, url: str, clock: FixedClock
) -> None:
    keeper.change([Edit(PRIORITY, 0.35)], "Lotte")
    changed, closed = path.read_text(encoding="utf-8"), Store(url, read_only=True)
    with pytest.raises(DBAPIError):
        roll_back(ConfigFiles(path, closed, clock), 1, "Ravi")
    closed.close()
    assert path.read_text(encoding="utf-8") == changed


def last_of(keeper: Keeper, path: Path, store: Store, clock: FixedClock) -> LastValid:
    return ConfigFiles(path, store, clock).last_valid("why", seen_now(path))


def test_what_was_in_force_last_is_had_where_the_file_says_where_its_database_is(
    keeper: Keeper, path: Path, url: str, store: Store, clock: FixedClock
) -> None:
    keeper.change([Edit(("store",), {"url": url})], "Lotte")
    good = path.read_text(encoding="utf-8")
    for bad in (good + "countries: [", good + "# caf\xe9", good.replace("version: 1", "version: 0")):
        path.write_bytes(bad.encode("latin-1"))
        instead = last_of(keeper, path, store, clock)
        again = Keeper(path, store, clock, instead)
        assert (again.config, again.problem) == (keeper.config, "why")
        assert not settled(again)  # and nothing is said twice
        path.write_text(good.replace("GB: {}", "GB: {name: Britain}"), encoding="utf-8")
        assert settled(again)
        assert again.problem == ""
        keeper.rollback(2, "Lotte")


def test_a_file_that_lost_its_end_brings_no_old_database_into_force(
    keeper: Keeper, path: Path, store: Store, clock: FixedClock
) -> None:
    path.write_text(TEXT[: TEXT.index("countries")], encoding="utf-8")
    with pytest.raises(ConfigError, match="does not say where its database is"):
        last_of(keeper, path, store, clock)
    path.write_text(TEXT + "store: {url: sqlite:///other.db}\nx: 1\n", encoding="utf-8")
    with pytest.raises(ListenerError, match="has another database"):
        last_of(keeper, path, store, clock)


def test_what_cannot_be_had_is_not_tried_again_as_what_was_in_force_last(
    keeper: Keeper, path: Path, store: Store, clock: FixedClock
) -> None:
    with pytest.raises(ListenerError, match="it is what was in force last"):
        last_of(keeper, path, store, clock)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"\xff\xfe\x00")])
def test_a_file_that_is_gone_or_no_text_comes_back(
    keeper: Keeper, path: Path, store: Store, clock: FixedClock, damage: Callable[[Path], object]
) -> None:
    damage(path)
    target, back = roll_back(ConfigFiles(path, store, clock), None, "Ravi")
    assert (target, back.version.id) == (1, 1)
    assert path.read_text(encoding="utf-8") == TEXT


def test_a_voice_file_of_another_time_is_kept_before_it_is_replaced(
    keeper: Keeper, path: Path, store: Store, clock: FixedClock
) -> None:
    write(path, "voice: brand.yaml", "voice: new.yaml")
    (path.parent / "new.yaml").write_text(VOICE, encoding="utf-8")
    assert settled(keeper)
    draft = VOICE.replace("Acme}", "Acme & Sons}")
    (path.parent / "brand.yaml").write_text(draft, encoding="utf-8")
    roll_back(ConfigFiles(path, store, clock), 1, "Ravi")
    assert (path.parent / "brand.yaml").read_text(encoding="utf-8") == VOICE
    assert draft in [version.files["brand.yaml"] for version in keeper.versions() if "brand.yaml" in version.files]


def test_a_full_disk_changes_neither_of_two_files(
    keeper: Keeper, path: Path, store: Store, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = TEXT + "# longer\n"
    path.write_text(other, encoding="utf-8")
    (path.parent / "brand.yaml").write_text("acme: {signature: Other}\n", encoding="utf-8")
    assert settled(keeper)
    synced, really = [], os.fsync

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")
        really(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ListenerError, match="No space left on device"):
        keeper.rollback(1, "Ravi")
    assert len(keeper.versions()) == 2
    assert path.read_text(encoding="utf-8") == other
    assert "Other" in (path.parent / "brand.yaml").read_text(encoding="utf-8")
    assert sorted(one.name for one in path.parent.iterdir()) == ["brand.yaml", "config.yaml", "store"]


def test_a_byte_order_mark_stays(path: Path, store: Store, clock: FixedClock) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    Keeper(path, store, clock).change([Edit(PRIORITY, 0.35)], "Lotte")
    assert path.read_bytes() == b"\xef\xbb\xbf" + TEXT.replace("priority: 0.3 ", "priority: 0.35").encode()


def test_a_change_stands_in_the_audit_log(keeper: Keeper, store: Store) -> None:
    keeper.change([Edit(PRIORITY, 0.35)], "Lotte", "fewer", origin="console")
    (line,) = store.audit.page()
    assert (line.actor, line.origin, line.action, line.object) == ("Lotte", "console", "configuration changed", "2")
