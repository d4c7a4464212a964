"""The multilingual classifier: all that a model can say of one post, on the CPU, offline."""

import os
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.adapter import load_adapter
from classifiers.backends import AUTO, choose, load_encoder
from classifiers.cause_space import CauseSpace, load_cause_space
from classifiers.causes import compact
from classifiers.checkpoint import Progress, build_checkpoint
from classifiers.encoder import TextEncoder, TokenFeatures
from classifiers.explanation import COMPLAINT_FROM, Explainer, reasons_of
from classifiers.heads import WEIGHTS, Heads, Scores, load_heads
from classifiers.labelled import LabelledCheckpoint
from classifiers.language import LanguageIdentifier
from classifiers.second_look import are_open
from classifiers.text import Traced, clean, mask, trace
from listener.config import OtherClassifier
from listener.errors import ModelUnavailableError
from listener.model import SIGNALS, TOPICS, Classification, Reason, Sentiment, Urgency

_LETTERS = tuple(SIGNALS)
_SENTIMENTS = tuple(Sentiment)
_NO_TOPIC = "other"


@dataclass(frozen=True, slots=True)
class _Read:
    """A masked text with its tokens' features, and the posts that it is the text of."""

    text: str
    rows: list[int]
    posts: list[Traced]
    tokens: TokenFeatures


