"""What is drawn in Slack beside the usual card: windows, Home tab, incidents, notes, presses, the manifest."""

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View as SdkView

from alerts.card import Due, Entry, Note, Progress, Summary
from alerts.escaping import slack_length
from alerts.slack import modals
from alerts.slack.actions import owner_seen
from alerts.slack.blocks import fallback_text, plain_message, render_blocks
from alerts.slack.elements import MAX_TOTAL, block_texts, mention, mentions, total
from alerts.slack.home import HomeEntry, home_view
from alerts.slack.ids import (
    LINKS,
    RESOLUTION_WORDS,
    SENT_WORDS,
    SNOOZE_WORDS,
    WAS_WORDS,
    Action,
    ActionName,
    FieldName,
    Resolution,
    SentAs,
    SnoozeFor,
    WasInstead,
    parse_action,
)
from alerts.slack.incident_blocks import incident_text, plain_incident, render_incident
from alerts.slack.manifest import METHOD_SCOPES, bot_scopes, manifest
from alerts.slack.modals import (
    Ending,
    FieldErrors,
    NotComplaint,
    PutOff,
    ReplyDraft,
    ReplyForm,
    ReplyState,
    ReplySubmission,
    SilenceRequest,
)
from alerts.slack.notes import note_text, render_note, render_summary, summary_line, summary_text
from listener.desk import ENDINGS, WAS
from listener.model import AlertState, Draft, Guidance
from playbooks.library import PlaybookLibrary
from playbooks.linting import REQUIRED_LOCALES
from playbooks.model import Contact, GuideRequest
from tests.cards import GUIDANCE, HOSTILE, card, filled_with
from tests.messages import BEGAN_AT, VOICE, incident, incident_filled_with, progress_filled_with
from tests.servers.slack import TOKEN, Person, SlackServer, View, block_problems, view_problems
from tests.servers.slack.blocks import nodes

ROOT = Path(__file__).parents[3]
STATES = list(AlertState)
MENTIONS = ("slack:U0123", "slack:W0456", "slack:S0789")
POSTS = {
    "ar": "طلبت غلاية قبل ثلاثة أسابيع ولم تصل بعد، ولا أحد يرد على رسائلي ولا على الهاتف 😡 رقم الطلب 4711.",
    "de": "Seit drei Wochen warte ich auf meinen Wasserkocher, und der Lieferverzögerungsinformationsdienst schweigt.",
    "en": "Three weeks, still no kettle, and nobody answers the phone or my e-mails. I want my money back 😤👨‍👩‍👧‍👦.",
    "es": "Mi hervidor lleva tres semanas de retraso y nadie contesta. ¡Quiero que me devuelvan el dinero ya!",
    "fr": "Trois semaines que j’attends ma bouilloire, et personne ne répond. C’est inadmissible, remboursez-moi !",
    "hi": "तीन हफ़्ते हो गए, केतली अब तक नहीं आई और कोई जवाब नहीं देता। मेरे पैसे वापस कीजिए 🙏🏽।",
    "id": "Sudah tiga minggu ketel saya belum sampai dan tidak ada yang menjawab pesan saya. Kembalikan uang saya!",
    "it": "Tre settimane che aspetto il bollitore e nessuno risponde. Rivoglio i miei soldi, è una vergogna!",
    "ja": "電気ケトルを注文して三週間、まだ届かず、電話もメールも返事がありません。返金してください。😠",
    "ko": "주전자를 주문한 지 3주가 지났는데 아직도 오지 않았고 아무도 답하지 않습니다. 환불해 주세요.",
    "nl-BE": "Al drie weken wacht ik op mijn waterkoker en niemand antwoordt. Geef mij mijn geld terug, aub!",
    "nl": "Drie weken wacht ik al op mijn waterkoker en niemand geeft antwoord. Ik wil mijn geld terug!",
    "pl": "Trzy tygodnie czekam na czajnik i nikt nie odpowiada. Żądam zwrotu pieniędzy, to skandal!",
    "pt": "Há três semanas que espero a minha chaleira e ninguém responde. Quero o meu dinheiro de volta!",
    "ru": "Три недели жду чайник, никто не отвечает ни на звонки, ни на письма. Верните мои деньги!",
    "tr": "Üç haftadır su ısıtıcımı bekliyorum, kimse cevap vermiyor. Paramı geri istiyorum, rezalet!",
    "uk": "Три тижні чекаю на чайник, ніхто не відповідає ні на дзвінки, ні на листи. Поверніть мої гроші!",
    "zh": "订的电热水壶三个星期了还没到，打电话没人接，发邮件也没人回。马上退款！😡",
    "zh-Hant": "訂的電熱水壺三個星期了還沒到，打電話沒人接，發郵件也沒人回。馬上退款！",
}
LONGEST = {"x": 4_000, "vk": 15_000}
"""Characters of the longest posts: paid posts on X, posts on VK."""


@pytest.fixture(scope="module")
def library() -> PlaybookLibrary:
    return PlaybookLibrary.load()


@pytest.fixture(scope="module")
def server() -> Iterator[SlackServer]:
    with SlackServer() as running:
        yield running


@pytest.fixture
def client(server: SlackServer) -> WebClient:
    return WebClient(token=TOKEN, base_url=server.api_url, retry_handlers=[])


@pytest.fixture
def olga(server: SlackServer) -> Person:
    return server.person("U0LGA", name="olga")


def opened(server: SlackServer, client: WebClient, olga: Person, view: dict[str, Any]) -> View:
    client.views_open(trigger_id=server.views.trigger(olga.id), view=view)
    shown = olga.view
    assert shown is not None
    return shown


def check_blocks(blocks: list[dict[str, Any]], *, may_mention: bool = False) -> None:
    """Assert that Slack takes the blocks, by its documented limits and by slack_sdk's, and that nothing is alive."""
    assert list(block_problems(blocks)) == []
    for parsed in Block.parse_all(blocks):
        parsed.validate_json()
    assert total(blocks) <= MAX_TOTAL
    json.dumps(blocks, ensure_ascii=False).encode()
    assert may_mention or not alive(blocks)


