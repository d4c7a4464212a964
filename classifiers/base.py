"""What a classifier of mentions promises, so that another model can take its place."""

from collections.abc import Sequence
from typing import Protocol

from listener.model import Classification, Reason


class Classifier(Protocol):
    """Anything that says what posts are about and how soon someone should react."""

    @property
    def version(self) -> str:
        """The model's name as written in every classification; it changes when results can."""
        ...

    def classify(
        self,
        texts: Sequence[str],
        *,
        network_languages: Sequence[str | None],
        country_languages: Sequence[Sequence[str]],
    ) -> list[Classification]:
        """Return one classification per text, in order; the three sequences are of one length.

        Never raises on a text's content, however hostile. A text's result does not depend on its neighbours.
        """
        ...

    def explain(self, texts: Sequence[str], found: Sequence[Classification]) -> list[tuple[Reason, ...]]:
        """Return the words that moved each of some classifications, strongest first; none where it cannot tell.

        Never raises on a text's content. Every word stands in its text as it is.
        """
        ...
