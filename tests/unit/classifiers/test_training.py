import argparse
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from classifiers.heads import load_heads
from classifiers.training.__main__ import CARD, evaluate, train
from classifiers.training.data import FOLDS, PER_LANGUAGE_CAP, SENTIMENT_SETS, Example, key_of, load
from classifiers.training.features import FeatureStore
from classifiers.training.fitting import (
    Settings,
    Targets,
    best_thresholds,
    calibrate,
    cross_calibrated,
    cross_fit,
    fit_member,
)
from classifiers.training.measures import calibration_error, measure

QUICK = Settings(hidden=16, epochs=8, batch=32, seeds=(1,), dropout=0.0, input_dropout=0.0, learning_rate=1e-2)
THINGS = ["kettle", "parcel", "flight", "refund", "seat", "invoice", "router", "hotel", "toaster", "ticket"]
PLACES = ["Leeds", "Lille", "Bonn"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors are slower on two threads than on one, and much slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write_lines(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def mention(number: int, text: str, urgency: int, **more: object) -> dict:
    labels = {"complaint": int(urgency > 0), "urgency": urgency, "signals": "T" if urgency == 3 else ""}
    topic = {0: "praise", 1: "quality", 2: "outage", 3: "safety"}[urgency]
    base = {"key": f"some_set/{number}", "lang": "en", "text": text, "topic": topic, "set": "some_set"}
    return {**base, **labels, "licence_class": "permissive", **more}


def mentions() -> list[dict]:
    said = [
        "I love my {} from {}, thank you so much",
        "The {} from {} is rather disappointing",
        "My {} in {} does not work, please fix it",
        "Help now, the {} in {} is on fire and my child is hurt",
    ]
    texts = [
        (said[urgency].format(thing, place), urgency) for thing in THINGS for place in PLACES for urgency in range(4)
    ]
    return [mention(number, text, urgency) for number, (text, urgency) in enumerate(texts)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    write_lines(folder / "mentions" / "train.jsonl.gz", mentions())
    authored = [{**mention(0, f"Written post about {place}", 2), "network": "x"} for place in PLACES]
    write_lines(folder / "authored" / "posts.jsonl", authored)
    for chosen in SENTIMENT_SETS:
        language = sorted(chosen.languages)[0] if chosen.languages else "en"
        labels = list(chosen.labels)
        rows = [
            {"id": f"{chosen.name}-{n}", "text": f"{labels[n % len(labels)]} {place} {chosen.name}", "lang": language}
            | {"label": labels[n % len(labels)]}
            for n, place in enumerate(PLACES * 2)
        ]
        write_lines(folder / "public" / f"{chosen.name}.jsonl.gz", rows)
    return folder


def add_mentions(data: Path, rows: list[dict]) -> None:
    write_lines(data / "mentions" / "train.jsonl.gz", mentions() + rows)


def test_sets_that_forbid_commercial_use_are_left_out(data: Path) -> None:
    add_mentions(data, [mention(900, "Secret forbidden post", 3, licence_class="noncommercial")])
    assert "Secret forbidden post" not in {example.text for example in load(data)}
    assert "noncommercial" not in {chosen.licence_class for chosen in SENTIMENT_SETS}


def test_copies_stay_in_one_fold(data: Path) -> None:
    add_mentions(
        data,
        [
            mention(900, "@shop Where is my parcel 123?!", 2),
            mention(901, "where is my PARCEL 456 https://t.co/x", 2),
            mention(902, "@other where is my parcel", 2),
        ],
    )
    folds = {
        example.fold
        for example in load(data)
        if "my parcel" in example.text.lower() and "where" in example.text.lower()
    }
    assert len(folds) == 1


def test_authored_copy_of_a_real_post_is_never_trained_on_while_that_post_is_scored(data: Path) -> None:
    real = mentions()[0]["text"]
    write_lines(data / "authored" / "posts.jsonl", [{**mention(0, real + " !!", 0), "network": "x"}])
    examples = load(data)
    copy = next(example for example in examples if example.source == "authored")
    original = next(example for example in examples if example.text == real)
    assert copy.fold == original.fold
    assert copy.fold is not None


def test_authored_posts_are_never_scored(data: Path) -> None:
    assert {example.fold for example in load(data) if example.source == "authored"} == {None}


def test_translations_of_one_sentence_stay_in_one_fold(data: Path) -> None:
    rows = [
        {"id": f"hotel-{language}-train-{n}", "text": f"{language} sentence {'ab'[n % 2] * (n + 1)}", "lang": language}
        | {"label": "positive"}
        for language in ("ja", "ko", "nl")
        for n in range(20)
    ]
    write_lines(data / "public" / "mabsa_14lang.jsonl.gz", rows)
    folds: dict[str, set[int | None]] = {}
    for example in load(data):
        if example.source == "mabsa_14lang":
            folds.setdefault(example.text.split()[-1], set()).add(example.fold)
    assert len(folds) == 20
    assert all(len(one) == 1 for one in folds.values())


def test_folds_are_even_and_the_same_each_time(data: Path) -> None:
    first, second = load(data), load(data)
    assert first == second
    sizes = Counter(example.fold for example in first if example.source == "some_set")
    assert len(sizes) == FOLDS
    assert max(sizes.values()) - min(sizes.values()) <= 1


def test_large_sentiment_set_is_capped_evenly(data: Path) -> None:
    rows = [
        {"id": str(n), "text": "word " + "ab" * (n % 50) + "c" * (n // 50), "lang": "de", "label": label}
        for n in range(2500)
        for label in [["negative", "neutral", "positive"][n % 3]]
    ]
    write_lines(data / "public" / "umsab_xlmt.jsonl.gz", rows)
    counts = Counter(example.sentiment for example in load(data) if example.source == "umsab_xlmt")
    assert counts == {0: PER_LANGUAGE_CAP // 3, 1: PER_LANGUAGE_CAP // 3, 2: PER_LANGUAGE_CAP // 3}


def test_key_ignores_case_digits_handles_and_punctuation_but_not_words() -> None:
    assert key_of("@a Late 5 days!") == key_of("late 12 days")
    assert key_of("late days") != key_of("late weeks")
    assert key_of("😡") != key_of("😀")


def separable(n: int = 400) -> tuple[np.ndarray, Targets]:
    """Features whose first column is the urgency, with noise, as labelled examples in folds."""
    random = np.random.default_rng(7)
    urgency = random.integers(0, 4, n)
    features = random.normal(size=(n, 6)).astype(np.float32)
    features[:, 0] = urgency + random.normal(scale=0.25, size=n)
    examples = [
        Example(
            text=str(row),
            language="en" if row % 2 else "fr",
            source="made",
            group=str(row),
            complaint=int(level > 0),
            urgency=int(level),
            topic=int(level),
            signals=(int(level == 3),) + (0,) * 7,
            sentiment=0 if level else 2,
            fold=row % FOLDS,
        )
        for row, level in enumerate(urgency)
    ]
    return features, Targets.of(examples)


def quiet(_step: str, _share: float) -> None:
    return None


def test_same_seed_gives_the_same_weights() -> None:
    features, targets = separable()
    rows = np.arange(300)
    one, other = (fit_member(features, targets, rows, 4, QUICK) for _ in range(2))
    assert np.array_equal(one.output_weight, other.output_weight)
    assert not np.array_equal(one.output_weight, fit_member(features, targets, rows, 5, QUICK).output_weight)


def test_cross_fitted_heads_learn_what_can_be_learnt() -> None:
    features, targets = separable()
    logits = cross_fit(features, targets, QUICK, quiet)
    scores = cross_calibrated(logits, targets)
    rows = measure(["en"] * 400, targets, scores, best_thresholds(scores, targets))
    assert rows[0].complaint_f1 > 0.9
    assert rows[0].urgency_kappa > 0.8
    assert rows[0].urgent_recall > 0.6
    assert rows[0].complaint_error < 0.08


def test_labels_without_connection_to_the_features_are_not_learnt() -> None:
    features, targets = separable()
    noise = np.random.default_rng(1).normal(size=features.shape).astype(np.float32)
    scores = cross_calibrated(cross_fit(noise, targets, QUICK, quiet), targets)
    assert measure(["en"] * 400, targets, scores, np.full(8, 0.5, np.float32))[0].urgency_kappa < 0.2


def test_calibration_cures_overconfidence() -> None:
    _, targets = separable(4000)
    random = np.random.default_rng(2)
    truth = targets.complaint
    honest = np.where(random.random(4000) < 0.8, truth, 1 - truth) * 2.0 - 1
    logits = np.repeat(honest[:, None] * 8.0, 28, axis=1).astype(np.float32)
    raw = 1 / (1 + np.exp(-logits[:, 0]))
    fixed = calibrate(logits, targets, np.arange(4000)).apply(logits).complaint
    assert calibration_error(raw, truth == 1) > 0.15
    assert calibration_error(fixed, truth == 1) < 0.02


def test_calibration_error_by_hand() -> None:
    probabilities = np.array([0.9, 0.9, 0.1, 0.1], np.float32)
    assert calibration_error(probabilities, np.array([True, False, False, False])) == pytest.approx(0.25)


def test_features_are_embedded_once(tmp_path: Path) -> None:
    class Counting:
        n_features = 2

        def __init__(self) -> None:
            self.seen: list[str] = []

        def embed(self, texts: list[str]) -> np.ndarray:
            self.seen += texts
            return np.array([[len(text), 1] for text in texts], np.float32)

    encoder, store = Counting(), FeatureStore(tmp_path / "deep" / "down", "model", (1, 2))
    store.features(["a", "bbb", "a"], encoder, quiet)
    rows = store.features(["bbb", "cc", "a"], encoder, quiet)
    assert encoder.seen == ["a", "bbb", "cc"]
    assert rows[:, 0].tolist() == [3, 2, 1]


def test_train_and_evaluate_make_heads_and_card(
    data: Path, tmp_path: Path, model_cache: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr("classifiers.training.__main__.Settings", lambda: QUICK)
    options = argparse.Namespace(
        data=data,
        out=tmp_path / "out",
        weights=tmp_path / "out",
        cache=tmp_path / "cache",
        model_cache=model_cache,
        threads=1,
    )
    train(options)
    first = load_heads(options.out).version
    evaluate(options)
    card = (options.out / CARD).read_text("utf-8")
    assert first in card
    assert "| mentions: some_set | permissive | 120 |" in card
    overall = next(line for line in card.splitlines() if line.startswith("| all |")).split("|")
    assert int(overall[2]) == 120
    assert float(overall[4]) > 0.9
