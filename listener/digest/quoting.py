"""Posts as a reader may see them: masked where they must be, never one that was deleted."""

from collections.abc import Sequence
from dataclasses import replace

from classifiers.influence import score_influence
from listener.config import Config
from listener.digest.masking import is_public, mask, shortened
from listener.digest.model import Post
from listener.model import Author, Engagement
from listener.store.digests import Digests, PostFacts

LONGEST = 280
"""Letters of a post that are quoted; a digest is read at a glance."""


class Quoting:
    """Makes quotations of posts."""

    def __init__(self, store: Digests, config: Config, *, masked: bool) -> None:
        self._store = store
        self._config = config
        self._masked = masked
        self._known: dict[int, Post | None] = {}

    def posts(self, match_ids: Sequence[int]) -> dict[int, Post]:
        """Return posts by match; those that were deleted since are left out."""
        missing = [one for one in match_ids if one not in self._known]
        found = self._store.posts(missing)
        for match_id in missing:
            facts = found.get(match_id)
            self._known[match_id] = self._quoted(facts) if facts and facts.text.strip() else None
        return {one: post for one in match_ids if (post := self._known[one]) is not None}

    def _quoted(self, facts: PostFacts) -> Post:
        author = Author(facts.network, str(facts.author_id), followers=facts.followers, verified=facts.verified,
                        bio=facts.bio)  # fmt: skip
        journalist = any(part.name == "press" for part in score_influence(author, Engagement()).parts)
        name = f"@{facts.handle}" if facts.handle else facts.name
        public = is_public(facts.followers, verified=facts.verified, journalist=journalist)
        text = facts.text
        if self._masked:
            accounts = self._config.brands[facts.brand].accounts.values() if facts.brand in self._config.brands else ()
            text = mask(text, country=facts.country, keep=tuple(accounts))
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
            gloss=_gloss(facts),
            followers=facts.followers,
            influence=facts.influence,
            journalist=journalist,
            views=facts.views,
            reposts=facts.reposts,
            sentiment=facts.sentiment,
            complaint=facts.complaint,
            alert=f"A-{facts.alert_id}" if facts.alert_id else "",
        )

    def about(self, post: Post, cause: str) -> Post:
        """Return a post whose gloss begins with its cause."""
        return replace(post, gloss=(cause, *post.gloss)) if cause else post


def _gloss(facts: PostFacts) -> tuple[str, ...]:
    return (facts.topic, *sorted(facts.signals))


def _cut(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"
