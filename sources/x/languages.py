"""Language tags: X's own codes on one side, BCP 47 on the other."""

import re
from collections.abc import Iterable

from sources.fields import language_tag

_FROM_X = {"in": "id", "iw": "he", "zh-tw": "zh-Hant", "zh-cn": "zh-Hans"}
# X marks posts without readable words (only links, mentions, hashtags, media, too short) with private codes.
_NO_LANGUAGE = {"und", "zxx", "art", "qam", "qct", "qht", "qme", "qst"}
# X knows no Malay and tags it as Indonesian; Norwegian has one code for both of its forms.
_TO_X = {"id": "in", "ms": "in", "he": "iw", "nb": "no", "nn": "no", "yue": "zh", "fil": "tl"}
# Codes that `lang:` takes; another one would make X refuse the whole query (operator page, read 2026-08-22).
_X_CODES = frozenset(
    re.findall(
        r"\w+",
        "am ar bg bn ca cs da de el en es et eu fa fi fr gu hi hr hu hy in it iw ja ka kn ko lt lv ml mr nl no pl pt"
        " ro ru sk sl sr sv ta te th tl tr uk ur vi zh",
    )
)


def to_bcp47(code: object) -> str | None:
    """Return the BCP 47 tag for X's `lang`, or None where X could not tell or gives no tag."""
    if not isinstance(code, str) or code.lower() in _NO_LANGUAGE:
        return None
    return language_tag(_FROM_X.get(code.lower(), code))


def x_codes(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of X's `lang:` operator for BCP 47 tags, each once, without those X does not know."""
    codes = (_TO_X.get(primary(tag), primary(tag)) for tag in tags)
    return tuple(dict.fromkeys(code for code in codes if code in _X_CODES))


def primary(tag: str) -> str:
    """Return the language subtag: `nl` of `nl-BE`."""
    return tag.split("-", 1)[0].lower()