class MentionClassifier:
    """Says what posts are about and how soon someone should react, in any of the encoder's languages."""

    def __init__(
        self,
        encoder: TextEncoder,
        heads: Heads,
        languages: LanguageIdentifier,
        *,
        batch: int = 32,
        others: Sequence[LabelledCheckpoint] = (),
        space: CauseSpace | None = None,
    ) -> None:
        """Put a classifier together.

        Args:
            encoder: turns texts into features.
            heads: trained on that encoder's features.
            languages: identifies languages.
            batch: most texts that go through the encoder together.
            others: checkpoints whose outputs stand in place of the heads'.
            space: where complaints are compared; the one shipped for that encoder where None.

        Raises:
            ModelUnavailableError: the heads belong to an encoder of another width.
        """
        if heads.n_features != encoder.n_features:
            raise ModelUnavailableError(
                f"the heads read {heads.n_features} features and the encoder gives {encoder.n_features};"
                " name heads that were trained on it"
            )
        self._others = tuple(others)
        self._encoder = encoder
        self._heads = heads
        self._space = space or load_cause_space(heads)
        self._languages = languages
        self._batch = batch

    @classmethod
    def load(
        cls,
        cache_dir: Path,
        *,
        threads: int | None = None,
        batch: int = 32,
        progress: Progress | None = None,
        backend: str = AUTO,
        checkpoint: Path | None = None,
        weights: Path = WEIGHTS,
        others: Sequence[OtherClassifier] = (),
    ) -> "MentionClassifier":
        """Return a ready classifier; the first time, build the encoder's checkpoint under `cache_dir`.

        Args:
            cache_dir: folder kept between runs, 350 MB.
            threads: most threads used; the number of cores where None.
            batch: most texts that go through the encoder together.
            progress: told the name and the share done of each long step.
            backend: what runs the encoder; see `backends.choose`.
            checkpoint: folder of another encoder than the bundled one; runs in torch.
            weights: folder of the heads, trained on that encoder.
            others: sequence-classification checkpoints that give some of the outputs.

        Raises:
            ModelUnavailableError: this machine lacks what the backend needs, weights are missing or damaged, or the
                folder cannot be written.
        """
        chosen = choose(backend, bundled=checkpoint is None)
        heads = load_heads(weights)
        adapter = load_adapter(weights, heads.adapter) if heads.adapter else None
        encoder = load_encoder(
            chosen,
            checkpoint or build_checkpoint(cache_dir, progress),
            cache_dir,
            layers=heads.layers,
            threads=threads,
            adapter=adapter,
            digest=heads.adapter,
            progress=progress,
        )
        device = "cuda" if chosen == "cuda" else "cpu"
        labelled = [LabelledCheckpoint(one, threads or os.cpu_count() or 1, device=device) for one in others]
        space = load_cause_space(heads, weights)
        return cls(encoder, heads, LanguageIdentifier(), batch=batch, others=labelled, space=space)

    @property
    def version(self) -> str:
        """The name of the heads with a digest of their weights and of the adapter's."""
        return " ".join((self._heads.version, *(other.version for other in self._others)))

    @property
    def encoder(self) -> TextEncoder:
        """What turns texts into the features that the heads read."""
        return self._encoder

    def with_heads(self, heads: Heads) -> "MentionClassifier":
        """Return a classifier that reads the same encoder's features with other heads."""
        other = copy(self)
        other._heads = heads
        return other

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the features that the heads read, float32 (n_texts, n_features); each different text costs once."""
        masked = [mask(text) for text in texts]
        different = list(dict.fromkeys(masked))
        rows = {text: row for row, text in enumerate(different)}
        features = self._looked_at_again(different, self._encoder.embed(different, self._batch))
        return features[[rows[text] for text in masked]]

    def place(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return where texts lie among complaints, float32 (n_texts, width): what is kept of posts, see `causes`."""
        return self._space.place(self.embed(texts))

    def _looked_at_again(self, texts: Sequence[str], features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return features that are taken anew in float32 where the encoder is coarser and a label hangs on it."""
        precise = self._encoder.precise
        if precise is None or not texts:
            return features
        again = np.flatnonzero(are_open(self._heads.score(features)))
        if len(again):
            features[again] = precise.embed([texts[int(row)] for row in again], self._batch)
        return features

    def classify(
        self,
        texts: Sequence[str],
        *,
        network_languages: Sequence[str | None] | None = None,
        country_languages: Sequence[Sequence[str]] | None = None,
        reasons: bool = False,
    ) -> list[Classification]:
        """Return one classification per text, in order.

        Never raises on a text's content: it may be empty, of any length, and hold what is no text at all. One of which
        cleaning leaves nothing is answered by a rule: where nothing is said there is nothing to answer. Any other's
        result is the same in any company, to about 1e-6; in bfloat16 its labels are, its probabilities to about 0.01.
        Equal texts cost one inference.

            classifier = MentionClassifier.load(Path("var/model"))
            (found,) = classifier.classify(["My kettle caught fire, nobody answers!"], reasons=True)
            found.complaint, found.urgency, [reason.word for reason in found.reasons]

        Args:
            texts: posts as the network gave them.
            network_languages: the network's own BCP 47 tag of each text, None where it gives none.
            country_languages: tags of the languages spoken where each was collected.
            reasons: say which words moved each result; costs little more, but four times as much for posts that may
                need an answer, whose words are checked by leaving them out.

        Raises:
            ValueError: the sequences are not of one length.
        """
        if not texts:
            return []
        languages = self._languages.identify(texts, network_languages, country_languages)
        said = [row for row, text in enumerate(texts) if _says_something(text)]
        read = self._read_by_model([texts[row] for row in said], [languages[row] for row in said], reasons)
        by_row = dict(zip(said, read, strict=True))
        return [by_row.get(row) or self._nothing(language) for row, language in enumerate(languages)]

    def _read_by_model(self, texts: Sequence[str], languages: Sequence[str], reasons: bool) -> list[Classification]:
        if not texts:
            return []
        if reasons:
            return self._with_others(texts, self._with_reasons(texts, languages))
        features = self.embed(texts)
        scores = self._heads.score(features)
        found = [self._classification(row, language, scores) for row, language in enumerate(languages)]
        return self._with_others(texts, self._with_embeddings(found, features))

    def _nothing(self, language: str) -> Classification:
        """Return the classification of a text that says nothing."""
        return Classification(
            language=language,
            complaint=0.0,
            urgency=Urgency.NONE,
            urgency_probabilities=(1.0, 0.0, 0.0, 0.0),
            sentiment=Sentiment.NEUTRAL,
            sentiment_probabilities=(0.0, 1.0, 0.0),
            topic=_NO_TOPIC,
            topic_probability=1.0,
            signals={},
            model=self.version,
        )

    def _with_others(self, texts: Sequence[str], found: list[Classification]) -> list[Classification]:
        for other in self._others:
            found = other.put_into(found, [mask(text) for text in texts], self._batch)
        return [one if _may_complain(one) else replace(one, embedding=None) for one in found]

    def _with_embeddings(self, found: Sequence[Classification], features: NDArray[np.float32]) -> list[Classification]:
        """Return classifications with what to compare them by, where they may complain or others decide on that."""
        rows = [row for row, one in enumerate(found) if self._others or _may_complain(one)]
        packed = dict(zip(rows, compact(self._space.place(features[rows])), strict=True))
        return [replace(one, embedding=packed.get(row)) for row, one in enumerate(found)]

    def explain(self, texts: Sequence[str], found: Sequence[Classification]) -> list[tuple[Reason, ...]]:
        """Return the words that moved each of some classifications, the strongest first.

        Costs as much again as they did, and three times more for posts that may need an answer.

        Args:
            texts: the posts classified.
            found: what `classify` said of each.

        Raises:
            ValueError: the sequences are not of one length.
        """
        if len(texts) != len(found):
            raise ValueError(f"{len(texts)} texts and {len(found)} classifications")
        reasons: dict[int, tuple[Reason, ...]] = {}
        for batch in self._read([trace(text) for text in texts]):
            reasons.update(self._reasons(batch, [found[one.rows[0]] for one in batch]))
        return [reasons[row] for row in range(len(texts))]

    def _with_reasons(self, texts: Sequence[str], languages: Sequence[str]) -> list[Classification]:
        done: dict[int, Classification] = {}
        for batch in self._read([trace(text) for text in texts]):
            means = np.stack([one.tokens.states.mean(axis=0) for one in batch])
            means = self._looked_at_again([one.text for one in batch], means)
            scores = self._heads.score(means)
            found = [self._classification(place, languages[one.rows[0]], scores) for place, one in enumerate(batch)]
            found = self._with_embeddings(found, means)
            by_row = {row: found[place] for place, one in enumerate(batch) for row in one.rows}
            for row, reasons in self._reasons(batch, found):
                done[row] = replace(by_row[row], language=languages[row], reasons=reasons)
        return [done[row] for row in range(len(texts))]

    def _reasons(
        self, batch: Sequence["_Read"], found: Sequence[Classification]
    ) -> Iterator[tuple[int, tuple[Reason, ...]]]:
        """Yield reasons with the number of their post."""
        marks = self._explainer.mark([one.text for one in batch], [one.tokens for one in batch], found)
        for one, some in zip(batch, marks, strict=True):
            yield from ((row, reasons_of(post, some)) for row, post in zip(one.rows, one.posts, strict=True))

    def _read(self, posts: Sequence[Traced]) -> Iterator[list["_Read"]]:
        """Yield different texts with their tokens' features, a batch of like length at a time: they are big."""
        rows: dict[str, list[int]] = {}
        for row, post in enumerate(posts):
            rows.setdefault(post.text, []).append(row)
        different = sorted(rows, key=len)
        for start in range(0, len(different), self._batch):
            texts = different[start : start + self._batch]
            tokens = self._encoder.token_features(texts, self._batch)
            yield [
                _Read(text, rows[text], [posts[row] for row in rows[text]], found)
                for text, found in zip(texts, tokens, strict=True)
            ]

    @property
    def _explainer(self) -> Explainer:
        return Explainer(self._heads, lambda texts: self._heads.logits(self._encoder.embed(texts, self._batch)))

    def _classification(self, row: int, language: str, scores: Scores) -> Classification:
        levels, tones, topics = (_shares(part[row]) for part in (scores.urgency, scores.sentiment, scores.topic))
        topic = int(np.argmax(topics))
        asserted = scores.signals[row] >= self._heads.thresholds
        return Classification(
            language=language,
            complaint=float(scores.complaint[row]),
            urgency=_level(levels),
            urgency_probabilities=(levels[0], levels[1], levels[2], levels[3]),
            sentiment=_SENTIMENTS[int(np.argmax(tones))],
            sentiment_probabilities=(tones[0], tones[1], tones[2]),
            topic=TOPICS[topic],
            topic_probability=topics[topic],
            signals={
                letter: float(scores.signals[row, column]) for column, letter in enumerate(_LETTERS) if asserted[column]
            },
            model=self.version,
        )


def _may_complain(found: Classification) -> bool:
    return found.complaint >= COMPLAINT_FROM


def _says_something(text: str) -> bool:
    return any(letter.isprintable() and letter != " " for letter in clean(text))


def _shares(probabilities: NDArray[np.float32]) -> list[float]:
    """Return probabilities as floats that sum to 1 in double precision too."""
    values = [float(value) for value in probabilities]
    total = sum(values)
    return [value / total for value in values]


def _level(levels: Sequence[float]) -> Urgency:
    """Return the level nearest to the expected one: the best single answer where levels are ordered."""
    return Urgency(round(sum(level * share for level, share in enumerate(levels))))
