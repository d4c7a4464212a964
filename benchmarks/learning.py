"""Shows what learning from a team does: ten corrections must not spoil the model, three hundred should show.

    python benchmarks/learning.py --data FOLDER

Held-out posts of one kind play the stream of an installation whose people see things otherwise than the labels that the
model was trained on. They look through the alerts in order and correct those that are wrong by their own rule; the
others stand. What is measured lies apart: further posts of the same stream, and the held-out posts of all other kinds,
of which two thirds are the evaluation set that guards learning, and the rest nobody sees.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.checkpoint import build_checkpoint
from classifiers.heads import Heads, load_heads
from classifiers.held_out import HeldOut, Labelled, labels_of, logits_of
from classifiers.judging import Change, changes
from classifiers.learning import learn, scores_of
from classifiers.lessons import Said, Stood, evidence_of
from classifiers.mentions import MentionClassifier
from classifiers.training.data import MENTIONS, Example, key_of, load, load_further, read_lines
from classifiers.training.parts import Part, deal
from listener.model import TOPICS

SIZES = (10, 300)
SHARE_SEEN = 0.65
"""Of the stream that people look through; the rest is measured on."""
FIGURES = ("complaint precision", "complaint recall", "complaint F1", "urgency kappa")
REVIEWS = frozenset(
    "online_shopping_10_cats_zh waimai_10k_zh rozetka_reviews_uk polemo_wccrs_pl semeval2016_restaurants_nl"
    " mabsa_14lang indonlu_smsa_id indonlu_hoasa_id indonlu_casa_id jrte_pn_ja nsmc_raw_sample_ko".split()
)
TRAVEL = frozenset({"airline_tweets_en", "free_telecom_tweets_weak_fr", "germeval2017_db_de"})
BANKS = frozenset({"sentirueval2016_test_ru"})
TASTE = frozenset({TOPICS.index("price"), TOPICS.index("quality")})

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scenario:
    """An installation: which posts it hears, and how its people see them."""

    name: str
    hears: Callable[[Example], bool]
    sees: Callable[[Example], tuple[int, int]]
    """Complaint and urgency of a post by their rule."""


@dataclass(frozen=True, slots=True)
class Posts:
    """Posts that no weights were fitted on, with what the model makes of them."""

    examples: list[Example]
    hidden: Array
    test: NDArray[np.bool_]
    """Whether the post is of the part that nothing at all was fitted on."""


def as_labelled(example: Example) -> tuple[int, int]:
    return int(example.complaint or 0), int(example.urgency or 0)


def taste_is_no_complaint(example: Example) -> tuple[int, int]:
    return (0, 0) if example.topic in TASTE else as_labelled(example)


def mild_is_no_complaint(example: Example) -> tuple[int, int]:
    complaint, urgency = as_labelled(example)
    return (complaint, urgency) if urgency >= 2 else (0, 0)


SCENARIOS = (
    Scenario(
        "a shop for which remarks on price and quality are no complaints",
        lambda one: one.source in REVIEWS,
        taste_is_no_complaint,
    ),
    Scenario(
        "a group that wants to see open problems alone, no mild remarks",
        lambda one: one.source in REVIEWS | TRAVEL | BANKS,
        mild_is_no_complaint,
    ),
    Scenario("a carrier whose people see things as the labels do", lambda one: one.source in TRAVEL, as_labelled),
)


def main() -> None:
    """Read, learn and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with mentions/, authored/ and public/")
    parser.add_argument("--cache", type=Path, default=Path("var/model"), help="folder of the encoder's checkpoint")
    parser.add_argument("--seeds", type=int, default=3, help="how many orders the posts are looked through in")
    parser.add_argument("--threads", type=int, default=None, help="most threads used")
    options = parser.parse_args()
    build_checkpoint(options.cache)
    classifier, heads = MentionClassifier.load(options.cache, threads=options.threads), load_heads()
    posts, anchors = read_posts(options.data, classifier, heads)
    print(f"{heads.version}: {len(posts.examples)} held-out posts")
    for scenario in SCENARIOS:
        print(f"\n{scenario.name}")
        for size in SIZES:
            for seed in range(options.seeds):
                run(scenario, size, seed, posts, anchors, heads)


