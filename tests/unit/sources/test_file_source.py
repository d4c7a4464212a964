"""The `file` source: the documented mapping, saved answers, and replays."""

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import sources.file
from listener.clock import FixedClock
from listener.errors import RetryableSourceError, SourceError
from listener.model import Author, Engagement, Mention, Page, Skipped, Watch, Withdrawn
from sources.fields import language_tag
from sources.file import FIELDS, FileOptions, FileSource, FileWatchOptions, read_replay
from sources.files import unread_above

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
FULL: dict[str, Any] = {
    "id": "p1",
    "text": "Kettle leaks",
    "network": "Facebook",
    "published_at": "2026-11-20T10:00:00+01:00",
    "author_id": "u1",
    "author_name": "Ann",
    "author_handle": "@ann",
    "followers": "1,200",
    "verified": "yes",
    "bio": "Reporter",
    "location": "Leeds, UK",
    "language": "en_gb",
    "url": "https://example.org/p1",
    "conversation_id": "c1",
    "reply_to_id": "p0",
    "likes": 3,
    "replies": "4",
    "reposts": 5.0,
    "quotes": "6",
    "views": 7000,
    "country": "gb",
    "place": "Leeds",
    "sponsored": "false",
    "deleted": "false",
}


def put(path: Path, data: str | bytes, age_s: float = 60) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    os.utime(path, (NOW.timestamp() - age_s,) * 2)
    return path


def fetch(path: Path, cursor: str | None = None, **options: Any) -> Page:
    watch = Watch(
        id="file/GB/yunfan",
        source="file",
        brand="yunfan",
        country="GB",
        languages=("en",),
        terms=("yunfan",),
        options=FileWatchOptions(path=str(path), **options),
    )
    return FileSource(FileOptions(), FixedClock(NOW)).fetch(watch, cursor)


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def only(page: Page) -> Mention:
    assert page.skipped == ()
    (mention,) = page.mentions
    return mention


EXPECTED = Mention(
    network="facebook",
    external_id="p1",
    text="Kettle leaks",
    published_at=datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
    author=Author("facebook", "u1", "Ann", "ann", 1200, True, "Reporter", "Leeds, UK"),
    url="https://example.org/p1",
    language="en-GB",
    conversation_id="c1",
    reply_to_id="p0",
    engagement=Engagement(3, 4, 5, 6, 7000),
    country="GB",
    place="Leeds",
)


def test_every_field_is_read_from_json_lines(tmp_path: Path) -> None:
    assert set(FULL) == set(FIELDS)
    assert only(fetch(put(tmp_path / "a.jsonl", lines(FULL)))) == EXPECTED


def test_json_truth_values_are_read(tmp_path: Path) -> None:
    mention = only(fetch(put(tmp_path / "a.jsonl", lines({"text": "a", "verified": True, "sponsored": True}))))
    assert (mention.author.verified, mention.sponsored) == (True, True)


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "replay").iterdir()), ids=lambda path: path.name)
def test_every_row_of_the_examples_is_read(path: Path) -> None:
    mentions, skipped = replay(path)
    assert mentions
    assert skipped == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_field_is_read_from_csv(tmp_path: Path, delimiter: str) -> None:
    cells = [f'"{value}"' for value in FULL.values()]
    text = "\ufeff" + delimiter.join(FULL) + "\r\n" + delimiter.join(cells) + "\r\n"
    assert only(fetch(put(tmp_path / "a.csv", text))) == EXPECTED


def test_every_field_is_described_in_the_manual() -> None:
    manual = (ROOT / "docs" / "file-format.md").read_text(encoding="utf-8")
    assert [name for name in FIELDS if f"\n| `{name}` " not in manual] == []


def test_text_alone_is_enough(tmp_path: Path) -> None:
    mention = only(fetch(put(tmp_path / "a.jsonl", lines({"text": "Kettle leaks"}))))
    assert mention.network == "file"
    assert mention.published_at == datetime(2026, 11, 21, 11, 59, tzinfo=UTC)
    assert mention.external_id.startswith("h-")
    assert mention.author.external_id == f"author of {mention.external_id}"
    assert mention.engagement == Engagement()


def test_an_id_made_of_the_content_is_the_same_in_another_file(tmp_path: Path) -> None:
    row = {"text": "Kettle leaks", "author_name": "Ann"}
    first = only(fetch(put(tmp_path / "a.jsonl", lines(row)), network="gripe"))
    again = only(fetch(put(tmp_path / "b.jsonl", lines(row), age_s=900), network="gripe"))
    other = only(fetch(put(tmp_path / "c.jsonl", lines({**row, "author_name": "Bob"})), network="gripe"))
    assert first.external_id == again.external_id != other.external_id


