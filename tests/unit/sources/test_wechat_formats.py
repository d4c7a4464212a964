"""Every format, read from samples in the shape its exporter writes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listener.model import Mention, Withdrawn
from tests.unit.sources.wechat_world import FIXTURES, World

LEAK = "云帆电水壶用了两天就漏水，客服也不理人 😡"
SHORT_LEAK = "云帆电水壶用了两天就漏水"
SAME = "同款，也漏"
VOICE = "也漏水"
PICTURE_TEXT = '有图,有"真相",\n第二行'
ROOM = "51234567890@chatroom"

TEXTS: dict[str, list[str]] = {
    "chatlog_51234567890@chatroom_2026-01-01_2026-01-01.csv": [LEAK, SAME],
    "chatlog_api_v1_chatlog_format-json.json": [LEAK, SAME],
    "chatlog_webhook.json": [LEAK],
    "echotrace.json": [LEAK],
    "memotrace-v3_售后群.csv": [LEAK, SAME, VOICE],
    "pywxdump_51234567890@chatroom_0_5000.csv": [LEAK, VOICE, SAME],
    "pywxdump_51234567890@chatroom_0_8.json": [LEAK, VOICE, SAME],
    "pywxdump_users.json": [],
    "wechat_official_account_comment_list.json": ["云帆这批水壶又涨价又漏水，差评", "客服态度很好，已换新"],
    "wechatmsg-v2_老林_utf8.csv": [LEAK, PICTURE_TEXT],
    "wechatmsg-v2_resaved_gb18030.csv": [LEAK, PICTURE_TEXT],
    "wechatmsg-v2_老林.txt": [LEAK, PICTURE_TEXT, SAME],
    "wecom_msgaudit_decrypted.jsonl": [],
    "weflow.txt": [LEAK],
    "weflow_chatlab.json": [LEAK, SAME],
    "weflow_chatlab.jsonl": [LEAK, SAME],
    "weflow_detailed.json": [LEAK, SAME],
    "weflow_http_api_v1_messages.json": [SHORT_LEAK, SAME],
    "weflow_weclone.csv": [LEAK],
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def only(world: World, name: str) -> list[Mention]:
    world.copy(name)
    return world.sweep()[0]


def by_text(mentions: list[Mention]) -> dict[str, Mention]:
    return {mention.text: mention for mention in mentions}


@pytest.mark.parametrize("name", TEXTS)
def test_only_customers_texts_are_taken(world: World, name: str) -> None:
    assert [mention.text for mention in only(world, name)] == TEXTS[name]


@pytest.mark.parametrize("name", TEXTS)
def test_the_extension_does_not_matter(world: World, name: str) -> None:
    world.copy(name, "export")
    assert [mention.text for mention in world.sweep()[0]] == TEXTS[name]


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_left_out_on_purpose_is_counted_and_not_called_broken(world: World, name: str) -> None:
    world.copy(name)
    _, skipped = world.sweep()
    assert not [item for item in skipped if item.broken]


@pytest.mark.parametrize("name", [name for name, texts in TEXTS.items() if LEAK in texts])
def test_local_times_are_read_in_the_configured_zone(world: World, name: str) -> None:
    assert by_text(only(world, name))[LEAK].published_at == datetime(2026, 1, 1, 2, 0, tzinfo=UTC)


def test_another_zone_moves_written_times_and_leaves_numbers(world: World) -> None:
    world.options["timezone"] = "Europe/Berlin"
    world.copy("memotrace-v3_售后群.csv")
    world.copy("wechatmsg-v2_老林_utf8.csv")
    hours = {mention.place: mention.published_at.hour for mention in world.sweep()[0] if mention.text == LEAK}
    assert hours == {"memotrace-v3_售后群": 9, "wechatmsg-v2_老林": 2}


def test_rows_that_are_no_text_are_named_with_their_reason(world: World) -> None:
    world.copy("pywxdump_51234567890@chatroom_0_5000.csv")
    _, skipped = world.sweep()
    where = "pywxdump_51234567890@chatroom_0_5000.csv"
    assert [(item.where, item.reason) for item in skipped] == [
        (f"{where}:3", "no text: 图片"),
        (f"{where}:9", "no text: (分享)卡片式链接"),
        (f"{where}:13", "written by the account's owner or own staff"),
        (f"{where}:14", "system message"),
    ]


def test_a_quote_that_wechatmsg_2_does_not_export_is_said_to_be_lost(world: World) -> None:
    world.copy("wechatmsg-v2_老林_utf8.csv")
    reasons = [item.reason for item in world.sweep()[1]]
    assert "quote reply, whose text WeChatMsg 2 does not export" in reasons


def test_pywxdump_takes_names_from_the_file_beside_it(world: World) -> None:
    world.copy("pywxdump_users.json", "users.json")
    mention = by_text(only(world, "pywxdump_51234567890@chatroom_0_8.json"))[LEAK]
    assert (mention.author.external_id, mention.author.name) == ("qinglan_lin", "老林")


def test_a_group_is_the_conversation_and_the_place(world: World) -> None:
    mention = by_text(only(world, "weflow_chatlab.jsonl"))[LEAK]
    assert (mention.conversation_id, mention.place, dict(mention.links)) == (ROOM, "云帆售后群", {"chat": "云帆售后群"})
    assert (mention.network, mention.language) == ("wechat", None)


def test_a_display_name_is_scoped_by_its_chat(world: World) -> None:
    mention = by_text(only(world, "weflow.txt"))[LEAK]
    assert (mention.author.external_id, mention.author.name) == ("weflow/老林", "老林")


SERVER_IDS = [name for name in TEXTS if name.startswith(("memotrace", "pywxdump_5", "weflow_"))]


def test_exporters_that_know_the_server_id_agree(world: World) -> None:
    for name in SERVER_IDS:
        world.copy(name)
    ids = {mention.external_id for mention in world.sweep()[0] if mention.text.startswith(SHORT_LEAK)}
    assert ids == {"7701234567890123456"}


def test_chatlog_and_echotrace_agree_without_a_server_id(world: World) -> None:
    for name in TEXTS:
        if name.startswith(("chatlog", "echotrace")):
            world.copy(name)
    mentions = [mention for mention in world.sweep()[0] if mention.text == LEAK]
    assert len(mentions) == 4
    assert len({mention.external_id for mention in mentions}) == 1


def test_a_spreadsheets_copy_of_wechatmsg_2_has_the_same_ids(world: World) -> None:
    first = {mention.external_id for mention in only(world, "wechatmsg-v2_老林_utf8.csv")}
    again = {mention.external_id for mention in only(world, "wechatmsg-v2_resaved_gb18030.csv")}
    assert first == again


def test_a_server_id_that_a_spreadsheet_rounded_is_not_used(world: World) -> None:
    text = (FIXTURES / "memotrace-v3_售后群.csv").read_text(encoding="utf-8-sig")
    for rounded in ("7.70123E+18", "7701234567890120000"):
        world.write("a.csv", text.replace("7701234567890123456", rounded))
        world.cursor = None
        mention = by_text(world.sweep()[0])[LEAK]
        assert mention.external_id.startswith("h-")


def test_a_reply_names_the_message_it_answers(world: World) -> None:
    for name in ("weflow_chatlab.json", "weflow_detailed.json", "weflow_http_api_v1_messages.json"):
        assert by_text(only(world, name))[SAME].reply_to_id == "7701234567890123456"


def chatlog_message(**changes: Any) -> dict[str, Any]:
    message = {
        "seq": 1,
        "time": "2026-11-20T10:00:00+08:00",
        "talker": ROOM,
        "talkerName": "云帆售后群",
        "sender": "wxid_a",
        "senderName": "阿涛",
        "isSelf": False,
        "type": 1,
        "subType": 0,
        "content": "水壶漏水",
    }
    return {**message, **changes}


def test_a_chatlog_reply_names_the_quoted_text(world: World) -> None:
    quoted = chatlog_message()
    reply = chatlog_message(
        type=49, subType=57, sender="wxid_b", content="我的也是", contents={"refer": {**quoted, "talker": ""}}
    )
    world.write("chat.json", json.dumps([quoted, reply]))
    mentions = by_text(world.sweep()[0])
    assert mentions["我的也是"].reply_to_id == mentions["水壶漏水"].external_id


def test_the_senders_id_before_the_text_is_dropped_in_groups(world: World) -> None:
    items = [
        chatlog_message(content="wxid_a:\n水壶漏水"),
        chatlog_message(content="Warning:\nkettle on fire"),
        chatlog_message(content="abcde99:\n冒烟了", sender="", senderName=""),
    ]
    world.write("chat.json", json.dumps(items))
    mentions = world.sweep()[0]
    assert [mention.text for mention in mentions] == ["水壶漏水", "Warning:\nkettle on fire", "冒烟了"]
    assert mentions[2].author.external_id == "abcde99"


def test_services_and_official_accounts_are_no_customers(world: World) -> None:
    items = [chatlog_message(sender=sender) for sender in ("gh_0123456789ab", "filehelper", "weixin")]
    world.write("chat.json", json.dumps(items))
    mentions, skipped = world.sweep()
    assert not mentions
    assert {item.broken for item in skipped} == {False}


def test_own_staff_by_name_id_or_account_are_left_out(world: World) -> None:
    items = [
        chatlog_message(isSelf=True),
        chatlog_message(senderName="云帆客服"),
        chatlog_message(senderName="云帆小美"),
        chatlog_message(sender="wxid_staff2"),
    ]
    world.write("chat.json", json.dumps(items))
    world.options["owner_names"] = ["云帆小美", "WXID_staff2"]
    assert world.sweep()[0] == []


def test_terms_decide_where_asked_for(world: World) -> None:
    texts = ["云帆的壶漏了", "my yunfan leaks", "Yunfan水壶", "yunfanatic", "今天天气不错", "云帆二手群"]
    world.write("chat.json", json.dumps([chatlog_message(content=text, seq=n) for n, text in enumerate(texts)]))
    world.options["match_terms"] = True
    mentions, skipped = world.sweep(exclude=("二手",))
    assert [mention.text for mention in mentions] == texts[:3]
    assert [item.reason for item in skipped] == ["no brand term"] * 3


def test_control_and_direction_characters_are_dropped_and_emoji_stay(world: World) -> None:
    world.write("chat.json", json.dumps([chatlog_message(content="a\x00b\u202ec\ud83d 👨\u200d👩\u200d👧\r\nd")]))
    assert world.sweep()[0][0].text == "abc\ufffd 👨\u200d👩\u200d👧\nd"


@pytest.mark.parametrize(
    "content",
    ["![图片](http://h/image/0)", "[语音]", "[动画表情]", "[链接|标题](http://h/x)", "> 老林(a) 01-01 10:00:00\n> 图"],
)
def test_chatlog_csv_rows_without_own_words_are_left_out(world: World, content: str) -> None:
    row = f'2026-11-20 10:00:00,老林,wxid_a,售后群,{ROOM},"{content}"\n'
    world.write("a.csv", "Time,SenderName,Sender,TalkerName,Talker,Content\n" + row)
    mentions, skipped = world.sweep()
    assert (mentions, [item.broken for item in skipped]) == ([], [False])


def test_an_emoticon_alone_is_text(world: World) -> None:
    world.write("chat.json", json.dumps([chatlog_message(content="[捂脸]")]))
    assert [mention.text for mention in world.sweep()[0]] == ["[捂脸]"]


def plain(world: World, name: str, heading: str) -> Mention | str:
    world.write(name, f"{heading}\n水壶冒烟了\n\n")
    world.cursor = None
    mentions, skipped = world.sweep()
    return mentions[0] if mentions else skipped[0].reason


def test_chatlog_text_takes_the_missing_date_from_the_files_name(world: World) -> None:
    mention = plain(world, "售后群_2026-11-18.txt", "老林(wxid_a) 21:30:00")
    assert isinstance(mention, Mention)
    assert mention.published_at == datetime(2026, 11, 18, 13, 30, tzinfo=UTC)


def test_chatlog_text_takes_the_missing_year_from_the_last_possible_one(world: World) -> None:
    mention = plain(world, "售后群.txt", "老林(wxid_a) 12-30 21:30:00")
    assert isinstance(mention, Mention)
    assert mention.published_at == datetime(2025, 12, 30, 13, 30, tzinfo=UTC)


def test_chatlog_text_of_today_takes_the_day_the_file_was_written(world: World) -> None:
    mention = plain(world, "售后群.txt", "老林(wxid_a) 09:30:00")
    assert isinstance(mention, Mention)
    assert mention.published_at == datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
    world.clock.advance(86400)
    again = plain(world, "售后群.txt", "老林(wxid_a) 09:30:00")
    assert isinstance(again, Mention)
    assert again.external_id == mention.external_id


def test_chatlog_text_without_a_possible_date_is_skipped_with_the_reason(world: World) -> None:
    assert "without a date" in str(plain(world, "售后群.txt", "老林(wxid_a) 23:59:00"))


def test_chatlog_text_takes_the_date_of_the_block_before(world: World) -> None:
    world.write("a.txt", "老林(wxid_a) 2026-11-19 10:00:00\n漏水\n\n阿涛(wxid_b) 10:05:00\n也漏\n\n")
    assert [mention.published_at.day for mention in world.sweep()[0]] == [19, 19]


def test_a_text_export_keeps_empty_lines_within_a_message(world: World) -> None:
    world.write("a.txt", "2026-11-20 10:00:00 老林\n第一段\n\n第二段\n\n2026-11-20 10:01:00 阿涛\n好\n\n")
    assert [mention.text for mention in world.sweep()[0]] == ["第一段\n\n第二段", "好"]


def test_names_in_wechatmsg_text_are_unescaped(world: World) -> None:
    world.write("a.txt", "2026-11-20 10:00:00 A&amp;B\n漏水\n\n")
    assert world.sweep()[0][0].author.name == "A&B"


def wecom(**changes: Any) -> str:
    record = {
        "msgid": "M1_external",
        "action": "send",
        "from": "wmEXAMPLEexternal000001",
        "tolist": ["kefu01"],
        "roomid": "",
        "msgtime": 1795161600000,
        "msgtype": "text",
        "text": {"content": "水壶漏水"},
    }
    return json.dumps({**record, **changes}, ensure_ascii=False) + "\n"


def test_a_wecom_customer_is_a_mention_and_staff_is_not(world: World) -> None:
    world.write("audit.jsonl", wecom() + wecom(msgid="M2", **{"from": "kefu01"}))
    mentions, skipped = world.sweep()
    assert [(mention.external_id, mention.conversation_id) for mention in mentions] == [
        ("M1_external", "wmEXAMPLEexternal000001")
    ]
    assert [(item.reason, item.broken) for item in skipped] == [("written by the account's owner or own staff", False)]


def test_a_wecom_message_taken_back_is_no_mention(world: World) -> None:
    recall = wecom(msgid="M3", action="recall", msgtype="revoke", revoke={"pre_msgid": "M1_external"})
    world.write("audit.jsonl", wecom() + wecom(msgid="M2_external") + recall)
    assert [mention.external_id for mention in world.sweep()[0]] == ["M2_external"]


def test_a_wecom_message_taken_back_later_is_withdrawn(world: World) -> None:
    world.write("audit.jsonl", wecom())
    assert [mention.external_id for mention in world.sweep()[0]] == ["M1_external"]
    recall = wecom(msgid="M3", action="recall", msgtype="revoke", revoke={"pre_msgid": "M1_external"})
    world.write("audit.jsonl", wecom() + recall)
    world.clock.advance(60)
    assert world.fetch().withdrawn == (Withdrawn("wechat", "M1_external"),)


def test_a_mixed_wecom_message_keeps_its_texts(world: World) -> None:
    items = [
        {"type": "text", "content": json.dumps({"content": "看这里"})},
        {"type": "image", "content": "{}"},
        {"type": "text", "content": "漏水"},
    ]
    world.write("audit.jsonl", wecom(msgtype="mixed", mixed={"item": items}))
    assert world.sweep()[0][0].text == "看这里\n漏水"


def test_arkme_json_resolves_its_senders(world: World) -> None:
    document = {
        "weflow": {"version": "1.0.3", "format": "arkme-json"},
        "session": {"wxid": ROOM, "displayName": "云帆售后群"},
        "senders": [{"senderID": 3, "wxid": "wxid_a", "displayName": "阿涛"}],
        "messages": [{"localType": 1, "createTime": 1795161600, "content": "漏水", "isSend": 0, "senderID": 3}],
    }
    world.write("arkme.json", json.dumps(document))
    mention = world.sweep()[0][0]
    assert (mention.author.external_id, mention.author.name) == ("wxid_a", "阿涛")


def test_a_comment_without_a_commenter_has_an_author_of_its_own(world: World) -> None:
    authors = {mention.author.external_id for mention in only(world, "wechat_official_account_comment_list.json")}
    assert authors == {"oABCDEF0000000000000000001", "comment 2"}


def test_chats_in_one_file_of_wechatmsg_2_are_told_apart(world: World) -> None:
    text = (FIXTURES / "wechatmsg-v2_老林_utf8.csv").read_text(encoding="utf-8-sig")
    world.write("messages.csv", text.replace("102,7,", "102,8,"))
    assert [mention.conversation_id for mention in world.sweep()[0]] == ["TalkerId 7", "TalkerId 8"]


@pytest.mark.parametrize("value", ["0", "99999999999999999999", "soon", "1995161600", "-5", "nan", ""])
def test_a_row_with_an_impossible_time_is_broken_and_the_rest_is_read(world: World, value: str) -> None:
    text = (FIXTURES / "wechatmsg-v2_老林_utf8.csv").read_text(encoding="utf-8-sig")
    world.write("a.csv", text.replace("101,7,1,0,0,1767232800", f"101,7,1,0,0,{value}"))
    mentions, skipped = world.sweep()
    assert [mention.text for mention in mentions] == [PICTURE_TEXT]
    assert [item.where for item in skipped if item.broken] == ["a.csv:2"]


@pytest.mark.parametrize("bad", [None, 7, "text", [], {"type": 1}, {"content": {"a": 1}, "type": 1}])
def test_an_item_that_is_no_message_is_broken_and_the_rest_is_read(world: World, bad: Any) -> None:
    world.write("chat.json", json.dumps([chatlog_message(), bad, chatlog_message(content="还在漏")]))
    mentions, skipped = world.sweep()
    assert [mention.text for mention in mentions] == ["水壶漏水", "还在漏"]
    assert [(item.where, item.broken) for item in skipped] == [("chat.json:item[1]", True)]


def test_a_damaged_byte_breaks_one_message_of_a_document(world: World) -> None:
    data = json.dumps([chatlog_message(content=f"水壶漏水{n}") for n in range(9)], ensure_ascii=False).encode()
    world.write("chat.json", data.replace("漏水3".encode(), "漏水".encode()[:-1] + b"3"))
    mentions, skipped = world.sweep()
    assert len(mentions) == 8
    assert [(item.where, item.reason) for item in skipped] == [("chat.json:item[3]", "not valid UTF-8")]


@pytest.mark.parametrize(("brand", "mentions"), [("yunfan", 24), ("skybird", 17)])
def test_every_row_of_the_examples_is_read_or_left_out_on_purpose(world: World, brand: str, mentions: int) -> None:
    world.options["folder"] = str(FIXTURES.parents[2] / "examples" / "wechat" / brand)
    found, skipped = world.sweep()
    assert len({mention.external_id for mention in found}) == mentions
    assert not [item for item in skipped if item.broken]
