"""The saved answers in `examples/vk` are in VK's format and show what a new user should see."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from listener.model import Mention
from sources.vk import parse_answer

FOLDER = Path(__file__).parents[3] / "examples" / "vk"
FILES = sorted(FOLDER.glob("*.json"))


def read(file: Path) -> list[Mention]:
    brand = "yunfan_ru" if "yunfan" in file.name else "skybird_ru"
    mentions, skipped = parse_answer(json.loads(file.read_text(encoding="utf-8")), brand_account=brand)
    assert [skip for skip in skipped if skip.broken] == []
    return mentions


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_item_of_an_example_is_read(file: Path) -> None:
    mentions = read(file)
    assert len(mentions) >= 4
    assert all(mention.author.name for mention in mentions)
    first, last = datetime(2026, 11, 15, 21, tzinfo=UTC), datetime(2026, 11, 21, 21, tzinfo=UTC)
    assert all(first <= mention.published_at < last for mention in mentions)


def test_examples_hold_both_brands_and_all_kinds_of_answers() -> None:
    names = {file.name.partition("-")[0] for file in FILES}
    assert names == {"newsfeed.search", "wall.getComments", "board.getComments"}
    assert {file.stem.partition("-")[2] for file in FILES} == {"yunfan", "skybird"}
    ids = [mention.external_id for file in FILES for mention in read(file)]
    assert len(ids) == len(set(ids))


def test_examples_hold_adverts_reposts_large_groups_and_several_countries() -> None:
    mentions = [mention for file in FILES for mention in read(file)]
    assert sum(mention.sponsored for mention in mentions) == 2
    assert any(mention.repost_of_id for mention in mentions)
    assert max(mention.author.followers or 0 for mention in mentions) > 200_000
    assert {"RU", "BY", "KZ"} <= {mention.author.country for mention in mentions}
