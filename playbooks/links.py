"""Links that put a community manager where the reply or the private message is written, and the steps in words.

Identifiers come from networks and are hostile: each must match its own narrow pattern, or there is no link.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlsplit

import regex

from listener.model import Handoff
from listener.sentences import Sentence, sentence
from playbooks.networks import WITHOUT_PRIVATE_CHANNEL, network_key

MAX_URL_CHARACTERS = 3000
"""Slack takes no longer one on a button; an alert's links go everywhere."""
_DIGITS = r"[0-9]{1,20}"
_SIGNED = r"-?[0-9]{1,20}"
_HANDLE = r"[A-Za-z0-9_]{1,30}"
_PAGE = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_DID = r"did:(?:plc:[a-z2-7]{24}|web:[A-Za-z0-9.-]{1,253})"
_DOMAIN = r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,61}"


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What links are made of: identifiers of the mention, the brand's account, texts to put in."""

    network: str
    links: Mapping[str, str] = field(default_factory=dict)
    author_id: str = ""
    handle: str = ""
    post_id: str = ""
    post_url: str | None = None
    brand_account: str = ""
    private_text: str = ""
    """First words of the private message, where the link can carry them."""
    contact: str = ""
    """The brand's own contact, where the reply can name it."""

    def part(self, pattern: str, *values: str | None) -> str | None:
        """Return the first of `values` that is given, if it matches `pattern` as a whole, else None."""
        value = next((value for value in values if value), None)
        return value if value is not None and re.fullmatch(pattern, value) else None

    @property
    def author(self) -> str | None:
        """The author's identifier as digits, or None."""
        return self.part(_DIGITS, self.links.get("user_id"), self.author_id)

    @property
    def author_handle(self) -> str | None:
        """The author's handle without its @, or None."""
        return self.part(_PAGE, self.handle.removeprefix("@"))


def handoff(request: LinkRequest) -> Handoff:
    """Return how the team moves this conversation to a private channel, and whether it may write first."""
    network = network_key(request.network)
    make = _HANDOFFS.get(network, _unknown_private)
    return replace(make(request), first=_WHO_WRITES_FIRST.get(network, ""))


def is_known(network: str) -> bool:
    """Tell whether it is known how a network of this key is written on in private."""
    return network in _HANDOFFS


def shows_the_post(network: str) -> bool:
    """Tell whether the private message is an answer to the post itself, which the customer sees above it."""
    return network_key(network) in _ANSWERED_ON_THE_POST


def reply_url(request: LinkRequest, draft: str) -> str | None:
    """Return where the public reply is written, with `draft` filled in where the network allows it."""
    make = _REPLIES.get(network_key(request.network))
    return (make(request, draft) if make else None) or safe_url(request.post_url)


def safe_url(url: str | None) -> str | None:
    """Return `url` if it is a plain web address that a button can open, else None."""
    if not url or len(url) > MAX_URL_CHARACTERS or re.search(r"[\s\x00-\x20\x7f<>\"\\^`{|}]", url):
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and host and "@" not in parts.netloc else None


def with_text(base: str, text: str) -> str:
    """Return `base` with `text` percent-encoded at its end, cut between characters so that the whole url fits."""
    room = MAX_URL_CHARACTERS - len(base)
    encoded = []
    for cluster in regex.findall(r"\X", text):
        piece = quote(cluster, safe="", errors="replace")
        room -= len(piece)
        if room < 0:
            break
        encoded.append(piece)
    return base + "".join(encoded)


# Basis of each address: the vendor's documentation (doc) or public code only (code).


def _x_private(request: LinkRequest) -> Handoff:  # doc
    if request.author is None:
        return Handoff(
            sentence("Open the author's profile on X and choose the message button, if the account takes messages.")
        )
    base = f"https://x.com/messages/compose?recipient_id={request.author}&text="
    return Handoff(
        sentence(
            "Open the message, check the text and send it. If the account does not take messages from everyone, "
            "publish the reply first and wait for theirs."
        ),
        with_text(base, request.private_text),
    )


def _vk_private(request: LinkRequest) -> Handoff:  # code
    group = request.part(r"[A-Za-z0-9_.]{1,64}", request.brand_account)
    if group is not None:
        return Handoff(
            sentence(
                "A community may write first only to people who allowed its messages: publish the reply, and give "
                "the customer this link, which opens a chat with the community: vk.me/{group}.",
                group=group,
            ),
            f"https://vk.me/{group}",
        )
    if request.author is not None:
        return Handoff(
            sentence("Open the chat with the author; if messages are closed, publish the reply and wait for theirs."),
            f"https://vk.com/write{request.author}",
        )
    return Handoff(
        sentence(
            "A community may write first only to people who allowed its messages: publish the reply, which asks the "
            "customer to press “Message” on the community's page; what they write arrives under its Messages."
        )
    )


