"""Copies and repeated texts cost no second inference: what reaches the encoder is counted."""

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench import Bench, Finding
from classifiers.copies import text_hash
from classifiers.encoder import TextEncoder, TokenFeatures
from classifiers.heads import load_heads
from classifiers.language import LanguageIdentifier
from classifiers.mentions import MentionClassifier
from listener.clock import SystemClock
from listener.config import load_config
from listener.model import Author, Mention, Page, Watch
from listener.pipeline.classify import ClassifyStep
from listener.pipeline.tally import Tally
from listener.plugins import plugin_options
from listener.store import Store
from listener.store.collecting import Arrival

CONFIG = Path(__file__).parents[1] / "config.yaml"
COPIES = 3


class CountedEncoder(TextEncoder):
    """An encoder that counts the texts it is given, second looks apart."""

    def __init__(self, encoder: TextEncoder, *, second_look: bool = True) -> None:
        vars(self).update(vars(encoder))
        self._encoder = encoder
        self._second_look = second_look
        self.count = 0

    @property
    def n_features(self) -> int:
        return self._encoder.n_features

    @property
    def precise(self) -> TextEncoder | None:
        return self._encoder.precise if self._second_look else None

    def _means(self, rows: list[list[int]]) -> NDArray[np.float32]:
        return self._encoder._means(rows)

    def _states(self, rows: list[list[int]]) -> NDArray[np.float32]:
        return self._encoder._states(rows)

    def embed(self, texts: Sequence[str], batch: int = 32) -> NDArray[np.float32]:
        self.count += len(texts)
        return self._encoder.embed(texts, batch)

    def token_features(self, texts: Sequence[str], batch: int = 32) -> list[TokenFeatures]:
        self.count += len(texts)
        return self._encoder.token_features(texts, batch)


def no_second_inference(bench: Bench) -> list[Finding]:
    """Classify texts, then the same with copies of all: as much must go into the encoder as without the copies.

    The daemon asks the encoder again for the reasons of what may raise an alert; that counts on both sides.
    """
    texts = list({text_hash(text): text for text in bench.texts[:100] if text_hash(text)}.values())
    encoder = CountedEncoder(bench.classifier.encoder)
    classifier = MentionClassifier(encoder, load_heads(), LanguageIdentifier())

    def count(work: Callable[[], object]) -> int:
        encoder.count = 0
        work()
        return encoder.count

    return [
        _compared("repeated in one call", len(texts), count(lambda: classifier.classify(texts)),
                  count(lambda: classifier.classify(texts * COPIES))),
        _compared("copied, through the daemon's step", len(texts),
                  count(lambda: through_the_daemon(classifier, texts, turns=1, copies=1)),
                  count(lambda: through_the_daemon(classifier, texts, turns=2, copies=COPIES))),
    ]  # fmt: skip


def through_the_daemon(classifier: MentionClassifier, texts: Sequence[str], *, turns: int, copies: int) -> None:
    """Store every text so many times in each turn, each turn after the one before was classified."""
    config = load_config(CONFIG, plugin_options())
    country = next(iter(config.countries))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/copies.db")
        step = ClassifyStep(config, classifier, store, SystemClock())
        for turn in range(turns):
            numbered = [(f"{turn}-{copy}-{row}", text) for copy in range(copies) for row, text in enumerate(texts)]
            _collect(store, country, [_mention(number, text) for number, text in numbered])
            while step.run(500, Tally()):
                pass
        store.close()


def _mention(number: str, text: str) -> Mention:
    return Mention("x", number, text, datetime.now(UTC), Author("x", number))


def _collect(store: Store, country: str, mentions: Sequence[Mention]) -> None:
    watch = Watch("bench", "file", "yunfan", country, ("en",), ("kettle",))
    arrivals = [Arrival(mention, country, text_hash(mention.text)) for mention in mentions]
    now = datetime.now(UTC)
    store.collecting.save_page(watch, Page(tuple(mentions), None), arrivals, now=now, next_poll_at=now, max_age_s=None)


def _compared(what: str, given: int, once: int, with_copies: int) -> Finding:
    reached = f"{given} texts: {once} inferences; with copies: {with_copies}"
    return Finding(what, reached, "as many", with_copies == once)
