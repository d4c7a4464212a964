"""Finds texts that repeat others: a hash for exact copies, MinHash bands for near ones.

Knows texts only; the store keeps hashes and bands, so that windows survive restarts.
"""

import hashlib
import re
import struct
import unicodedata
from collections.abc import Set

PERMUTATIONS = 64
BANDS = 16
JACCARD = 0.6
_SEED = 20_261_122
_LEAST_CHARACTERS = 20
_LEAST_CJK_CHARACTERS = 8

_REPOST_PREFIX = re.compile(r"^\s*RT\s+@\w+:\s*", re.IGNORECASE)
_LINK = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_HANDLE = re.compile(r"@[\w.-]+")
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def normalise(text: str) -> str:
    """Return the text without what differs between copies: case, width, links, handles, punctuation, spaces."""
    text = unicodedata.normalize("NFKC", _REPOST_PREFIX.sub("", text)).casefold()
    text = _HANDLE.sub(" ", _LINK.sub(" ", text))
    kept = (character if unicodedata.category(character)[0] in "LNMS" else " " for character in text)
    return " ".join("".join(kept).split())


def text_hash(text: str) -> str:
    """Return 40 hex digits that exact copies share, or "" for a text too short to be told from a coincidence."""
    normal = normalise(text)
    if _too_short(normal):
        return ""
    return hashlib.blake2b(normal.encode("utf-8", "replace"), digest_size=20).hexdigest()


def shingles(text: str) -> Set[str]:
    """Return the overlapping character pieces of a text: of 2 where it is mostly CJK, else of 4."""
    normal = normalise(text)
    size = 2 if _mostly_cjk(normal) else 4
    return {normal[start : start + size] for start in range(max(1, len(normal) - size + 1))}


def similarity(one: str, other: str) -> float:
    """Return the Jaccard similarity of two texts' shingles, in [0, 1]."""
    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second)


def bands(text: str) -> list[str]:
    """Return the 16 band keys of a text; two texts that share a key are candidates for near copies.

    Empty for a text too short to be told from a coincidence.
    """
    if _too_short(normalise(text)):
        return []
    from rensa import RMinHash

    sketch = RMinHash(num_perm=PERMUTATIONS, seed=_SEED)
    sketch.update(sorted(piece.encode("utf-8", "replace").decode() for piece in shingles(text)))
    digest = sketch.digest()
    rows = PERMUTATIONS // BANDS
    keys = []
    for band in range(BANDS):
        raw = struct.pack(f"<{rows}Q", *digest[band * rows : (band + 1) * rows])
        keys.append(f"{band:x}{hashlib.blake2b(raw, digest_size=12).hexdigest()}")
    return keys


def _mostly_cjk(normal: str) -> bool:
    return len(_CJK.findall(normal)) * 2 > len(normal.replace(" ", ""))


def _too_short(normal: str) -> bool:
    least = _LEAST_CJK_CHARACTERS if _mostly_cjk(normal) else _LEAST_CHARACTERS
    return len(normal.replace(" ", "")) < least