def check_view(view: dict[str, Any]) -> None:
    assert list(view_problems(view)) == []
    SdkView(**view).validate_json()
    assert len(json.dumps(view)) < 250_000
    json.dumps(view, ensure_ascii=False).encode()
    assert not alive(view.get("blocks"))


def alive(blocks: Any) -> list[str]:
    """Return every piece of mrkdwn that holds more than our own dates."""
    texts = [node["text"] for node in nodes(blocks) if node.get("type") == "mrkdwn"]
    parts = [part for text in texts for part in text.split("<")[1:]]
    return [part for part in parts if not part.startswith("!date^")]


def shown_in(blocks: Any) -> str:
    return "\n".join(block_texts(blocks))


def offered(blocks: list[dict[str, Any]]) -> list[Action]:
    """Return every action that the blocks offer, read back as a press would be."""
    found = []
    for node in nodes(blocks):
        if "action_id" in node and node["type"] in ("button", "static_select"):
            chosen = [{"selected_option": option} for option in node.get("options", [])]
            for given in chosen or [{"value": node.get("value")}]:
                action = parse_action({"action_id": node["action_id"], **given})
                assert action is not None, node
                found.append(action)
    return found


def menu(view: dict[str, Any], field: FieldName) -> dict[str, Any]:
    (found,) = [node for node in nodes(view["blocks"]) if node.get("action_id") == field]
    return found


def options_of(view: dict[str, Any], field: FieldName) -> list[str]:
    return [option["value"] for option in menu(view, field)["options"]]


def chosen_in(view: dict[str, Any], field: FieldName) -> str | None:
    option = menu(view, field).get("initial_option")
    return option["value"] if option else None


def names(blocks: list[dict[str, Any]]) -> set[str]:
    return {str(action.name) for action in offered(blocks) if not action.is_link}


def longest(library: PlaybookLibrary, locale: str, network: str) -> Guidance:
    """Return guidance with the longest of everything that a locale's playbooks have."""
    found = []
    for name in library.names:
        request = GuideRequest(
            topic="other", playbook=name, network=network, language=locale, country="FR", settled=True,
            brand_name="Bouilloires Générales de France", brand_signature="L’équipe du service clientèle",
            brand_phrase="Une bouilloire, une équipe, une vie.", agent="Marie-Antoinette",
            author_name="Александра 👩‍🚀", handle="alexandra_petrova", author_id="123", post_id="99", post_url="https://x.com/cam_m/status/99",
            text=post_in(locale), products=("Bouilloire électrique K2 Professional",), place="Saint-Étienne", seed="9",
            country_locales={locale: (locale,)}, team_languages=("fr", "de"),
            contact=Contact("service-clientele@bouilloires.example"),
        )  # fmt: skip
        found.append(library.guide(request))
    drafts = sorted((draft for one in found for draft in one.drafts), key=lambda draft: -len(draft.text))
    assert drafts
    lists = {name: max((getattr(one, name) for one in found), key=lambda lines: sum(map(len, lines)))
             for name in ("steps", "never", "tell", "promise", "ask", "moved")}  # fmt: skip
    texts = {name: max((getattr(one, name) for one in found), key=len) for name in ("title", "close", "private_text")}
    return replace(found[0], drafts=tuple(drafts[:6]), url=GUIDANCE.url, best_unanswered=True, **lists, **texts)


def post_in(locale: str) -> str:
    """Return a post in a locale, or in the language that it varies."""
    return POSTS.get(locale) or POSTS["zh-Hant" if locale in ("zh-TW", "zh-HK") else locale.split("-")[0]]


def reply_form(guidance: Guidance, post: str, **changes: Any) -> ReplyForm:
    drafts = tuple(
        ReplyDraft(
            draft.text, f"{draft.locale} · {draft.length} · {draft.note}", draft.variant, draft.locale, draft.text,
            "English",
        )
        for draft in guidance.drafts
    )  # fmt: skip
    form = ReplyForm(
        alert_id=12,
        reference="A-1042",
        author="Marta Ruiz @marta_viaja",
        post=post,
        network="X",
        drafts=drafts,
        chosen="",
        text=drafts[0].text if drafts else "",
        count=212,
        limit=280,
        warnings=("It asks for an order number in public: ask in private.",),
        reply_url="https://x.com/intent/post?in_reply_to=42",
        private_url="https://x.com/messages/compose?recipient_id=7",
        steps="Send the private link in your reply.",
        private_text=guidance.private_text,
        playbook=guidance.playbook,
        playbooks=(("late-delivery", "Late delivery"), ("billing", "Charge or refund")),
        notes=tuple(f"{label}: {' · '.join(lines)}" for label, lines in (
            ("Tell", guidance.tell), ("Never say", guidance.never), ("May be promised", guidance.promise))),
        private_notes=(f"Ask for this: {' · '.join(guidance.ask)}", f"To close it: {guidance.close}"),
    )  # fmt: skip
    return replace(form, **changes)


# Cards


