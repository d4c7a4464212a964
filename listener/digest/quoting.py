"""Posts as a reader may see them: masked where they must be, never one that was deleted."""

from collections.abc import Sequence
from math import isfinite

from classifiers.influence import score_influence
from listener.config import Config
from listener.digest.masking import is_public, mask, shortened
from listener.digest.model import Post
from listener.model import Author, Engagement
from listener.store.digests import Digests, PostFacts

LONGEST = 280
"""Letters of a post that are quoted; a digest is read at a glance."""
_LONGEST_MASKED = 1_000
"""What comes after is never quoted."""


class Quoting:
    """Makes quotations of posts."""

    def __init__(self, store: Digests, config: Config, *, masked: bool) -> None:
        self._store = store
        self._config = config
        self._masked = masked
        self._known: dict[int, PostFacts | None] = {}

    def facts(self, match_ids: Sequence[int]) -> dict[int, PostFacts]:
        """Return posts by match, unmasked, in order; those that were deleted since are left out."""
        missing = [one for one in match_ids if one not in self._known]
        found = self._store.posts(missing)
        for match_id in missing:
            facts = found.get(match_id)
            self._known[match_id] = facts if facts and facts.text.strip() else None
        return {one: facts for one in match_ids if (facts := self._known[one]) is not None}

    def masked(self, facts: PostFacts) -> str:
        """Return the beginning of a post as the reader may see it."""
        text = facts.text[:_LONGEST_MASKED]
        if not self._masked:
            return text
        accounts = self._config.brands[facts.brand].accounts.values() if facts.brand in self._config.brands else ()
        return mask(text, country=facts.country, keep=tuple(accounts))

    def quoted(self, facts: PostFacts, cause: str = "") -> Post:
        """Return a post as the reader may see it; its gloss begins with its cause where that has a name."""
        journalist = is_journalist(facts)
        name = f"@{facts.handle}" if facts.handle else facts.name
        public = is_public(facts.followers, verified=facts.verified, journalist=journalist)
        text = self.masked(facts)
        if self._masked:
            name = name if public else shortened(name)
        return Post(
            mention_id=facts.mention_id,
            network=facts.network,
            country=facts.country,
            language=facts.language,
            text=_cut(text),
            who=name,
            url=facts.url if public or not self._masked else None,
            published_at=facts.published_at,
            gloss=(*([cause] if cause else []), facts.topic, *sorted(facts.signals)),
            followers=facts.followers,
            influence=_finite(facts.influence),
            journalist=journalist,
            views=facts.views,
            reposts=facts.reposts,
            sentiment=facts.sentiment,
            complaint=_finite(facts.complaint),
            alert=f"A-{facts.alert_id}" if facts.alert_id else "",
        )


def is_journalist(facts: PostFacts) -> bool:
    """Tell whether a post's author says so of themselves."""
    author = Author(facts.network, str(facts.author_id), bio=facts.bio)
    return any(part.name == "press" for part in score_influence(author, Engagement()).parts)


def _finite(score: float) -> float:
    return score if isfinite(score) else 0.0


def _cut(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"
