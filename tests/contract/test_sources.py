"""What every source owes the pipeline, checked on each kind with a world behind it."""

import json
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest

from listener.model import Mention, Page
from sources.base import Source
from sources.registry import source_specs
from tests.contract import source_cases
from tests.contract.cases import Case

NAMES = sorted(module.name for module in pkgutil.iter_modules(source_cases.__path__))
MAX_PAGES = 200
LATEST = datetime(2026, 12, 31, tzinfo=UTC)


@pytest.fixture(params=NAMES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    module = import_module(f"{source_cases.__name__}.{request.param}")
    with module.case(tmp_path) as case:
        yield case


def sweep(case: Case, cursor: str | None = None, source: Source | None = None) -> tuple[list[Mention], str | None]:
    """Fetch until there is no more, and return the mentions with the last cursor."""
    found: list[Mention] = []
    for _ in range(MAX_PAGES):
        page = (source or case.source).fetch(case.watch, cursor)
        assert isinstance(page, Page)
        found.extend(page.mentions)
        cursor = page.cursor
        if not page.more:
            return found, cursor
    pytest.fail(f"still more after {MAX_PAGES} pages")


def ids(mentions: list[Mention]) -> set[str]:
    return {mention.external_id for mention in mentions}


def test_every_source_has_a_case() -> None:
    assert set(NAMES) == set(source_specs())


def test_a_full_sweep_yields_exactly_what_is_there(world: Case) -> None:
    found, _ = sweep(world)
    assert ids(found) == set(world.expected_ids)


def test_a_full_sweep_takes_more_than_one_page(world: Case) -> None:
    assert world.source.fetch(world.watch, None).more


def test_a_second_sweep_yields_nothing_new(world: Case) -> None:
    first, cursor = sweep(world)
    again, _ = sweep(world, cursor)
    assert ids(again) <= ids(first)


def test_items_added_later_are_found_after_the_cursor(world: Case) -> None:
    first, cursor = sweep(world)
    added = set(world.add_items())
    assert added
    assert not added & ids(first)
    found, _ = sweep(world, cursor)
    assert added <= ids(found)
    assert ids(found) <= added | ids(first)


def test_the_cursor_is_json_text_that_outlives_the_source(world: Case) -> None:
    first, cursor = sweep(world)
    assert cursor is not None
    json.loads(cursor)
    stored = cursor.encode().decode()
    world.source.close()
    renewed = world.restart() if world.restart else world.source
    added = set(world.add_items())
    found, _ = sweep(world, stored, renewed)
    renewed.close()
    assert added <= ids(found)
    assert ids(found) <= added | ids(first)


def test_a_restart_between_two_pages_loses_nothing(world: Case) -> None:
    page = world.source.fetch(world.watch, None)
    assert page.more
    renewed = world.restart() if world.restart else world.source
    rest, _ = sweep(world, page.cursor, renewed)
    renewed.close()
    assert ids(list(page.mentions)) | ids(rest) == set(world.expected_ids)


def test_a_fetch_does_not_change_what_the_same_cursor_returns(world: Case) -> None:
    first = world.source.fetch(world.watch, None)
    again = world.source.fetch(world.watch, None)
    assert ids(list(first.mentions)) == ids(list(again.mentions))


def test_mentions_are_well_formed(world: Case) -> None:
    found, _ = sweep(world)
    for mention in found:
        assert mention.external_id == mention.external_id.strip() != ""
        assert mention.network == mention.author.network
        assert mention.network.islower()
        assert mention.author.external_id
        assert mention.text.strip()
        assert mention.published_at.utcoffset() == timedelta(0)
        assert datetime(2020, 1, 1, tzinfo=UTC) < mention.published_at < LATEST
        (mention.text + mention.author.name + mention.place).encode()  # a lone surrogate would raise


def test_an_error_is_of_the_stated_kind_and_leaves_the_cursor_usable(world: Case) -> None:
    if world.break_once is None:
        pytest.skip("reads files")
    first, cursor = sweep(world)
    added = set(world.add_items())
    expected = world.break_once()
    with pytest.raises(expected):
        world.source.fetch(world.watch, cursor)
    found, _ = sweep(world, cursor)
    assert added <= ids(found)
    assert ids(found) <= added | ids(first)


def test_no_secret_stands_in_an_error_or_repr(world: Case, tmp_path: Path) -> None:
    secrets = [path.read_text() for path in tmp_path.glob("*token*") if path.is_file()]
    shown = [repr(world.source), repr(world.watch)]
    if world.break_once is not None:
        assert secrets
        expected = world.break_once()
        with pytest.raises(expected) as caught:
            world.source.fetch(world.watch, None)
        error: BaseException | None = caught.value
        while error is not None:
            shown += [str(error), repr(error)]
            error = error.__cause__ or error.__context__
    assert not [text for text in shown for secret in secrets if secret in text]


def test_closing_twice_does_no_harm(world: Case) -> None:
    sweep(world)
    world.source.close()
    world.source.close()
