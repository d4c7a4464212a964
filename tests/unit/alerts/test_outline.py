import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from alerts.card import Card, CurvePoint, IncidentCard, Message, Progress, Voice, dump_message, load_message
from alerts.html_mail import html_page
from alerts.outline import follow_up, outline, subject
from alerts.plain_text import plain_text
from alerts.standing import facts
from listener.model import AlertState, Draft, Guidance, Handoff
from tests.cards import GUIDANCE, HOSTILE, card, filled_with
from tests.messages import (
    BEGAN_AT,
    incident,
    incident_filled_with,
    note,
    note_filled_with,
    summary,
    summary_filled_with,
)

EVERY_KIND: tuple[Message, ...] = (card(), incident(), note(), summary())


class Page(HTMLParser):
    """Collects tags, attributes and links, and checks that what is opened is closed."""

    EMPTY = frozenset(["meta", "img", "br"])

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


TAGS = {"html", "head", "meta", "title", "style", "body", "div", "span", "ol", "ul", "li", "a"}
ATTRIBUTES = {"charset", "class", "content", "dir", "href", "lang", "name", "rel", "style"}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_others_becomes_markup(text: str) -> None:
    for filled in (filled_with, incident_filled_with, note_filled_with, summary_filled_with):
        page = Page(html_page(outline(filled(text))))
        assert page.tags <= TAGS
        assert page.attributes <= ATTRIBUTES
        assert all(link.startswith(("https://", "http://")) and "@" not in link for link in page.links)


@pytest.mark.parametrize("message", EVERY_KIND, ids=lambda message: message.kind)
def test_a_page_loads_nothing(message: Message) -> None:
    html = html_page(outline(message))
    assert "url(" not in html
    assert "@import" not in html
    assert not Page(html).tags & {"script", "link", "img", "iframe", "form", "input", "object", "svg"}


def test_the_picture_of_a_curve_is_named_by_its_content_id() -> None:
    html = html_page(outline(incident()), picture='curve.1@x"><script>')
    assert Page(html).links[0] == 'cid:curve.1@x"><script>'
    assert "<script" not in html


def test_what_others_wrote_chooses_its_direction_and_our_words_do_not() -> None:
    shown = card(text="مرحبا", author=replace(card().author, name="ليلى"), language="ar")
    html = html_page(outline(shown))
    assert re.search(r'<div dir="auto"[^>]*>\u2068مرحبا\u2069</div>', html)
    assert re.search(r"<div style=[^>]*>\u2068ليلى\u2069 @marta_viaja", html)


def test_a_language_tag_that_is_none_is_left_out() -> None:
    assert 'lang="ar"' in html_page(outline(card(language="ar")))
    assert html_page(outline(card(language='ar" onclick="x'))).count("lang=") == 2 + len(GUIDANCE.drafts)


def test_a_draft_is_whole_or_not_there() -> None:
    drafts = (Draft("a" * 2_900, "en", "a", 2_900, None), Draft("b" * 3_100, "en", "b", 3_100, None))
    text = plain_text(card(guidance=replace(GUIDANCE, drafts=drafts)))
    assert "a" * 2_900 in text
    assert "(too long to show here)" in text
    assert "bbb" not in text


def test_the_private_message_and_what_a_playbook_allows_stand_after_the_drafts() -> None:
    text = plain_text(card())
    order = [
        "Tell\n  The carrier desk where the parcel cannot be found.", "Playbook (Late delivery · answer within 4 h)",
        "Suggested reply 2", "Never say", "Move to a private channel", f"Private message\n{GUIDANCE.private_text}\n",
        "May be promised\n  • That a person reads and answers.",
        "Ask for in private, nothing else\n  • the order number – to find the parcel",
        "To close it\n  Ask whether it has arrived.",
    ]  # fmt: skip
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "nobody answers this" not in text
    for part in ("Private message", "May be promised", "Ask for in", "To close it", "Tell"):
        assert part not in plain_text(card(guidance=replace(GUIDANCE, **BARE)))


def test_whether_the_brand_may_write_first_stands_below_the_steps() -> None:
    first = "We may write first, if the account takes messages."
    shown = replace(GUIDANCE, handoff=Handoff("Send the private link.", None, first))
    assert f"Move to a private channel\n  Send the private link.\n  {first}\n" in plain_text(card(guidance=shown))
    hostile = replace(shown, handoff=Handoff("", None, "a\x1b\n" * 900))
    assert len(plain_text(card(guidance=hostile))) < len(plain_text(card(guidance=shown))) + 320


BARE: dict[str, Any] = {"tell": ("The team.",), "promise": (), "ask": (), "close": "", "private_text": " "}


def test_what_is_best_left_unanswered_is_said_and_without_a_time() -> None:
    shown = card(guidance=replace(GUIDANCE, best_unanswered=True))
    assert "  ✗ As a rule nobody answers this: an answer makes it larger.\n\nTell" in plain_text(shown)
    for text in (plain_text(shown), html_page(outline(shown))):
        assert "As a rule nobody answers this" in text
        assert "answer within" not in text


