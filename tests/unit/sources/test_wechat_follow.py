"""Files that grow, are written again, are half there, or should not be read at all."""

import json
import os
from pathlib import Path

import pytest

from listener.errors import RetryableSourceError
from sources import files, rows
from tests.unit.sources.wechat_world import World

HEADER = "Time,SenderName,Sender,TalkerName,Talker,Content\n"
ROOM = "51234567890@chatroom"


@pytest.fixture
def world(tmp_path: Path) -> World:
    folder = tmp_path / "exports"
    folder.mkdir()
    return World(folder)


def row(number: int, text: str = "水壶漏水", minute: int | None = None) -> str:
    return f'2026-11-20 10:{minute or number % 60:02}:00,顾客,wxid_{number},云帆售后群,{ROOM},"{text}{number}"\n'


def texts(world: World) -> list[str]:
    return [mention.text for mention in world.sweep()[0]]


def test_a_file_that_did_not_change_is_not_opened_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("a.csv", HEADER + row(1))
    assert texts(world) == ["水壶漏水1"]
    monkeypatch.setattr(Path, "open", lambda *args, **kwargs: pytest.fail("opened an unchanged file"))
    assert texts(world) == []


def test_a_file_that_was_only_touched_yields_nothing(world: World) -> None:
    for name in ("a.csv", "chat.json"):
        path = world.copy("weflow_detailed.json", name) if name == "chat.json" else world.write(name, HEADER + row(1))
    assert len(world.sweep()[0]) == 3
    world.clock.advance(500)
    for path in world.folder.iterdir():
        world.touch(path)
    assert world.sweep()[0] == []


def test_only_new_rows_of_a_grown_file_are_read(world: World) -> None:
    path = world.write("a.csv", HEADER + row(1) + row(2))
    assert texts(world) == ["水壶漏水1", "水壶漏水2"]
    world.clock.advance(500)
    world.write("a.csv", path.read_text() + row(3))
    assert texts(world) == ["水壶漏水3"]


def test_an_export_with_overlap_repeats_the_same_ids(world: World) -> None:
    world.write("a.csv", HEADER + row(1) + row(2))
    first = {mention.external_id for mention in world.sweep()[0]}
    world.clock.advance(500)
    world.write("a.csv", HEADER + row(2) + row(3))
    world.write("b.csv", HEADER + row(1) + row(3))
    again = [mention.external_id for mention in world.sweep()[0]]
    assert len(set(again) | first) == 3
    assert first & set(again) == first


def test_a_grown_document_repeats_ids_and_brings_the_new_ones(world: World) -> None:
    messages = [{"_": n, "localType": 1, "createTime": 1795161600 + n, "content": f"漏水{n}"} for n in range(3)]
    document = {"session": {"wxid": ROOM}, "messages": [{**item, "senderUsername": "wxid_a"} for item in messages]}
    world.write("a.json", json.dumps({**document, "messages": document["messages"][:2]}))
    first = [mention.external_id for mention in world.sweep()[0]]
    world.clock.advance(500)
    world.write("a.json", json.dumps(document))
    again = [mention.external_id for mention in world.sweep()[0]]
    assert again[:2] == first
    assert len(set(again)) == 3


def test_a_file_that_was_written_a_moment_ago_waits(world: World) -> None:
    world.write("a.csv", HEADER + row(1), age_s=1)
    assert world.sweep() == ([], [])
    world.clock.advance(2)
    assert texts(world) == ["水壶漏水1"]


def test_a_file_from_the_future_is_read_by_its_structure(world: World) -> None:
    world.write("a.csv", HEADER + row(1), age_s=-86400)
    assert texts(world) == ["水壶漏水1"]


def test_a_half_written_document_waits_and_is_reported_once(world: World) -> None:
    data = json.dumps({"weflow": {}, "session": {}, "messages": [{"localType": 1, "content": "漏水", "senderID": "a"}]})
    whole = data.replace('"senderID"', '"createTime": 1795161600, "senderID"')
    world.write("a.json", whole[:60])
    mentions, skipped = world.sweep()
    assert (mentions, [(item.where, item.broken) for item in skipped]) == ([], [("a.json", False)])
    world.clock.advance(500)
    world.write("a.json", whole[:80])
    assert world.sweep() == ([], [])
    world.write("a.json", whole, age_s=5)
    assert texts(world) == ["漏水"]


