"""The digest reader's language: the shared words, with the digest's own messages."""

from pathlib import Path
from typing import ClassVar, Self

from babel.messages.catalog import Catalog

from listener.errors import DigestError
from listener.words import LANGUAGES, NO_BREAK_SPACE, SOURCE, Domain, catalogue_name, marked, nearest, unbroken
from listener.words import Words as SharedWords

__all__ = ["LANGUAGES", "NO_BREAK_SPACE", "SOURCE", "Words", "catalogue_name", "marked", "read_catalogue", "unbroken"]

DIGEST = Domain("digest", "the weekly digest", Path(__file__).parent)


class Words(SharedWords):
    """How a digest says things in one reader's language."""

    DOMAIN: ClassVar[Domain] = DIGEST

    @classmethod
    def of(cls, language: str) -> Self:
        """Return the words for a language tag; a region that is not known falls back to the language.

        Raises:
            DigestError: the language is none of the six.
        """
        if nearest(language) is None:
            known = ", ".join(f"{key} ({name})" for key, name in LANGUAGES.items())
            raise DigestError(f"a digest cannot be written in {language!r}; it can in {known}")
        return super().of(language)


def read_catalogue(language: str) -> Catalog:
    """Return the catalogue of one of LANGUAGES other than the source."""
    return DIGEST.read(language)
