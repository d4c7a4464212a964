"""An alert's history in whole sentences, in the visitor's language. Names in them are hostile until escaped."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts.escaping import one_line, shorten
from listener.console import names
from listener.console.words import Words
from listener.store.alerts import AlertEvent
from listener.words import marked

Data = Mapping[str, Any]
_LONGEST = 300
_UNHEARD = marked("nothing of it is listened for any more")


def in_words(words: Words, event: AlertEvent) -> str:
    """Return what happened, in words. A kind that is not known here is shown as it is stored."""
    tell = _TELLERS.get(event.kind)
    if tell is not None:
        try:
            return shorten(one_line(tell(words, event.data)), _LONGEST)
        except (LookupError, TypeError, ValueError):
            pass
    return _plain(event)


def who(words: Words, event: AlertEvent) -> str:
    """Return who did it: a person's name, or the daemon."""
    is_daemon = event.actor == "listener" and not origin(event)  # a person may be called so
    return words.say(marked("the daemon")) if is_daemon else shorten(one_line(event.actor), 80)


def origin(event: AlertEvent) -> str:
    """Return where it was done: `slack`, `console`, `cli`; empty for the daemon's own steps."""
    found = event.data.get("origin")
    return found if isinstance(found, str) else ""


def joined(words: Words, events: Sequence[AlertEvent]) -> str:
    """Return how many posts joined, and how many of them were copies, in words."""
    copies = sum(bool(one.data.get("copy")) for one in events)
    posts = len(events) - copies
    said = [words.plural("{count} copy joined", "{count} copies joined", copies)] if copies else []
    said += [words.plural("{count} further post joined", "{count} further posts joined", posts)] if posts else []
    return ", ".join(said)


def _plain(event: AlertEvent) -> str:
    data = {name: value for name, value in event.data.items() if name not in ("origin", "address")}
    said = f"{event.kind} {json.dumps(data, ensure_ascii=False)}" if data else event.kind
    return shorten(one_line(said), _LONGEST)


def _opened(words: Words, data: Data) -> str:
    rules = ", ".join(str(rule) for rule in data["rules"])
    if rules:
        return words.say(
            marked("Opened with severity {severity} by the rules {rules}"), severity=str(data["severity"]), rules=rules
        )
    return words.say(marked("Opened with severity {severity}"), severity=str(data["severity"]))


def _severity(words: Words, data: Data) -> str:
    return words.say(marked("Severity rises from {before} to {after}"), before=str(data["from"]), after=str(data["to"]))


def _snoozed(words: Words, data: Data) -> str:
    until = words.moment(datetime.fromisoformat(data["until"]))
    return words.say(marked("Snoozed it until {moment}"), moment=until)


def _goal(words: Words, data: Data) -> str:
    of = str(data.get("of", ""))
    goals = {"respond": marked("the first answer"), "resolve": marked("the resolution")}
    other = marked("a target")
    return words.say(next((goal for name, goal in goals.items() if of.startswith(name)), other))


def _escalated(words: Words, data: Data) -> str:
    if data.get("of"):
        return words.say(
            marked("Escalated to {name}, because this was missed: {goal}"),
            name=str(data["to"]),
            goal=_goal(words, data),
        )
    return words.say(marked("Escalated to {name}"), name=str(data["to"]))


def _woke(words: Words, data: Data) -> str:
    people = ", ".join(map(str, data["people"]))
    if not people:
        return words.say(marked("Woke who is on call: nobody is named"))
    return words.say(marked("Woke who is on call: {people}"), people=people)


def _replied(words: Words, data: Data) -> str:
    both = data.get("public") and data.get("private")
    if both:
        return words.say(marked("Answered in public and in private"))
    return words.say(marked("Answered in public") if data.get("public") else marked("Answered in private"))


def _resolved(words: Words, data: Data) -> str:
    how = str(data["how"])
    return words.say(marked("Resolved: {how}"), how=words.say(names.RESOLUTIONS.get(how, how)))


def _dismissed(words: Words, data: Data) -> str:
    kind, subject = data["was"], data.get("topic")
    was = words.say(names.WAS[kind])
    if subject:
        topic = words.say(names.TOPICS[subject])
        return words.say(marked("Not a complaint: {was}, topic {topic}"), was=was, topic=topic)
    return words.say(marked("Not a complaint: {was}"), was=was)


def _withdrawn(words: Words, data: Data) -> str:
    if data.get("requested"):
        return words.say(marked("Post {post} was withdrawn on request"), post=str(data["post"]))
    return words.say(marked("Post {post} was deleted by its author"), post=str(data["post"]))


def _edited(words: Words, data: Data) -> str:
    post = str(data["post"])
    if "complaint" not in data:
        return words.say(marked("Post {post} was edited: {reading}"), post=post, reading=str(data["reading"]))
    return words.say(
        marked(
            "Post {post} was edited. It reads now: {topic}, complaint {complaint}, {urgency}. The alert's severity is"
            " {severity}; an edit can raise it and never lowers it."
        ),
        post=post,
        topic=words.say(names.TOPICS[data["topic"]]),
        complaint=f"{data['complaint']:.2f}",
        urgency=words.say(names.URGENCIES[data["urgency"]]),
        severity=str(data["severity"]),
    )


def _over(words: Words, data: Data) -> str:
    if "because" in data:
        reason = words.say(_UNHEARD) if data["because"] == _UNHEARD else str(data["because"])
        return words.say(marked("The burst is not followed any more: {reason}"), reason=reason)
    return words.say(
        marked("The burst is over: {mentions} mentions by {authors} authors"),
        mentions=str(data["mentions"]),
        authors=str(data["authors"]),
    )


def _plainly(message: str) -> Callable[[Words, Data], str]:
    return lambda words, data: words.say(message)


_TELLERS: Mapping[str, Callable[[Words, Data], str]] = {
    "opened": _opened,
    "joined": lambda words, data: words.say(
        marked("A copy joined") if data.get("copy") else marked("A further post joined")
    ),
    "severity": _severity,
    "claimed": _plainly(marked("Claimed it")),
    "taken over": _plainly(marked("Took it over")),
    "released": _plainly(marked("Gave it back")),
    "snoozed": _snoozed,
    "awake": _plainly(marked("The snooze is over")),
    "reminded": lambda words, data: words.say(marked("Reminded of what is due: {goal}"), goal=_goal(words, data)),
    "missed": lambda words, data: words.say(
        marked("This was missed, and there is nobody further to tell: {goal}"), goal=_goal(words, data)
    ),
    "escalated": _escalated,
    "repeated": _plainly(marked("Told again: nobody has taken it")),
    "woke": _woke,
    "replied": _replied,
    "playbook": lambda words, data: words.say(
        marked("Took it for another case: {playbook}"), playbook=str(data["playbook"])
    ),
    "resolved": _resolved,
    "dismissed": _dismissed,
    "reopened": _plainly(marked("Opened it again")),
    "shown": _plainly(marked("Asked for its card")),
    "withdrawn": _withdrawn,
    "edited": _edited,
    "holds": lambda words, data: words.say(
        marked("Holds {alerts}"), alerts=", ".join(f"A-{one}" for one in data["alerts"])
    ),
    "over": _over,
}
