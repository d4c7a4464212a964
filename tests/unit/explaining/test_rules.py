"""The rules and routes that are told are those that decide."""

from hypothesis import given
from hypothesis import strategies as st

from alerts.routing import destinations_for
from alerts.rules import decide
from listener.config import Matchers, Route, Thresholds
from listener.explaining.case import against
from listener.explaining.routing import walk
from listener.explaining.weighing import Condition, rules_of
from listener.model import Classification, Influence, Priority, Sentiment, Urgency
from listener.sentences import span

SCORES = st.floats(0, 1)
# Scores that meet their threshold exactly, as well.
EDGES = st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.6, 1.0]) | SCORES


@given(
    complaint=EDGES, high=EDGES, influence=EDGES, priority=EDGES,
    topic=st.sampled_from(["praise", "outage"]), tone=st.sampled_from(list(Sentiment)),
)  # fmt: skip
def test_the_rules_told_hold_where_those_that_decide_do(
    complaint: float, high: float, influence: float, priority: float, topic: str, tone: Sentiment
) -> None:
    found = Classification(
        "en", complaint, Urgency.HIGH, (1 - high, 0, 0, high), tone, (0.3, 0.3, 0.4), topic, 1.0, {}, "m"
    )
    thresholds = Thresholds()
    decided = decide(found, Influence(influence, influence, 0, ()), Priority(priority, 0, 0, 0, ""), thresholds)
    told = rules_of(found, influence, priority, thresholds)
    assert tuple(rule.name for rule in told if rule.holds) == decided.rules
    assert [rule.name for rule in told] == [verdict.rule for verdict in decided.verdicts]


COUNTRIES, TOPICS = ["FR", "GB"], ["outage", "praise"]
MATCHERS = st.builds(
    lambda country, topic, severity: Matchers(country=country, topic=topic, severity=severity),
    st.none() | st.sampled_from(COUNTRIES) | st.just(COUNTRIES),
    st.none() | st.sampled_from(TOPICS),
    st.none() | st.sampled_from([">=2", "<=1", "3"]),
)


def route_of(children: st.SearchStrategy[Route] | None) -> st.SearchStrategy[Route]:
    return st.builds(
        lambda match, receiver, proceed, wait, routes: Route(
            match=match, receiver=receiver, proceed=proceed, group_wait=wait, routes=routes
        ),
        MATCHERS,
        st.none() | st.sampled_from(["a", "b", "c", "d"]),
        st.booleans(),
        st.none() | st.sampled_from(["0s", "5s", "1m"]),
        st.lists(children, max_size=3) if children is not None else st.just([]),
    )


@given(
    root=route_of(route_of(route_of(None))),
    country=st.sampled_from(COUNTRIES), topic=st.sampled_from(TOPICS), severity=st.sampled_from("123"),
)  # fmt: skip
def test_the_way_told_through_the_tree_leads_where_alerts_go(
    root: Route, country: str, topic: str, severity: str
) -> None:
    labels = {"country": country, "topic": topic, "severity": severity}
    nodes = walk(root, labels)
    told = {}
    for node in nodes:
        if node.leads_here:
            told.setdefault(node.receiver, node.group_wait_s)
    assert told == {one.receiver: one.group_wait_s for one in destinations_for(root, labels)}
    assert all(bool(node.misses) is not node.is_matched for node in nodes if node.depth)


def test_a_route_that_asks_for_none_of_a_list_is_told_too() -> None:
    nodes = walk(Route(receiver="a", routes=[Route(match=Matchers(topic=[]), receiver="b")]), {"topic": "quality"})
    assert [(node.asks, list(node.misses)) for node in nodes][1] == ("topic none", ["topic is quality, not none"])


def test_what_is_missed_is_told_with_enough_digits_to_see_it() -> None:
    words = Condition("priority", 0.2996, 0.3).words()
    assert words == "priority 0.2996, threshold 0.3000: missed by 0.0004"
    assert Condition("priority", 0.3, 0.3).words() == "priority 0.30, threshold 0.30"
    assert against(0.31, 0.35) == ("0.31", "0.35")


def test_spans_are_written_as_people_say_them() -> None:
    assert [span(seconds) for seconds in (0, 42.4, 300, 12_000, 187_200, -300)] == [
        "0 s", "42 s", "5 min", "3 h 20 min", "2 d 4 h", "-5 min",
    ]  # fmt: skip