@pytest.mark.parametrize("network", sorted(LONGEST))
@pytest.mark.parametrize("locale", REQUIRED_LOCALES)
def test_every_card_and_window_is_within_the_limits_in_every_language(
    library: PlaybookLibrary, locale: str, network: str
) -> None:
    guidance = longest(library, locale, network)
    post = (post_in(locale) + " ") * (LONGEST[network] // len(post_in(locale)))
    progress = Progress("Анна-Мария Ķēniņš", "slack:U1", BEGAN_AT, (Due("first answer", BEGAN_AT),) * 3)
    for interactive in (False, True):
        one = card(text=post, guidance=guidance, interactive=interactive, progress=progress, network=network)
        blocks = render_blocks(one)
        check_blocks(blocks)
        assert post_in(locale)[:40] in shown_in(blocks)
        assert guidance.drafts[0].text in shown_in(blocks)
        for line in (*guidance.tell, *guidance.never):
            assert line in shown_in(blocks)
        voices = (replace(VOICE, text=post),) * 6
        burst = incident(
            guidance=guidance, first=voices[0], influential=voices, progress=progress, interactive=interactive
        )
        for picture in (None, "F0001"):
            check_blocks(render_incident(burst, picture))
    titles = tuple((name, library.contents.playbooks[name].title) for name in library.names)
    assert len(titles) >= 24
    for draft in guidance.drafts:
        form = reply_form(guidance, post, chosen=draft.variant, text=draft.text, playbooks=titles)
        view = modals.reply_view(form)
        check_view(view)
        for text in (draft.text, guidance.private_text, *form.notes, *form.private_notes):
            assert text in shown_in(view["blocks"])
        assert options_of(view, FieldName.PLAYBOOK) == [name for name, _ in titles]
        assert chosen_in(view, FieldName.VARIANT) == draft.variant


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("state", [AlertState.OPEN, AlertState.CLAIMED, AlertState.RESOLVED])
def test_hostile_text_everywhere_is_taken_and_stays_dead(text: str, state: AlertState) -> None:
    progress = progress_filled_with(text)
    one = replace(filled_with(text), progress=progress, interactive=True, incident=text, state=state)
    check_blocks(render_blocks(one))
    check_blocks(render_incident(replace(incident_filled_with(text), interactive=True, state=state)))
    for made in (
        plain_message(one), fallback_text(one), incident_text(incident_filled_with(text)),
        plain_incident(incident_filled_with(text)),
    ):  # fmt: skip
        assert len(made) < 4_000
        assert not set("<>") & set(made)


EVERYTHING = {"reply", "snooze", "escalate", "resolve", "not_complaint"}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (AlertState.OPEN, EVERYTHING | {"claim"}),
        (AlertState.CLAIMED, EVERYTHING | {"release", "take_over"}),
        (AlertState.SNOOZED, EVERYTHING - {"snooze"} | {"claim", "wake"}),
        (AlertState.RESOLVED, {"reopen"}),
        (AlertState.DISMISSED, {"reopen"}),
    ],
)
def test_the_card_offers_what_its_state_allows(state: AlertState, expected: set[str]) -> None:
    assert names(render_blocks(card(interactive=True, state=state))) == expected
    of_burst = {"answered"} if "reply" in expected else set()
    offers = expected - {"reply", "not_complaint"} | of_burst
    assert names(render_incident(incident(interactive=True, state=state))) == offers
    assert not names(render_blocks(card(state=state)))
    assert not names(render_incident(incident(state=state)))


def test_a_snoozed_card_of_a_colleague_is_taken_over_not_claimed() -> None:
    snoozed = card(
        interactive=True, state=AlertState.SNOOZED, progress=Progress(owner="Olga", owner_address="slack:U1")
    )
    assert {"take_over", "wake"} <= names(render_blocks(snoozed))
    assert "claim" not in names(render_blocks(snoozed))


def test_every_press_on_a_card_names_its_alert_and_what_was_chosen() -> None:
    found = offered(render_blocks(card(interactive=True)))
    assert {action.alert_id for action in found} == {12}
    assert {action.choice for action in found if action.name is ActionName.SNOOZE} == set(SnoozeFor)
    assert {action.choice for action in found if action.name is ActionName.RESOLVE} == set(Resolution)


def test_taking_over_asks_first_and_carries_the_owner_that_was_seen() -> None:
    progress = Progress("Anna <!here>", "slack:U0ANNA", BEGAN_AT)
    blocks = render_blocks(card(interactive=True, state=AlertState.CLAIMED, progress=progress))
    (button,) = [node for node in nodes(blocks) if node.get("action_id") == "take_over"]
    assert "Anna <!here> looks after A-12 now" in button["confirm"]["text"]["text"]
    assert button["confirm"]["text"]["type"] == "plain_text"
    assert parse_action(button) == Action(ActionName.TAKE_OVER, 12, expected_owner="slack:U0ANNA")
    assert owner_seen(Progress("Anna | Ruiz")) == "Anna | Ruiz"
    by_name = render_blocks(card(interactive=True, state=AlertState.CLAIMED, progress=Progress("Anna | Ruiz")))
    assert Action(ActionName.TAKE_OVER, 12, expected_owner="Anna | Ruiz") in offered(by_name)


def test_at_a_glance_who_owns_it_since_when_and_what_is_due() -> None:
    due = (Due("first answer", BEGAN_AT + timedelta(hours=1)), Due("resolution", BEGAN_AT, missed=True))
    blocks = render_blocks(card(state=AlertState.CLAIMED, progress=Progress("Anna", "slack:U1", BEGAN_AT, due)))
    assert [field["text"] for field in blocks[1]["fields"]] == [
        "*Owner* since <!date^1773478800^{date_short_pretty} {time}|Sat 14 Mar 2026, 10:00>",
        "Anna",
        "*Due* <!date^1773482400^{date_short_pretty} {time}|Sat 14 Mar 2026, 11:00>",
        "first answer",
        "⚠️ *Missed* <!date^1773478800^{date_short_pretty} {time}|Sat 14 Mar 2026, 10:00>",
        "resolution",
    ]


def test_an_open_alert_says_that_nobody_owns_it() -> None:
    assert [field["text"] for field in render_blocks(card())[1]["fields"]] == ["*Owner*", "nobody yet"]


def test_the_card_tells_what_has_happened_so_far() -> None:
    progress = Progress(
        "Anna", since=BEGAN_AT, snoozed_until=BEGAN_AT, replied_at=BEGAN_AT, private_at=BEGAN_AT,
        escalated_to="Head office",
    )  # fmt: skip
    text = shown_in(render_blocks(card(state=AlertState.SNOOZED, progress=progress, incident="A-31")))
    for words in ("*Snoozed* until <", "*Escalated* to\nHead office", "*Answered* <", "*Moved* <", "incident\nA-31"):
        assert words in text


