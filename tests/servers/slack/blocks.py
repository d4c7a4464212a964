"""Block Kit: what Slack refuses, and what a person reads.

Facts rewritten from docs.slack.dev (read 2026-11): block and element types, their properties and limits.
"""

import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

MAX_MESSAGE_BLOCKS, MAX_VIEW_BLOCKS = 50, 100
MAX_TOTAL = 13_200
"""Characters of all texts and addresses in one message; not documented, met in practice."""
MAX_ID, MAX_PRIVATE_METADATA, MAX_TYPED = 255, 3_000, 3_000

Node = dict[str, Any]
Problem = tuple[str, str]
Find = Callable[[str], bool]
"""Whether an image file with this id is there."""

_SELECTS = ("static_select", "multi_static_select", "users_select")
_CHOICES = (*_SELECTS, "radio_buttons", "checkboxes", "datepicker", "timepicker")
_ALLOWED = {
    "actions": ("button", "overflow", *_CHOICES),
    "accessory": ("button", "overflow", "image", *_CHOICES),
    "input": ("plain_text_input", *_CHOICES),
}
STATEFUL = {
    "plain_text_input": "value",
    "static_select": "selected_option",
    "multi_static_select": "selected_options",
    "users_select": "selected_user",
    "radio_buttons": "selected_option",
    "checkboxes": "selected_options",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
}
"""The elements that keep what a person chose, and the name under which payloads tell it."""
_INITIAL = {
    "plain_text_input": "initial_value",
    "static_select": "initial_option",
    "multi_static_select": "initial_options",
    "users_select": "initial_user",
    "radio_buttons": "initial_option",
    "checkboxes": "initial_options",
    "datepicker": "initial_date",
    "timepicker": "initial_time",
}
_PROPERTIES = {
    "section": "text fields accessory expand",
    "header": "text",
    "divider": "",
    "image": "alt_text image_url slack_file title",
    "context": "elements",
    "actions": "elements",
    "input": "label element hint optional dispatch_action",
}
_ELEMENT_PROPERTIES = {
    "button": "text action_id url value style confirm accessibility_label",
    "image": "alt_text image_url slack_file",
    "overflow": "action_id options confirm",
    "static_select": "action_id options option_groups initial_option confirm focus_on_load placeholder",
    "multi_static_select": "action_id options option_groups initial_options confirm max_selected_items focus_on_load"
    " placeholder",
    "users_select": "action_id initial_user confirm focus_on_load placeholder",
    "radio_buttons": "action_id options initial_option confirm focus_on_load",
    "checkboxes": "action_id options initial_options confirm focus_on_load",
    "datepicker": "action_id initial_date confirm focus_on_load placeholder",
    "timepicker": "action_id initial_time confirm focus_on_load placeholder timezone",
    "plain_text_input": "action_id initial_value multiline min_length max_length dispatch_action_config focus_on_load"
    " placeholder",
}
_VIEW_PROPERTIES = {
    "modal": "type title blocks close submit private_metadata callback_id clear_on_close notify_on_close external_id"
    " submit_disabled",
    "home": "type blocks private_metadata callback_id external_id",
}


def block_problems(blocks: Any, *, has_image: Find = bool, surface: str = "message") -> Iterator[Problem]:
    """Yield where and how blocks break Block Kit's rules, as (JSON pointer, words)."""
    at = "/blocks" if surface == "message" else "/view/blocks"
    if not isinstance(blocks, list):
        yield at, "must be an array"
        return
    most = MAX_MESSAGE_BLOCKS if surface == "message" else MAX_VIEW_BLOCKS
    if len(blocks) > most:
        yield at, f"no more than {most} items allowed"
    for number, block in enumerate(blocks):
        yield from _one_block_problems(block, f"{at}/{number}", has_image, surface)
    yield from _id_problems(blocks, at)
    if sum(node.get("focus_on_load") is True for node in nodes(blocks)) > 1:
        yield at, "only one element may have focus_on_load"


