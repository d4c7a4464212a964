"""Small heads for the tests of learning; tests of the shipped heads have a fixture of their own."""

import pytest

from classifiers.heads import Heads
from tests.unit.classifiers.learning_world import small_heads


@pytest.fixture(scope="module")
def heads() -> Heads:
    return small_heads()