def test_a_closed_card_says_how_it_ended_and_asks_for_nothing() -> None:
    progress = Progress("Anna", due=(Due("resolution", BEGAN_AT),), resolution="solved", closed_by="Ben",
                        closed_at=BEGAN_AT)  # fmt: skip
    text = shown_in(render_blocks(card(state=AlertState.RESOLVED, progress=progress)))
    assert "*Resolved* <!date^" in text
    assert "solved, by Ben" in text
    assert "*Due*" not in text


def test_a_deleted_post_is_withdrawn_and_its_words_too() -> None:
    one = card(fate="deleted", text="still here?", interactive=True)
    for text in (shown_in(render_blocks(one)), fallback_text(one), plain_message(one)):
        assert "This post was withdrawn by its author, or on request, and its text with it." in text
        assert "still here?" not in text
        assert "nadie, retraso" not in text


def test_an_edited_post_is_marked_and_shows_its_text_now() -> None:
    text = shown_in(render_blocks(card(fate="edited", text="new text")))
    assert "edited this post" in text
    assert "new text" in text


def test_where_people_can_act_later_drafts_are_behind_the_reply_button() -> None:
    drafts = card().guidance.drafts  # type: ignore[union-attr]
    text = shown_in(render_blocks(card(interactive=True)))
    assert drafts[0].text in text
    assert drafts[1].text not in text
    assert "1 more suggested reply is behind Reply…" in text


# Incidents


def test_the_incident_shows_its_size_speed_voices_words_and_what_to_do() -> None:
    text = shown_in(render_incident(incident(interactive=True), "F0001"))
    for words in (
        "Bad buzz, severity 3 · Yunfan · Spain · delivery", "340 negative mentions by 120 authors",
        "12.3 would be usual", "fastest 96 an hour", "34% are copies", "1,200,000 followers", "still lasts",
        "late delivery 212, no answer 87", "retraso, estafa", "Spanish 300, Arabic 40",
        "a speaker with 900,000 followers", "The first post", "Influential voice 1", "Otro retraso", "Diario",
        "Late delivery", "Answer within the hour.", "at most 96 at Sat 14 Mar 2026, 13:00", "nobody yet",
        "first answer", "I-3",
    ):  # fmt: skip
        assert words in text


def test_the_incident_leads_to_the_teams_own_playbook() -> None:
    (button,) = [node for node in nodes(render_incident(incident())) if node.get("action_id") == "open_playbook"]
    assert (button["text"]["text"], button["url"]) == ("Open playbook", GUIDANCE.url)
    assert f"Open playbook: {GUIDANCE.url}" in plain_incident(incident())
    bare = incident(guidance=replace(GUIDANCE, url=None))
    assert "Open playbook" not in shown_in(render_incident(bare)) + plain_incident(bare)


@pytest.mark.parametrize("text", ["é&<>" * 2_000, "👨‍👩‍👧‍👦" * 900], ids=["escaped", "wide"])
def test_the_fullest_incident_has_room_for_the_teams_own_playbook(text: str) -> None:
    full, page = incident_filled_with(text), "https://wiki.example/" + "a" * 479
    assert full.guidance is not None
    for interactive in (False, True):
        one = replace(full, interactive=interactive, guidance=replace(full.guidance, url=page))
        blocks = render_incident(one)
        check_blocks(blocks)
        assert page in [node.get("url") for node in nodes(blocks)]


def test_the_incident_says_what_never_to_say_and_what_its_statement_means() -> None:
    draft = replace(GUIDANCE.drafts[0], gloss="We see your posts.", gloss_language="English")
    text = shown_in(render_incident(incident(guidance=replace(GUIDANCE, drafts=(draft,)))))
    for words in (draft.text, "We see your posts.", "English", "that it is the carrier's fault"):
        assert words in text


def test_the_curve_is_an_image_with_words_or_a_line_of_characters() -> None:
    (image,) = [block for block in render_incident(incident(), "F0001") if block["type"] == "image"]
    assert image["slack_file"] == {"id": "F0001"}
    assert "It still lasts" in image["alt_text"]
    without = render_incident(incident())
    assert "image" not in {block["type"] for block in without}
    assert "▁▁▁" in shown_in(without)


def test_an_incident_that_is_over_says_so() -> None:
    over = incident(ended_at=BEGAN_AT + timedelta(hours=6), state=AlertState.RESOLVED)
    text = shown_in(render_incident(over))
    assert "over Sat 14 Mar 2026, 16:00" in text
    assert "still lasts" not in text
    assert "· over" in incident_text(over)


def test_a_voice_whose_post_was_deleted_is_not_repeated() -> None:
    text = shown_in(render_incident(incident(first=replace(VOICE, text=""), influential=())))
    assert "and its text with it" in text


def test_an_incident_without_voices_curve_or_playbook_is_shown() -> None:
    bare = incident(first=None, influential=(), curve=(), guidance=None, words=(), complaints=(), languages=(),
                    because=(), topic="")  # fmt: skip
    check_blocks(render_incident(bare))
    assert "No curve yet." in shown_in(render_incident(bare))


# Notes and summaries


def test_people_are_mentioned_by_their_ids_alone() -> None:
    assert [mention(address) for address in MENTIONS] == ["<@U0123>", "<@W0456>", "<!subteam^S0789>"]
    assert mentions([*MENTIONS, "slack:U0123"]) == "<@U0123> <@W0456> <!subteam^S0789>"


@pytest.mark.parametrize(
    "address",
    ["", "U0123", "slack:", "slack:u0123", "slack:U0123>", "slack:C0123", "slack:U0123\n", "slack:!channel",
     "slack:U0123|x", "email:U0123", " slack:U0123", "slack:S0123><!here", "slack:U" + "1" * 40, *HOSTILE],
)  # fmt: skip
def test_nothing_else_mentions_anybody(address: str) -> None:
    assert mention(address) == ""
    note = Note(address, address, people=(address,), quote=address, reference=address, url=address)
    check_blocks(render_note(note))
    assert not set("<>") & set(note_text(note))


