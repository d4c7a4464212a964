"""Which open alert a further mention joins: same author, an answer in the conversation, or a copy.

A fingerprint is a key that an alert holds; a mention that has one of its keys joins. The keys of a post under
the brand's own post or in a group chat do not tie strangers together: only the conversation that a customer's
own post started, or a direct answer to a post in the alert, does.
"""

from listener.model import Mention


def held_fingerprints(mention: Mention, brand: str, copy_root: int | None) -> list[str]:
    """Return the keys an alert holds once it has this mention."""
    held = [
        f"{brand}/author/{mention.network}/{mention.author.external_id}",
        f"{brand}/post/{mention.network}/{mention.external_id}",
    ]
    if mention.conversation_id and mention.conversation_id == mention.external_id:
        held.append(f"{brand}/conversation/{mention.network}/{mention.conversation_id}")
    if copy_root is not None:
        held.append(f"{brand}/copies/{copy_root}")
    return held


def wanted_fingerprints(mention: Mention, brand: str, copy_root: int | None) -> list[str]:
    """Return the keys under which this mention joins an alert, the strongest tie first."""
    wanted = []
    if copy_root is not None:
        wanted.append(f"{brand}/copies/{copy_root}")
    if mention.reply_to_id:
        wanted.append(f"{brand}/post/{mention.network}/{mention.reply_to_id}")
    if mention.conversation_id:
        wanted.append(f"{brand}/conversation/{mention.network}/{mention.conversation_id}")
    wanted.append(f"{brand}/author/{mention.network}/{mention.author.external_id}")
    return wanted
