"""Pictures at Slack: uploaded once each, before the messages that show them, and visible nowhere by themselves."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alerts.card import DigestMessage
from alerts.digest_parts import decoded, is_image_name, slack_images
from alerts.slack.client import upload
from listener.errors import PermanentDeliveryError, RetryableDeliveryError

if TYPE_CHECKING:
    from slack_sdk import WebClient

_KEPT = 100
_MOST_TRIES = 3
"""Attempts at one picture before a digest goes without it."""


@dataclass(slots=True)
class Picture:
    """One that was uploaded."""

    file_id: str
    refusals: int = 0


@dataclass(slots=True)
class Charts:
    """A digest's pictures as far as they could be uploaded."""

    pictures: dict[str, Picture] = field(default_factory=dict)
    problem: str = ""
    """Why not all are there."""

    @property
    def ids(self) -> dict[str, str]:
        """Slack's IDs by name."""
        return {name: picture.file_id for name, picture in self.pictures.items()}


class Pictures:
    """What was uploaded lately, by content: what was not changed is not uploaded again."""

    def __init__(self, client: "WebClient") -> None:
        self._client = client
        self._known: OrderedDict[str, Picture] = OrderedDict()
        self._failures: OrderedDict[str, int] = OrderedDict()

    def uploaded(self, png: bytes, name: str, alt_text: str) -> Picture:
        """Return a picture that stands at Slack.

        Raises:
            DeliveryError: it was not taken.
        """
        key = hashlib.sha256(png).hexdigest()
        if key not in self._known:
            self._known[key] = Picture(upload(self._client, png, name, alt_text))
            _bound(self._known)
        return self._known[key]

    def refused(self, picture: Picture) -> None:
        """Note that Slack did not take a picture into a message; after the second time it is uploaded anew."""
        picture.refusals += 1
        if picture.refusals > 1:
            self._known = OrderedDict((key, one) for key, one in self._known.items() if one is not picture)

    def charts(self, digest: DigestMessage) -> Charts:
        """Return the pictures that a digest shows in Slack.

        Raises:
            RetryableDeliveryError: one was not taken for a passing reason; after the third time it is left out.
        """
        found = Charts()
        for name, png, alt in _drawn(digest, found):
            try:
                found.pictures[name] = self.uploaded(png, f"{name}.png", alt)
            except RetryableDeliveryError as error:
                self._put_off(png, error)
                found.problem = str(error)
            except PermanentDeliveryError as error:
                found.problem = str(error)
                if error.receiver_gone:
                    break  # what holds for one holds for all, such as a scope that is missing
        return found

    def _put_off(self, png: bytes, error: RetryableDeliveryError) -> None:
        key = hashlib.sha256(png).hexdigest()
        self._failures[key] = self._failures.get(key, 0) + 1
        _bound(self._failures)
        if self._failures[key] < _MOST_TRIES:
            raise error


def _drawn(digest: DigestMessage, found: Charts) -> Iterator[tuple[str, bytes, str]]:
    images = slack_images(digest)
    if len(images) < len(set(digest.slack_pictures)):
        found.problem = "a chart is missing"
    for image in images:
        png = decoded(image.png)
        if png and is_image_name(image.name):
            yield image.name, png, image.alt
        else:
            found.problem = "a chart is damaged"


def _bound(kept: "OrderedDict[str, Picture] | OrderedDict[str, int]") -> None:
    while len(kept) > _KEPT:
        kept.popitem(last=False)