@pytest.mark.parametrize("tone", ["history", "mention", "reminder", "escalation", "operator"])
def test_a_note_says_what_happened_to_whom_it_matters(tone: Any) -> None:
    note = Note("Nobody has answered", "Due at 10:00.", tone, "A-12", MENTIONS, "still waiting", VOICE.url)
    blocks = render_note(note)
    check_blocks(blocks, may_mention=True)
    assert len(alive(blocks)) == 3
    text = shown_in(blocks)
    assert [node["url"] for node in nodes(blocks) if "url" in node] == [VOICE.url]
    for words in ("A-12 · Nobody has answered", "Due at 10:00.", "“still waiting”", "<@U0123>"):
        assert words in text
    assert note_text(note).startswith("<@U0123> <@W0456> <!subteam^S0789> A-12 · Nobody")


def entries(count: int, line: str = "Marta Ruiz · Spain · delivery: still no kettle") -> tuple[Entry, ...]:
    return tuple(Entry(number, f"A-{number}", number % 3 + 1, line) for number in range(1, count + 1))


@pytest.mark.parametrize("interactive", [False, True])
@pytest.mark.parametrize("count", [0, 1, 40, 100, 101, 900])
@pytest.mark.parametrize("locale", ["en", "ar", "zh"])
def test_a_summary_names_what_it_can_and_counts_the_rest(count: int, interactive: bool, locale: str) -> None:
    summary = Summary("Overnight", "What came in.", entries(count, POSTS[locale] * 3), interactive)
    blocks = render_summary(summary)
    check_blocks(blocks)
    named = sum(line.split(" ")[0].endswith(".") for line in shown_in(blocks).split("\n") if "●" in line)
    left_out = [block for block in blocks if "more" in shown_in([block]) and block["type"] == "context"]
    assert named == count or (f"and {count - named} more" in shown_in(left_out) and named >= 20)
    chosen = [action for action in offered(blocks) if action.name is ActionName.SHOW_CARD]
    assert len(chosen) == (min(named, 100) if interactive else 0)
    assert len(summary_text(summary)) < 4_000


def test_a_summary_is_numbered_with_severity_and_in_order() -> None:
    text = shown_in(render_summary(Summary("Overnight", "", entries(3))))
    assert "1. ●●○ A-1 · Marta Ruiz" in text
    assert "2. ●●● A-2" in text
    assert "3. ●○○ A-3" in text
    assert summary_line(Summary("Overnight", "", entries(3))) == "Overnight · 3 alerts"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_summary_of_hostile_lines_is_taken_and_stays_dead(text: str) -> None:
    summary = Summary(text, text, tuple(Entry(1, text, 3, text) for _ in range(150)), interactive=True)
    check_blocks(render_summary(summary))
    assert not set("<>") & set(summary_text(summary) + summary_line(summary))


# Presses


@pytest.mark.parametrize(
    "given",
    [
        None, [], "claim", {}, {"action_id": "claim"}, {"action_id": "claim", "value": 12},
        {"action_id": "claim", "value": ""}, {"action_id": "claim", "value": "0"},
        {"action_id": "claim", "value": "012"}, {"action_id": "claim", "value": "-1"},
        {"action_id": "claim", "value": "١٢"}, {"action_id": "claim", "value": "12 "},
        {"action_id": "claim", "value": "12|15m"}, {"action_id": "claim", "value": "9" * 19},
        {"action_id": "claim", "value": "12|"}, {"action_id": "destroy", "value": "12"},
        {"action_id": ["claim"], "value": "12"}, {"action_id": "snooze", "value": "12|2y"},
        {"action_id": "snooze", "selected_option": None, "value": None},
        {"action_id": "snooze", "selected_option": {"value": {"x": 1}}},
        {"action_id": "resolve", "selected_option": {"value": "12|solved|x"}},
        {"action_id": "take_over", "value": "12|" + "x" * 201}, {"action_id": "show_card", "value": "1e3"},
    ],
)  # fmt: skip
def test_a_press_that_is_not_exactly_ours_is_no_action(given: Any) -> None:
    assert parse_action(given) is None


def test_a_press_is_read_back() -> None:
    chosen = {"action_id": "snooze", "selected_option": {"text": {}, "value": "7|opening"}}
    assert parse_action(chosen) == Action(ActionName.SNOOZE, 7, "opening")
    assert parse_action({"action_id": "resolve", "value": "7"}) == Action(ActionName.RESOLVE, 7)
    assert parse_action({"action_id": "open_post"}) == Action(ActionName.OPEN_POST, 0)
    assert all(Action(name, 0).is_link for name in LINKS)


def test_the_words_are_those_of_the_desk() -> None:
    assert set(Resolution) == set(ENDINGS) == set(RESOLUTION_WORDS)
    assert {str(was): words for was, words in WAS_WORDS.items()} == {was: words for was, (words, _) in WAS.items()}
    assert set(WAS_WORDS) == set(WasInstead)
    assert set(SNOOZE_WORDS) == set(SnoozeFor)
    assert set(SENT_WORDS) == set(SentAs)


# Windows


def test_a_reply_is_chosen_edited_counted_and_recorded(server: SlackServer, client: WebClient, olga: Person) -> None:
    guidance = card().guidance
    assert guidance is not None
    form = reply_form(guidance, card().text)
    view = opened(server, client, olga, modals.reply_view(form))
    assert "212 of 280" in view.shown
    assert view.buttons == {"Open the reply on X": form.reply_url, "Open the private message": form.private_url}
    olga.type(view, modals.reply_text_block(0), "My own words")
    assert modals.parse_reply_state(view.public()) == ReplyState(12, "a", "My own words", 0, "late-delivery")
    client.views_update(view_id=view.id, view=modals.reply_view(replace(form, text="My own words", count=12)))
    assert "12 of 280" in view.shown
    assert "My own words" in view.shown
    olga.choose_in_view(view, FieldName.VARIANT, "b")
    assert modals.parse_reply_state(view.public()) == ReplyState(12, "b", "My own words", 0, "late-delivery")
    second = replace(form, chosen="b", revision=1, text=guidance.drafts[1].text)
    client.views_update(view_id=view.id, view=modals.reply_view(second))
    assert guidance.drafts[1].text in view.shown
    assert "My own words" not in view.shown
    olga.fill(view, {FieldName.SENT: "both"})
    assert modals.parse_reply(view.public()) == ReplySubmission(12, guidance.drafts[1].text, SentAs.BOTH, "b")