def view_problems(view: Any, *, has_image: Find = bool) -> Iterator[Problem]:
    """Yield where and how a modal or a Home tab breaks Block Kit's rules."""
    kind = str(view.get("type")) if isinstance(view, dict) else ""
    if kind not in _VIEW_PROPERTIES:
        yield "/view/type", "must be one of modal, home"
        return
    yield from _extra_problems(view, "/view", _VIEW_PROPERTIES[kind].split())
    if kind == "modal":
        yield from _text_problems(view.get("title"), "/view/title", 24, ("plain_text",))
        for name in ("submit", "close"):
            if view.get(name) is not None:
                yield from _text_problems(view[name], f"/view/{name}", 24, ("plain_text",))
    lengths = {"private_metadata": MAX_PRIVATE_METADATA, "callback_id": MAX_ID, "external_id": MAX_ID}
    yield from _length_problems(view, "/view", lengths)
    yield from _flag_problems(view, "/view", ("clear_on_close", "notify_on_close", "submit_disabled"))
    if "blocks" not in view:
        yield "/view", "missing required field: blocks"
        return
    yield from block_problems(view["blocks"], has_image=has_image, surface=kind)
    inputs = [block for block in _dicts(view["blocks"]) if block.get("type") == "input"]
    if kind == "modal" and inputs and not view.get("submit"):
        yield "/view", "missing required field: submit, for there is an input block"


def _one_block_problems(block: Any, where: str, has_image: Find, surface: str) -> Iterator[Problem]:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind not in _PROPERTIES or (kind == "input" and surface == "message"):
        yield where, f"unsupported type: {kind}"
        return
    yield from _extra_problems(block, where, ["type", "block_id", *_PROPERTIES[kind].split()])
    yield from _length_problems(block, where, {"block_id": MAX_ID})
    if kind == "section":
        yield from _section_problems(block, where, has_image)
    elif kind == "header":
        yield from _text_problems(block.get("text"), f"{where}/text", 150, ("plain_text",))
    elif kind == "image":
        yield from _image_problems(block, where, has_image)
    elif kind == "input":
        yield from _input_problems(block, where, has_image)
    elif kind != "divider":
        yield from _list_problems(block, where, has_image)


def _section_problems(block: Node, where: str, has_image: Find) -> Iterator[Problem]:
    if "text" not in block and "fields" not in block:
        yield where, "missing required field: text"
    if "text" in block:
        yield from _text_problems(block["text"], f"{where}/text", 3_000)
    fields = block.get("fields", [None])
    if not isinstance(fields, list) or not 1 <= len(fields) <= 10:
        yield f"{where}/fields", "no more than 10 items allowed"
        return
    for number, item in enumerate(block.get("fields", [])):
        yield from _text_problems(item, f"{where}/fields/{number}", 2_000)
    if "accessory" in block:
        yield from _element_problems(block["accessory"], f"{where}/accessory", _ALLOWED["accessory"], has_image)


def _list_problems(block: Node, where: str, has_image: Find) -> Iterator[Problem]:
    most = {"context": 10, "actions": 25}[block["type"]]
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= most:
        yield f"{where}/elements", f"between 1 and {most} items allowed"
        return
    for number, element in enumerate(elements):
        at = f"{where}/elements/{number}"
        if block["type"] == "actions":
            yield from _element_problems(element, at, _ALLOWED["actions"], has_image)
        elif isinstance(element, dict) and element.get("type") == "image":
            yield from _element_problems(element, at, ("image",), has_image)
        else:
            yield from _text_problems(element, at, 3_000)


def _input_problems(block: Node, where: str, has_image: Find) -> Iterator[Problem]:
    yield from _text_problems(block.get("label"), f"{where}/label", 2_000, ("plain_text",))
    if "hint" in block:
        yield from _text_problems(block["hint"], f"{where}/hint", 2_000, ("plain_text",))
    yield from _flag_problems(block, where, ("optional", "dispatch_action"))
    yield from _element_problems(block.get("element"), f"{where}/element", _ALLOWED["input"], has_image)