def test_a_document_that_is_being_written_again_goes_on_afterwards(world: World) -> None:
    path = world.copy("weflow_detailed.json", "a.json")
    assert len(world.sweep()[0]) == 2
    whole = path.read_text()
    world.clock.advance(500)
    world.write("a.json", whole[: len(whole) // 2])
    assert world.sweep()[0] == []
    world.clock.advance(500)
    world.write("a.json", whole)
    assert world.sweep()[0] == []


def test_an_unfinished_last_row_waits_for_its_end(world: World) -> None:
    whole = HEADER + row(1) + row(2)
    for length in (len(whole) - 1, len(whole) - 3, len(whole) - 20):
        world.cursor = None
        world.write("a.csv", whole[:length])
        mentions, skipped = world.sweep()
        assert [mention.text for mention in mentions] == ["水壶漏水1"]
        assert [(item.where, item.broken) for item in skipped] == [("a.csv:3", False)]
        world.clock.advance(500)
        world.write("a.csv", whole)
        assert texts(world) == ["水壶漏水2"]


def test_a_row_with_an_open_quote_waits_for_it(world: World) -> None:
    whole = HEADER + row(1, "第一行\n第二行,有逗号\n")
    world.write("a.csv", whole[:-10])
    assert texts(world) == []
    world.clock.advance(500)
    world.write("a.csv", whole + row(2))
    assert texts(world) == ["第一行\n第二行,有逗号\n1", "水壶漏水2"]


def test_a_quote_that_is_never_closed_costs_one_row(world: World) -> None:
    bad = f'2026-11-20 10:00:00,顾客,wxid_9,云帆售后群,{ROOM},"没有结尾\n'
    for after in (row(2) + row(3), row(2).replace('"', "") + row(3).replace('"', "")):
        world.cursor = None
        world.write("a.csv", HEADER + row(1) + bad + after)
        mentions, skipped = world.sweep()
        assert [mention.text for mention in mentions] == ["水壶漏水1", "水壶漏水2", "水壶漏水3"]
        assert [(item.where, item.broken) for item in skipped] == [("a.csv:3", True)]


def test_a_quote_within_an_unquoted_cell_is_plain_text(world: World) -> None:
    world.write("a.csv", HEADER + f'2026-11-20 10:00:00,顾客,wxid_9,群,{ROOM},他说"漏水\n' + row(2))
    assert texts(world) == ['他说"漏水', "水壶漏水2"]


@pytest.mark.parametrize(
    "bad",
    [b"2026-11-20 10:00:00,a,b\n", b"2026-11-20 10:00:00,a,b,c,d,\xff\xfe\xfa\n", b"never,a,b,c,d,e\n"],
)
def test_a_broken_row_is_named_by_file_and_line(world: World, bad: bytes) -> None:
    world.write("a.csv", (HEADER + row(1)).encode() + bad + row(2).encode())
    mentions, skipped = world.sweep()
    assert [mention.text for mention in mentions] == ["水壶漏水1", "水壶漏水2"]
    assert [(item.where, item.broken) for item in skipped] == [("a.csv:3", True)]


def test_a_long_file_comes_in_pages(world: World) -> None:
    world.write("a.csv", HEADER + "".join(row(number) for number in range(1203)))
    sizes, more = [], True
    while more:
        page = world.fetch()
        sizes.append(len(page.mentions))
        more = page.more
    assert sizes == [500, 500, 203]


def test_a_long_document_comes_in_pages_and_is_parsed_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [
        {"localType": 1, "createTime": 1795161600, "content": f"漏{n}", "senderUsername": "a1"} for n in range(1203)
    ]
    world.write("a.json", json.dumps({"session": {"wxid": ROOM}, "messages": items}))
    parsed = []
    original = files.parse_document
    monkeypatch.setattr(files, "parse_document", lambda text: parsed.append(1) or original(text))
    assert len({mention.external_id for mention in world.sweep()[0]}) == 1203
    assert parsed == [1]


def test_a_page_of_nothing_but_notices_ends_too(world: World) -> None:
    notice = f"2026-11-20 10:00:00,,系统消息,云帆售后群,{ROOM},有人加入了群聊\n"
    world.write("a.csv", HEADER + notice * 2500 + row(1))
    page = world.fetch()
    assert (len(page.mentions), len(page.skipped), page.more) == (0, 2000, True)
    assert [mention.text for mention in world.fetch().mentions] == ["水壶漏水1"]


def test_a_long_file_is_read_on_without_its_beginning(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_DIGEST_BYTES", 2000)
    path = world.write("a.csv", HEADER + "".join(row(number) for number in range(200)))
    assert len(world.sweep()[0]) == 200
    world.clock.advance(500)
    taken = []
    original = rows.Lines.take
    monkeypatch.setattr(rows.Lines, "take", lambda self: taken.append(1) or original(self))
    world.write("a.csv", path.read_text() + row(777))
    assert texts(world) == ["水壶漏水777"]
    assert len(taken) < 10


def test_a_change_before_the_cursor_is_read_again(world: World) -> None:
    world.write("a.csv", HEADER + row(1) + row(2))
    texts(world)
    world.clock.advance(500)
    world.write("a.csv", HEADER + row(0) + row(1) + row(2))
    assert texts(world) == ["水壶漏水0", "水壶漏水1", "水壶漏水2"]


def test_a_growing_chatlab_file_keeps_its_header_in_mind(world: World) -> None:
    path = world.copy("weflow_chatlab.jsonl", "a.jsonl")
    assert len(world.sweep()[0]) == 2
    world.clock.advance(500)
    new = {"_type": "message", "sender": "qinglan_lin", "timestamp": 1795161600, "type": 0, "content": "还漏"}
    world.write("a.jsonl", path.read_text() + "\n" + json.dumps(new))
    mention = world.sweep()[0][0]
    assert (mention.text, mention.place, mention.author.name) == ("还漏", "云帆售后群", "老林")


@pytest.mark.parametrize("name", ["MSG0.db", "MicroMsg.db", "MicroMsg", "x.sqlite", "a.db-wal"])
def test_databases_are_refused_by_name_without_opening(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(name, b"anything")
    monkeypatch.setattr(Path, "open", lambda *args, **kwargs: pytest.fail("opened a database"))
    _, skipped = world.sweep()
    assert [(item.where, "never opened" in item.reason) for item in skipped] == [(name, True)]
    world.clock.advance(500)
    world.touch(world.folder / name)
    assert world.sweep() == ([], [])


def test_a_database_under_another_name_is_refused_by_its_content(world: World) -> None:
    world.write("chat.csv", b"SQLite format 3\x00" + b"\0" * 100)
    assert ["never opened" in item.reason for item in world.sweep()[1]] == [True]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"name,price\nkettle,3\n", "expected an export"),
        (b"PK\x03\x04rest", "save it as CSV"),
        ("时间\n".encode("utf-16"), "UTF-16"),
        (b'{"a": 1}', "expected an export"),
        (b'{"a": 1]  and then much more text', "not valid JSON at line 1"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"errcode": 42001, "comment": []}', "42001"),
    ],
)
def test_an_unknown_file_is_reported_once(world: World, data: bytes, says: str) -> None:
    path = world.write("a.txt", data)
    world.write("b.csv", HEADER + row(1))
    mentions, skipped = world.sweep()
    assert [mention.text for mention in mentions] == ["水壶漏水1"]
    assert [(item.where, item.broken) for item in skipped] == [("a.txt", True)]
    assert says in skipped[0].reason
    world.clock.advance(500)
    world.touch(path)
    assert world.sweep() == ([], [])


def test_a_file_that_becomes_known_is_read(world: World) -> None:
    world.write("a.csv", "name,price\nkettle,3\n")
    assert texts(world) == []
    world.clock.advance(500)
    world.write("a.csv", HEADER + row(1))
    assert texts(world) == ["水壶漏水1"]


def test_a_link_out_of_the_folder_is_not_followed(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(HEADER + row(1))
    world.touch(outside)
    (world.folder / "link.csv").symlink_to(outside)
    (world.folder / "folder").symlink_to(tmp_path, target_is_directory=True)
    mentions, skipped = world.sweep()
    assert mentions == []
    assert [(item.where, "link" in item.reason) for item in skipped] == [("link.csv", True)]


def test_a_pipe_is_not_waited_for(world: World) -> None:
    os.mkfifo(world.folder / "pipe.csv")
    assert ["regular" in item.reason for item in world.sweep()[1]] == [True]


def test_hidden_unfinished_and_media_files_are_passed_over(world: World) -> None:
    for name in (".a.csv", "~$a.csv", "a.csv.part", "a.csv.tmp", "photo.jpg", "sub/.git/a.csv", "voice.silk"):
        world.write(name, HEADER + row(1))
    assert world.sweep() == ([], [])


def test_a_pattern_chooses_files(world: World) -> None:
    world.write("sub/a.csv", HEADER + row(1))
    world.write("sub/b.txt", HEADER + row(2))
    world.options["folder"] = str(world.folder / "**" / "*.csv")
    assert texts(world) == ["水壶漏水1"]


def test_a_single_file_can_be_named(world: World) -> None:
    world.options["folder"] = str(world.write("a.csv", HEADER + row(1)))
    world.write("b.csv", HEADER + row(2))
    assert texts(world) == ["水壶漏水1"]


def test_a_relative_folder_starts_at_the_working_directory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("a.csv", HEADER + row(1))
    monkeypatch.chdir(world.folder.parent)
    world.options["folder"] = "exports"
    assert texts(world) == ["水壶漏水1"]


def test_a_missing_folder_is_an_error_that_passes(world: World) -> None:
    world.options["folder"] = str(world.folder / "later")
    with pytest.raises(RetryableSourceError, match="create it or correct the path"):
        world.sweep()
    world.write("later/a.csv", HEADER + row(1))
    assert texts(world) == ["水壶漏水1"]


def test_a_deleted_file_leaves_the_cursor(world: World) -> None:
    path = world.write("a.csv", HEADER + row(1))
    texts(world)
    path.unlink()
    texts(world)
    assert json.loads(world.cursor or "")["files"] == {}


@pytest.mark.parametrize("cursor", ["", "no json", "[]", '{"files": {"a.csv": [1]}}', '{"files": 3}', "null"])
def test_an_unreadable_cursor_starts_over(world: World, cursor: str) -> None:
    world.write("a.csv", HEADER + row(1))
    world.cursor = cursor
    assert texts(world) == ["水壶漏水1"]


def test_a_document_that_is_too_large_is_refused_before_reading(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_DOCUMENT_BYTES", 1 << 20)
    world.write("a.json", b'{"weflow": {"x": "' + b"a" * (2 << 20))
    _, skipped = world.sweep()
    assert ["more than 1 MiB" in item.reason for item in skipped] == [True]


def test_a_row_without_end_does_not_fill_the_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_LINE_BYTES", 4096)
    long = b"2026-11-20 10:00:00," + b"a" * 100_000 + b"\n"
    world.write("a.csv", (HEADER + row(1)).encode() + long + row(2).encode())
    mentions, skipped = world.sweep()
    assert [mention.text for mention in mentions] == ["水壶漏水1", "水壶漏水2"]
    assert [item.where for item in skipped] == ["a.csv:3"]


def test_gb18030_rows_are_read_on_where_the_beginning_is_ascii(world: World) -> None:
    plain = "".join(f"2026-11-20 10:00:00,a,wxid_{n},g,{ROOM},plain words number {n}\n" for n in range(3000))
    world.write("a.csv", (HEADER + plain).encode() + row(1).encode("gb18030"))
    assert texts(world)[-1] == "水壶漏水1"
