import argparse
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from classifiers.adapter import ADAPTER_FILE, Adapter
from classifiers.encoder import Encoder
from classifiers.heads import load_heads
from classifiers.held_out import load_held_out
from classifiers.training.__main__ import CARD, LAYERS, Corpus, calibrated, evaluate, train
from classifiers.training.data import (
    BENCHMARK,
    COMPLAINTS,
    LABELS,
    PER_LANGUAGE_CAP,
    SENTIMENT_SETS,
    SEVERITY,
    Example,
    key_of,
    load,
)
from classifiers.training.features import FeatureStore
from classifiers.training.finetune import Plan, Run, fine_tuned, finetune
from classifiers.training.fitting import Settings, Targets, calibrate, fit_member
from classifiers.training.folds import cross_validate, fold_of, public_posts
from classifiers.training.measures import Interval, calibration_error, compare, kappa, measure
from classifiers.training.network import Network
from classifiers.training.parts import Part, deal
from classifiers.training.published import Aim, render
from listener.model import SIGNALS, TOPICS

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
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    label_further(tmp_path / "labels.tsv", monkeypatch, [])
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
    for name, labels in ((COMPLAINTS, {"label": 1}), (SEVERITY, {"label": "1", "severity": "2"})):
        rows = [{"id": str(n), "text": f"@x broken {thing}", "lang": "en", **labels} for n, thing in enumerate(THINGS)]
        write_lines(folder / "public" / f"{name}.jsonl.gz", rows)
    return folder


def label_further(path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[tuple[str, str]]) -> None:
    """Label the texts of sets as open problems with an outage."""
    lines = [f"{source}\t{key_of(text)[:16]}\t1\t2\toutage\tTW\n" for source, text in rows]
    path.write_text("set\tkey\tcomplaint\turgency\ttopic\tsignals\n" + "".join(lines), "utf-8")
    monkeypatch.setattr("classifiers.training.data.LABELS", path)


def parts_of(data: Path) -> dict[str, set[Part]]:
    """The parts in which each text stands."""
    examples = load(data)
    found: dict[str, set[Part]] = {}
    for example, part in zip(examples, deal(examples, data), strict=True):
        found.setdefault(example.text, set()).add(part)
    return found


def add_mentions(data: Path, rows: list[dict]) -> None:
    write_lines(data / "mentions" / "train.jsonl.gz", mentions() + rows)


def test_posts_labelled_further_train_and_move_no_other(data: Path, tmp_path: Path, monkeypatch) -> None:
    before = Corpus.read(data)
    held_out = {one.group for part in (Part.TEST, Part.CALIBRATION) for one in before.of(part)}
    public = [(one.source, one.text) for one in before.examples if one.urgency is None]
    label_further(tmp_path / "more.tsv", monkeypatch, public)
    after = Corpus.read(data)
    further = [one for one in after.of(Part.TRAIN) if one.signals and sum(one.signals) == 2]
    assert {key_of(one.text) for one in further} == {key_of(text) for _source, text in public} - held_out
    assert all((one.complaint, one.urgency, one.sentiment) == (1, 2, 0) for one in further)
    assert {one.public_complaint for one in further if one.source == COMPLAINTS} == {1}
    assert Counter(one.text for one in after.of(Part.TRAIN) if one.source == COMPLAINTS).most_common(1)[0][1] == 1
    for part in (Part.TEST, Part.CALIBRATION):
        assert after.of(part) == before.of(part)


def test_every_further_label_is_one_of_the_guidelines() -> None:
    with LABELS.open(encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines][1:]
    assert len(rows) == len({(source, key) for source, key, *_ in rows}) > 10_000
    for source, key, complaint, urgency, topic, signals in rows:
        assert source.isascii()
        assert re.fullmatch("[0-9a-f]{16}", key)
        assert complaint in {"0", "1"}
        assert urgency in {"0", "1", "2", "3"}
        assert topic in TOPICS
        assert set(signals) <= set(SIGNALS)


