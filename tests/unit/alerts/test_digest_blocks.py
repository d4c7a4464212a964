"""The weekly digest in Slack's blocks."""

import base64

import pytest

from alerts.card import DigestImage, DigestTile
from alerts.digest_mail import lighter
from alerts.digest_parts import digest_for, safe_file_name, slack_images
from alerts.receivers.registry import receiver_specs
from alerts.slack.digest_blocks import digest_line, plain_digest, render_digest
from alerts.slack.elements import MAX_TEXT, MAX_TOTAL, total
from tests.cards import HOSTILE
from tests.messages import digest, digest_filled_with, in_base64, png
from tests.servers.slack.blocks import block_problems


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_digest_holds_its_blocks_keep_slacks_limits(text: str) -> None:
    many = tuple(DigestImage(f"chart-{at}", in_base64(png(at)), text * 3) for at in range(12))
    names = tuple(image.name for image in many)
    full = digest_filled_with(text)
    for made in (full, digest(summary=(text,) * 50, tiles=(DigestTile(text, text, text),) * 60, images=many)):
        shown = digest(
            title=made.title, summary=made.summary, tiles=made.tiles, images=many, slack_pictures=names, url=made.url
        )
        blocks = render_digest(shown, dict.fromkeys(names, "F0001"), is_whole=False)
        assert list(block_problems(blocks)) == []
        assert total(blocks) <= MAX_TOTAL
        assert len(blocks) <= 50
        assert all(len(block.get("fields", [])) <= 10 for block in blocks)
        assert len(plain_digest(shown)) <= MAX_TEXT
        assert len(digest_line(shown)) <= 2_500


def test_the_week_stands_once() -> None:
    week = "9–15 November 2026 (week 46)"
    made = digest(title=f"Weekly digest: Yunfan · {week}", subtitle=f"{week} · France and Japan")
    assert str(render_digest(made, {})).count(week) == 1
    assert "France and Japan" in str(render_digest(made, {}))


def test_numbers_and_their_units_stay_together_without_blocks_too() -> None:
    made = digest(summary=("19\u00a0% of 47\u202f356.",), tiles=(DigestTile("Seen", "2\u00a0h", "▲\u00a0+3"),))
    assert "19\u00a0% of 47\u202f356." in digest_line(made)
    assert "Seen · 2\u00a0h · ▲\u00a0+3" in plain_digest(made)


def test_markup_in_figures_stays_text() -> None:
    (fields,) = [
        block["fields"] for block in render_digest(digest(tiles=(DigestTile("*a* <!here>", "1`2", "~c~"),)), {})
        if "fields" in block
    ]  # fmt: skip
    assert fields == [{"type": "mrkdwn", "text": "∗a∗ &lt;!here&gt;\n*1ˋ2*\n∼c∼", "verbatim": True}]


def test_only_charts_that_stand_at_slack_are_shown_in_the_digests_order() -> None:
    blocks = render_digest(digest(), {"days": "F2", "causes": "F1", "voice": "F3"})
    assert [block["slack_file"]["id"] for block in blocks if block["type"] == "image"] == ["F1", "F2"]
    assert [block["type"] for block in render_digest(digest(), {})].count("image") == 0


def test_a_chart_that_is_named_twice_or_is_not_there_is_shown_once_or_not() -> None:
    names = [image.name for image in slack_images(digest(slack_pictures=("days", "days", "gone")))]
    assert names == ["days"]


def test_each_kind_of_receiver_is_given_what_it_can_show() -> None:
    forms = {name: spec.digest_form for name, spec in receiver_specs().items()}
    assert forms == {"slack": "thread", "email": "mail", "terminal": "text", "webhook": "text", "apprise": "text"}
    text, none = digest_for("text", digest())
    assert (text.html, text.pdf, text.images, none) == ("", "", (), None)
    mail, none = digest_for("mail", digest())
    assert (mail, none) == (digest(), None)
    thread, file = digest_for("thread", digest())
    assert [image.name for image in thread.images] == ["causes", "days"]
    assert (thread.html, thread.pdf) == ("", "")
    assert file is not None
    assert file.content == digest().pdf
    assert digest_for("thread", digest(pdf=""))[1] is None


@pytest.mark.parametrize(
    ("given", "safe"),
    [("digest-a-2026-W46-fr.pdf", "digest-a-2026-W46-fr.pdf"), ("../../etc/passwd", "digest.pdf"), ("", "digest.pdf"),
     ('a"\r\nX: y.pdf', "a-X-y.pdf"), ("a" * 200 + ".pdf", "a" * 116 + ".pdf"), ("отчёт.pdf", "digest.pdf")],
)  # fmt: skip
def test_file_names_are_safe_everywhere(given: str, safe: str) -> None:
    assert safe_file_name(given) == safe


def test_a_mail_that_cannot_be_made_small_enough_goes_as_small_as_it_can() -> None:
    image = DigestImage("days", base64.b64encode(bytes(11_000_000)).decode(), "a")
    ((form, remark),) = lighter(digest(images=(image,)))
    assert (form.images, form.pdf) == ((), "")  # type: ignore[union-attr]
    assert "without its charts" in remark