def test_once_it_has_moved_the_thread_is_told_and_a_closed_case_is_not() -> None:
    progress = Progress(private_at=BEGAN_AT)
    moved = card(progress=progress)
    assert f"Tell the thread that it goes on in private\n{GUIDANCE.moved[0]}\n" in plain_text(moved)
    assert GUIDANCE.moved[0] not in plain_text(card())
    assert GUIDANCE.moved[0] not in plain_text(card(progress=progress, state=AlertState.RESOLVED))


def test_a_private_message_is_whole_or_not_there() -> None:
    text = plain_text(card(guidance=replace(GUIDANCE, private_text="b" * 3_100)))
    assert "Private message\n(too long to show here)" in text
    assert "bbb" not in text


@pytest.mark.parametrize("message", [card(), incident()], ids=lambda message: message.kind)
def test_a_stored_message_comes_back_whole(message: Message) -> None:
    full = replace(message, guidance=replace(GUIDANCE, best_unanswered=True))  # type: ignore[type-var]
    assert load_message(dump_message(full)) == full


@pytest.mark.parametrize("message", [card(), incident()], ids=lambda message: message.kind)
def test_a_message_stored_before_playbooks_said_more_is_read(message: Message) -> None:
    stored = json.loads(dump_message(message))
    kept = {"playbook", "title", "steps", "drafts", "handoff", "reply_url", "never", "url"}
    stored["guidance"] = {name: value for name, value in stored["guidance"].items() if name in kept}
    for draft in stored["guidance"]["drafts"]:
        del draft["gloss"], draft["gloss_language"]
    older = load_message(json.dumps(stored))
    assert older == replace(message, guidance=Guidance(**{name: getattr(GUIDANCE, name) for name in kept}))  # type: ignore[type-var]
    assert "Late delivery" in plain_text(older)


def test_drafts_are_not_indented_so_that_they_can_be_copied() -> None:
    assert f"\n{GUIDANCE.drafts[0].text}\n" in plain_text(card())


def test_a_deleted_post_is_never_shown_even_where_its_text_is_still_there() -> None:
    for shown in (outline(card(fate="deleted")), follow_up(card(fate="deleted"), {"post": "the author deleted it"})):
        assert "Mi hervidor" not in repr(shown)
        assert "withdrawn by its author" in repr(shown)


def test_a_follow_up_gives_the_new_text_of_an_edited_post_and_no_other() -> None:
    edited = card(fate="edited", text="Ya está.")
    assert "Ya está." in repr(follow_up(edited, {"post": "the author edited the post"}))
    assert "Ya está." not in repr(follow_up(edited, {"severity": "severity 2"}))


@pytest.mark.parametrize("message", EVERY_KIND, ids=lambda message: message.kind)
def test_a_follow_up_of_anything_says_what_is_new(message: Message) -> None:
    news = {name: words for name, words in facts(message).items() if words}
    (told,) = [part for part in follow_up(message, news).parts if part.label == "What is new"]
    assert len(told.lines) == len(news)


@pytest.mark.parametrize("message", [card(), incident()], ids=lambda message: message.kind)
def test_the_teams_own_playbook_is_a_link_where_there_is_one(message: Card | IncidentCard) -> None:
    assert f"\nOpen playbook: {GUIDANCE.url}" in plain_text(message)
    assert GUIDANCE.url in Page(html_page(outline(message))).links
    for url in (None, ""):
        bare = replace(message, guidance=replace(GUIDANCE, url=url))
        assert "Open playbook" not in plain_text(bare)
    hostile = replace(message, guidance=replace(GUIDANCE, url="javascript:alert(1)"))
    assert "Open playbook: (no usable web address)" in plain_text(hostile)


def test_subjects_name_the_alert_and_how_urgent_it_is() -> None:
    assert subject(card(pilot=True)) == "PILOT · [A-12] Severity 3 · Yunfan · Spain · delivery · Marta Ruiz"
    assert subject(incident()) == "[I-3] Bad buzz · Severity 3 · Yunfan · Spain · delivery"
    assert subject(incident(topic="")) == "[I-3] Bad buzz · Severity 3 · Yunfan · Spain"
    assert subject(note()) == "[A-12] A further mention"
    assert subject(summary(title="")) == "(no title)"
    assert subject(card(reference="")).startswith("[alert 12]")


def test_an_incident_without_curve_voices_or_guidance_is_shown() -> None:
    bare: IncidentCard = incident(
        curve=(), first=None, influential=(), words=(), complaints=(), languages=(), guidance=None, because=()
    )
    labels = [part.label for part in outline(bare).parts]
    assert labels == ["How it stands", "How big it is"]


def test_a_long_curve_of_an_incident_stays_one_line() -> None:
    curve = tuple(CurvePoint(BEGAN_AT + timedelta(hours=at), float(at), 1.0) for at in range(500))
    (part,) = [part for part in outline(incident(curve=curve)).parts if part.label == "Curve"]
    assert len(part.lines[0]) <= 60


def test_a_voice_whose_post_was_deleted_is_named_without_text() -> None:
    voice = Voice("Diario", None, 10, 0.7, "", "Spanish", BEGAN_AT, "javascript:alert(1)")
    (part,) = [part for part in outline(incident(first=voice)).parts if part.label == "First post"]
    assert part.lines == ("This post was withdrawn by its author, or on request, and its text with it.",)
    assert part.detail.startswith("Diario · 10 followers")
    assert part.url is None
