"""A message as plain text, for mail, chats and webhooks. Parts that people copy are not indented."""

import re
from collections.abc import Callable, Iterator

from alerts.card import Message
from alerts.outline import Outline, Part, outline

_INDENT = {"text": "  ", "quiet": "  ", "quote": "  | ", "list": "  • ", "alarm": "  ✗ ", "curve": "  "}


def plain_text(message: Message) -> str:
    """Return the whole message as text."""
    return outline_text(outline(message))


def outline_text(shown: Outline, *, with_title: bool = True) -> str:
    """Return an outline as text; a receiver that shows the title elsewhere leaves it out."""
    head = "\n".join(line for line in (shown.title if with_title else "", shown.where) if line)
    return _joined([head, *_paragraphs(shown.parts), shown.footer])


def _joined(paragraphs: list[str]) -> str:
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _paragraphs(parts: tuple[Part, ...]) -> Iterator[str]:
    links: list[str] = []
    for part in parts:
        if part.look == "link":
            links.append(f"{part.label}: {part.lines[0]}")
        else:
            yield "\n".join([*_heading(part), *_lines(part)])
    yield "\n".join(links)


def _heading(part: Part) -> Iterator[str]:
    if part.label:
        yield f"{part.label} ({part.detail})" if part.detail else part.label


def _lines(part: Part) -> Iterator[str]:
    for number, line in enumerate(part.lines, 1):
        if part.look == "draft":
            yield line
        elif part.look == "steps":
            yield f"  {number}. {line}"
        elif part.label or part.look != "text":
            yield f"{_INDENT[part.look]}{line}"
        else:
            yield line
    if part.url:
        yield f"  {part.url}"


def fitted_text(shown: Outline, room: int, measure: Callable[[str], int] = len) -> str:
    """Return an outline without its title in at most `room`, whole parts only: half a draft or address misleads.

    Where not all fits, the place and the links are kept first, then the parts in their order.
    """
    parts = [shown.where, *_paragraphs(shown.parts), shown.footer]
    links = len(parts) - 2
    kept: set[int] = set()
    room -= measure(_LEFT_OUT)
    for at in sorted(range(len(parts)), key=lambda at: (at not in (0, links), at)):
        size = measure(parts[at]) + measure("\n\n")
        if parts[at] and size <= room:
            kept.add(at)
            room -= size
    whole = all(at in kept for at, part in enumerate(parts) if part)
    return _joined([part for at, part in enumerate(parts) if at in kept] + ([] if whole else [_LEFT_OUT]))


_LEFT_OUT = "(shortened)"
_PINGS = re.compile(r"@(?=(?:everyone|here|channel|all|online|room)\b)", re.IGNORECASE)
_CHAT_MARKUP = str.maketrans({"<": "‹", ">": "›"})


def chat_text(text: str) -> str:
    """Return `text` so that no chat service finds a mention of everybody, a tag or a masked link in it."""
    return _PINGS.sub("＠", text.translate(_CHAT_MARKUP)).replace("](", "] (")
