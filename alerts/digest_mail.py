"""A digest as a mail: its text, its page with the charts in it, and the PDF attached."""

import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from html import escape

from alerts.card import DigestFile, DigestImage, DigestMessage, Message
from alerts.digest_parts import PDF, decoded, is_image_name, safe_file_name
from alerts.escaping import clean_page

LARGEST_BYTES = 10_000_000
"""Of one mail: what nearly every mailbox takes."""
_BASE64_IN_MAIL = 1.03
"""Lines of 76 characters with their ends, for each character of base64."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def lighter(message: Message) -> Iterator[tuple[Message, str]]:
    """Yield a message in ever smaller forms, each with what it leaves out; others than digests have one."""
    if not isinstance(message, DigestMessage):
        yield message, ""
        return
    without_pdf = replace(message, pdf="", html=_with_words(message), text=_text_with_words(message))
    forms = [
        (message, ""),
        *([(without_pdf, "the digest was mailed without its PDF")] if message.pdf else []),
        *([(replace(without_pdf, images=()), "the digest was mailed without its charts")] if message.images else []),
    ]
    fitting = [(form, remark) for form, remark in forms if size(form) <= LARGEST_BYTES]
    yield from fitting or forms[-1:]


def size(digest: DigestMessage) -> int:
    """Return about how many bytes a digest's mail has."""
    encoded = len(digest.pdf) + sum(len(image.png) for image in _used(digest))
    return int((encoded + len((digest.html + digest.text).encode("utf-8", "replace")) * 4 / 3) * _BASE64_IN_MAIL)


def fill_digest(mail: EmailMessage, digest: DigestMessage, text: str, page: str) -> None:
    """Write a digest into a mail.

    Args:
        mail: with its headers; its Message-ID makes the images' names unlike any other's.
        digest: what to say.
        text: the plain text part where the digest brings none.
        page: the HTML where it brings none.
    """
    mail["Importance"], mail["X-Priority"] = "normal", "3"
    mail.set_content(clean_page(digest.text) or text, charset="utf-8")
    # Short: a header that is folded right after its name is not read by every client.
    own = mail["Message-ID"].strip("<>")[:20]
    html, related = clean_page(digest.html) or page, []
    for number, image in enumerate(_used(digest), 1):
        if png := decoded(image.png):
            cid = f"image{number}.{own}@listener"
            html = re.sub(rf"(src=[\"'])cid:{re.escape(image.name)}(?=[\"'])", rf"\g<1>cid:{cid}", html)
            related.append((png, cid, f"{image.name}.png"))
    mail.add_alternative(html, subtype="html", charset="utf-8")
    body = mail.get_payload()[1]  # type: ignore[index]
    for png, cid, name in related:
        body.add_related(  # type: ignore[union-attr]
            png, "image", "png", cid=f"<{cid}>", filename=name, disposition="inline"
        )
    if pdf := decoded(digest.pdf):
        mail.add_attachment(pdf, *_kind(PDF), filename=safe_file_name(digest.file_name))
    if _LANGUAGE.fullmatch(digest.language):
        mail["Content-Language"] = digest.language  # last: parts that are added take such headers with them


def fill_file(mail: EmailMessage, file: DigestFile) -> None:
    """Attach a file to a mail."""
    if content := decoded(file.content):
        mail.add_attachment(content, *_kind(file.media_type), filename=safe_file_name(file.file_name))


def _kind(media_type: str) -> tuple[str, str]:
    found = re.fullmatch(r"([a-z]+)/([a-z0-9.+-]+)", media_type)
    return (
        (found[1], found[2])
        if found and found[1] in ("application", "image", "text")
        else ("application", "octet-stream")
    )


def _used(digest: DigestMessage) -> list[DigestImage]:
    """Return the images that the page refers to."""
    return [one for one in digest.images if is_image_name(one.name) and re.search(rf"cid:{one.name}[\"']", digest.html)]


def _with_words(digest: DigestMessage) -> str:
    words = f'<p style="color:#5f6672">{escape(digest.words.without_pdf)}</p>'
    start, end, rest = digest.html.rpartition("</body>")
    return f"{start}{words}{end}{rest}" if end else f"{digest.html}{words}" if digest.html else ""


def _text_with_words(digest: DigestMessage) -> str:
    return f"{digest.text.rstrip()}\n\n{digest.words.without_pdf}\n" if digest.text else ""
