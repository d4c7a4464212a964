"""HTML's character references in posts, which are hostile: none may stop what reads them."""

import html
import re

ENTITY = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")
"""One reference, as `html.unescape` finds them."""
_LONGEST = 16
"""Characters of a numeric reference: longer ones are no character, and thousands of digits no number for Python."""


def unescape(text: str) -> str:
    """Return `text` with its references replaced as by `html.unescape`, absurd ones by U+FFFD; never raises."""
    return ENTITY.sub(lambda match: unescape_one(match[0]), text) if "&" in text else text


def unescape_one(reference: str) -> str:
    """Return what one reference, as found by `ENTITY`, stands for."""
    return "\ufffd" if reference[1] == "#" and len(reference) > _LONGEST else html.unescape(reference)
