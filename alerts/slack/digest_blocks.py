"""The weekly digest in Slack's Block Kit: what matters, the figures, and a few charts, within its limits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ContextBlock, DividerBlock, ImageBlock, SectionBlock
from slack_sdk.models.blocks.basic_components import MarkdownTextObject, SlackFile

from alerts import wording
from alerts.card import DigestFile, DigestMessage, DigestTile
from alerts.digest_parts import slack_images
from alerts.escaping import clean, escape_mrkdwn, isolate, shorten, slack_length
from alerts.slack.elements import (
    MAX_TEXT,
    first_fitting,
    fitting,
    header,
    link_button,
    mrkdwn,
    paragraph,
    plain,
    section,
)
from alerts.slack.ids import ActionName

_FIELDS_A_SECTION = 10
_MOST_SENTENCES = 10
_BETWEEN = " · "
_NO_MARKUP = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})


@dataclass(frozen=True, slots=True)
class DigestRoom:
    """How much of each part is shown."""

    sentence: int
    tiles: int
    alt: int
    pictures: int = 8


# What the charts say in words goes first: it is cut, never left out.
_ROOMS = (
    DigestRoom(sentence=900, tiles=20, alt=1_900),
    DigestRoom(sentence=700, tiles=16, alt=900),
    DigestRoom(sentence=500, tiles=12, alt=400),
    DigestRoom(sentence=300, tiles=10, alt=200, pictures=6),
    DigestRoom(sentence=150, tiles=8, alt=100, pictures=4),
)


def render_digest(digest: DigestMessage, pictures: Mapping[str, str], *, is_whole: bool = True) -> list[dict[str, Any]]:
    """Return a digest as Block Kit blocks, trimmed until Slack takes it.

    Args:
        digest: what to say.
        pictures: Slack's IDs of the uploaded charts, by name.
        is_whole: False says that charts are missing.

    Raises:
        slack_sdk.errors.SlackObjectFormationError: a block breaks one of Slack's rules all the same.
    """
    return first_fitting(_blocks(digest, pictures, room, is_whole=is_whole) for room in _ROOMS)


def digest_line(digest: DigestMessage) -> str:
    """Return one line for notifications and screen readers, as escaped mrkdwn."""
    first = clean(digest.summary[0]).replace("\n", " ") if digest.summary else ""
    words = " · ".join(part for part in (_title(digest), isolate(first)) if part)
    return escape_mrkdwn(shorten(words, 600, slack_length))


def plain_digest(digest: DigestMessage) -> str:
    """Return a digest as escaped text without blocks, for when Slack refuses them."""
    figures = "\n".join(
        _BETWEEN.join(_unbroken(part, 200) for part in (one.label, one.value, one.change) if part)
        for one in digest.tiles
    )
    parts = [_title(digest), *(paragraph(one, 600) for one in digest.summary[:_MOST_SENTENCES]), figures]
    return escape_mrkdwn("\n\n".join(part for part in fitting(parts, MAX_TEXT) if part))


def missing_file(file: DigestFile) -> list[dict[str, Any]]:
    """Return what stands in a thread where a file cannot."""
    return [ContextBlock(elements=[plain(_without(file), 400)]).to_dict()]


def missing_file_text(file: DigestFile) -> str:
    """Return the same as escaped text."""
    return escape_mrkdwn(_without(file))


def _without(file: DigestFile) -> str:
    return f"{wording.name(file.without_file, 250)} ({wording.name(file.file_name, 120)})"


def _blocks(digest: DigestMessage, pictures: Mapping[str, str], room: DigestRoom, *, is_whole: bool) -> Iterator[Block]:
    yield header(_title(digest))
    if subtitle := wording.name(_subtitle(digest), 300):
        yield ContextBlock(elements=[plain(subtitle, 300)])
    for sentence in digest.summary[:_MOST_SENTENCES]:
        if text := paragraph(sentence, room.sentence):
            yield section(text, room.sentence)
    yield from _tiles(digest.tiles[: room.tiles])
    yield from _charts(digest, pictures, room)
    if not is_whole:
        yield ContextBlock(elements=[plain(wording.name(digest.words.without_charts, 250), 250)])
    label = wording.name(digest.words.open, 70) or "Open the digest"
    if made := link_button(label, ActionName.OPEN_DIGEST, digest.url, most=1_000):
        yield ActionsBlock(elements=[made])


def _subtitle(digest: DigestMessage) -> str:
    """Return what stands under the title, less what the title says: the week stands once."""
    told = digest.title.split(_BETWEEN)
    return _BETWEEN.join(part for part in digest.subtitle.split(_BETWEEN) if part not in told)


def _title(digest: DigestMessage) -> str:
    return wording.name(digest.title, 140) or "Digest"


def _tiles(tiles: tuple[DigestTile, ...]) -> Iterator[Block]:
    for start in range(0, len(tiles), _FIELDS_A_SECTION):
        fields = [_tile(tile) for tile in tiles[start : start + _FIELDS_A_SECTION]]
        yield DividerBlock()
        yield SectionBlock(fields=fields)


def _tile(tile: DigestTile) -> MarkdownTextObject:
    """Return a figure with its value set off. Slack finds no markup in it but ours."""
    label, value, change = (
        escape_mrkdwn(_unbroken(words, most).translate(_NO_MARKUP))
        for words, most in ((tile.label, 60), (tile.value, 60), (tile.change, 140))
    )
    return mrkdwn("\n".join(part for part in (label or "—", f"*{value}*" if value else "", change) if part))


def _unbroken(text: str, most: int) -> str:
    """Return a short text in one line, with the spaces within its numbers at which no line ends."""
    return isolate(shorten(clean(text).replace("\n", " "), most, slack_length))


def _charts(digest: DigestMessage, pictures: Mapping[str, str], room: DigestRoom) -> Iterator[Block]:
    shown = [image for image in slack_images(digest) if image.name in pictures]
    for image in shown[: room.pictures]:
        alt = shorten(clean(image.alt), room.alt, slack_length) or _title(digest)
        yield ImageBlock(slack_file=SlackFile(id=pictures[image.name]), alt_text=alt)
