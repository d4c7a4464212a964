"""Grouping by what complaints are about, over made vectors; the model's own vectors stand in a few texts at the end."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.causes import DRIFT, SAMPLE, Group, Known, compact, group, restore
from classifiers.communities import Graph, communities
from classifiers.mentions import MentionClassifier

Array = NDArray[np.float32]
WIDTH = 64


def themes(count: int, seed: int = 1) -> Array:
    """Return directions that have nothing to do with each other."""
    random = np.random.default_rng(seed).standard_normal((WIDTH, WIDTH))
    return np.linalg.qr(random)[0][:count].astype(np.float32)


def posts(about: Array, count: int, seed: int, spread: float = 0.1) -> Array:
    """Return posts about each theme, all of one theme's after another."""
    noise = np.random.default_rng(seed).standard_normal((len(about) * count, WIDTH)) * spread
    return (np.repeat(about, count, axis=0) + noise).astype(np.float32)


def known_of(groups: Sequence[Group]) -> list[Known]:
    return [Known(100 + place, one.centre) for place, one in enumerate(groups)]


def test_packed_vectors_are_nearly_what_they_were() -> None:
    vectors = posts(themes(5), 20, 3)
    packed = compact(vectors)
    assert {len(row) for row in packed} == {WIDTH // 2}
    restored = restore(packed)
    assert np.allclose(np.linalg.norm(restored, axis=1), 1, atol=1e-6)
    cosines = (restored * vectors).sum(axis=1) / np.linalg.norm(vectors, axis=1)
    assert cosines.min() > 0.98


def test_a_vector_of_zeros_is_packed_and_comes_back() -> None:
    assert not restore(compact(np.zeros((1, WIDTH), dtype=np.float32))).any()
    assert compact(np.zeros((0, WIDTH), dtype=np.float32)) == []
    assert restore([]).shape == (0, 0)


def test_a_vector_of_another_model_becomes_nothing_and_stops_nobody() -> None:
    packed = compact(posts(themes(2), 5, 3))
    restored = restore([*packed, b"\x12\x34"])
    assert restored.shape == (11, WIDTH)
    assert not restored[-1].any()
    assert group(restored, least=3).labels[-1] == -1


def test_what_is_about_one_thing_stands_together_and_only_that() -> None:
    found = group(posts(themes(4), 30, 3), least=5)
    labels = found.labels.reshape(4, 30)
    assert len(found.groups) == 4
    assert all(len(set(row[row >= 0])) == 1 for row in labels)
    assert len({tuple(set(row[row >= 0])) for row in labels}) == 4
    assert (found.labels >= 0).mean() > 0.95


def test_members_come_the_most_typical_first() -> None:
    vectors = posts(themes(2), 40, 3)
    for one in group(vectors, least=5).groups:
        unit = vectors[one.members] / np.linalg.norm(vectors[one.members], axis=1, keepdims=True)
        cosines = unit @ one.centre
        assert (np.diff(cosines) <= 1e-6).all()


def test_posts_like_no_others_stay_alone() -> None:
    strangers = themes(12)[4:]
    found = group(np.vstack([posts(themes(4), 30, 3), strangers]), least=5)
    assert (found.labels[-len(strangers) :] == -1).all()


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_few_posts_are_no_group(count: int) -> None:
    found = group(posts(themes(1), count, 3), least=5)
    assert found.labels.tolist() == [-1] * count
    assert found.groups == ()


def test_the_same_posts_give_the_same_groups() -> None:
    vectors = posts(themes(6), 40, 3, spread=0.2)
    one, other = group(vectors, least=5), group(vectors.copy(), least=5)
    assert one.labels.tolist() == other.labels.tolist()
    assert all(np.array_equal(a.members, b.members) for a, b in zip(one.groups, other.groups, strict=True))


def test_equal_posts_are_grouped_and_vectors_of_zeros_are_not() -> None:
    vectors = np.vstack([np.repeat(themes(2), 20, axis=0), np.zeros((3, WIDTH), dtype=np.float32)])
    found = group(vectors, least=5)
    assert [len(one.members) for one in found.groups] == [20, 20]
    assert (found.labels[-3:] == -1).all()


def test_an_irritant_is_known_again_in_the_next_week() -> None:
    about = themes(4)
    known = known_of(group(posts(about, 30, 3, spread=0.2), least=5).groups)
    found = group(posts(about, 30, 4, spread=0.2), known, least=5)
    assert sorted(one.known or 0 for one in found.groups) == [100, 101, 102, 103]


def test_a_new_irritant_is_no_known_one_and_a_vanished_one_takes_nobody() -> None:
    about = themes(5)
    known = known_of(group(posts(about[:4], 30, 3), least=5).groups)
    gone = next(one.id for one in known if one.centre @ about[0] > 0.9)
    found = group(posts(about[1:], 30, 4), known, least=5)
    assert gone not in {one.known for one in found.groups}
    (new,) = [one for one in found.groups if one.known is None]
    assert new.centre @ about[4] > 0.9


def test_a_known_irritant_is_continued_by_one_group_only() -> None:
    about = themes(3)
    between = Known(7, (about[0] + about[1]).astype(np.float32))
    found = group(posts(about, 30, 4), [between], least=5)
    assert [one.known for one in found.groups].count(7) <= 1


def test_an_irritant_may_change_slowly_but_not_into_another() -> None:
    about = themes(2)
    known = [Known(1, about[0])]
    for week in range(12):
        turned = np.cos(week * 0.15) * about[0] + np.sin(week * 0.15) * about[1]
        (found,) = group(posts(turned[None].astype(np.float32), 30, week), known, least=5).groups
        assert found.known == 1
        known = [Known(1, found.centre)]
    (leap,) = group(posts(-about[:1], 30, 4), known, least=5).groups
    assert known[0].centre @ -about[0] < DRIFT
    assert leap.known is None


def test_known_irritants_of_another_model_are_passed_over() -> None:
    found = group(posts(themes(2), 30, 3), [Known(1, np.ones(WIDTH // 2, dtype=np.float32))], least=5)
    assert [one.known for one in found.groups] == [None, None]


def test_more_posts_than_are_compared_with_each_other_join_all_the_same() -> None:
    about = themes(5)
    count = SAMPLE // 5 + 400
    found = group(posts(about, count, 3), least=5)
    assert sorted(len(one.members) for one in found.groups) == pytest.approx([count] * 5, rel=0.02)


def test_two_cliques_with_one_bridge_are_two_communities() -> None:
    pairs = [(a, b) for clique in (range(5), range(5, 10)) for a in clique for b in clique if a != b]
    pairs += [(4, 5), (5, 4)]
    sources, targets = np.array(pairs, dtype=np.int64).T
    graph = Graph.of(10, sources, targets, np.ones(len(pairs)))
    assert communities(graph).tolist() == [0] * 5 + [1] * 5


def test_edges_between_the_same_nodes_add_up_and_merging_keeps_the_weight() -> None:
    sources, targets = np.array([0, 1, 0, 1, 1, 2]), np.array([1, 0, 1, 0, 2, 1])
    graph = Graph.of(3, sources, targets, np.ones(6))
    assert graph.weights.tolist() == [2, 2, 1, 1]
    merged = graph.merged(np.array([0, 0, 1]))
    assert (len(merged), merged.weights.tolist()) == (2, [4, 1, 1])


LATE = (
    "My parcel is two weeks late and nobody tells me where it is",
    "Mon colis a deux semaines de retard et personne ne me dit où il est",
    "Моя посылка опаздывает на две недели, и никто не говорит, где она",
    "Mein Paket ist seit zwei Wochen überfällig und niemand sagt mir, wo es ist",
)
CHARGED = (
    "You charged my card twice for the same order, give me my money back",
    "Vous avez débité ma carte deux fois pour la même commande, rendez-moi mon argent",
    "Вы дважды списали деньги с карты за один заказ, верните деньги",
    "Sie haben meine Karte zweimal für dieselbe Bestellung belastet, geben Sie mir mein Geld zurück",
)


def test_complaints_carry_what_to_compare_them_by_and_others_do_not(classifier: MentionClassifier) -> None:
    for reasons in (False, True):
        late, thanks, nothing = classifier.classify([LATE[0], "What a lovely flight, thank you!", ""], reasons=reasons)
        assert late.complaint >= 0.3
        assert late.embedding is not None
        assert thanks.embedding is None
        assert nothing.embedding is None


def test_the_same_comes_with_reasons_and_without(classifier: MentionClassifier) -> None:
    plain, explained = (restore([classifier.classify([LATE[1]], reasons=one)[0].embedding or b""]) for one in (0, 1))
    assert (plain * explained).sum() > 0.999


def test_complaints_about_one_failure_are_nearest_to_each_other_in_any_language(classifier: MentionClassifier) -> None:
    found = classifier.classify([*LATE, *CHARGED])
    vectors = restore([one.embedding or b"" for one in found])
    cosines = vectors @ vectors.T
    assert cosines[:4, :4].min() > cosines[:4, 4:].max()
    assert cosines[4:, 4:].min() > cosines[:4, 4:].max()
    grouping = group(vectors, least=3)
    assert grouping.labels.reshape(2, 4).tolist() in ([[0] * 4, [1] * 4], [[1] * 4, [0] * 4])