def _image_problems(image: Node, where: str, has_image: Find) -> Iterator[Problem]:
    if not image.get("alt_text"):
        yield where, "missing required field: alt_text"
    yield from _length_problems(image, where, {"alt_text": 2_000, "image_url": 3_000})
    if "title" in image:
        yield from _text_problems(image["title"], f"{where}/title", 2_000, ("plain_text",))
    if ("image_url" in image) == ("slack_file" in image):
        yield where, "exactly one of image_url and slack_file is required"
    elif "image_url" in image and not re.match(r"https?://[^\s/]", str(image["image_url"])):
        yield f"{where}/image_url", "must be a valid URL"
    elif "slack_file" in image:
        file = image["slack_file"]
        if not isinstance(file, dict) or len(file) != 1 or not file.keys() <= {"id", "url"}:
            yield f"{where}/slack_file", "exactly one of id and url is required"
        elif not has_image(str(file.get("id") or str(file["url"]).rstrip("/").rpartition("/")[2])):
            yield f"{where}/slack_file", "invalid slack file"


def _element_problems(element: Any, where: str, allowed: Collection[str], has_image: Find) -> Iterator[Problem]:
    kind = str(element.get("type")) if isinstance(element, dict) else ""
    if kind not in allowed:
        yield where, f"unsupported element: {kind}"
        return
    yield from _extra_problems(element, where, ["type", *_ELEMENT_PROPERTIES[kind].split()])
    yield from _length_problems(element, where, {"action_id": MAX_ID})
    yield from _flag_problems(element, where, ("focus_on_load", "multiline"))
    if "placeholder" in element:
        yield from _text_problems(element["placeholder"], f"{where}/placeholder", 150, ("plain_text",))
    if "confirm" in element:
        yield from _confirm_problems(element["confirm"], f"{where}/confirm")
    if kind == "button":
        yield from _button_problems(element, where)
    elif kind == "image":
        yield from _image_problems(element, where, has_image)
    elif kind == "plain_text_input":
        yield from _typed_problems(element, where)
    elif kind in ("datepicker", "timepicker"):
        yield from _picker_problems(element, where)
    elif kind != "users_select":
        yield from _choice_problems(element, where)


def _button_problems(button: Node, where: str) -> Iterator[Problem]:
    yield from _text_problems(button.get("text"), f"{where}/text", 75, ("plain_text",))
    yield from _length_problems(button, where, {"value": 2_000, "url": 3_000, "accessibility_label": 75})
    yield from _style_problems(button, where)
    if "url" in button and not re.match(r"(https?|slack|mailto):", str(button["url"])):
        yield f"{where}/url", "must be a valid URL"


def _confirm_problems(confirm: Any, where: str) -> Iterator[Problem]:
    if not isinstance(confirm, dict):
        yield where, "must be an object"
        return
    yield from _extra_problems(confirm, where, ("title", "text", "confirm", "deny", "style"))
    yield from _style_problems(confirm, where)
    yield from _text_problems(confirm.get("title"), f"{where}/title", 100, ("plain_text",))
    yield from _text_problems(confirm.get("text"), f"{where}/text", 300)
    for name in ("confirm", "deny"):
        yield from _text_problems(confirm.get(name), f"{where}/{name}", 30, ("plain_text",))


def _typed_problems(element: Node, where: str) -> Iterator[Problem]:
    least, most = element.get("min_length", 0), element.get("max_length", MAX_TYPED)
    if not all(type(number) is int for number in (least, most)):
        yield where, "min_length and max_length must be integers"
    elif not 0 <= least <= MAX_TYPED or not 1 <= most <= MAX_TYPED or least > most:
        yield where, f"must be less than or equal to {MAX_TYPED}, min_length not above max_length"
    else:
        yield from _length_problems(element, where, {"initial_value": most})
    config = element.get("dispatch_action_config", {"trigger_actions_on": ["on_enter_pressed"]})
    moments = config.get("trigger_actions_on") if isinstance(config, dict) else None
    if not isinstance(moments, list) or not set(moments) <= {"on_enter_pressed", "on_character_entered"} or not moments:
        yield f"{where}/dispatch_action_config", "unsupported trigger"