@pytest.mark.parametrize(
    "value",
    [1795168800, "1795168800", 1795168800000, "2026-11-20T10:00:00Z", "2026-11-20 10:00", "2026/11/20 10:00:00"],
)
def test_times_are_read_as_seconds_milliseconds_or_iso(tmp_path: Path, value: Any) -> None:
    mention = only(fetch(put(tmp_path / "a.jsonl", lines({"text": "a", "published_at": value}))))
    assert mention.published_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "nr,Comment,text\n7,Kettle leaks,ignored\n")
    mention = only(fetch(path, columns={"text": "Comment", "id": "nr"}))
    assert (mention.external_id, mention.text) == ("7", "Kettle leaks")


def test_an_unknown_field_in_columns_is_refused() -> None:
    with pytest.raises(ValidationError):
        FileWatchOptions(path="a", columns={"txt": "Comment"})


@pytest.mark.parametrize(
    "field",
    [
        {"followers": "many"},
        {"followers": True},
        {"verified": "?"},
        {"verified": [1]},
        {"url": "javascript:alert(1)"},
        {"url": {"a": 1}},
        {"country": "England"},
    ],
)
def test_an_optional_field_that_makes_no_sense_is_left_empty(tmp_path: Path, field: dict[str, str]) -> None:
    mention = only(fetch(put(tmp_path / "a.jsonl", lines({"text": "a", **field}))))
    assert (mention.author.followers, mention.author.verified, mention.url, mention.country) == (None,) * 4


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"id": "1"}, "'text' is missing"),
        ({"text": " "}, "'text' is missing"),
        ({"text": ["a"]}, "expected text, found list"),
        ({"text": "a", "published_at": "yesterday"}, "not a time"),
        ({"text": "a", "published_at": "2027-11-20"}, "in the future"),
        ({"text": "a", "network": "two words"}, "not the name of a network"),
        (["a"], "expected a JSON object"),
    ],
)
def test_a_broken_row_is_named_and_the_rest_is_read(tmp_path: Path, row: Any, says: str) -> None:
    page = fetch(put(tmp_path / "a.jsonl", lines({"text": "one"}, row, {"text": "two"})))
    assert [mention.text for mention in page.mentions] == ["one", "two"]
    assert [(item.where, item.broken) for item in page.skipped] == [("a.jsonl:2", True)]
    assert says in page.skipped[0].reason


def test_a_broken_first_line_does_not_hide_the_others(tmp_path: Path) -> None:
    page = fetch(put(tmp_path / "a.jsonl", '{"text": "cut\n' + lines({"text": "two"})))
    assert [mention.text for mention in page.mentions] == ["two"]
    assert [item.where for item in page.skipped] == ["a.jsonl:1"]


def test_a_list_of_objects_is_read_too(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json", '[{"text": "one"},\n{"text": "two"}\n]')
    assert [mention.text for mention in fetch(path).mentions] == ["one", "two"]


def test_a_half_written_last_line_waits(tmp_path: Path) -> None:
    whole = lines({"text": "one"}, {"text": "two"})
    page = fetch(put(tmp_path / "a.jsonl", whole[:-5]))
    assert [mention.text for mention in page.mentions] == ["one"]
    assert [(item.where, item.broken) for item in page.skipped] == [("a.jsonl:2", False)]
    page = fetch(put(tmp_path / "a.jsonl", whole, age_s=30), page.cursor)
    assert [mention.text for mention in page.mentions] == ["two"]


def test_a_whole_last_line_without_its_end_is_read(tmp_path: Path) -> None:
    page = fetch(put(tmp_path / "a.jsonl", lines({"text": "one"}).rstrip()))
    assert [mention.text for mention in page.mentions] == ["one"]
    page = fetch(put(tmp_path / "a.jsonl", lines({"text": "one"}, {"text": "two"}), age_s=30), page.cursor)
    assert [mention.text for mention in page.mentions] == ["two"]


def test_terms_decide_where_asked_for(tmp_path: Path) -> None:
    page = fetch(put(tmp_path / "a.jsonl", lines({"text": "my Yunfan"}, {"text": "rain"})), match_terms=True)
    assert [mention.text for mention in page.mentions] == ["my Yunfan"]
    assert [(item.reason, item.broken) for item in page.skipped] == [("no brand term", False)]


def test_a_missing_file_is_an_error_that_passes(tmp_path: Path) -> None:
    with pytest.raises(RetryableSourceError):
        fetch(tmp_path / "a.jsonl")


def test_a_pattern_without_files_is_no_error(tmp_path: Path) -> None:
    assert fetch(tmp_path / "*.jsonl").mentions == ()


def test_csv_without_a_text_column_says_what_it_found(tmp_path: Path) -> None:
    (item,) = fetch(put(tmp_path / "a.csv", "name,price\nkettle,3\n")).skipped
    assert item.broken
    assert "column 'text'" in item.reason
    assert "name, price" in item.reason


X_ANSWER = {
    "data": [{"id": "9", "text": "my yunfan leaks", "author_id": "5", "created_at": "2026-11-20T10:00:00.000Z"}],
    "includes": {"users": [{"id": "5", "name": "Ann", "username": "ann"}]},
    "meta": {"result_count": 1},
}
VK_ANSWER = {
    "response": {
        "items": [{"id": 4, "owner_id": 501, "from_id": 501, "date": 1795168800, "text": "Чайник течёт"}],
        "profiles": [{"id": 501, "first_name": "Анна", "last_name": "С."}],
        "groups": [],
    }
}


@pytest.mark.parametrize(("answer", "network"), [(X_ANSWER, "x"), (VK_ANSWER, "vk")])
@pytest.mark.parametrize("forced", [True, False])
@pytest.mark.parametrize("indent", [None, 1])
def test_saved_answers_are_read(tmp_path: Path, answer: Any, network: str, forced: bool, indent: int | None) -> None:
    path = put(tmp_path / "a.json", json.dumps(answer, indent=indent))
    mention = only(fetch(path, format=network if forced else "auto"))
    assert (mention.network, mention.published_at) == (network, datetime(2026, 11, 20, 10, 0, tzinfo=UTC))


def test_answers_in_lines_are_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    page = fetch(put(tmp_path / "a.jsonl", lines(X_ANSWER) + "[1]\n" + lines({"odd": 1})), format="x")
    assert [mention.external_id for mention in page.mentions] == ["9"]
    assert [item.where for item in page.skipped] == ["a.jsonl:2", "a.jsonl:3"]


def test_the_brands_own_posts_in_an_answer_are_left_out(tmp_path: Path) -> None:
    page = fetch(put(tmp_path / "a.json", json.dumps(X_ANSWER)), account="ann")
    assert page.mentions == ()
    assert [item.broken for item in page.skipped] == [False]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([b"", b"id,text\n", b'{"text": "a"}\n', b'{"data": [', b"\x1f\x8b"]), st.binary(max_size=300))