def test_sets_that_forbid_commercial_use_are_left_out(data: Path) -> None:
    add_mentions(data, [mention(900, "Secret forbidden post", 3, licence_class="noncommercial")])
    assert "Secret forbidden post" not in {example.text for example in load(data)}
    assert "noncommercial" not in {chosen.licence_class for chosen in SENTIMENT_SETS}


def test_copies_stay_in_one_part(data: Path) -> None:
    copies = [
        mention(900 + 3 * n + m, text.format(word), 2)
        for n, word in enumerate("abcdefghijklmnopqrstuvwxyz")
        for m, text in enumerate(
            ("@shop Where is my {0}{0}{0} 123?!", "where is my {0}{0}{0} https://t.co/x", "@b WHERE IS MY {0}{0}{0}")
        )
    ]
    add_mentions(data, copies)
    examples = load(data)
    parts: dict[str, set[Part]] = {}
    for example, part in zip(examples, deal(examples, data), strict=True):
        if "where is my" in example.text.lower():
            parts.setdefault(example.text.lower().split("my ")[1][:3], set()).add(part)
    assert len(parts) == 26
    assert all(len(one) == 1 for one in parts.values())
    assert set.union(*parts.values()) == set(Part)


def test_authored_copy_of_a_held_out_post_is_held_out(data: Path) -> None:
    held_out = [text for text, parts in parts_of(data).items() if parts == {Part.TEST} and "you so much" in text]
    write_lines(data / "authored" / "posts.jsonl", [{**mention(0, held_out[0] + " !!", 0), "network": "x"}])
    assert parts_of(data)[held_out[0] + " !!"] == {Part.TEST}


def test_authored_posts_only_train(data: Path) -> None:
    examples = load(data)
    parts = {part for one, part in zip(examples, deal(examples, data), strict=True) if one.source == "authored"}
    assert parts == {Part.TRAIN}


def test_validation_texts_of_the_benchmark_are_test_even_among_the_mentions(data: Path) -> None:
    rows = [
        {"id": f"en-val-{n}", "text": one["text"], "lang": "en", "label": "neutral", "split": "val"}
        for n, one in enumerate(mentions()[:40])
    ]
    write_lines(data / "public" / f"{BENCHMARK}.jsonl.gz", rows)
    found = parts_of(data)
    assert all(found[row["text"]] == {Part.TEST} for row in rows)


def test_translations_of_one_sentence_stay_in_one_part(data: Path) -> None:
    rows = [
        {"id": f"hotel-{language}-train-{n}", "text": f"{language} sentence {'ab'[n % 2] * (n + 1)}", "lang": language}
        | {"label": "positive"}
        for language in ("ja", "ko", "nl")
        for n in range(20)
    ]
    write_lines(data / "public" / "mabsa_14lang.jsonl.gz", rows)
    parts: dict[str, set[Part]] = {}
    examples = load(data)
    for example, part in zip(examples, deal(examples, data), strict=True):
        if example.source == "mabsa_14lang":
            parts.setdefault(example.text.split()[-1], set()).add(part)
    assert len(parts) == 20
    assert all(len(one) == 1 for one in parts.values())


def test_each_level_of_urgency_is_dealt_into_every_part_and_the_same_each_time(data: Path) -> None:
    examples = load(data)
    assert deal(examples, data) == deal(load(data), data)
    counts = Counter(
        (one.urgency, part)
        for one, part in zip(examples, deal(examples, data), strict=True)
        if one.source == "some_set"
    )
    for level in range(4):
        assert counts[level, Part.TEST] in (4, 5, 6)
        assert counts[level, Part.CALIBRATION] in (2, 3)


def test_public_complaint_labels_stand_beside_our_own(data: Path) -> None:
    add_mentions(data, [mention(900, "Broken kettle", 2)])
    found = [one for one in load(data) if key_of(one.text) == key_of("broken kettle")]
    assert len(found) == 1
    assert (found[0].complaint, found[0].public_complaint, found[0].severity) == (1, 1, 2)


