"""Whatever bytes lie in the folder: nothing is raised, and a cut file yields a part of the whole file's mentions."""

import csv
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.wechat.messages import server_id
from tests.unit.sources.wechat_world import FIXTURES, World

SAMPLES = sorted(
    path.name for path in FIXTURES.iterdir() if "users" not in path.name and not path.name.startswith("wecom")
)
SHORT = settings(max_examples=60, deadline=None)
WORDS = st.text(st.sampled_from('漏水退款 ab1,"\n：:[]()>😡\t'), min_size=1, max_size=30)
HEADERS = [
    b"Time,SenderName,Sender,TalkerName,Talker,Content\n",
    "消息ID,类型,发送人,时间,内容,备注,昵称,更多信息\n".encode(),
    b'{"_type": "header", "meta": {}}\n',
    "2026-11-20 10:00:00 '老林'\n".encode(),
    "老林(wxid_a) 10:00:00\n".encode(),
    b'{"weflow": {}, "messages": [',
    b"",
]


def read(data: bytes, name: str = "a") -> tuple[list[tuple[str, str]], list[str]]:
    """Return (id, text) of the mentions in one file, and what was said to be broken."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.write(name, data)
        mentions, skipped = world.sweep()
    for mention in mentions:
        (mention.text + mention.author.name + mention.author.external_id).encode()
    return [(mention.external_id, mention.text) for mention in mentions], [
        item.where for item in skipped if item.broken
    ]


@SHORT
@given(st.sampled_from(HEADERS), st.binary(max_size=400))
def test_any_bytes_are_survived(header: bytes, data: bytes) -> None:
    read(header + data)


@SHORT
@given(st.sampled_from(SAMPLES), st.data())
def test_a_flipped_byte_is_survived_and_costs_little(name: str, data: st.DataObject) -> None:
    whole = (FIXTURES / name).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    read(whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :])


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_cut_anywhere_yields_a_beginning_of_its_mentions(name: str) -> None:
    whole = (FIXTURES / name).read_bytes()
    expected, _ = read(whole, name)
    lengths: set[int] = set()
    for length in range(0, len(whole), 3):
        found, _ = read(whole[:length], name)
        assert found == expected[: len(found)], f"cut at {length}"
        lengths.add(len(found))
    assert 0 in lengths


def as_csv(texts: list[str]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(["Time", "SenderName", "Sender", "TalkerName", "Talker", "Content"])
    for number, text in enumerate(texts):
        writer.writerow([f"2026-11-20 10:{number:02}:00", "老林", f"wxid_{number}", "群", "1@chatroom", text])
    return stream.getvalue().encode()


def as_json_lines(texts: list[str]) -> bytes:
    items = [
        {"_type": "message", "sender": f"wxid_{n}", "timestamp": 1795161600 + n, "type": 0, "content": text}
        for n, text in enumerate(texts)
    ]
    return b"".join(json.dumps(item, ensure_ascii=False).encode() + b"\n" for item in items)


def as_text(texts: list[str]) -> bytes:
    flat = [text.replace("\n", " ") for text in texts]
    return "".join(f"2026-11-20 10:{n:02}:00 '老林'\n{text}\n\n" for n, text in enumerate(flat)).encode()


@pytest.mark.parametrize("write", [as_csv, as_json_lines, as_text])
def test_a_file_of_any_texts_cut_anywhere_yields_a_beginning(write: object) -> None:
    assert callable(write)

    @SHORT
    @given(st.lists(WORDS, min_size=1, max_size=6), st.data())
    def check(texts: list[str], data: st.DataObject) -> None:
        whole = write(texts)
        expected, broken = read(whole)
        assert not broken
        length = data.draw(st.integers(0, len(whole)))
        found, broken = read(whole[:length])
        assert not broken
        assert found == expected[: len(found)]

    check()


@SHORT
@given(st.lists(WORDS, min_size=2, max_size=8), st.data())
def test_a_file_that_grows_by_pieces_yields_each_mention_once(texts: list[str], data: st.DataObject) -> None:
    whole = as_csv(texts)
    expected, _ = read(whole)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        found: list[str] = []
        for length in [*cuts, len(whole)]:
            world.clock.advance(300)
            world.write("a.csv", whole[:length])
            found += [mention.external_id for mention in world.sweep()[0]]
    assert found == [identity for identity, _ in expected]


@pytest.mark.parametrize("odd", ["9" * 5000, "0", "0000", ""])
def test_a_number_that_no_message_has_is_no_id(odd: str) -> None:
    assert server_id(odd) == ""
