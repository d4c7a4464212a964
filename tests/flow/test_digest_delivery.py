"""A digest on its way through the outbox: seen once and whole, whatever fails between it and its readers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from alerts.card import DigestMessage, dump_message, load_message
from alerts.digest_mail import LARGEST_BYTES
from alerts.digest_parts import digest_for
from alerts.receivers.base import Receiver
from alerts.receivers.email import EmailOptions, EmailReceiver
from alerts.receivers.registry import receiver_specs
from alerts.receivers.slack import SlackOptions, SlackReceiver
from listener.clock import FixedClock
from listener.config import Secret
from listener.pipeline.send import FORGOTTEN_DIGEST, SETTLE_S, Sender
from listener.pipeline.tally import Tally
from listener.store import Store
from listener.store.outbox import post_digest, replace_digest
from listener.store.schema import notifications
from tests.databases import new_database
from tests.messages import PDF, digest, digest_file, in_base64, png
from tests.servers.base import Reply
from tests.servers.slack import TOKEN, SlackMessage, SlackServer
from tests.servers.smtp import SmtpServer

NOW = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
TOKEN_VARIABLE = "DIGEST_TEST_TOKEN"
KINDS = {"desk": "slack", "backup": "slack", "mail": "email"}
EVERY = ("pending", "sending", "sent", "superseded", "dead", "moved", "dropped")


@dataclass
class House:
    """A store, a local Slack, a local mail server and senders between them."""

    store: Store
    slack: SlackServer
    smtp: SmtpServer
    clock: FixedClock
    receivers: dict[str, Receiver] = field(default_factory=dict)
    sender: Sender | None = None

    def start(self, *successors: str) -> None:
        """Start the sender anew."""
        self.store.outbox.release()
        self.store.outbox.enable_all()
        self.sender = Sender(self.receivers, self.store, self.clock, successors=successors)

    def post(self, receiver: str, message: DigestMessage | None = None) -> tuple[int, int | None]:
        slim, file = digest_for(receiver_specs()[KINDS[receiver]].digest_form, message or digest())
        with self.store.outbox._engine.begin() as connection:
            payload = None if file is None else dump_message(file)
            return post_digest(connection, receiver, dump_message(slim), payload, self.clock.now())

    def send(self, *names: str) -> int:
        assert self.sender is not None
        return sum(self.sender.drain(name, Tally(), self._wait) for name in names or ("desk",))

    def _wait(self, seconds: float) -> bool:
        self.clock.advance(seconds)
        return False

    def messages(self, channel: str = "C1") -> list[SlackMessage]:
        return self.slack.channel(channel).messages

    @property
    def message(self) -> SlackMessage:
        (only,) = self.messages()
        return only

    def states(self, receiver: str = "desk") -> list[tuple[str, str]]:
        return sorted((row["kind"], row["state"]) for row in self.store.outbox.rows(EVERY, receiver=receiver))


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    clock = FixedClock(NOW)
    store = Store(f"sqlite:///{tmp_path}/listener.db")
    with SlackServer(channels=("C1", "C2"), now=lambda: clock.now().timestamp()) as slack, SmtpServer(tmp_path) as smtp:
        made = House(store, slack, smtp, clock)
        for name, channel in (("desk", "C1"), ("backup", "C2")):
            options = SlackOptions(
                type="slack", token=Secret("env", TOKEN_VARIABLE), channel=channel, base_url=slack.api_url,
                min_interval_s=0, timeout_s=5,
            )  # fmt: skip
            made.receivers[name] = SlackReceiver(name, options, sleep=clock.advance)
        mail = EmailOptions(
            type="email", host="127.0.0.1", port=smtp.port, security="plain", sender="weekly@brand.example",
            to=["lead@brand.example"], min_interval_s=0,
        )  # fmt: skip
        made.receivers["mail"] = EmailReceiver("mail", mail, clock.now)
        made.start()
        yield made
    made.store.close()


def test_a_digest_is_one_message_with_charts_and_the_pdf_in_its_thread(house: House) -> None:
    house.post("desk")
    assert house.send() == 2
    message = house.message
    for words in ("Notre semaine 46", "Les plaintes ont augmenté de 31 %, surtout en France.", "78 %"):
        assert words in message.shown
    files = [house.slack.files[image["slack_file"]["id"]] for image in message.images]
    assert [file.filename for file in files] == ["causes.png", "days.png"]
    assert [image["alt_text"] for image in message.images] == [file.alt_text for file in files]
    assert "Plaintes par jour : 31 le mardi, le plus." in message.shown
    assert message.buttons == {"Ouvrir le bilan": digest().url}
    assert message.live_markup == []
    (reply,) = message.replies
    (shared,) = [house.slack.files[file] for file in reply.files]
    assert (shared.filename, shared.content) == ("digest-board-2026-W46-fr.pdf", PDF)
    assert [file.shared_in for file in files] == [[], []], "charts stand in the message alone"
    assert house.states() == [("digest", "sent"), ("note", "sent")]


def test_nothing_of_a_digest_is_sent_by_a_transaction_that_came_to_nothing(house: House) -> None:
    with house.store.outbox._engine.connect() as connection:
        post_digest(connection, "desk", dump_message(digest()), None, NOW)
        connection.rollback()
    assert house.send() == 0
    assert house.states() == []


LOST = {
    "503": Reply(503, b"", after_handling=True),
    "half an answer": Reply(body=b"{", after_handling=True),
    "cut": Reply(body={"ok": True}, cut=True, after_handling=True),
}


@pytest.mark.parametrize("method", ["chat.postMessage", "files.completeUploadExternal"])
@pytest.mark.parametrize("lost", sorted(LOST))
def test_a_digest_whose_answer_is_lost_is_not_shown_twice(house: House, method: str, lost: str) -> None:
    house.post("desk", digest(slack_pictures=()))  # so that the PDF's is the one upload that is completed
    house.slack.script_for(method, LOST[lost])
    for _ in range(4):
        house.send()
        house.clock.advance(SETTLE_S)
    assert [len(reply.files) for reply in house.message.replies] == [1]
    assert house.states() == [("digest", "sent"), ("note", "sent")]


class DeadError(BaseException):
    """The sender's process ends."""