def test_of_what_was_typed_no_more_is_read_than_the_box_holds() -> None:
    view = modals.reply_view(reply_form(GUIDANCE, "post"))
    typed = {modals.reply_text_block(0): {FieldName.TEXT: {"type": "plain_text_input", "value": "x" * 9_000}}}
    state = modals.parse_reply_state({**view, "state": {"values": typed}})
    assert state is not None
    assert state.text == "x" * modals.MAX_TYPED


def test_another_case_is_chosen_from_the_menu_and_read_back(
    server: SlackServer, client: WebClient, olga: Person
) -> None:
    view = opened(server, client, olga, modals.reply_view(reply_form(GUIDANCE, card().text)))
    assert ("The case" in view.shown, "Late delivery" in view.shown) == (True, True)
    olga.choose_in_view(view, FieldName.PLAYBOOK, "billing")
    state = modals.parse_reply_state(view.public())
    assert state is not None
    assert (state.playbook, state.chosen) == ("billing", "a")


def test_drafts_are_known_by_their_key_however_they_are_ordered() -> None:
    form = reply_form(GUIDANCE, "post", chosen="b")
    turned = replace(form, drafts=form.drafts[::-1])
    for one in (form, turned):
        assert chosen_in(modals.reply_view(one), FieldName.VARIANT) == "b"
    for gone in ("", "c", "1", "#1"):
        assert chosen_in(modals.reply_view(replace(form, chosen=gone)), FieldName.VARIANT) == "a"


@pytest.mark.parametrize("key", ["", " ", "a ", "k" * 151, "x\ny", "\ud800", "<&>" * 40, "b"])
def test_a_draft_whose_key_slack_does_not_take_is_known_by_its_number(key: str) -> None:
    drafts = (ReplyDraft("One", "first", "b", "fr"), ReplyDraft("Two", "second", key, "nl"))
    view = modals.reply_view(reply_form(GUIDANCE, "post", drafts=drafts, chosen="#2"))
    check_view(view)
    assert options_of(view, FieldName.VARIANT) == ["b", "#2"]
    assert chosen_in(view, FieldName.VARIANT) == "#2"
    assert "Your reply (nl)" in shown_in(view["blocks"])
    assert modals.chosen_draft(drafts, "#2") is drafts[1]
    assert modals.chosen_draft(drafts, "#3") is drafts[0]
    assert modals.chosen_draft((), "#1") is None


def test_the_menus_hold_what_slack_takes_and_leave_the_rest_out() -> None:
    titles = (("k" * 150, "t" * 200), ("k" * 151, "too long a name"), ("a\nb", "no name"), ("ok", ""), ("ok", "again"))
    many = tuple((f"book-{number}", "<&>" * 60) for number in range(120))
    for given, expected in ((titles, ["k" * 150, "ok"]), (many, [name for name, _ in many[:100]])):
        drafts = tuple(ReplyDraft("字" * 200, "&" * 200, f"d{number}") for number in range(120))
        view = modals.reply_view(reply_form(GUIDANCE, "post", playbooks=given, playbook="gone", drafts=drafts))
        check_view(view)
        assert options_of(view, FieldName.PLAYBOOK) == expected
        assert chosen_in(view, FieldName.PLAYBOOK) is None
        assert len(options_of(view, FieldName.VARIANT)) == 100
    bare = modals.reply_view(reply_form(GUIDANCE, "post", playbooks=(), notes=(), private_notes=(), private_text=" "))
    check_view(bare)
    for words in ("The case", "The private message"):
        assert words not in shown_in(bare["blocks"])


def test_a_private_message_that_has_no_room_is_not_shown_cut() -> None:
    view = modals.reply_view(reply_form(GUIDANCE, "post", private_text="word " * 900))
    check_view(view)
    assert "(too long to show here)" in shown_in(view["blocks"])
    assert "word word" not in shown_in(view["blocks"])


def test_what_is_settled_in_private_is_told_in_the_thread_from_the_closed_card() -> None:
    settled = replace(GUIDANCE, playbook="solved-public")
    blocks = render_blocks(card(interactive=True, state=AlertState.RESOLVED, guidance=settled))
    assert names(blocks) == {"reply", "reopen"}
    assert "1 more suggested reply is behind Tell the thread…" in shown_in(blocks)
    assert "more suggested" not in shown_in(render_blocks(card(interactive=True, state=AlertState.RESOLVED)))
    for one in (
        card(interactive=True, state=AlertState.RESOLVED), card(state=AlertState.RESOLVED, guidance=settled),
        card(interactive=True, guidance=settled), card(interactive=True, state=AlertState.RESOLVED, guidance=None),
    ):  # fmt: skip
        assert "Tell the thread…" not in shown_in(render_blocks(one))


def test_an_incident_says_how_soon_to_answer_and_whom_to_tell() -> None:
    for words in ("Late delivery · answer within 4 h", "Tell: The carrier desk where the parcel cannot be found."):
        assert words in shown_in(render_incident(incident()))


def test_an_empty_reply_is_refused_at_its_field(server: SlackServer, client: WebClient, olga: Person) -> None:
    guidance = card().guidance
    assert guidance is not None
    view = opened(server, client, olga, modals.reply_view(reply_form(guidance, "post", revision=4)))
    olga.type(view, modals.reply_text_block(4), " \u200b ")
    wrong = modals.parse_reply(view.public())
    assert isinstance(wrong, FieldErrors)
    assert list(wrong.errors) == ["reply_text_4", "reply_sent"]
    assert wrong.response()["response_action"] == "errors"
    assert set(wrong.errors) <= set(view.inputs)