def test_large_sentiment_set_is_capped_evenly(data: Path) -> None:
    rows = [
        {"id": str(n), "text": "word " + "ab" * (n % 50) + "c" * (n // 50), "lang": "de", "label": label}
        for n in range(2500)
        for label in [["negative", "neutral", "positive"][n % 3]]
    ]
    evenly = {0: PER_LANGUAGE_CAP // 3, 1: PER_LANGUAGE_CAP // 3, 2: PER_LANGUAGE_CAP // 3}
    write_lines(data / "public" / "indonlu_smsa_id.jsonl.gz", rows)
    assert Counter(example.sentiment for example in load(data) if example.source == "indonlu_smsa_id") == evenly
    write_lines(data / "public" / f"{BENCHMARK}.jsonl.gz", rows)
    whole = [example for example in load(data) if example.source == BENCHMARK]
    assert len(whole) == 2500
    assert Counter(example.sentiment for example in whole if not example.beyond_cap) == evenly


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


def fitted_scores(features: np.ndarray, targets: Targets):
    """Scores of the last rows by heads fitted on the first and calibrated on those between."""
    member = fit_member(features, targets, np.arange(200), 1, QUICK)
    heads = calibrated((member,), features[200:300], slice_of(targets, slice(200, 300)), None)
    return heads, heads.score(features[300:]), slice_of(targets, slice(300, None))


def slice_of(targets: Targets, rows: slice) -> Targets:
    return Targets(*(getattr(targets, name)[rows] for name in Targets.__dataclass_fields__))


def test_heads_learn_what_can_be_learnt() -> None:
    heads, scores, unseen = fitted_scores(*separable())
    found = measure(["en"] * 100, unseen, scores, heads.thresholds)[0]
    assert found.complaint_f1 > 0.9
    assert found.urgency_kappa > 0.8
    assert found.urgent_recall > 0.4  # 0.05 by chance
    assert found.complaint_error < 0.12


def test_labels_without_connection_to_the_features_are_not_learnt() -> None:
    features, targets = separable()
    noise = np.random.default_rng(1).normal(size=features.shape).astype(np.float32)
    _heads, scores, unseen = fitted_scores(noise, targets)
    assert measure(["en"] * 100, unseen, scores, np.full(8, 0.5, np.float32))[0].urgency_kappa < 0.25


def test_calibration_cures_overconfidence() -> None:
    _, targets = separable(4000)
    random = np.random.default_rng(2)
    truth = targets.complaint
    honest = np.where(random.random(4000) < 0.8, truth, 1 - truth) * 2.0 - 1
    logits = np.repeat(honest[:, None] * 8.0, 28, axis=1).astype(np.float32)
    raw = 1 / (1 + np.exp(-logits[:, 0]))
    fixed = calibrate(logits, targets).apply(logits).complaint
    assert calibration_error(raw, truth == 1) > 0.15
    assert calibration_error(fixed, truth == 1) < 0.02


def test_calibration_error_by_hand() -> None:
    probabilities = np.array([0.9, 0.9, 0.1, 0.1], np.float32)
    assert calibration_error(probabilities, np.array([True, False, False, False])) == pytest.approx(0.25)


def test_kappa_agrees_with_the_usual_one() -> None:
    from sklearn.metrics import cohen_kappa_score

    random = np.random.default_rng(3)
    one, other = random.integers(0, 4, 200), random.integers(0, 4, 200)
    other[:120] = one[:120]
    assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other, weights="quadratic", labels=range(4)))
    assert kappa(np.zeros(5, int), np.zeros(5, int)) == 0.0


def test_a_model_compared_with_itself_gains_nothing_and_with_noise_a_lot() -> None:
    features, targets = separable()
    heads, scores, unseen = fitted_scores(features, targets)
    labels = ("complaint", "urgency", "topic", "sentiment")
    examples = [
        Example(str(n), "en", "made", str(n), **{name: int(getattr(unseen, name)[n]) for name in labels})
        for n in range(100)
    ]
    examples = [replace(one, signals=tuple(unseen.signals[n].tolist())) for n, one in enumerate(examples)]
    for same in compare(examples, scores, scores, (heads.thresholds, heads.thresholds)):
        assert same.gain.value == same.gain.low == same.gain.high == 0.0
    noise = heads.score(np.random.default_rng(1).normal(size=(100, 6)).astype(np.float32))
    gains = {one.figure: one for one in compare(examples, noise, scores, (heads.thresholds, heads.thresholds))}
    found = gains["urgency kappa"]
    assert found.gain.low > 0.3
    assert found.after.low < found.after.value < found.after.high


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


QUICK_PLAN = Plan(epochs=2, frozen=9, batch=16, max_tokens=24, encoder_rate=5e-4, head_rate=2e-3, averaging=0.5)


def sayings() -> list[Example]:
    return [
        Example(row["text"], "en", "made", row["text"], row["complaint"], row["urgency"], 0, (0,) * 8, 0)
        for row in mentions()
    ]


def test_a_stopped_fine_tuning_goes_on_to_the_same_end(checkpoint: Path, tmp_path: Path, monkeypatch) -> None:
    examples = sayings()[:48]
    features = Encoder(checkpoint, 1, layers=LAYERS).embed([one.text for one in examples])
    start = fit_member(features, Targets.of(examples), np.arange(48), 1, QUICK)

    def tuned(cache: Path):
        return fine_tuned(examples, Encoder(checkpoint, 1, layers=LAYERS), start, QUICK_PLAN, cache)

    whole = tuned(tmp_path / "whole")
    monkeypatch.setattr("classifiers.training.finetune._step", stops_after(4))
    monkeypatch.setattr("classifiers.training.finetune._MINUTES_BETWEEN_SAVES", 0.0)
    with pytest.raises(KeyboardInterrupt):
        tuned(tmp_path / "stopped")
    monkeypatch.undo()
    resumed = tuned(tmp_path / "stopped")
    again = tuned(tmp_path / "stopped")
    assert len(whole.changes) == 3 * 16
    for name, change in whole.changes.items():
        assert np.abs(change).max() > 0 or name.endswith("key.bias")
        assert np.allclose(change, resumed.changes[name], atol=1e-6)
        assert np.allclose(change, again.changes[name], atol=1e-6)


def test_what_is_fine_tuned_is_what_runs(checkpoint: Path, tmp_path: Path) -> None:
    examples = sayings()[:32]
    texts = [one.text for one in examples]
    features = Encoder(checkpoint, 1, layers=LAYERS).embed(texts)
    start = fit_member(features, Targets.of(examples), np.arange(32), 1, QUICK)
    run = Run.begin(Encoder(checkpoint, 1, layers=LAYERS), start, QUICK_PLAN)
    plain = Encoder(checkpoint, 1, layers=LAYERS)
    assert np.allclose(network_logits(run.network, plain, texts), start.logits(features), atol=2e-4)
    finetune(run, examples, plain, replace(QUICK_PLAN, batch=8), tmp_path / "state.pt")
    adapter = Adapter(run.network.changes(), tmp_path)
    tuned = Encoder(checkpoint, 1, layers=LAYERS, adapter=adapter).embed(texts)
    after = network_logits(run.network, plain, texts)
    assert np.allclose(after, run.network.member().logits(tuned), atol=2e-4)
    assert np.abs(after - start.logits(features)).max() > 0.1


def network_logits(network: Network, encoder: Encoder, texts: list[str]) -> np.ndarray:
    tokens = [encoder.tokenize(text) for text in texts]
    longest = max(map(len, tokens))
    ids = torch.tensor([row + [encoder.pad] * (longest - len(row)) for row in tokens])
    mask = torch.tensor([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in tokens])
    with torch.no_grad():
        logits, _public = network(ids, mask)
    return logits.numpy()


def stops_after(steps: int):
    from classifiers.training import finetune

    real, done = finetune._step, []

    def step(*arguments):
        if len(done) == steps:
            raise KeyboardInterrupt
        done.append(1)
        return real(*arguments)

    return step


@pytest.mark.slow
def test_train_and_evaluate_make_weights_and_card(
    data: Path, tmp_path: Path, model_cache: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr("classifiers.training.__main__.Settings", lambda: QUICK)
    monkeypatch.setattr("classifiers.training.__main__.PLAN", QUICK_PLAN)
    monkeypatch.setattr("classifiers.training.measures.RESAMPLES", 20)
    options = argparse.Namespace(
        data=data,
        out=tmp_path / "out",
        quick=True,
        cache=tmp_path / "cache",
        model_cache=model_cache,
        threads=1,
    )
    train(options)
    heads = load_heads(options.out)
    assert heads.adapter == hashlib.sha256((options.out / ADAPTER_FILE).read_bytes()).hexdigest()
    held_out = load_held_out(heads, options.out)
    assert set(held_out.labels.origins) == {"some_set"}
    assert len(held_out.anchors) == len(PLACES)
    evaluate(options)
    card = (options.out / CARD).read_text("utf-8")
    assert heads.version in card
    assert "| mentions: some_set | permissive | 120 |" in card
    overall = next(line for line in card.splitlines() if line.startswith("| all |")).split("|")
    assert 16 <= int(overall[2]) <= 24
    assert float(overall[4].split()[0]) > 0.8


@pytest.mark.slow
def test_every_post_is_judged_by_a_network_that_never_saw_it(checkpoint: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("classifiers.training.folds.PLAN", QUICK_PLAN)
    monkeypatch.setattr("classifiers.training.folds.N_FOLDS", 2)
    seen: list[set[str]] = []
    real = finetune

    def noting(run: Run, examples: list[Example], *rest: object) -> None:
        seen.append({one.group for one in examples})
        real(run, examples, *rest)

    monkeypatch.setattr("classifiers.training.folds.finetune", noting)
    posts = public_posts(
        [
            Example(
                f"{words} {thing}", "en", "made", f"{words} {thing}", public_complaint=bad, severity=bad * (1 + n % 4)
            )
            for words, bad in (("I hate my broken", 1), ("Lovely day for a", 0))
            for n, thing in enumerate(THINGS)
        ]
    )
    start = fit_member(
        Encoder(checkpoint, 1, layers=LAYERS).embed([one.text for one in sayings()]),
        Targets.of(sayings()),
        np.arange(len(sayings())),
        1,
        QUICK,
    )
    first = cross_validate(posts, lambda: Encoder(checkpoint, 1, layers=LAYERS), start, tmp_path)
    assert len(seen) == 2
    for fold, groups in enumerate(seen):
        assert groups == {one.group for one in posts if fold_of(one) != fold}
    assert set(first.said_severity) <= {1, 2, 3, 4}
    assert (first.complaint == first.said_complaint).mean() > 0.7
    again = cross_validate(posts, lambda: Encoder(checkpoint, 1, layers=LAYERS), start, tmp_path)
    assert len(seen) == 2
    assert (again.said_complaint == first.said_complaint).all()


def test_aims_say_by_how_much_they_are_missed() -> None:
    aim = Aim("a task", "–", 0.9, Interval(0.85, 0.8, 0.9))
    assert aim.missed_by == pytest.approx(0.05)
    assert Aim("a task", "–", 0.06, Interval(0.05, 0.05, 0.05), at_most=True).missed_by == 0.0
    assert Aim("a task", "–", 0.06, None).missed_by is None
    lines = render([aim, replace(aim, reached=None), replace(aim, wanted=0.8)]).splitlines()[2:]
    assert [line.split("|")[-2].strip() for line in lines] == ["0.050", "–", "reached"]
