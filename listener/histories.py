"""What happened to an alert, in words: one sentence for each kind of line in its history."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from listener.model import RESOLUTIONS, TOPICS, WAS
from listener.sentences import sentence
from listener.store import AlertEvent

GOALS = {"respond": sentence("first answer"), "resolve": sentence("resolution")}
"""What an alert's targets are, in words."""
_URGENCIES = (sentence("none"), sentence("low"), sentence("medium"), sentence("high"))
_UNHEARD = sentence("nothing of it is listened for any more")
Data = Mapping[str, Any]
Local = Callable[[datetime], str]
"""Writes a moment in the reader's zone."""


def event_words(event: AlertEvent, local: Local) -> str:
    """Return what happened, in words; hostile. A kind that is not known here is shown as it is stored."""
    say = _SAYINGS.get(event.kind)
    try:
        return _plain(event) if say is None else say(event.data, local)
    except (LookupError, TypeError, ValueError):
        return _plain(event)


def over_because(data: Data) -> str:
    """Return why a burst is not followed any more."""
    why = str(data["because"])
    return _UNHEARD if why == _UNHEARD else why


def _plain(event: AlertEvent) -> str:
    data = {name: value for name, value in event.data.items() if name not in ("origin", "address")}
    return f"{event.kind} {json.dumps(data, ensure_ascii=False)[:500]}" if data else event.kind


def _opened(data: Data, local: Local) -> str:
    rules = ", ".join(str(rule) for rule in data["rules"])
    severity = str(data["severity"])
    if rules:
        return sentence("opened with severity {severity} by the rules {rules}", severity=severity, rules=rules)
    return sentence("opened with severity {severity}", severity=severity)


def _replied(data: Data, local: Local) -> str:
    if data.get("public") and data.get("private"):
        return sentence("answered in public and in private")
    if data.get("public"):
        return sentence("answered in public")
    return sentence("answered in private" if data.get("private") else "answered")


def _dismissed(data: Data, local: Local) -> str:
    was, topic = sentence(WAS[data["was"]][0]), str(data.get("topic") or "")
    if topic:
        topic = sentence(topic) if topic in TOPICS else topic
        return sentence("not a complaint: {was}, topic {topic}", was=was, topic=topic)
    return sentence("not a complaint: {was}", was=was)


def _withdrawn(data: Data, local: Local) -> str:
    post = str(data["post"])
    if data.get("requested"):
        return sentence("post {post} was withdrawn on request", post=post)
    return sentence("post {post} was deleted by its author", post=post)


def _edited(data: Data, local: Local) -> str:
    post, topic = str(data["post"]), str(data.get("topic"))
    if "complaint" not in data:
        return sentence("post {post} was edited: {reading}", post=post, reading=str(data["reading"]))
    return sentence(
        "post {post} was edited: It reads now: {topic}, complaint {complaint}, urgency {urgency}."
        " The alert's severity is {severity}; an edit can raise it and never lowers it.",
        post=post, topic=sentence(topic) if topic in TOPICS else topic, complaint=float(data["complaint"]),
        urgency=_URGENCIES[data["urgency"]], severity=str(data["severity"]),
    )  # fmt: skip


def _over(data: Data, local: Local) -> str:
    if "because" in data:
        return sentence("the burst is not followed any more: {why}", why=over_because(data))
    mentions, authors = str(data["mentions"]), str(data["authors"])
    return sentence("the burst is over: {mentions} mentions by {authors} authors", mentions=mentions, authors=authors)


def _goal(data: Data) -> str:
    return next(
        (words for name, words in GOALS.items() if str(data.get("of", "")).startswith(name)), sentence("a target")
    )


def _escalated(data: Data, local: Local) -> str:
    to = str(data["to"])
    if data.get("of"):
        return sentence("escalated to {name}, because {goal} was missed", name=to, goal=_goal(data))
    return sentence("escalated to {name}", name=to)


def _woke(data: Data, local: Local) -> str:
    people = ", ".join(map(str, data["people"])) or sentence("nobody is named")
    return sentence("woke who is on call: {people}", people=people)


def _resolved(data: Data, local: Local) -> str:
    how = str(data["how"])
    return sentence("resolved: {how}", how=sentence(RESOLUTIONS[how]) if how in RESOLUTIONS else how)


_SAYINGS: Mapping[str, Callable[[Data, Local], str]] = {
    "opened": _opened,
    "joined": lambda data, local: sentence("a copy joined" if data.get("copy") else "a further post joined"),
    "severity": lambda data, local: sentence(
        "severity rises from {before} to {after}", before=str(data["from"]), after=str(data["to"])
    ),
    "claimed": lambda data, local: sentence("claimed it"),
    "taken over": lambda data, local: sentence("took it over"),
    "released": lambda data, local: sentence("gave it back"),
    "snoozed": lambda data, local: sentence(
        "snoozed it until {until}", until=local(datetime.fromisoformat(data["until"]))
    ),
    "awake": lambda data, local: sentence("the snooze is over"),
    "reminded": lambda data, local: sentence("reminded of {goal}", goal=_goal(data)),
    "missed": lambda data, local: sentence("{goal} was missed; nobody further to tell", goal=_goal(data)),
    "escalated": _escalated,
    "repeated": lambda data, local: sentence("told again: nobody has taken it"),
    "woke": _woke,
    "replied": _replied,
    "playbook": lambda data, local: sentence("took it for another case: {playbook}", playbook=str(data["playbook"])),
    "resolved": _resolved,
    "dismissed": _dismissed,
    "reopened": lambda data, local: sentence("opened it again"),
    "shown": lambda data, local: sentence("asked for its card"),
    "withdrawn": _withdrawn,
    "edited": _edited,
    "holds": lambda data, local: sentence("holds {alerts}", alerts=", ".join(f"A-{one}" for one in data["alerts"])),
    "over": _over,
}