def _wechat_private(request: LinkRequest) -> Handoff:  # doc: no web link opens a chat
    if request.brand_account:
        steps = sentence(
            "WeChat has no link to a chat. In a group: open the member's card and add them with the service account. "
            "Elsewhere: ask them to open the official account “{account}”, send the word for an agent, or scan its QR "
            "code; answer within 48 hours of their message.",
            account=request.brand_account,
        )
    else:
        steps = sentence(
            "WeChat has no link to a chat. In a group: open the member's card and add them with the service account. "
            "Elsewhere: ask them to open the official account, send the word for an agent, or scan its QR code; "
            "answer within 48 hours of their message."
        )
    return Handoff(steps)


def _telegram_private(request: LinkRequest) -> Handoff:  # doc
    name = request.part(_HANDLE, request.handle.removeprefix("@"))
    url = with_text(f"https://t.me/{name}?text=", request.private_text) if name else None
    steps = sentence("Write to the author from the support account; without a user name, ask for a message first.")
    return Handoff(steps, url)


def _whatsapp_private(request: LinkRequest) -> Handoff:  # doc
    digits = request.part(r"[1-9][0-9]{6,14}", request.links.get("phone"))
    url = with_text(f"https://wa.me/{digits}?text=", request.private_text) if digits else None
    steps = sentence("Continue in the chat; free text is possible within 24 hours of the customer's last message.")
    return Handoff(steps, url)


def _line_private(request: LinkRequest) -> Handoff:  # doc; opens on phones only
    account = request.part(r"@?[A-Za-z0-9._-]{1,30}", request.brand_account)
    if account is None:
        return Handoff(
            sentence(
                "Publish the reply, which asks the customer to add the brand's official account and to write there; "
                "what they write arrives under Chats of the account's manager."
            )
        )
    url = f"https://line.me/R/oaMessage/%40{account.removeprefix('@')}/"
    post = safe_url(request.post_url)
    # The customer sends what the link carries: the post's address tells which case it is, our own words would not.
    return Handoff(
        sentence("Give the customer this link to the official account's chat; it opens on phones."),
        with_text(f"{url}?", post) if post else url,
    )


def _reddit_private(request: LinkRequest) -> Handoff:  # code
    user = request.part(r"[A-Za-z0-9_-]{3,20}", request.handle.removeprefix("u/"))
    base = f"https://www.reddit.com/message/compose/?to={user}&subject=&message="
    return Handoff(
        sentence("Send a private message from the brand's account; give a subject without personal data."),
        with_text(base, request.private_text) if user else None,
    )


def _bluesky_private(request: LinkRequest) -> Handoff:  # doc; no address carries a text
    return Handoff(
        sentence("Open Messages on Bluesky and start a chat with the author, if they take chats from everyone."),
        "https://bsky.app/messages",
    )


def _mastodon_private(request: LinkRequest) -> Handoff:  # code
    instance = request.part(_DOMAIN, request.links.get("instance"))
    address = request.part(r"@?[A-Za-z0-9_.-]{1,64}@[A-Za-z0-9.-]{1,253}", request.links.get("address"), request.handle)
    url = None
    if instance and address:
        url = with_text(f"https://{instance}/share?text=", f"@{address.removeprefix('@')} {request.private_text}")
    return Handoff(
        sentence("Write a post to the author alone: set its visibility to “mentioned people only” before sending."), url
    )


def _by_account(base: str, linked: Sentence, asked: Sentence) -> Callable[[LinkRequest], Handoff]:
    def make(request: LinkRequest) -> Handoff:
        account = request.part(_PAGE, request.brand_account.removeprefix("@"))
        return Handoff(asked) if account is None else Handoff(linked, f"{base}{account}")

    return make


def _in_words(steps: Sentence) -> Callable[[LinkRequest], Handoff]:
    return lambda request: Handoff(steps)


def _unknown_private(request: LinkRequest) -> Handoff:
    if request.contact:
        steps = sentence(
            "Open the author's profile and look for a way to send a message, if the network has one. "
            "Else publish the reply, which names the brand's contact."
        )
    else:
        steps = sentence(
            "Open the author's profile and look for a way to send a message, if the network has one. "
            "Else publish the reply and answer where the customer writes."
        )
    return Handoff(steps)