def _picker_problems(element: Node, where: str) -> Iterator[Problem]:
    name, form = {
        "datepicker": ("initial_date", r"\d{4}-\d\d-\d\d"),
        "timepicker": ("initial_time", r"([01]\d|2[0-3]):[0-5]\d"),
    }[element["type"]]
    if name in element and not re.fullmatch(form, str(element[name])):
        yield f"{where}/{name}", "invalid format"


def _choice_problems(element: Node, where: str) -> Iterator[Problem]:
    kind = element["type"]
    least, most = (1, {"overflow": 5, "radio_buttons": 10, "checkboxes": 10}.get(kind, 100))
    if ("options" in element) == ("option_groups" in element):
        yield where, "exactly one of options and option_groups is required"
        return
    groups = element.get("option_groups", [{"options": element.get("options")}])
    if not isinstance(groups, list) or not 1 <= len(groups) <= 100 or not all(isinstance(g, dict) for g in groups):
        yield f"{where}/option_groups", "between 1 and 100 items allowed"
        return
    for number, group in enumerate(groups):
        at = f"{where}/option_groups/{number}" if "option_groups" in element else where
        if "option_groups" in element:
            yield from _text_problems(group.get("label"), f"{at}/label", 75, ("plain_text",))
        options = group.get("options")
        if not isinstance(options, list) or not least <= len(options) <= most:
            yield f"{at}/options", f"between {least} and {most} items allowed"
            return
        for place, option in enumerate(options):
            yield from _option_problems(option, f"{at}/options/{place}", kind)
    initial = element.get(_INITIAL.get(kind, ""), [])
    for option in initial if isinstance(initial, list) else [initial]:
        if option not in options_of(element):
            yield where, "the initial option must be one of the options"


def _option_problems(option: Any, where: str, kind: str) -> Iterator[Problem]:
    if not isinstance(option, dict):
        yield where, "must be an object"
        return
    yield from _extra_problems(
        option, where, ("text", "value", "description", *(("url",) if kind == "overflow" else ()))
    )
    kinds = ("plain_text", "mrkdwn") if kind in ("radio_buttons", "checkboxes") else ("plain_text",)
    yield from _text_problems(option.get("text"), f"{where}/text", 75, kinds)
    if not option.get("value"):
        yield where, "missing required field: value"
    yield from _length_problems(option, where, {"value": 150, "url": 3_000})
    if "description" in option:
        yield from _text_problems(option["description"], f"{where}/description", 75, kinds)


def _text_problems(
    text: Any, where: str, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")
) -> Iterator[Problem]:
    if not isinstance(text, dict) or text.get("type") not in kinds or not isinstance(text.get("text"), str):
        yield where, f"must be one of {kinds}"
        return
    yield from _extra_problems(text, where, ("type", "text", "emoji" if text["type"] == "plain_text" else "verbatim"))
    if not text["text"]:
        yield f"{where}/text", "must be more than 0 characters"
    if len(text["text"]) > most:
        yield f"{where}/text", f"must be less than {most + 1} characters"


def _length_problems(node: Node, where: str, lengths: Mapping[str, int]) -> Iterator[Problem]:
    for name, most in lengths.items():
        if not isinstance(node.get(name, ""), str):
            yield f"{where}/{name}", "must be a string"
        elif len(node.get(name, "")) > most:
            yield f"{where}/{name}", f"must be less than {most + 1} characters"


def _flag_problems(node: Node, where: str, names: Collection[str]) -> Iterator[Problem]:
    for name in names:
        if not isinstance(node.get(name, False), bool):
            yield f"{where}/{name}", "must be a boolean"