def read_posts(data: Path, classifier: MentionClassifier, heads: Heads) -> tuple[Posts, Array]:
    """Return all labelled posts that did not train, and the anchors' hidden layers.

    Posts of sets whose licence forbids commercial use never trained: they may test.
    """
    dealt = load(data)
    parts = deal(dealt, data)
    own = [(one, part) for one, part in zip(dealt, parts, strict=True) if one.urgency is not None]
    trained = {one.group for one, part in own if part is Part.TRAIN} | {one.group for one in load_further(data)}
    apart = [(one, part is Part.TEST) for one, part in own if part is not Part.TRAIN and one.source != "authored"]
    apart += [(one, True) for one in noncommercial(data) if one.group not in trained]
    examples = [one for one, _test in apart]
    authored = [one.text for one in dealt if one.source == "authored"]
    print(f"reading {len(examples)} posts and {len(authored)} anchors", file=sys.stderr)
    hidden, anchors = (heads.hidden(classifier.embed(texts)) for texts in ([one.text for one in examples], authored))
    return Posts(examples, hidden, np.array([test for _one, test in apart])), anchors


def noncommercial(data: Path) -> list[Example]:
    rows = [row for row in read_lines(data / MENTIONS) if row["licence_class"] == "noncommercial"]
    return [
        Example(
            row["text"],
            row["lang"],
            row["set"],
            key_of(row["text"]),
            complaint=row["complaint"],
            urgency=row["urgency"],
            topic=TOPICS.index(row["topic"]),
        )
        for row in rows
    ]


def run(scenario: Scenario, size: int, seed: int, posts: Posts, anchors: Array, heads: Heads) -> None:
    """Let people correct at most `size` alerts, learn, and print figures before and after."""
    random = np.random.default_rng(seed)
    heard = np.array([scenario.hears(one) for one in posts.examples])
    stream = random.permutation(np.flatnonzero(heard))
    seen, unseen = np.split(stream, [int(len(stream) * SHARE_SEEN)])
    others = random.permutation(np.flatnonzero(~heard & posts.test))
    guard, rest = np.split(others, [len(others) * 2 // 3])
    labels = labels_of(posts.examples)
    probability = scores_of(logits_of(heads, posts.hidden)).complaint
    wrong, right = looked_through(scenario, seen[probability[seen] >= 0.5], size, posts.examples)
    evidence = evidence_of(
        [said(scenario, posts.examples[row]) for row in wrong],
        posts.hidden[wrong],
        [Stood(posts.examples[row].text) for row in right],
        posts.hidden[right],
        heads,
    )
    held_out = HeldOut(heads.version, posts.hidden[guard], labels.part(guard), anchors)
    found = learn(heads, held_out, evidence)
    learned = heads if found.delta is None else found.delta.applied(heads, "learned")
    before, after = (scores_of(logits_of(one, posts.hidden)) for one in (heads, learned))
    theirs = seen_by(scenario, posts.examples, labels)
    what = "installed" if found.delta else "nothing installed"
    print(f"  {len(wrong)} corrections, {len(right)} alerts left standing, seed {seed}: {what}")
    for kind, rows, truth in (("the stream", unseen, theirs), ("all other kinds", rest, labels)):
        own = [one for one in changes(kind, rows, truth, before, after) if one.figure in FIGURES]
        print("\n".join(map(line, own)))


def looked_through(
    scenario: Scenario, shown: Sequence[int], size: int, examples: Sequence[Example]
) -> tuple[list[int], list[int]]:
    """Return the alerts that people correct until they have corrected `size`, and those that they let stand."""
    wrong: list[int] = []
    right: list[int] = []
    for row in shown:
        if len(wrong) == size:
            break
        (right if scenario.sees(examples[row])[0] else wrong).append(int(row))
    return wrong, right


def said(scenario: Scenario, example: Example) -> Said:
    complaint, urgency = scenario.sees(example)
    return Said(example.text, complaint=bool(complaint), urgency=urgency)


def seen_by(scenario: Scenario, examples: Sequence[Example], labels: Labelled) -> Labelled:
    pairs = np.array([scenario.sees(one) for one in examples])
    return replace(labels, complaint=pairs[:, 0], urgency=pairs[:, 1])


def line(one: Change) -> str:
    bounds = f"[{one.gain.low:+.3f}, {one.gain.high:+.3f}]"
    figures = f"{one.before.value:.3f} → {one.after.value:.3f}  {one.gain.value:+.3f} {bounds}"
    return f"    {one.kind:<16} {one.figure:<20} {one.n:>5} posts  {figures}"


if __name__ == "__main__":
    main()
