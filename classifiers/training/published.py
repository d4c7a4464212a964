"""What others published and what we aim at, beside what was reached by the same protocol."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.training.folds import Predicted
from classifiers.training.measures import Comparison, Interval, Row, bootstrapped, macro_f1

FEWEST = 60
"""Posts from which a language's own figure counts."""


@dataclass(frozen=True, slots=True)
class Aim:
    """One aim: a figure, what was published for it, what we want, and what was reached."""

    task: str
    published: str
    wanted: float
    reached: Interval | None
    at_most: bool = False
    """Whether lower is better."""

    @property
    def missed_by(self) -> float | None:
        """How much is missing; 0 where the aim is reached, None where nothing was measured."""
        if self.reached is None:
            return None
        gap = self.reached.value - self.wanted if self.at_most else self.wanted - self.reached.value
        return max(0.0, gap)


def aims(figures: Sequence[Comparison], languages: Sequence[Row], predicted: Predicted | None) -> list[Aim]:
    """Return every aim with what was reached.

    Args:
        figures: the headline figures of the shipped weights.
        languages: their measures by language.
        predicted: what the networks of the folds said, if they were trained.
    """
    after = {one.figure: one.after for one in figures}
    many = [row for row in languages if row.n >= FEWEST and row.kind != "all"]
    worst = {
        "f1": _worst(many, lambda row: row.complaint_f1, min),
        "kappa": _worst(many, lambda row: row.urgency_kappa, min),
        "error": _worst(many, lambda row: max(row.complaint_error or 0.0, row.urgent_error or 0.0), max),
    }
    complaint, severity = _by_folds(predicted) if predicted else (None, None)
    ours = "two annotators .969"
    return [
        Aim("English complaints, ten-fold, macro-F1", ".79 (2019), .87 (2020), .882 (2021)", 0.885, complaint),
        Aim(
            "the same, part kept from the shipped weights", "–", 0.885, after.get("public English complaints, macro-F1")
        ),
        Aim("severity 1 to 4 of English complaints, ten-fold, macro-F1", ".557 (2021)", 0.57, severity),
        Aim(
            "sentiment, UMSAB val, mean macro-F1 of 8 languages",
            "on its test: XLM-T .694, XLM-R .668, fastText .510",
            0.695,
            after.get("sentiment, benchmark, mean of languages"),
        ),
        Aim("complaint F1, our mentions", f"{ours}; character n-grams .834", 0.93, after.get("complaint F1")),
        Aim(f"worst language of {FEWEST} or more posts", "–", 0.80, worst["f1"]),
        Aim("urgency kappa, our mentions", "two annotators .966; n-grams .768", 0.88, after.get("urgency kappa")),
        Aim(f"worst language of {FEWEST} or more posts", "–", 0.70, worst["kappa"]),
        Aim("urgency 3 found at 5 % false alarms", "–", 0.92, after.get("urgent found at 5 % false alarms")),
        Aim(
            "calibration error, complaint",
            "obsei 1.1.1 .06 to .26",
            0.03,
            after.get("calibration error, complaint"),
            at_most=True,
        ),
        Aim(
            "calibration error, urgency 2 and above",
            "obsei 1.1.1 .06 to .26",
            0.03,
            after.get("calibration error, urgency 2 and above"),
            at_most=True,
        ),
        Aim(f"worst of both, language of {FEWEST} or more posts", "–", 0.06, worst["error"], at_most=True),
    ]


def _worst(rows: Sequence[Row], figure: Callable[[Row], float | None], choose: Callable[..., Row]) -> Interval | None:
    known = [row for row in rows if figure(row) is not None]
    if not known:
        return None
    value = figure(choose(known, key=lambda row: figure(row) or 0.0)) or 0.0
    return Interval(value, value, value)


def _by_folds(predicted: Predicted) -> tuple[Interval, Interval]:
    complaints = np.flatnonzero(predicted.severity > 0)

    def complaint(rows: NDArray[np.int64]) -> float:
        return macro_f1(predicted.complaint[rows], predicted.said_complaint[rows], (0, 1))

    def severity(rows: NDArray[np.int64]) -> float:
        return macro_f1(predicted.severity[rows], predicted.said_severity[rows], (1, 2, 3, 4))

    return bootstrapped(np.arange(len(predicted.complaint)), complaint), bootstrapped(complaints, severity)


def render(found: Sequence[Aim]) -> str:
    """Return the aims as a Markdown table."""
    lines = ["| Task | Published | Aim | Reached | Missed by |", "|---|---|--:|--:|--:|"]
    return "\n".join(lines + [_line(one) for one in found])


def _line(one: Aim) -> str:
    sign = "≤" if one.at_most else "≥"
    reached = "not measured" if one.reached is None else _bracketed(one.reached)
    missed = {None: "–", 0.0: "reached"}.get(one.missed_by, f"{one.missed_by or 0:.3f}")
    return f"| {one.task} | {one.published} | {sign} {one.wanted:.3f} | {reached} | {missed} |"


def _bracketed(interval: Interval) -> str:
    if interval.low == interval.high:
        return f"{interval.value:.3f}"
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


KINDS: Mapping[str, str] = {
    "arsarcasm_v2_ar": "microblog",
    "brand_emotions_en": "microblog",
    "complaints_acl2019_en": "microblog",
    "crisislex_t26": "microblog",
    "disaster_response_en": "messages",
    "free_telecom_tweets_weak_fr": "microblog",
    "game_comments_zh_hant": "comments",
    "germeval2017_db_de": "microblog",
    "indicsentiment_hi": "reviews",
    "indonlu_casa_id": "reviews",
    "indonlu_hoasa_id": "reviews",
    "indonlu_smsa_id": "reviews",
    "mabsa_14lang": "reviews",
    "mozetic_tweets_6lang": "microblog",
    "nsmc_raw_sample_ko": "comments",
    "online_shopping_10_cats_zh": "reviews",
    "polemo_wccrs_pl": "reviews",
    "reclameaqui_claro_pt": "complaint portals",
    "rozetka_reviews_uk": "reviews",
    "semeval2016_restaurants_nl": "reviews",
    "sentirueval2016_test_ru": "microblog",
    "turkish_municipal_complaints_tr": "complaint portals",
    "umsab_xlmt": "microblog",
    "waimai_10k_zh": "reviews",
}
"""Kind of network by set: the sets do not say the network of each post."""
