from alerts.routing import receivers_for
from listener.config import Route

LABELS = {
    "brand": "yunfan",
    "country": "FR",
    "team": "hub",
    "network": "x",
    "language": "fr",
    "topic": "safety",
    "severity": "3",
    "mode": "live",
}


def route(**tree: object) -> Route:
    return Route.model_validate(tree)


def test_the_root_takes_what_no_child_matches() -> None:
    tree = route(receiver="root", routes=[{"match": {"country": "DE"}, "receiver": "de"}])
    assert receivers_for(tree, LABELS) == ["root"]


def test_the_first_child_that_matches_wins() -> None:
    tree = route(
        receiver="root",
        routes=[
            {"match": {"country": ["FR", "BE"]}, "receiver": "hub"},
            {"match": {"topic": "safety"}, "receiver": "quality"},
        ],
    )
    assert receivers_for(tree, LABELS) == ["hub"]


def test_proceed_lets_later_siblings_match_and_each_receiver_is_told_once() -> None:
    tree = route(
        receiver="root",
        routes=[
            {"match": {"severity": ">=3"}, "receiver": "wake", "proceed": True},
            {"match": {"country": "FR"}, "receiver": "hub", "proceed": True},
            {"match": {"brand": "yunfan"}, "receiver": "wake"},
        ],
    )
    assert receivers_for(tree, LABELS) == ["wake", "hub"]


def test_children_inherit_the_receiver_and_the_deepest_match_wins() -> None:
    tree = route(
        receiver="root",
        routes=[
            {
                "match": {"country": "FR"},
                "receiver": "hub",
                "routes": [{"match": {"topic": "billing"}, "receiver": "money"}, {"match": {"severity": 3}}],
            }
        ],
    )
    assert receivers_for(tree, LABELS) == ["hub"]
    assert receivers_for(tree, {**LABELS, "topic": "billing"}) == ["money"]


def test_severity_compares() -> None:
    tree = route(
        receiver="root",
        routes=[{"match": {"severity": ">=2"}, "receiver": "high"}, {"match": {"severity": "<=1"}, "receiver": "low"}],
    )
    assert [receivers_for(tree, {**LABELS, "severity": level})[0] for level in "123"] == ["low", "high", "high"]