def _style_problems(node: Node, where: str) -> Iterator[Problem]:
    if node.get("style", "primary") not in ("primary", "danger"):
        yield f"{where}/style", "unsupported style"


def _extra_problems(node: Node, where: str, known: Collection[str]) -> Iterator[Problem]:
    extra = sorted(node.keys() - set(known))
    if extra:
        yield where, f"additional properties are not allowed: {', '.join(extra)}"


def _id_problems(blocks: list[Any], at: str) -> Iterator[Problem]:
    ids = [block["block_id"] for block in _dicts(blocks) if "block_id" in block]
    if len(set(map(str, ids))) < len(ids):
        yield at, "block_id must be unique"
    for number, block in enumerate(_dicts(blocks)):
        ids = [element["action_id"] for element in elements_of(block) if "action_id" in element]
        if len(set(map(str, ids))) < len(ids):
            yield f"{at}/{number}", "action_id must be unique in a block"


def nodes(node: Any) -> Iterator[Node]:
    """Every object in blocks, outer before inner."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def texts(blocks: Any) -> Iterator[str]:
    """What a person reads, in reading order."""
    for node in nodes(blocks):
        if node.get("type") == "plain_text":
            yield node["text"]
        elif node.get("type") == "mrkdwn":
            yield unescape(node["text"])
        elif node.get("type") == "image":
            yield node["alt_text"]
        elif node.get("type") == "plain_text_input" and node.get("initial_value"):
            yield node["initial_value"]


def total_length(blocks: Any) -> int:
    """The characters that count towards `MAX_TOTAL`."""
    return sum(map(len, texts(blocks))) + sum(len(str(node.get("url", ""))) for node in nodes(blocks))


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def elements_of(block: Node) -> list[Node]:
    """The interactive elements and images of one block."""
    several = block.get("elements")
    single = [block[name] for name in ("accessory", "element") if isinstance(block.get(name), dict)]
    return [*single, *(_dicts(several) if isinstance(several, list) else [])]


def actions_of(blocks: list[Node]) -> Iterator[tuple[str, Node]]:
    """Every element that a person can act on, with the id of its block."""
    for block in blocks:
        for element in elements_of(block):
            if "action_id" in element:
                yield block["block_id"], element


def options_of(element: Node) -> list[Node]:
    groups = element.get("option_groups", [{"options": element.get("options", [])}])
    return [option for group in groups for option in group["options"]]


def settle(blocks: list[Node]) -> list[Node]:
    """Give blocks and elements without an id a new one, as Slack does; the given blocks stay as they are."""
    settled = [{"block_id": secrets.token_hex(3), **block} for block in blocks]
    return [_with_action_ids(block) for block in settled]


def _with_action_ids(block: Node) -> Node:
    named = dict(block)
    for name in ("accessory", "element"):
        if isinstance(block.get(name), dict):
            named[name] = _with_action_id(block[name])
    if block["type"] == "actions":
        named["elements"] = [_with_action_id(element) for element in block["elements"]]
    return named


def _with_action_id(element: Node) -> Node:
    return dict(element) if element["type"] == "image" else {"action_id": secrets.token_hex(3), **element}


def initial_state(blocks: list[Node]) -> dict[tuple[str, str], Node]:
    """What the stateful elements hold before anyone touched them, by block and action id."""
    return {
        (block_id, element["action_id"]): state_of(element, element.get(_INITIAL[element["type"]]))
        for block_id, element in actions_of(blocks)
        if element["type"] in STATEFUL
    }


def state_of(element: Node, chosen: Any) -> Node:
    """One element's entry in `state.values`."""
    name = STATEFUL[element["type"]]
    if name == "selected_options":
        chosen = chosen or []
    elif name == "value":
        chosen = chosen or None
    return {"type": element["type"], name: chosen}


def _dicts(items: Any) -> list[Node]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