def test_the_reply_window_warns_and_shows_what_the_draft_means() -> None:
    guidance = card().guidance
    assert guidance is not None
    form = reply_form(guidance, "post", count=301)
    form = replace(form, drafts=(replace(form.drafts[0], gloss="Dear Marta, we are sorry.", gloss_language="English"),))
    text = shown_in(modals.reply_view(form)["blocks"])
    for words in (
        "301 of 280 ⚠️ 21 too many", "⚠️ It asks for an order number in public", "What it says", "in English",
        "Dear Marta, we are sorry.", "Send the private link in your reply.", "Your reply (es-ES)",
    ):  # fmt: skip
        assert words in text


def test_a_reply_without_drafts_or_links_can_be_written_all_the_same() -> None:
    guidance = card().guidance
    assert guidance is not None
    form = reply_form(guidance, "", drafts=(), text="", reply_url=None, private_url=None, steps="", warnings=())
    view = modals.reply_view(form)
    check_view(view)
    assert "There is no suggested reply" in shown_in(view["blocks"])


def test_a_link_that_cannot_hold_the_text_says_what_to_do_instead() -> None:
    guidance = card().guidance
    assert guidance is not None
    view = modals.reply_view(reply_form(guidance, "post", reply_url="https://x.com/" + "a" * 3_000))
    check_view(view)
    assert "copy it and open the reply from the card" in shown_in(view["blocks"])


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_windows_and_home_of_hostile_text_are_taken_and_stay_dead(text: str) -> None:
    draft = ReplyDraft(text, text, text, text, text, text)
    form = ReplyForm(
        12, text, text, text, text, (draft,) * 12, text, text, 10**9, 280, (text,) * 9, text, text, text, text, text,
        ((text, text),) * 9, (text,) * 9, (text,) * 9,
    )  # fmt: skip
    due = Due(text, BEGAN_AT)
    mine = [HomeEntry(number, text, 3, text, text, due, text, text) for number in range(1, 60)]
    for view in (
        modals.reply_view(form), modals.not_complaint_view(12, text, text), modals.resolve_view(12, text, text),
        modals.snooze_view(12, text, text), modals.silence_view([text] * 9, text), modals.error_view(text, text),
        modals.loading_view(text), home_view(mine, mine, team_name=text, status=text),
    ):  # fmt: skip
        check_view(view)


def test_what_it_was_is_asked_and_read_back(server: SlackServer, client: WebClient, olga: Person) -> None:
    view = opened(server, client, olga, modals.not_complaint_view(12, "A-12", "Marta Ruiz · Spain"))
    assert modals.parse_not_complaint(view.public()) == FieldErrors({"what_it_was": "Choose what it was."})
    olga.fill(view, {FieldName.WHAT: "joke"})
    assert modals.parse_not_complaint(view.public()) == NotComplaint(12, WasInstead.JOKE)
    olga.fill(view, {FieldName.TOPIC: "delivery"})
    assert modals.parse_not_complaint(view.public()) == NotComplaint(12, WasInstead.JOKE, "delivery")


def test_how_it_ended_and_how_long_are_asked_and_read_back(
    server: SlackServer, client: WebClient, olga: Person
) -> None:
    view = opened(server, client, olga, modals.resolve_view(12, "A-12"))
    assert isinstance(modals.parse_resolve(view.public()), FieldErrors)
    olga.fill(view, {FieldName.RESOLUTION: "private"})
    assert modals.parse_resolve(view.public()) == Ending(12, Resolution.PRIVATE)
    view = opened(server, client, olga, modals.snooze_view(12, "A-12"))
    assert modals.parse_snooze(view.public()) == PutOff(12, SnoozeFor.HOUR)
    olga.fill(view, {FieldName.LENGTH: "opening"})
    assert modals.parse_snooze(view.public()) == PutOff(12, SnoozeFor.OPENING)


def test_a_silence_is_written_checked_and_read_back(server: SlackServer, client: WebClient, olga: Person) -> None:
    view = opened(server, client, olga, modals.silence_view(["country=FR"]))
    wrong = modals.parse_silence(view.public())
    assert wrong == FieldErrors({"reason": "Say why."})
    olga.fill(view, {FieldName.MATCHERS: "country=FR\n\n topic!=praise \ncolour=red", FieldName.REASON: "Trade fair"})
    wrong = modals.parse_silence(view.public())
    assert isinstance(wrong, FieldErrors)
    assert "there is no label 'colour'" in wrong.errors["matchers"]
    olga.fill(view, {FieldName.MATCHERS: "country=FR\n\n topic!=praise ", FieldName.DURATION: "3d"})
    assert modals.parse_silence(view.public()) == SilenceRequest(
        ("country=FR", "topic!=praise"), timedelta(days=3), "Trade fair"
    )


PARSERS = (
    modals.parse_reply, modals.parse_reply_state, modals.parse_not_complaint, modals.parse_resolve,
    modals.parse_snooze, modals.parse_silence,
)  # fmt: skip


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "metadata",
    [None, "", "{", "[1]", "null", '{"alert": "12", "revision": 0}', '{"alert": true, "revision": 0}',
     '{"alert": -3, "revision": 0}', '{"alert": 1e3, "revision": 0}', "[" * 100_000, '{"alert": 12, "revision": "0"}',
     '{"alert": 99999999999999999999, "revision": 0}'],
)  # fmt: skip
def test_metadata_that_is_not_ours_is_no_submission(parse: Any, metadata: Any) -> None:
    for name in ("reply_view", "not_complaint_view", "resolve_view", "snooze_view"):
        view = {"callback_id": name, "private_metadata": metadata, "state": {"values": {}}}
        found = parse(view)
        assert found is None or (isinstance(found, FieldErrors) and '"revision": "0"' in str(metadata))


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("view", [None, [], "x", {}, {"callback_id": "other"}, {"callback_id": ["reply_view"]}])
def test_a_view_that_is_not_ours_is_no_submission(parse: Any, view: Any) -> None:
    assert parse(view) is None