def test_any_bytes_are_survived(tmp_path_factory: pytest.TempPathFactory, start: bytes, data: bytes) -> None:
    fetch(put(tmp_path_factory.getbasetemp() / "any.jsonl", start + data))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=20).map(lambda text: f"w{text}"), max_size=5), st.integers(0, 400))
def test_json_lines_cut_anywhere_yield_a_beginning(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], length: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.jsonl"
    whole = lines(*({"id": str(number), "text": text} for number, text in enumerate(texts))).encode()
    expected = fetch(put(path, whole)).mentions if whole else ()
    page = fetch(put(path, whole[:length], age_s=90))
    assert [mention.external_id for mention in page.mentions] == [
        mention.external_id for mention in expected[: len(page.mentions)]
    ]
    assert not [item for item in page.skipped if item.broken]


def replay(path: Path, **options: Any) -> tuple[list[Mention], list[Skipped]]:
    found = list(read_replay(path, **options))
    mentions = [item for item in found if isinstance(item, Mention)]
    return mentions, [item for item in found if isinstance(item, Skipped)]


def test_a_replay_reads_compressed_lines_with_aliases(tmp_path: Path) -> None:
    rows = [{"key": f"set/{number}", "lang": "fr", "text": f"Livraison {number}"} for number in range(700)]
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines(*rows).encode()))
    mentions, skipped = replay(path, network="x")
    assert [mention.external_id for mention in mentions] == [row["key"] for row in rows]
    assert {(mention.network, mention.language) for mention in mentions} == {("x", "fr")}
    assert skipped == []


def test_a_replay_takes_the_last_row_even_without_its_end(tmp_path: Path) -> None:
    assert [mention.text for mention in replay(put(tmp_path / "a.csv", "id,text\n1,one\n2,two"))[0]] == ["one", "two"]


def test_a_replay_names_a_broken_row(tmp_path: Path) -> None:
    mentions, skipped = replay(put(tmp_path / "a.jsonl", lines({"text": "one"}) + '{"text": "tw'))
    assert [mention.text for mention in mentions] == ["one"]
    assert [(item.where, item.broken) for item in skipped] == [("a.jsonl:2", True)]


