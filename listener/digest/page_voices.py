"""The section on voices: whose posts carried, and whom to thank."""

from collections.abc import Iterator

from listener.digest.document import Block, Heading, Paragraph, Quotes, Section
from listener.digest.phrases import Phrases
from listener.digest.words import marked

_LISTS = (
    ("journalists", marked("Journalists")),
    # Translators: influential people who spoke ill of the brand.
    ("critics", marked("Critics")),
    # Translators: influential people who spoke well of the brand.
    ("friends", marked("Friends of the brand")),
    # Translators: posts that were shared, repeated or seen most.
    ("travelled", marked("Posts that travelled")),
    # Translators: people without many followers who praised the brand.
    ("supporters", marked("Supporters to thank")),
)
_MOST = 5


def section(phrases: Phrases) -> Section:
    """Return the section."""
    return Section("voices", phrases.words.say("Whose voice carried?"), tuple(_blocks(phrases)))


def _blocks(phrases: Phrases) -> Iterator[Block]:
    found = False
    for field, title in _LISTS:
        if posts := getattr(phrases.digest.voices, field)[:_MOST]:
            found = True
            yield Heading(phrases.words.say(title))
            yield Quotes(tuple(phrases.quote(post) for post in posts))
    if not found:
        yield Paragraph(phrases.words.say("No post stood out by its author’s influence or by how far it travelled."))
