"""What to answer and how to move to a private channel: playbooks, their locales, rendering and linting."""

from playbooks.library import PlaybookLibrary
from playbooks.model import GuideRequest

__all__ = ["GuideRequest", "PlaybookLibrary"]
