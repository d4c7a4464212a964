"""What references mean without any store."""

from datetime import UTC, datetime, timedelta

import pytest

from listener.explaining.references import published
from tests.servers.x import snowflake

AT = datetime(2026, 3, 14, 9, 12, tzinfo=UTC)


def test_an_id_of_x_tells_when_the_post_was_published() -> None:
    found = published("x", snowflake(AT, 7))
    assert found is not None
    assert abs(found - AT) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("network", "external_id"),
    [
        ("vk", "1790000000000000000"),
        ("x", "12"),
        ("x", "p0"),
        ("x", ""),
        ("x", "９９９９９９９９９９９９９９９９"),
        ("x", "9" * 19),
    ],
)
def test_other_ids_tell_no_time(network: str, external_id: str) -> None:
    found = published(network, external_id)
    assert found is None or found < datetime(2200, 1, 1, tzinfo=UTC)
    if network == "vk" or len(external_id) < 15:
        assert found is None
