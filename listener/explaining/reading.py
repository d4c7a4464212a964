"""What was read in a post: its language, the model's scores with their reasons, copies, and what people corrected."""

from collections.abc import Iterator

from alerts.wording import name
from listener.explaining.case import Case, number, term
from listener.explaining.model import Fact, Step
from listener.explaining.references import name_of
from listener.model import SIGNALS, TOPICS, Classification, Sentiment
from listener.sentences import Language, Listing, Sentence, sentence
from listener.store.corrections import Correction
from playbooks.locales import language_name

UNREAD_MODEL = "unread"
"""What stands for the model of a post that it failed on, as `pipeline.classify` has it, which loads numpy."""
_FIELDS = {
    "complaint": sentence("complaint"),
    "urgency": sentence("urgency"),
    "topic": sentence("topic"),
    "sentiment": sentence("sentiment"),
}
_ANSWERS = {True: sentence("True"), False: sentence("False")}


def language_step(case: Case) -> Step:
    """Tell the language that was used, beside the network's own tag and the country's languages."""
    tag, found = case.post.mention.language, case.post.classification
    facts = [Fact("tag of the network", tag or sentence("none"), hostile=tag is not None, basis="recorded")]
    if case.country is not None:
        facts.append(Fact("languages of the country", ", ".join(case.country.languages)))
    if found is None:
        return Step("language", "info", case.say("not told"), tuple(facts), "Language")
    language = _language(found.language)
    used = case.say("{language} ({tag})", language=language, tag=found.language)
    facts.append(Fact("used", used, basis="recorded"))
    agrees = tag is not None and tag.partition("-")[0].lower() == found.language.partition("-")[0].lower()
    if found.language == "und":
        summary = case.say("it could not be told")
    elif tag is None:
        summary = case.say("{language}, told from the text", language=language)
    elif agrees:
        summary = case.say("{language}, as the network says", language=language)
    else:
        summary = case.say("{language}, told from the text against the network's tag", language=language)
    return Step("language", "info", summary, tuple(facts), "Language")


def _language(tag: str) -> str:
    return sentence("unknown language") if tag == "und" else Language.of(language_name(tag), tag)


def classification_step(case: Case) -> Step:
    """Tell the model's scores, the words behind them, and which version gave them."""
    found = case.post.classification
    if found is None and case.is_deleted:
        text = case.say("it was withdrawn before it was read")
        return Step("classification", "stopped", text, (), "Classification")
    if found is None:
        is_edited = case.post.fate == "edited"
        text = case.say("it waits for a new one, because it was edited" if is_edited else "it waits for one")
        return Step("classification", "held", text, (), "Classification")
    summary = case.say(
        "complaint {complaint}, urgency {urgency} of 1, {sentiment}, topic {topic}",
        complaint=found.complaint, urgency=found.urgency_score,
        sentiment=sentence(found.sentiment), topic=term(found.topic, TOPICS),
    )  # fmt: skip
    return Step("classification", "ok", summary, tuple(_scores(case, found)), "Classification")


def _scores(case: Case, found: Classification) -> Iterator[Fact]:
    if found.model == UNREAD_MODEL:
        text = sentence("it could not read this post: these scores only stand in, so that somebody looks")
        yield Fact("model", text, basis="recorded")
        return
    if case.was_read_again:
        text = sentence("the post was edited and read again after it was decided on: this is the later reading")
        yield Fact("note", text)
    none, low, medium, high = found.urgency_probabilities
    chances = case.say(
        "expected, over its range; chances: none {none}, low {low}, medium {medium}, high {high}",
        none=none, low=low, medium=medium, high=high,
    )  # fmt: skip
    tones = (
        Listing.of((sentence(tone), number(chance)), " ")
        for tone, chance in zip(Sentiment, found.sentiment_probabilities, strict=True)
    )
    yield Fact("complaint", number(found.complaint), sentence("the chance that it complains"), basis="recorded")
    yield Fact("urgency", number(found.urgency_score), chances, basis="recorded")
    yield Fact("sentiment", sentence(found.sentiment), Listing.of(tones), basis="recorded")
    yield Fact("topic", term(found.topic, TOPICS), number(found.topic_probability), basis="recorded")
    signals = Listing.of(
        Listing.of((term(SIGNALS.get(letter, letter), SIGNALS.values()), number(chance)), " ")
        for letter, chance in found.signals.items()
    )
    yield Fact("signals", signals or sentence("none"), basis="recorded")
    yield from _words(case, found)
    yield Fact("model", found.model, basis="recorded")
    if case.post.classified_at is not None:
        yield case.when("classified", case.post.classified_at)


def _words(case: Case, found: Classification) -> Iterator[Fact]:
    if case.is_deleted:
        yield Fact("words that moved it", sentence("withdrawn with the text"))
        return
    words = ", ".join(f"{shown} {one.weight:+.2f}" for one in found.reasons if (shown := name(one.word, 40)))
    if words:
        yield Fact("words that moved it", words, hostile=True, basis="recorded")
    else:
        why = sentence("they are kept where a post may need an answer")
        yield Fact("words that moved it", sentence("none kept"), why)


def copy_step(case: Case) -> Step | None:
    """Tell what it copies, and whether it repeats that one's classification; None where it copies nothing."""
    post = case.post
    original = None if post.copy_of is None else case.store.trails.post(post.copy_of)
    if original is None:
        return None
    exact = (post.text_hash and post.text_hash == original.text_hash) or (
        post.mention.repost_of_id == original.mention.external_id and post.mention.network == original.mention.network
    )
    fact = Fact("first of its kind", name_of(original), hostile=True, basis="recorded", link=name_of(original))
    if exact:
        summary = case.say("it repeats another post, and so has that one's classification")
    else:
        summary = case.say("it nearly repeats another post, and was classified by itself")
    return Step("copy", "info", summary, (fact,), "Copy of another post")


def corrections_step(case: Case) -> Step | None:
    """Tell what people said the model got wrong; None where nobody did."""
    mention = case.post.mention
    rows = case.store.corrections.history(mention.network, mention.external_id)
    if not rows:
        return None
    facts = []
    for row in rows:
        said = Listing.of(_corrected(row, field) for field in _FIELDS if getattr(row, field) is not None)
        who = case.say("{who}, {origin}, {at}", who=row.actor, origin=row.origin, at=row.at)
        facts.append(Fact("said", said, who, hostile=True, basis="recorded"))
    summary = case.count(
        "somebody corrected it; what was decided stays as it was",
        "people corrected it {count} times; what was decided stays as it was",
        len(rows),
    )
    return Step("corrections", "info", summary, tuple(facts), "Corrections")


def _corrected(row: Correction, field: str) -> Sentence:
    now, before = getattr(row, field), row.said.get(field)
    return sentence(
        "{field} {now} (the model: {before})", field=_FIELDS[field], now=_label(now),
        before=before if isinstance(before, float) else _label(before),
    )  # fmt: skip


def _label(value: object) -> str:
    return _ANSWERS[value] if isinstance(value, bool) else term(str(value), (*TOPICS, *Sentiment))
