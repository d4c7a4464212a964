"""A classifier for tests of what comes after it: a post says itself how severe it is to be read."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from listener.model import Classification, Reason, Sentiment, Urgency

_HIGH = {1: 0.05, 2: 0.3, 3: 0.9}


class MadeClassifier:
    """Reads `severity-2` in a post, and `topic-outage`; anything else is no complaint."""

    def classify(
        self,
        texts: Sequence[str],
        *,
        network_languages: Sequence[str | None] = (),
        country_languages: Sequence[Sequence[str]] = (),
        reasons: bool = False,
    ) -> list[Classification]:
        return [_read(text) for text in texts]

    def explain(self, texts: Sequence[str], found: Sequence[Classification]) -> list[tuple[Reason, ...]]:
        return [() for _ in texts]


def _read(text: str) -> Classification:
    severity = re.search(r"severity-(\d)", text)
    topic = re.search(r"topic-(\w+)", text)
    level = int(severity[1]) if severity else 0
    high = _HIGH.get(level, 0.0)
    urgency = (0.05, 0.15, 0.8 - high, high) if level > 1 else (0.1, 0.1, 0.8 - high, high) if level else (1.0, 0, 0, 0)
    negative = 0.9 if level else 0.05
    return Classification(
        language="en",
        complaint=0.9 if level else 0.02,
        urgency=Urgency.HIGH if level == 3 else Urgency.MEDIUM if level else Urgency.NONE,
        urgency_probabilities=urgency,
        sentiment=Sentiment.NEGATIVE if level else Sentiment.NEUTRAL,
        sentiment_probabilities=(negative, 0.95 - negative, 0.05),
        topic=topic[1] if topic else "delivery",
        topic_probability=0.9,
        signals={},
        model="made",
    )


def write_posts(path: Path, posts: Sequence[dict[str, object]]) -> None:
    """Put posts into a file that a `file` watch reads."""
    lines = [json.dumps(post, ensure_ascii=False) for post in posts]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