def die(*_: object, **__: object) -> bool:
    raise DeadError


def test_a_sender_that_dies_between_upload_and_post_leaves_one_message(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.post("desk")
    receiver = house.receivers["desk"]
    assert isinstance(receiver, SlackReceiver)
    with monkeypatch.context() as patched:
        patched.setattr(receiver._client, "chat_postMessage", die)
        with pytest.raises(DeadError):
            house.send()
    assert len(house.slack.files) == 2
    assert house.messages() == []
    house.start()
    assert house.send() == 2
    assert len(house.message.images) == 2


def test_a_sender_that_dies_after_slack_took_the_digest_and_its_file_repeats_neither(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.post("desk")
    for done in (0, 1):
        house.start()
        taken = []
        real = house.store.outbox.sent

        def sent(*given: Any, real: Any = real, taken: Any = taken, done: int = done, **named: Any) -> bool:
            taken.append(given)
            return real(*given, **named) if len(taken) <= done else die()

        with monkeypatch.context() as patched:
            patched.setattr(house.store.outbox, "sent", sent)
            with pytest.raises(DeadError):
                house.send()
        assert len(house.message.replies) == done
    house.start()
    house.send()
    assert len(house.message.replies) == 1
    assert house.states() == [("digest", "sent"), ("note", "sent")]


def test_charts_that_slack_is_still_working_on_are_waited_for(house: House) -> None:
    house.slack.file_processing_s = 3.0
    house.post("desk")
    assert house.send() == 2
    assert len(house.message.images) == 2
    assert "Il manque des graphiques ici." not in house.message.shown


def test_charts_that_slack_never_takes_cost_no_digest(house: House) -> None:
    house.start("backup")
    house.slack.file_processing_s = 1e6
    house.post("desk")
    assert house.send("desk", "backup") == 3
    assert "Il manque des graphiques ici." in house.message.shown
    assert "31 %" in house.message.shown
    assert any("did not take them into a message" in message.shown for message in house.messages("C2"))


def test_without_the_scope_for_files_the_summary_arrives_and_operators_learn_why(house: House) -> None:
    house.slack.scopes.remove("files:write")
    house.start("backup")
    house.post("desk")
    assert house.send("desk", "backup") >= 3
    assert not house.message.images
    assert "Les plaintes ont augmenté de 31 %" in house.message.shown
    assert "Il manque des graphiques ici." in house.message.shown
    assert house.message.thread == ["Le PDF n’a pas pu être déposé ici. (digest-board-2026-W46-fr.pdf)"]
    told = "\n".join(message.shown for message in house.messages("C2"))
    assert told.count("missing_scope") == 2
    assert house.states() == [("digest", "sent"), ("note", "sent")]
    problems = [row["problem"] for row in house.store.outbox.rows(("sent",), receiver="desk")]
    assert all("missing_scope" in problem for problem in problems)


def test_a_chart_that_the_digest_does_not_bring_is_said_to_be_missing(house: House) -> None:
    house.post("desk", digest(slack_pictures=("days", "gone")))
    house.send()
    assert len(house.message.images) == 1
    assert "Il manque des graphiques ici." in house.message.shown


def test_a_file_that_the_workspace_finds_too_large_is_said_to_be_missing(house: House) -> None:
    house.slack.largest_file = 10
    house.post("desk")
    assert house.send() == 2
    assert house.message.thread[0].startswith("Le PDF n’a pas pu être déposé ici.")
    assert not house.message.images


def test_a_passing_fault_of_uploads_is_tried_again_and_in_the_end_gone_without(house: House) -> None:
    house.post("desk")
    house.slack.script_for("files.getUploadURLExternal", Reply(body={"ok": False, "error": "service_unavailable"}))
    assert house.send() == 0
    house.clock.advance(SETTLE_S + 1)
    assert house.send() == 2
    assert len(house.message.images) == 2
    never = [Reply(503, b"")] * 40
    house.post("desk", digest(images=(replace(digest().images[0], png=in_base64(png(7))),), pdf=""))
    house.slack.script_for("files.getUploadURLExternal", *never)
    for _ in range(3):
        house.send()
        house.clock.advance(60)
    assert [len(message.images) for message in house.messages()] == [2, 0]


def test_a_deleted_digest_leaves_its_file_by_itself(house: House) -> None:
    house.post("desk")
    outbox = house.store.outbox
    item = outbox.claim("desk", house.clock.now(), timedelta(seconds=60))
    assert item is not None
    outbox.sent(item, ("C1", "1.000001", ""), house.clock.now())
    assert house.send() == 1
    assert house.message.files
    assert house.message.shown == "Notre semaine 46"


def test_a_digest_moves_with_its_file_when_its_channel_is_gone(house: House) -> None:
    house.start("backup")
    house.post("desk")
    house.slack.channel("C1").is_archived = True
    house.send("desk", "backup")
    moved = [message for message in house.messages("C2") if "Notre semaine 46" in message.shown]
    assert len(moved) == 1
    assert [len(reply.files) for reply in moved[0].replies] == [1]
    assert house.states() == [("digest", "moved"), ("note", "moved")]


def test_a_digest_moved_to_a_mailbox_brings_its_file_along(house: House) -> None:
    house.start("mail")
    house.post("desk")
    house.slack.is_revoked = True
    house.send("desk", "mail")
    shown = "\n".join(mail.read for mail in house.smtp.mails)
    assert "Les plaintes ont augmenté de 31 %" in shown
    attached = [part.get_filename() for mail in house.smtp.mails for part in mail.message.iter_attachments()]
    assert attached.count("digest-board-2026-W46-fr.pdf") == 1


def test_a_mailed_digest_holds_text_page_charts_and_pdf(house: House) -> None:
    house.post("mail")
    assert house.send("mail") == 1
    (mail,) = house.smtp.mails
    assert mail.message["Subject"] == "Notre semaine 46"
    assert (mail.message["Importance"], mail.message["X-Priority"]) == ("normal", "3")
    assert mail.message["Content-Language"] == "fr-FR"
    assert mail.text.startswith("Notre semaine 46\n\n  Les plaintes")
    assert mail.message.get_content_type() == "multipart/mixed"
    body, attached = mail.message.iter_parts()
    assert [part.get_content_type() for part in body.iter_parts()] == ["text/plain", "multipart/related"]
    related = list(list(body.iter_parts())[1].iter_parts())
    inline = {part["Content-ID"].strip("<>"): part.get_content() for part in related[1:]}
    assert sorted(inline.values()) == sorted([png(40), png(140)]), "what the page does not show stays out"
    assert all(f'src="cid:{cid}"' in mail.html for cid in inline)
    assert b"Content-ID: <image1." in mail.raw, "unfolded"
    assert attached.get_content() == PDF
    assert (attached.get_filename(), attached.get_content_disposition()) == (digest().file_name, "attachment")


def test_a_mail_whose_answer_is_lost_comes_again_under_the_same_id(house: House) -> None:
    house.post("mail")
    house.smtp.faults.cuts.append("DATA")
    for _ in range(2):
        house.send("mail")
        house.clock.advance(60)
    assert len(house.smtp.mails) == 2
    assert len({mail.message["Message-ID"] for mail in house.smtp.mails}) == 1
    assert len({mail.html for mail in house.smtp.mails}) == 1


def test_a_mail_that_would_be_too_large_goes_without_the_pdf_and_says_so(house: House) -> None:
    house.start("backup")
    house.post("mail", digest(pdf=in_base64(b"%PDF" + bytes(LARGEST_BYTES))))
    assert house.send("mail", "backup") == 2
    (mail,) = house.smtp.mails
    assert list(mail.message.iter_attachments()) == []
    assert "Le PDF est trop grand pour un mail." in mail.read
    assert "Le PDF est trop grand pour un mail." in mail.text
    assert mail.html.count('src="cid:image') == 2
    assert "without its PDF" in house.messages("C2")[0].shown


def test_a_mail_that_the_server_finds_too_large_goes_without_the_pdf(house: House) -> None:
    house.post("mail")
    house.smtp.faults.script("DATA", "552 5.3.4 message too big")
    assert house.send("mail") == 1
    (mail,) = house.smtp.mails
    assert list(mail.message.iter_attachments()) == []
    (row,) = house.store.outbox.rows(("sent",))
    assert row["problem"] == "the digest was mailed without its PDF (the mail server refuses this mail (552))"


def test_what_was_sent_is_not_kept(house: House) -> None:
    house.post("desk")
    house.post("mail")
    house.send("desk", "mail")
    with house.store.outbox._engine.begin() as connection:
        kept = list(connection.scalars(select(notifications.c.payload)))
    assert len(kept) == 3
    for payload in kept:
        message = load_message(payload)
        assert message.title == "Notre semaine 46"  # type: ignore[union-attr]
        assert "31 %" not in payload
        assert len(payload) < 2_000


def test_what_was_never_sent_is_forgotten_after_a_while(house: House) -> None:
    house.start("backup")
    house.post("desk")
    house.slack.channel("C1").is_archived = True
    house.send("desk")
    later = NOW + timedelta(days=30)
    assert house.store.outbox.forget_digests(NOW, FORGOTTEN_DIGEST) == 0
    assert house.store.outbox.forget_digests(later, FORGOTTEN_DIGEST) == 2
    assert house.store.outbox.forget_digests(later, FORGOTTEN_DIGEST) == 0
    texts = [row["payload"] for row in house.store.outbox.rows(EVERY, receiver="desk")]
    assert not any("Notre semaine" in text for text in texts)
    waiting = house.store.outbox.rows(("pending",), receiver="backup")
    assert any("Les plaintes" in row["payload"] for row in waiting), "what waits is still to be sent"


def test_digests_are_posted_sent_and_forgotten_on_postgresql(house: House, postgres_url: str) -> None:
    house.store.close()
    house.store = Store(new_database(postgres_url))
    house.start("backup")
    house.post("desk")
    assert house.send() == 2
    house.slack.channel("C1").is_archived = True
    house.post("desk", digest(pdf=""))
    house.send("desk", "backup")
    assert house.states() == [("digest", "moved"), ("digest", "sent"), ("note", "sent")]
    assert house.states("backup") == [("digest", "sent"), ("message", "sent")]
    assert house.store.outbox.forget_digests(NOW + timedelta(days=30), FORGOTTEN_DIGEST) == 1


def test_a_digest_that_waits_can_be_made_anew(house: House) -> None:
    digest_id, _ = house.post("desk")
    changed = digest(summary=("Ce post a été retiré.",), images=(), pdf="")
    with house.store.outbox._engine.begin() as connection:
        file = dump_message(digest_file(content=in_base64(b"%PDF-new")))
        assert replace_digest(connection, digest_id, dump_message(changed), file)
    house.send()
    assert "Ce post a été retiré." in house.message.shown
    assert "31 %" not in house.message.shown
    assert [house.slack.files[one].content for one in house.message.replies[0].files] == [b"%PDF-new"]
    with house.store.outbox._engine.begin() as connection:
        assert not replace_digest(connection, digest_id, dump_message(changed), None)


def test_a_digest_that_moved_and_waits_is_made_anew_where_it_is(house: House) -> None:
    house.start("backup")
    digest_id, _ = house.post("desk")
    house.slack.channel("C1").is_archived = True
    house.send("desk")
    with house.store.outbox._engine.begin() as connection:
        slim, _ = digest_for("thread", digest(summary=("Ce post a été retiré.",)))
        assert replace_digest(connection, digest_id, dump_message(slim), None)
        kept = list(connection.scalars(select(notifications.c.payload).where(notifications.c.kind == "digest")))
    assert not any("Les plaintes ont augmenté" in payload for payload in kept)
    house.send("backup")
    (shown,) = [message.shown for message in house.messages("C2") if "Notre semaine 46" in message.shown]
    assert "Ce post a été retiré." in shown


def test_payloads_survive_the_outbox_whatever_stands_in_them(house: House) -> None:
    text = 'NUL \0, \u202e, \u2028, emoji 👩‍👧, \uffff, \\u0000 and "quotes"'
    house.post("desk", digest(summary=(text,)))
    (row,) = house.store.outbox.rows(("pending",), receiver="desk")[-1:]
    assert json.loads(row["payload"])["summary"] == [text]
    assert house.send() == 2
    assert "\0" not in house.message.shown
