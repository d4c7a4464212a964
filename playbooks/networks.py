"""How long a public reply may be on each network, counted as that network counts."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import regex

DEFAULT_LIMIT = 1000
_SHORT = 600
# docs.x.com "Counting characters", read 2026-11-22, and the configuration file it names: code points in these ranges
# weigh 1, every other 2, a link 23, an emoji of any make-up 2, limit 280; counted after NFC.
_X_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_X_LINK_WEIGHT = 23
_X_EMOJI_WEIGHT = 2
# A domain has 127 parts at most; without that bound, a text of nothing but points would take time by its square.
_LINK = regex.compile(r"https?://\S+|(?<![\w@.-])(?:[\w-]++\.){1,127}\p{L}{2,}(?:/\S*)?", regex.IGNORECASE)
_GRAPHEME = regex.compile(r"\X")
_HEAVY = regex.compile("[^" + "".join(f"{chr(low)}-{chr(high)}" for low, high in _X_LIGHT) + "]")
_EMOJI = regex.compile(r"[\p{Emoji_Presentation}\ufe0f\u20e3]")


@dataclass(frozen=True, slots=True)
class LengthRule:
    """The limit of one network and its way of counting."""

    limit: int
    count: Callable[[str], int]

    def fits(self, text: str) -> bool:
        """Return whether the network would take `text`."""
        return self.count(text) <= self.limit


def count_weighted(text: str) -> int:
    """Return the length of `text` as X counts it."""
    rest = unicodedata.normalize("NFC", text)
    links = _LINK.findall(rest)
    # A word that only looks like a bare domain may not become a link, so the dearer reading counts.
    total = sum(_X_LINK_WEIGHT if "://" in link else max(_X_LINK_WEIGHT, _weigh(link)) for link in links)
    return total + _weigh(_LINK.sub("", rest))


def _weigh(text: str) -> int:
    if not _EMOJI.search(text):
        return len(text) + len(_HEAVY.findall(text))
    return sum(
        _X_EMOJI_WEIGHT if _EMOJI.search(cluster) else len(cluster) + len(_HEAVY.findall(cluster))
        for cluster in _GRAPHEME.findall(text)
    )


def count_graphemes(text: str) -> int:
    """Return the number of characters as a reader sees them."""
    return len(_GRAPHEME.findall(text))


def count_utf16(text: str) -> int:
    """Return the number of UTF-16 code units, as most web forms count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_RULES = {
    "x": LengthRule(280, count_weighted),
    # VK's method schema 5.199 gives wall.createComment no maximum; conservative.
    "vk": LengthRule(4096, count_utf16),
    # Customer-service texts carry at most 2048 bytes; 600 Chinese characters stay below. Not documented for
    # comments under articles.
    "wechat": LengthRule(600, count_utf16),
    # Limits below are the vendors' published ones as generally known, not re-read unless a source is named.
    "facebook": LengthRule(8000, count_utf16),
    "instagram": LengthRule(2200, count_utf16),
    "threads": LengthRule(500, count_utf16),
    # app.bsky.feed.post lexicon: maxGraphemes 300.
    "bluesky": LengthRule(300, count_graphemes),
    # Mastodon's default; an instance may allow more.
    "mastodon": LengthRule(500, count_graphemes),
    "reddit": LengthRule(10_000, count_utf16),
    "youtube": LengthRule(10_000, count_utf16),
    "telegram": LengthRule(4096, count_utf16),
    "whatsapp": LengthRule(4096, count_utf16),
    "line": LengthRule(5000, count_utf16),
    "appstore": LengthRule(5970, count_utf16),
    # Google Play Developer API, reviews.reply, read 2026-11-22: more than "approximately 350" is rejected.
    "googleplay": LengthRule(350, count_utf16),
    # Not documented; conservative.
    "googlebusiness": LengthRule(4000, count_utf16),
    "trustpilot": LengthRule(2000, count_utf16),
}
WITHOUT_PRIVATE_CHANNEL = frozenset({"youtube", "appstore", "googleplay", "googlebusiness", "trustpilot"})
"""Networks where a business cannot be written to in private, so that a reply names the brand's own contact."""
_DEFAULT_RULE = LengthRule(DEFAULT_LIMIT, count_utf16)
_ALIASES = {"twitter": "x", "vkontakte": "vk", "wecom": "wechat", "googlereviews": "googlebusiness"}


def network_key(network: str) -> str:
    """Return the name under which this package knows a network: `App Store` and `app_store` are `appstore`."""
    key = regex.sub(r"[^a-z0-9]+", "", network.casefold())
    return _ALIASES.get(key, str(key))


def known_networks() -> tuple[str, ...]:
    """Return the networks that this package knows."""
    return tuple(_RULES)


def length_rule(network: str) -> LengthRule:
    """Return the network's length rule, a cautious one where it is not known."""
    return _RULES.get(network_key(network), _DEFAULT_RULE)


def short_networks() -> tuple[str, ...]:
    """Return the networks on which room is short, the shortest first."""
    found = sorted((rule.limit, name) for name, rule in _RULES.items() if rule.limit <= _SHORT)
    return tuple(name for _, name in found)
