"""What of a digest which kind of receiver needs, and what is kept of it once it was sent."""

import base64
import binascii
import re
from dataclasses import replace
from typing import Literal

from alerts.card import DigestFile, DigestImage, DigestMessage, Message

DigestForm = Literal["text", "mail", "thread"]
"""text: title, summary and figures; mail: the page with its charts and the PDF attached; thread: the summary with some
charts, and the PDF by itself in its thread."""

PDF = "application/pdf"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)


def digest_for(form: DigestForm, digest: DigestMessage) -> tuple[DigestMessage, DigestFile | None]:
    """Return a digest without what a receiver cannot show, and the file that belongs into its thread."""
    if form == "mail":
        return digest, None
    slim = replace(digest, html="", text="", pdf="", images=())
    if form == "text":
        return slim, None
    file = DigestFile(digest.title, digest.file_name, PDF, digest.pdf, without_file=digest.words.without_file)
    return replace(slim, images=slack_images(digest)), file if digest.pdf else None


def slack_images(digest: DigestMessage) -> tuple[DigestImage, ...]:
    """Return the images that stand beside the summary, in their order."""
    by_name = {image.name: image for image in digest.images}
    return tuple(by_name[name] for name in dict.fromkeys(digest.slack_pictures) if name in by_name)


def without_content(message: Message) -> Message | None:
    """Return what the outbox keeps of a digest that was sent: no word of any post; None for other messages."""
    if isinstance(message, DigestMessage):
        return replace(message, summary=(), images=(), html="", text="", pdf="")
    return replace(message, content="") if isinstance(message, DigestFile) else None


def decoded(content: str) -> bytes:
    """Return what stands in base64, empty where it is damaged."""
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return b""


def is_image_name(name: str) -> bool:
    """Tell whether an image's name can stand in an address."""
    return _NAME.fullmatch(name) is not None


def safe_file_name(name: str, otherwise: str = "digest.pdf") -> str:
    """Return a file name that no file system and no header takes for anything else."""
    safe = _UNSAFE.sub("-", name).strip("-.")[-120:].lstrip("-.")
    return safe if "." in safe else otherwise