_STORE_REVIEW = sentence(
    "A store review has no private channel: the reply names the support contact that the store page shows."
)
_HANDOFFS: Mapping[str, Callable[[LinkRequest], Handoff]] = {
    "x": _x_private,
    "vk": _vk_private,
    "wechat": _wechat_private,
    "telegram": _telegram_private,
    "whatsapp": _whatsapp_private,
    "line": _line_private,
    "reddit": _reddit_private,
    "bluesky": _bluesky_private,
    "mastodon": _mastodon_private,
    "facebook": _by_account(  # doc
        "https://m.me/",
        sentence("Use “Message” under the comment, or give the customer this link to the page's inbox."),
        sentence(
            "Use “Message” under the comment. Where it does not show, publish the reply, which asks the customer to "
            "write to the brand: what they write arrives in the page's inbox (Meta Business Suite, Inbox)."
        ),
    ),
    "instagram": _by_account(  # doc
        "https://ig.me/m/",
        sentence("Use “Message” under the comment, or give the customer this link to the brand's inbox."),
        sentence(
            "Use “Message” under the comment. Where it does not show, publish the reply, which asks the customer to "
            "write to the brand: what they write arrives under Messages in the app, often first under Requests."
        ),
    ),
    "mixi2": _in_words(
        sentence("mixi2 has no link to a message: reply inside the app and ask for a message to the brand's account.")
    ),
    "youtube": _in_words(
        sentence("YouTube has no private messages: the reply names the contact on the channel's About page.")
    ),
    "appstore": _in_words(_STORE_REVIEW),
    "googleplay": _in_words(_STORE_REVIEW),
    "googlebusiness": _in_words(_STORE_REVIEW),
    "trustpilot": _in_words(sentence("Use “Find reviewer” in the business account to ask for contact privately.")),
}


_ANSWERED_ON_THE_POST = frozenset({"facebook", "instagram", "whatsapp"})

# From the vendors' documentation as far as it is public; VK, Reddit: as their own apps behave.
_WHO_WRITES_FIRST: Mapping[str, Sentence] = {
    "x": sentence(
        "We may write first to accounts that take messages from everyone, and to those who follow the brand."
    ),
    "vk": sentence(
        "We may write first only to people who allowed the community's messages; else the customer writes first."
    ),
    "wechat": sentence("The customer writes first; we may answer for 48 hours after each of their messages."),
    "facebook": sentence("We may answer a comment in private once, within 7 days; else the customer writes first."),
    "instagram": sentence("We may answer a comment in private once, within 7 days; else the customer writes first."),
    "whatsapp": sentence("The customer writes first; free text is possible for 24 hours after each of their messages."),
    "telegram": sentence("We may write first from a person's account; a bot may not."),
    "line": sentence("The customer writes first, by adding the official account."),
    "reddit": sentence("We may write first, if the account takes messages."),
    "bluesky": sentence("We may write first to accounts that take chats from everyone."),
    "mastodon": sentence("We may write first: a post to mentioned people alone."),
    "mixi2": sentence("The customer writes first."),
    **dict.fromkeys(
        sorted(WITHOUT_PRIVATE_CHANNEL),
        sentence("There is no private channel: the customer uses the brand's own contact."),
    ),
    "trustpilot": sentence("We may ask for contact through “Find reviewer” in the business account."),
}


def _x_reply(request: LinkRequest, draft: str) -> str | None:  # doc
    post = request.part(_DIGITS, request.links.get("post_id"), request.post_id)
    return with_text(f"https://x.com/intent/tweet?in_reply_to={post}&text=", draft) if post else None


def _vk_reply(request: LinkRequest, draft: str) -> str | None:  # code
    owner = request.part(_SIGNED, request.links.get("owner_id"))
    post = request.part(_DIGITS, request.links.get("post_id"))
    comment = request.part(_DIGITS, request.links.get("comment_id"))
    if owner is None or post is None:
        return None
    return f"https://vk.com/wall{owner}_{post}" + (f"?reply={comment}" if comment else "")


def _bluesky_reply(request: LinkRequest, draft: str) -> str | None:  # doc
    did = request.part(_DID, request.links.get("user_id"), request.author_id)
    key = request.part(r"[A-Za-z0-9._~-]{1,512}", request.links.get("post_id"))
    return f"https://bsky.app/profile/{did}/post/{key}" if did and key and key.strip(".") else None


def _youtube_reply(request: LinkRequest, draft: str) -> str | None:  # code
    video = request.part(r"[A-Za-z0-9_-]{11}", request.links.get("video_id"))
    comment = request.part(r"[A-Za-z0-9_.-]{1,100}", request.links.get("comment_id"))
    return f"https://www.youtube.com/watch?v={video}&lc={comment}" if video and comment else None


_REPLIES: Mapping[str, Callable[[LinkRequest, str], str | None]] = {
    "x": _x_reply,
    "vk": _vk_reply,
    "bluesky": _bluesky_reply,
    "youtube": _youtube_reply,
}
