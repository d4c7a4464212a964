"""What pages call the things that the daemon knows by short names: states, severities, topics, endings.

The words stand here in English, marked for translation; `Words.say` says them in the visitor's language.
"""

from collections.abc import Mapping
from typing import Any

from listener.words import marked

SEVERITIES: Mapping[int, str] = {
    3: marked("urgent, answer now"),
    2: marked("important, answer today"),
    1: marked("for attention"),
}
STATES: Mapping[str, str] = {
    "open": marked("open"),
    "claimed": marked("claimed"),
    "snoozed": marked("snoozed"),
    "resolved": marked("resolved"),
    "dismissed": marked("dismissed"),
}
KINDS: Mapping[str, str] = {"post": marked("posts"), "incident": marked("incidents")}
TOPICS: Mapping[str, str] = {
    "delivery": marked("delivery"),
    "billing": marked("billing"),
    "outage": marked("outage"),
    "quality": marked("quality"),
    "staff": marked("staff"),
    "booking": marked("booking"),
    "account": marked("account"),
    "safety": marked("safety"),
    "privacy": marked("privacy"),
    "price": marked("price"),
    "question": marked("question"),
    "praise": marked("praise"),
    "other": marked("other"),
    "": marked("several topics"),
}
SENTIMENTS: Mapping[str, str] = {
    "negative": marked("negative"),
    "neutral": marked("neutral"),
    "positive": marked("positive"),
}
URGENCIES: Mapping[int, str] = {
    0: marked("no urgency"),
    1: marked("low urgency"),
    2: marked("medium urgency"),
    3: marked("high urgency"),
}
SIGNALS: Mapping[str, str] = {
    "T": marked("time-critical"),
    "S": marked("safety or health"),
    "M": marked("money lost or fraud"),
    "R": marked("repeated or unanswered contact"),
    "C": marked("threatens to leave, or with lawyer, authority or press"),
    "V": marked("vulnerable person"),
    "W": marked("many customers hit"),
    "I": marked("insult or hate"),
}
NETWORKS: Mapping[str, str] = {"file": marked("imported file"), "drill": marked("Drill")}
"""Those that are none; the others are called in all languages as they call themselves."""
RESOLUTIONS: Mapping[str, str] = {
    "public": marked("answered in public"),
    "private": marked("moved to a private channel"),
    "solved": marked("solved"),
    "no_reply": marked("no reply needed"),
    "not_complaint": marked("not a complaint"),
    "over": marked("the burst is over"),
    "withdrawn": marked("the post was withdrawn"),
    "drill": marked("the drill is over"),
}
WAS: Mapping[str, str] = {
    "question": marked("a question"),
    "praise": marked("praise"),
    "other_brand": marked("about something else of that name"),
    "advert": marked("an advertisement or spam"),
    "joke": marked("a joke or irony"),
    "news": marked("news or general talk"),
    "own": marked("posted by ourselves or a partner"),
    "other": marked("something else"),
}
SNOOZES: Mapping[str, str] = {
    "15m": marked("15 minutes"),
    "1h": marked("1 hour"),
    "4h": marked("4 hours"),
    "1d": marked("1 day"),
    "opening": marked("until the team opens next"),
}
ANSWERED: Mapping[str, str] = {
    "public": marked("in public"),
    "private": marked("in a private channel"),
    "both": marked("in public, and moved to a private channel"),
}
GOALS: Mapping[str, str] = {
    "first answer": marked("First answer"),
    "resolution": marked("Resolution"),
}
FATES: Mapping[str, str] = {
    "edited": marked("The author edited this post; this is its text now."),
    "deleted": marked("This post was withdrawn by its author, or on request, and its text with it."),
}
SILENCES: Mapping[str, str] = {
    "1h": marked("1 hour"),
    "4h": marked("4 hours"),
    "8h": marked("8 hours"),
    "1d": marked("1 day"),
    "3d": marked("3 days"),
    "7d": marked("1 week"),
    "30d": marked("30 days"),
}
OUTCOMES: Mapping[str, str] = {
    "raised": marked("raised an alert"),
    "joined": marked("joined an alert"),
    "quiet": marked("no alert"),
    "old": marked("too old for an alert"),
}
MESSAGES: Mapping[str, str] = {
    "alert": marked("card"),
    "note": marked("in its thread"),
    "update": marked("edit of the card"),
    "message": marked("message"),
}
SKIPPED: Mapping[str, str] = {
    "no brand term": marked("no brand term"),
    "no text": marked("no text"),
    "deleted": marked("deleted"),
    "the brand's own": marked("the brand's own"),
    "the brand's own post": marked("the brand's own post"),
    "a bare repost of the brand's own post": marked("a bare repost of the brand's own post"),
    "written by the account's owner or own staff": marked("written by the account's owner or own staff"),
    "written by a service or an official account": marked("written by a service or an official account"),
    "system message": marked("system message"),
    "voice without a transcript": marked("voice without a transcript"),
    "no text: a picture, link or file": marked("no text: a picture, link or file"),
    "the last row is not finished yet: it waits": marked("the last row is not finished yet: it waits"),
    "the first line is not finished yet": marked("the first line is not finished yet"),
    "the file is empty so far": marked("the file is empty so far"),
    "the compressed file is damaged; what comes after is lost": marked(
        "the compressed file is damaged; what comes after is lost"
    ),
    "not a regular file": marked("not a regular file"),
    "not an object": marked("not an object"),
    "no sender": marked("no sender"),
    "a post without an id": marked("a post without an id"),
    "a post without text": marked("a post without text"),
    "a post without a readable date": marked("a post without a readable date"),
}
"""Why sources left items out, as it is stored; reasons that name something of the item stay as they are."""
SENDINGS: Mapping[str, str] = {
    "pending": marked("waits to be sent"),
    "sending": marked("is being sent"),
    "sent": marked("sent"),
    "superseded": marked("replaced by a later one"),
    "moved": marked("another receiver has it"),
    "dead": marked("could not be sent; an admin must look"),
    "dropped": marked("given up"),
}
HOLDS: Mapping[str, str] = {
    "quiet": marked("nobody works"),
    "budget": marked("beyond the hour's budget"),
    "folded": marked("named in a summary"),
    "silence": marked("a silence"),
}
CRITERIA: Mapping[str, str] = {
    "time": marked("Running time"),
    "precision": marked("Alerts that were right"),
    "people": marked("Alerts that people took"),
    "answers": marked("Answers in time"),
    "coverage": marked("What was heard"),
    "delivery": marked("Messages delivered"),
    "receivers": marked("Receivers to come"),
    "languages": marked("Languages of drafts"),
}
ROLES: Mapping[str, str] = {
    "viewer": marked("viewer"),
    "community-manager": marked("community manager"),
    "communications-lead": marked("communications lead"),
    "admin": marked("admin"),
}
ACTIONS: Mapping[str, str] = {
    "account added": marked("account added"),
    "account changed": marked("account changed"),
    "signed in": marked("signed in"),
    "signed out everywhere": marked("signed out everywhere"),
    "sign-in failed": marked("sign-in failed"),
    "configuration changed": marked("configuration changed"),
    "settings changed": marked("settings of a country changed"),
    "source tried out": marked("source tried out"),
    "silence added": marked("silence added"),
    "silence ended": marked("silence ended"),
    "notification sent again": marked("message sent again"),
    "notifications sent again": marked("messages of a receiver sent again"),
    "notification given up": marked("message given up"),
    "receiver enabled": marked("receiver enabled"),
    "classification corrected": marked("classification corrected"),
    "post withdrawn": marked("post withdrawn"),
    "digest with personal data": marked("digest with personal data"),
}
"""What the audit log tells of."""
ORIGINS: Mapping[str, str] = {
    "console": marked("in the console"),
    "cli": marked("on the command line"),
    "slack": marked("in Slack"),
    "daemon": marked("by the daemon"),
}
TOLD: Mapping[str, str] = {
    "role": marked("role"),
    "countries": marked("countries"),
    "full_name": marked("full name"),
    "subject": marked("name at the identity provider"),
    "password": marked("password"),
    "must_change": marked("must choose a new password"),
    "disabled": marked("disabled"),
    "language": marked("language"),
    "timezone": marked("time zone"),
    "slack": marked("member in Slack"),
    "sessions": marked("sessions ended"),
    "address": marked("network address"),
    "note": marked("note"),
    "before": marked("version before"),
    "version": marked("version"),
    "settings": marked("settings"),
    "state": marked("outcome"),
    "matchers": marked("what is silenced"),
    "reason": marked("reason"),
    "receiver": marked("receiver"),
    "notifications": marked("messages"),
    "complaint": marked("a complaint"),
    "urgency": marked("urgency"),
    "topic": marked("topic"),
    "sentiment": marked("sentiment"),
}
"""What a line of the audit log says besides."""
TRIED: Mapping[str, str] = {
    "works": marked("it works"),
    "nothing": marked("it works, with nothing to hear yet"),
    "off": marked("it is off"),
    "refused": marked("it is refused"),
    "quota": marked("its quota is used up"),
    "failed": marked("it was not reached"),
}
VALUES: Mapping[str, Mapping[Any, str]] = {
    "role": ROLES,
    "countries": {"all": marked("all countries")},
    "password": {"changed": marked("changed")},
    "state": TRIED,
    "urgency": URGENCIES,
    "topic": TOPICS,
    "sentiment": SENTIMENTS,
}
"""By the name of what is told, the words for its values."""
