import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.card import Card, CardAuthor, Due, Progress
from alerts.escaping import clean, escape_mrkdwn, isolate, one_line, shorten, slack_length, web_url
from alerts.receivers.slack import SlackOptions, SlackReceiver
from alerts.slack.blocks import fallback_text, plain_message, render_blocks
from alerts.slack.elements import MAX_TOTAL, block_texts
from alerts.wording import told
from listener.config import Secret
from listener.model import AlertState, Draft, Guidance, Handoff
from tests.cards import GUIDANCE, HOSTILE, card, filled_with
from tests.servers.slack import TOKEN, SlackServer, block_problems
from tests.servers.slack.blocks import nodes

PIECES = (
    "<!channel>", "<@U1>", "<https://evil.example|x>", "&lt;", "*b*", "`c`", ">>>", "\u202e", "\u2066",
    "\u2069", "\n", "ع", "👨‍👩‍👧", "e\u0301", "\ud800", "\x1b[31m", "https://ok.example/", "a" * 2_000,
    "&" * 3_000, "字",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=()), max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
)
MOMENTS = st.datetimes(timezones=st.just(UTC))
COUNTS = st.integers(min_value=0, max_value=10**9)
SCORES = st.floats(min_value=0, max_value=1)
DRAFTS = st.builds(Draft, TEXTS, TEXTS, TEXTS, COUNTS, st.none() | COUNTS, TEXTS)
CARDS = st.builds(
    Card,
    alert_id=COUNTS,
    reference=TEXTS,
    severity=st.integers(0, 4),
    state=st.sampled_from(AlertState),
    author=st.builds(
        CardAuthor, TEXTS, st.none() | TEXTS, st.none() | COUNTS, st.booleans(), SCORES,
        st.lists(TEXTS, max_size=4).map(tuple), st.none() | TEXTS,
    ),
    published_at=MOMENTS,
    opened_at=MOMENTS,
    reasons=st.lists(TEXTS, max_size=8).map(tuple),
    words=st.lists(TEXTS, max_size=8).map(tuple),
    priority=SCORES,
    mentions=COUNTS,
    copies=COUNTS,
    pilot=st.booleans(),
    team_reads_language=st.booleans(),
    guidance=st.none()
    | st.builds(
        Guidance, TEXTS, TEXTS, st.lists(TEXTS, max_size=9).map(tuple), st.lists(DRAFTS, max_size=9).map(tuple),
        st.builds(Handoff, TEXTS, st.none() | TEXTS), st.none() | TEXTS, st.lists(TEXTS, max_size=4).map(tuple),
        st.none() | TEXTS, st.lists(TEXTS, max_size=4).map(tuple), answer_within=TEXTS, best_unanswered=st.booleans(),
        private_text=TEXTS, moved=st.lists(TEXTS, max_size=3).map(tuple),
    ),
    url=st.none() | TEXTS,
    progress=st.builds(
        Progress, TEXTS, TEXTS, st.none() | MOMENTS, st.lists(st.builds(Due, TEXTS, MOMENTS), max_size=5).map(tuple),
        st.none() | MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS, TEXTS, TEXTS, TEXTS, st.none() | MOMENTS,
    ),
    fate=st.sampled_from(["stands", "edited", "deleted"]),
    interactive=st.booleans(),
    incident=TEXTS,
    timezone=TEXTS | st.sampled_from(["Europe/Paris", "Asia/Tokyo", "America/New_York", "../etc/passwd", "/etc/hosts"]),
    **dict.fromkeys(
        ("brand", "country", "country_name", "team", "network", "language", "language_name", "text", "place", "topic",
         "priority_explanation"),
        TEXTS,
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[SlackServer]:
    with SlackServer() as running:
        yield running


@pytest.fixture
def receiver(server: SlackServer, monkeypatch: pytest.MonkeyPatch) -> SlackReceiver:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    token = Secret("env", "SLACK_BOT_TOKEN")
    return SlackReceiver("fr", SlackOptions(type="slack", token=token, channel="C1", base_url=server.api_url))


def kinds(blocks: list[dict[str, Any]]) -> list[str]:
    return [block["type"] for block in blocks]


def total(blocks: list[dict[str, Any]]) -> int:
    return sum(slack_length(text) for text in block_texts(blocks))


def sections_of(blocks: list[dict[str, Any]]) -> list[str]:
    return [block["text"]["text"] for block in blocks if block["type"] == "section" and "text" in block]


def in_blocks(shown: Card) -> str:
    return "\n".join(block_texts(render_blocks(shown)))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(shown=CARDS)
def test_whatever_a_card_holds_slack_takes_it_and_nothing_comes_alive(
    server: SlackServer, receiver: SlackReceiver, shown: Card
) -> None:
    receiver.send("n-1", shown)
    message = server.channel("C1").messages.pop()
    assert message.blocks, "the server refused the blocks"
    assert not message.live_markup
    assert all(url.startswith(("http://", "https://")) for url in message.buttons.values())
    assert total(message.blocks) <= MAX_TOTAL
    json.dumps(message.blocks, ensure_ascii=False).encode()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_taken_and_stays_dead(server: SlackServer, receiver: SlackReceiver, text: str) -> None:
    receiver.send("n-1", filled_with(text))
    message = server.channel("C1").messages.pop()
    assert message.blocks
    assert not message.live_markup
    assert total(message.blocks) <= MAX_TOTAL


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_others_wrote_stands_only_where_slack_does_not_parse(text: str) -> None:
    unanswered = card(guidance=replace(GUIDANCE, best_unanswered=True))
    usual = {node["text"] for node in mrkdwn(render_blocks(unanswered))}
    assert {node["text"] for node in mrkdwn(render_blocks(filled_with(text)))} <= usual | {
        f"*Suggested reply {number}*" for number in range(1, 20)
    }


def mrkdwn(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [node for node in nodes(blocks) if node.get("type") == "mrkdwn"]


def test_the_card_reads_from_what_to_whom_to_why_to_how_to_answer() -> None:
    text = in_blocks(card())
    order = ["Severity 3", "Marta Ruiz", "Mi hervidor", "Why it was raised", "Because of: nadie, retraso",
             "Priority 0.78", "Late delivery", "Suggested reply 1", "Hola Marta", "Suggested reply 2", "Never say",
             "Move to a private", "Open post", "A-12"]  # fmt: skip
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_a_playbook_says_at_a_glance_how_soon_to_answer_and_whom_to_tell() -> None:
    text = in_blocks(card())
    assert "Late delivery · answer within 4 h" in text
    assert "📣 Tell: The carrier desk where the parcel cannot be found.\n1. Answer within the hour." in text
    assert "nobody answers this" not in text
    for words in ("Playbook: Late delivery · answer within 4 h", "Tell: The carrier desk where the parcel"):
        assert words in plain_message(card())


@pytest.mark.parametrize(
    ("tell", "shown"),
    [
        (("The team.",), ""),
        (("the team",), ""),
        (("The team; operations, if the board shows nothing.",), "Operations, if the board shows nothing."),
        (("The team lead; the police.",), "The team lead; the police."),
        (("Ask the team; then us.",), "Ask the team; then us."),
        (("The security team, now.", "The team.", "The press office."), "The security team, now. The press office."),
        (("\u202e", " "), ""),
    ],
)
def test_that_the_team_itself_is_told_goes_without_saying(tell: tuple[str, ...], shown: str) -> None:
    assert told(replace(GUIDANCE, tell=tell)) == shown
    assert ("Tell:" in in_blocks(card(guidance=replace(GUIDANCE, tell=tell)))) is bool(shown)


def test_what_is_best_left_unanswered_is_said_before_the_steps_and_has_no_hurry() -> None:
    one = card(guidance=replace(GUIDANCE, best_unanswered=True))
    text = in_blocks(one)
    assert "*As a rule nobody answers this:* an answer makes it larger." in text
    assert text.index("nobody answers this") < text.index("1. Answer within the hour.")
    assert "answer within" not in text
    assert "As a rule nobody answers this" in plain_message(one)


def test_once_it_has_moved_the_card_offers_what_shows_the_thread_so() -> None:
    progress = Progress("Anna", private_at=datetime(2026, 3, 14, 9, tzinfo=UTC))
    moved = in_blocks(card(progress=progress, interactive=True, state=AlertState.CLAIMED))
    assert GUIDANCE.moved[0] in moved
    assert GUIDANCE.drafts[0].text not in moved
    closed = in_blocks(card(progress=progress, interactive=True, state=AlertState.RESOLVED))
    assert GUIDANCE.moved[0] not in closed
    unmoved = in_blocks(card(progress=progress, guidance=replace(GUIDANCE, moved=())))
    assert GUIDANCE.drafts[0].text in unmoved


def why(words: tuple[str, ...]) -> list[str]:
    """Return the lines under "Why it was raised" of a card with such words."""
    texts = [text for text in block_texts(render_blocks(card(words=words))) if "Priority 0.78" in text]
    return texts[0].split("\n")


def test_words_that_raised_it_stand_on_one_line_between_rules_and_priority() -> None:
    assert why(("nadie", "retraso"))[-2:] == [
        "Because of: nadie, retraso",
        "Priority 0.78: " + card().priority_explanation,
    ]


@pytest.mark.parametrize("words", [(), ("", "\u200b", "\u202e")])
def test_where_no_word_is_known_no_line_speaks_of_words(words: tuple[str, ...]) -> None:
    assert "Because of" not in "\n".join(why(words))


def test_hostile_words_are_bounded_and_cannot_turn_or_leave_their_line() -> None:
    line = why(("nobody\u202e", "a" * 500, "لا\u2067أحد", "line\nend", "<!channel>", "z\u200bz", "seventh"))[-2]
    assert line == f"Because of: nobody, {'a' * 29}…, \u2068لاأحد\u2069, line end, <!channel>, zz"


def test_severity_is_said_in_words_and_differs_by_symbol() -> None:
    headers = [render_blocks(card(severity=level))[0]["text"]["text"] for level in (1, 2, 3)]
    assert len({header[0] for header in headers}) == 3
    assert [f"Severity {level}" in header for level, header in zip((1, 2, 3), headers, strict=True)] == [True] * 3


def test_a_resolved_alert_is_told_apart_at_once() -> None:
    header = render_blocks(card(state=AlertState.RESOLVED))[0]["text"]["text"]
    assert header.startswith("✅")
    assert "resolved" in header


def test_each_draft_stands_whole_and_alone_in_its_block() -> None:
    sections = sections_of(render_blocks(card()))
    for draft in GUIDANCE.drafts:
        assert draft.text in sections


def test_the_private_link_can_be_copied_as_well_as_opened() -> None:
    sections = sections_of(render_blocks(card()))
    assert f"{GUIDANCE.handoff.steps}\n{GUIDANCE.handoff.url}" in sections


def test_a_draft_too_long_to_show_whole_is_not_shown_cut() -> None:
    long = Draft("word " * 900, "es-ES", "a", 4_500, None)
    text = in_blocks(card(guidance=replace(GUIDANCE, drafts=(long, GUIDANCE.drafts[0]))))
    assert "(too long to show here)" in text
    assert "word word" not in text
    assert GUIDANCE.drafts[0].text in text


def test_a_draft_over_the_networks_limit_says_so() -> None:
    over = replace(GUIDANCE.drafts[0], length=300, limit=280)
    assert "300 of 280 characters (over the limit)" in in_blocks(card(guidance=replace(GUIDANCE, drafts=(over,))))


def test_steps_give_way_before_drafts_and_drafts_before_the_text() -> None:
    text, draft = "t" * 2_400, GUIDANCE.drafts[0]
    for length, words in ((1_400, "(8 more steps in the playbook)"), (1_600, "(12 steps in the playbook)")):
        drafts = (replace(draft, text="d" * length),) * 5
        shown = in_blocks(card(text=text, guidance=replace(GUIDANCE, steps=("s" * 290,) * 12, drafts=drafts)))
        assert words in shown
        assert shown.count("d" * length) == 5
    fuller = card(text=text, guidance=replace(GUIDANCE, steps=(), drafts=(replace(draft, text="d" * 2_800),) * 6))
    shown = in_blocks(fuller)
    assert 2 <= shown.count("d" * 2_800) < 6
    assert "left out: the card is full" in shown
    assert text in shown


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://x.com/" + "a" * 3_000, "Open post: the link is too long for a button"),
        ("javascript:alert(1)", "Open post: no usable web address"),
        ("https://trusted.example@evil.example/", "Open post: no usable web address"),
    ],
)
def test_a_link_that_cannot_be_a_button_is_left_out_with_words(url: str, words: str) -> None:
    blocks = render_blocks(card(url=url))
    text = "\n".join(block_texts(blocks))
    assert words in text
    assert url not in text
    assert not list(block_problems(blocks))


@pytest.mark.parametrize("interactive", [False, True])
def test_the_teams_own_playbook_is_one_press_away(interactive: bool) -> None:
    blocks = render_blocks(card(interactive=interactive))
    assert not list(block_problems(blocks))
    (button,) = [node for node in nodes(blocks) if node.get("action_id") == "open_playbook"]
    assert (button["text"]["text"], button["url"]) == ("Open playbook", GUIDANCE.url)
    assert f"Open playbook: {GUIDANCE.url}" in plain_message(card())
    without = render_blocks(card(interactive=interactive, guidance=replace(GUIDANCE, url=None)))
    assert "Open playbook" not in "\n".join(block_texts(without))


def test_the_fullest_card_has_room_for_the_teams_own_playbook() -> None:
    page = "https://wiki.example/" + "a" * 479
    guidance = filled_with("é&<>" * 2_000).guidance
    assert guidance is not None
    blocks = render_blocks(replace(filled_with("é&<>" * 2_000), guidance=replace(guidance, url=page)))
    assert page in [node.get("url") for node in nodes(blocks)]
    assert total(blocks) <= MAX_TOTAL


def test_a_card_without_links_has_no_empty_row_of_buttons() -> None:
    bare = card(url=None, guidance=None, author=replace(card().author, url=None))
    assert "actions" not in kinds(render_blocks(bare))


def test_times_stand_in_the_countrys_zone() -> None:
    assert "posted Sun 15 Mar 2026, 08:30, raised 08:45 (Asia/Tokyo)" in in_blocks(
        card(
            timezone="Asia/Tokyo",
            published_at=datetime(2026, 3, 14, 23, 30, tzinfo=UTC),
            opened_at=datetime(2026, 3, 14, 23, 45, tzinfo=UTC),
        )
    )


def test_an_unknown_zone_gives_times_in_utc() -> None:
    assert "posted Sat 14 Mar 2026, 08:12 UTC" in in_blocks(card(timezone="Mars/Olympus"))


def test_texts_for_notifications_and_without_blocks_are_escaped_and_short() -> None:
    for text in HOSTILE:
        for made in (fallback_text(filled_with(text)), plain_message(filled_with(text))):
            assert len(made) < 4_000
            assert made.startswith("Severity 3")
            assert "<" not in made
            assert ">" not in made


def test_clean_takes_out_what_a_screen_would_obey() -> None:
    assert clean("\x1b[31mred\x1b[0m\x1b]0;title\x07 \u202eabc\u2066 \u200bx\x00\r\ny\ud800") == "red abc x\ny\ufffd"


def test_clean_keeps_what_scripts_and_emoji_need() -> None:
    for text in (
        "می‌خواهم",
        "क्‍ष",
        "👨‍👩‍👧‍👦",
        "❤️",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "Việt Nam",
        "สวัสดี",
    ):
        assert clean(text) == text


def test_clean_takes_out_hidden_words() -> None:
    assert clean("hi\U000e0049\U000e0067\U000e006e there") == "hi there"


@given(text=TEXTS, limit=st.integers(1, 200))
def test_shortening_keeps_the_limit_and_whole_characters(text: str, limit: int) -> None:
    cut = shorten(clean(text), limit)
    assert len(cut) <= limit
    assert clean(text).startswith(cut.removesuffix("…"))


def test_shortening_never_splits_a_family_or_an_accent() -> None:
    family = "👨‍👩‍👧‍👦"
    assert shorten(family * 3, 2 * len(family) + 3) == family * 2 + "…"
    assert shorten("e\u0301" * 3, 4) == "e\u0301…"


@given(text=TEXTS)
def test_isolated_text_opens_and_closes_alike(text: str) -> None:
    for line in isolate(clean(text)).split("\n"):
        assert line.count("\u2068") == line.count("\u2069")


@given(text=TEXTS)
def test_escaped_text_holds_no_control_characters_of_slack(text: str) -> None:
    assert not set("<>") & set(escape_mrkdwn(text))
    assert "\n" not in one_line(text)


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://x.com/a/status/1", True),
        ("http://127.0.0.1:8080/a?b=c%20d#e", True),
        ("https://例え.jp/パス", True),
        ("ftp://x.com/a", False),
        ("//x.com/a", False),
        ("https:///a", False),
        ("https://user@x.com/", False),
        ("https://x.com:99999/", False),
        ("https://x.com/a b", False),
        ("https://x.com/a\u202eb", False),
        ("https://[::1/", False),
        ("java\nscript:alert(1)", False),
        ("", False),
    ],
)
def test_only_plain_web_addresses_become_links(url: str, taken: bool) -> None:
    assert web_url(url) == (url if taken else None)
