"""Classifies what was collected: copies repeat what is known of their original, the rest goes to the model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import structlog

from classifiers.copies import JACCARD, bands, similarity
from classifiers.explanation import needs_reasons
from listener.clock import Clock
from listener.config import Config
from listener.errors import ListenerError
from listener.model import DRILL_NETWORK, Classification, Reason, Sentiment, Urgency
from listener.pipeline.tally import Tally
from listener.store import Store
from listener.store.classifying import Classified, Unclassified

COPY_WINDOW = timedelta(days=14)
UNREAD = Classification(
    language="und",
    complaint=0.5,
    urgency=Urgency.LOW,
    urgency_probabilities=(0.0, 1.0, 0.0, 0.0),
    sentiment=Sentiment.NEUTRAL,
    sentiment_probabilities=(0.0, 1.0, 0.0),
    topic="other",
    topic_probability=1.0,
    signals={},
    model="unread",
)
"""What stands for a post that the classifier failed on: open whether it complains."""

_PROBE = "?"
"""Text that any classifier that works can read."""

log = structlog.get_logger("listener.classify")


class Classifier(Protocol):
    """What this step needs of a classifier."""

    def classify(
        self,
        texts: Sequence[str],
        *,
        network_languages: Sequence[str | None],
        country_languages: Sequence[Sequence[str]],
    ) -> list[Classification]:
        """Return one classification per text, in order."""
        ...

    def explain(self, texts: Sequence[str], found: Sequence[Classification]) -> list[tuple[Reason, ...]]:
        """Return the words that moved each of some classifications, strongest first."""
        ...


class ClassifyStep:
    """Takes the oldest waiting mentions, a batch at a time."""

    def __init__(self, config: Config, classifier: Classifier, store: Store, clock: Clock) -> None:
        self._config = config
        self._classifier = classifier
        self._store = store.classifying
        self._clock = clock

    def run(self, limit: int, tally: Tally) -> int:
        """Classify at most `limit` mentions; return how many."""
        waiting = self._store.waiting(limit)
        if not waiting:
            return 0
        now = self._clock.now()
        originals = self._store.originals(waiting, now - COPY_WINDOW)
        known = dict(self._store.classifications(sorted(set(originals.values()))))
        fresh = [item for item in waiting if originals.get(item.mention_id) not in known]
        in_batch = {item.mention_id for item in waiting}
        # A copy whose original is in this very batch waits for it instead of being inferred twice.
        inferred = [item for item in fresh if originals.get(item.mention_id) not in in_batch]
        found = self._infer(inferred)
        known.update(found)
        near = self._near_copies(inferred, originals)
        done = [
            Classified(
                item.mention_id,
                self._result(item, known, originals),
                originals.get(item.mention_id) or near.get(item.mention_id),
                bands(item.text) if item.mention_id in found and item.network != DRILL_NETWORK else (),
                item.text,
            )
            for item in waiting
        ]
        self._store.save(done, self._clock.now())
        tally.classified.update(item.country for item in waiting)
        return len(waiting)

    def _infer(self, items: Sequence[Unclassified]) -> dict[int, Classification]:
        if not items:
            return {}
        try:
            return self._inferred(items)
        except ListenerError:
            raise
        except Exception:
            if len(items) > 1:
                return {key: one for item in items for key, one in self._infer([item]).items()}
            # Where the classifier itself is at fault this raises as well, and all that waits goes on waiting.
            self._inferred([replace(items[0], text=_PROBE)])
            # One post may not stop all that wait behind it: it is set aside, in the log and by the name of its model.
            log.exception("a post could not be classified and was set aside", mention_id=items[0].mention_id)
            return {items[0].mention_id: UNREAD}

    def _inferred(self, items: Sequence[Unclassified]) -> dict[int, Classification]:
        found = self._classifier.classify(
            [item.text for item in items],
            network_languages=[item.language_tag for item in items],
            country_languages=[self._languages(item.country) for item in items],
        )
        return {item.mention_id: result for item, result in zip(items, self._explained(items, found), strict=True)}

    def _explained(self, items: Sequence[Unclassified], found: Sequence[Classification]) -> list[Classification]:
        """Return the classifications, those with reasons that may raise an alert: nobody asks why of the others."""
        asked = [row for row, one in enumerate(found) if needs_reasons(one)]
        reasons = self._classifier.explain([items[row].text for row in asked], [found[row] for row in asked])
        explained = dict(zip(asked, reasons, strict=True))
        return [replace(one, reasons=explained.get(row, ())) for row, one in enumerate(found)]

    def _result(
        self, item: Unclassified, known: Mapping[int, Classification], originals: Mapping[int, int]
    ) -> Classification:
        if item.mention_id in known:
            return known[item.mention_id]
        original = originals.get(item.mention_id)
        if original is not None and original in known:
            shown = tuple(one for one in known[original].reasons if one.word in item.text)
            return replace(known[original], copy_of=original, reasons=shown)
        return self._infer([item])[item.mention_id]

    def _near_copies(self, items: Sequence[Unclassified], originals: Mapping[int, int]) -> dict[int, int]:
        """Return, for texts that nearly repeat an earlier one, the id of the first of its kind."""
        since = self._clock.now() - COPY_WINDOW
        seen: dict[str, list[tuple[int, str]]] = {}
        found: dict[int, int] = {}
        for item in sorted(items, key=lambda item: item.mention_id):
            if item.mention_id in originals or item.network == DRILL_NETWORK:
                continue  # a drill says again what the one before said
            keys = bands(item.text)
            candidates = self._store.candidates(keys, item.mention_id, since)
            candidates += [pair for key in keys for pair in seen.get(key, ())]
            for root, text in dict.fromkeys(candidates):
                if root != item.mention_id and similarity(text, item.text) >= JACCARD:
                    found[item.mention_id] = root
                    break
            for key in keys:
                seen.setdefault(key, []).append((found.get(item.mention_id, item.mention_id), item.text))
        return found

    def _languages(self, country: str) -> Sequence[str]:
        settings = self._config.countries.get(country)
        return settings.languages if settings else ()