@pytest.mark.parametrize(
    "state",
    [
        None,
        [],
        {"values": None},
        {"values": {"what_it_was": []}},
        {"values": {"what_it_was": {"what_it_was": {"selected_option": "x"}}}},
        {"values": {"what_it_was": {"what_it_was": {"selected_option": {"value": 3}}}}},
    ],
)
def test_fields_that_are_not_ours_are_taken_as_empty(state: Any) -> None:
    told = json.dumps({"alert": 12, "revision": 0})
    for name, parse in zip(("reply", "not_complaint", "resolve", "snooze"), (PARSERS[0], *PARSERS[2:]), strict=False):
        view = {"callback_id": f"{name}_view", "private_metadata": told, "state": state}
        assert isinstance(parse(view), FieldErrors)


# Home tab


def home_entries(count: int, owner: str = "") -> list[HomeEntry]:
    due = Due("first answer", BEGAN_AT)
    return [HomeEntry(n, f"A-{n}", 3, "Marta: no kettle", "Europe/Madrid", due, owner) for n in range(1, count + 1)]


@pytest.mark.parametrize(("mine", "team"), [(0, 0), (1, 0), (0, 1), (15, 15), (200, 200), (0, 200), (200, 0), (29, 3)])
def test_the_home_tab_shows_mine_first_and_counts_the_rest(mine: int, team: int) -> None:
    view = home_view(home_entries(mine, "Olga"), home_entries(team), team_name="Care Iberia")
    check_view(view)
    text = shown_in(view["blocks"])
    assert text.index("My open alerts") < text.index("Open alerts of Care Iberia")
    shown_mine = text.split("Open alerts of Care Iberia")[0].count("●●●")
    shown_team = text.split("Open alerts of Care Iberia")[1].count("●●●")
    assert shown_mine == mine or (shown_mine >= 15 and f"and {mine - shown_mine} more" in text)
    assert shown_team == team or (shown_team >= 15 and f"and {team - shown_team} more" in text)
    assert ("You have no open alerts." in text) is (mine == 0)


def test_the_home_tab_is_published_and_its_buttons_name_their_alert(
    server: SlackServer, client: WebClient, olga: Person
) -> None:
    view = home_view(home_entries(2, "Olga"), home_entries(2), team_in_all=40, status="All sources answer.")
    client.views_publish(user_id=olga.id, view=view)
    home = olga.home
    assert home is not None
    for words in ("A-1 · Marta: no kettle", "Olga", "nobody yet", "first answer", "and 38 more", "All sources answer."):
        assert words in home.shown
    assert [(str(action.name), action.alert_id) for action in offered(view["blocks"])] == [
        ("show_card", 1), ("show_card", 2), ("claim", 1), ("show_card", 1), ("claim", 2), ("show_card", 2),
    ]  # fmt: skip


# Manifest


def called_methods() -> set[str]:
    """Return the Web API methods that the code calls on a WebClient, by their names in slack_sdk."""
    known = {name.replace(".", "_"): name for name in documented()}
    found = set()
    for package in ("alerts", "listener"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in known:
                    found.add(known[node.attr])
    return found


def documented() -> Iterator[str]:
    groups = (
        "auth",
        "chat",
        "conversations",
        "files",
        "users",
        "usergroups",
        "views",
        "reactions",
        "pins",
        "bookmarks",
    )
    for name in dir(WebClient):
        if name.startswith(groups) and "_" in name and not name.startswith("files_upload"):
            yield name.replace("_", ".")


def test_the_manifest_asks_for_exactly_what_the_methods_need() -> None:
    assert called_methods() == set(METHOD_SCOPES), "keep METHOD_SCOPES in alerts/slack/manifest.py in step"
    assert bot_scopes() == [
        "channels:history", "chat:write", "commands", "files:write", "groups:history", "im:write", "users:read",
    ]  # fmt: skip
    assert manifest()["oauth_config"]["scopes"]["bot"] == bot_scopes()


def test_the_scopes_are_enough_for_the_workspace_of_the_tests(server: SlackServer, client: WebClient) -> None:
    from tests.servers.slack import METHODS

    for method, scopes in METHOD_SCOPES.items():
        assert set(scopes) <= set(METHODS[method].scopes)
        assert bool(scopes) is bool(METHODS[method].scopes)


def test_socket_mode_needs_no_address_and_signed_requests_have_one() -> None:
    socket = manifest()
    assert socket["settings"]["socket_mode_enabled"]
    assert "http" not in json.dumps(socket)
    http = manifest(mode="http", request_url="https://listener.example/slack")
    assert not http["settings"]["socket_mode_enabled"]
    assert json.dumps(http).count("https://listener.example/slack") == 3
    for made in (socket, http):
        assert made["settings"]["interactivity"]["is_enabled"]
        assert made["features"]["app_home"]["home_tab_enabled"]
        assert made["settings"]["event_subscriptions"]["bot_events"] == ["app_home_opened"]
        assert made["features"]["slash_commands"][0]["command"] == "/listener"
        assert len(made["display_information"]["description"]) <= 140


@pytest.mark.parametrize("url", ["", "http://listener.example/slack"])
def test_signed_requests_need_an_https_address(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        manifest(mode="http", request_url=url)


def test_slack_lengths_are_those_of_the_checker() -> None:
    assert slack_length("😀<&") == 2 + 4 + 5


def test_a_draft_of_several_thousand_characters_is_told_in_the_window() -> None:
    guidance = card().guidance
    assert guidance is not None
    long = Draft("字" * 4_000, "zh", "a", 4_000, 4_096)
    view = modals.reply_view(reply_form(replace(guidance, drafts=(long,)), "post"))
    check_view(view)
    assert "longer than a field in Slack can hold" in shown_in(view["blocks"])


def test_an_incident_has_a_button_for_the_statement_until_it_is_out() -> None:
    shown = render_incident(incident(interactive=True))
    assert "answered" in actions_in(shown)
    done = Progress(replied_at=datetime(2026, 3, 14, 9, tzinfo=UTC))
    assert "answered" not in actions_in(render_incident(incident(interactive=True, progress=done)))


def actions_in(blocks: list[dict[str, Any]]) -> set[str]:
    return {one["action_id"] for block in blocks if block["type"] == "actions" for one in block["elements"]}