def test_a_replay_of_a_damaged_archive_keeps_what_came_before(tmp_path: Path) -> None:
    data = gzip.compress(b"".join(json.dumps({"text": os.urandom(40).hex()}).encode() + b"\n" for _ in range(5000)))
    path = put(tmp_path / "a.jsonl.gz", data[: len(data) // 2])
    mentions, skipped = replay(path)
    assert mentions
    assert "damaged" in skipped[-1].reason


@pytest.mark.parametrize("data", [b"", b"name,price\n1,2\n", b'{"a": 1'])
def test_a_replay_of_something_else_is_an_error(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match=r"a\.csv"):
        replay(put(tmp_path / "a.csv", data))


def test_a_replay_of_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        replay(tmp_path / "a.jsonl")


def test_a_replay_in_another_encoding(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "text\nvoilà du café\n".encode("latin-1"))
    assert replay(path, encoding="latin-1")[0][0].text == "voilà du café"


def test_a_link_to_itself_is_named_once_and_hides_no_other_file(tmp_path: Path) -> None:
    put(tmp_path / "good.jsonl", lines(FULL))
    (tmp_path / "loop").symlink_to("loop")
    page = fetch(tmp_path)
    assert [mention.external_id for mention in page.mentions] == ["p1"]
    assert [(item.where, "symbolic links" in item.reason) for item in page.skipped] == [("loop", True)]
    again = fetch(tmp_path, page.cursor)
    assert (again.mentions, again.skipped) == ((), ())


def test_a_pattern_follows_no_link_to_a_folder(tmp_path: Path) -> None:
    put(tmp_path / "top.jsonl", lines(FULL))
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    put(tmp_path / "sub" / "deep" / "low.jsonl", lines({**FULL, "id": "p2"}))
    for name in ("a", "b", "sub/c"):
        (tmp_path / name).symlink_to(tmp_path)
    page = fetch(tmp_path / "**" / "*.jsonl")
    assert [mention.external_id for mention in page.mentions] == ["p2", "p1"]
    assert page.skipped == ()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.jsonl", ["1"]),
        ("*/*.jsonl", ["2"]),
        ("**", ["1", "2", "3"]),
        ("**/deep/*", ["3"]),
        ("s?b/**/*.json[lx]", ["2", "3"]),
        ("**/**/**/3.jsonl", ["3"]),
        ("none/*", []),
    ],
)
def test_a_pattern_means_what_a_shell_means(tmp_path: Path, pattern: str, found: list[str]) -> None:
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    for place in ("1", "sub/2", "sub/deep/3"):
        put(tmp_path / f"{place}.jsonl", lines({**FULL, "id": place[-1]}))
    assert sorted(mention.external_id for mention in fetch(tmp_path / pattern).mentions) == found


@pytest.mark.parametrize(
    ("given", "tag"),
    [
        ("EN", "en"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("und", None),
        ("e\udc80", None),
        ("en\x00", None),
        ("\u017fv", None),
        ("en-" + "x" * 5000, None),
        ("en-aa-bb-cc", None),
        ("abc-abcdefgh-abcdefgh", None),
        (7, None),
    ],
)
def test_a_language_tag_is_short_and_clean_or_none(given: Any, tag: str | None) -> None:
    assert language_tag(given) == tag


def test_a_replay_of_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    for path in (tmp_path / "pipe.jsonl", tmp_path / "folder.jsonl", Path("/dev/zero")):
        with pytest.raises(SourceError, match=f"{path.name}: not a regular file"):
            next(read_replay(path))


def test_a_compressed_file_that_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sources.file.MAX_UNPACKED_BYTES == 1 << 30
    monkeypatch.setattr(sources.file, "MAX_UNPACKED_BYTES", 1 << 20)
    path = put(tmp_path / "bomb.jsonl.gz", gzip.compress(lines(FULL).encode() + b"\n" * (1 << 20)))
    with pytest.raises(SourceError, match=r"bomb.jsonl.gz: unpacks to more than 1 MiB"):
        next(read_replay(path))


def test_a_row_that_says_a_post_is_gone_needs_its_id_alone(tmp_path: Path) -> None:
    rows = lines(
        {"id": "p1", "network": "facebook", "deleted": True},
        {"id": "p2", "deleted": "yes", "text": "Kettle leaks"},
        {"deleted": True, "text": "Kettle leaks"},
        {"id": "p3", "deleted": False, "text": "Kettle leaks"},
    )
    page = fetch(put(tmp_path / "a.jsonl", rows), network="gripe")
    assert page.withdrawn == (Withdrawn("facebook", "p1"), Withdrawn("gripe", "p2"))
    assert [mention.external_id for mention in page.mentions] == ["p3"]
    assert [item.reason for item in page.skipped] == ["'deleted' is set and 'id' is missing"]


def test_files_above_several_watched_folders_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("posts/FR/a.jsonl", "posts/DE/b.jsonl", "posts/mine.jsonl", "posts/own.csv", "posts/notes.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("{}")
    assert unread_above(["posts/FR/", "posts/DE/"]) == [Path("posts/mine.jsonl"), Path("posts/own.csv")]
    assert unread_above(["posts/FR/", "posts/DE/", "posts/*.csv"]) == [Path("posts/mine.jsonl")]
    assert unread_above(["posts/FR/", "posts/DE/", "posts/"]) == []
    assert unread_above(["posts/FR/", "nowhere/"]) == []
