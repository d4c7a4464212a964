"""How a post came in: who wrote it when, which watch found it by which terms, and which country it was put to."""

from collections.abc import Iterator, Sequence

from listener.config import Config
from listener.explaining.case import Case
from listener.explaining.model import Fact, Step
from listener.explaining.references import name_of
from listener.model import Watch
from listener.pipeline.places import country_in
from listener.sentences import Sentence, sentence
from listener.store.fates import EDITED

_MOST_TERMS = 12
_MOST_WATCHES = 6
_READ_FILES = ("file", "wechat")
"""Sources whose watches read folders of their own: terms alone do not say what another would have found."""


def post_step(case: Case) -> Step:
    """Tell what the post is, by whom, when it was published and when it was collected."""
    post, mention = case.post, case.post.mention
    summary = case.say(
        "published {published}, collected {late} later",
        published=mention.published_at,
        late=post.collected_at - mention.published_at,
    )
    return Step("post", "info", summary, tuple(_post_facts(case)), "Post")


def _post_facts(case: Case) -> Iterator[Fact]:
    post, mention = case.post, case.post.mention
    yield Fact("network and id", name_of(post), hostile=True, basis="recorded")
    if case.is_deleted:
        by = case.say("on request, says {who}", who=post.fate_by) if post.fate_by else sentence("by its author")
        text = sentence("withdrawn, and not shown")
        yield Fact("text", text, by, hostile=post.fate_by is not None, basis="recorded")
    else:
        yield Fact("text", mention.text or sentence("(no text)"), hostile=True, basis="recorded")
    if post.fate == EDITED and post.fate_at is not None:
        yield Fact(
            "edited",
            case.say("{at}; the text is the one it has now", at=post.fate_at),
            basis="recorded",
        )
    elif post.fate_at is not None:
        yield case.when("withdrawn", post.fate_at)
    author = mention.author
    handle = f"@{author.handle.lstrip('@')}" if author.handle else author.external_id
    note = handle if author.name not in ("", handle) else ""
    yield Fact("author", author.name or handle, note, hostile=True, basis="recorded")
    yield case.when("published", mention.published_at)
    yield case.when("collected", post.collected_at)
    if mention.url:
        yield Fact("address", mention.url, hostile=True, basis="recorded")


def watch_step(case: Case) -> Step:
    """Tell which watch found it first, for which brand, by which terms, and who else could have."""
    match = case.match
    watch = _watch(case.then.config, match.watch_id)
    summary = case.say("by the watch {watch}, for the brand {brand}", watch=match.watch_id, brand=match.brand)
    facts = [case.when("matched", match.matched_at)]
    if watch is None:
        facts.append(Fact("watch", sentence("it is not in the configuration any more"), basis="recomputed"))
    else:
        facts += _watch_facts(case, watch)
    facts += _others(case, watch)
    return Step("watch", "info", summary, tuple(facts), "Found", case.brand)


def _watch(config: Config, watch_id: str) -> Watch | None:
    return next((one for one in config.watches if one.id == watch_id), None)


def _watch_facts(case: Case, watch: Watch) -> Iterator[Fact]:
    yield Fact("source", watch.source, case.say("for {country}", country=watch.country))
    yield Fact("its terms", _listed(watch.terms))
    if watch.exclude:
        yield Fact("but not", _listed(watch.exclude))
    if case.is_deleted:
        return
    found = terms_in(case.post.mention.text, watch.terms)
    if found:
        yield Fact("of them in the text", _listed(found), basis="recomputed")
    else:
        text = sentence("none; networks look in names, links and answered posts too")
        yield Fact("of them in the text", text, basis="recomputed")


def _others(case: Case, watch: Watch | None) -> Iterator[Fact]:
    """Tell who else found it or could have: of the watches of one brand only the first is recorded."""
    for other in case.matches:
        if other.id != case.match.id:
            text = case.say("also found for {brand}, by {watch}", brand=other.brand, watch=other.watch_id)
            yield Fact("other brand", text, basis="recorded", link=f"m-{other.id}")
    if case.is_deleted or watch is None or watch.source in _READ_FILES:
        return
    able = [
        one.id
        for one in case.then.config.watches
        if one.id != watch.id and (one.brand, one.source) == (watch.brand, watch.source)
        and terms_in(case.post.mention.text, one.terms) and not terms_in(case.post.mention.text, one.exclude)
    ]  # fmt: skip
    if able:
        detail = sentence("whichever watch of a brand comes first is recorded")
        yield Fact("could have found it too", _listed(able, _MOST_WATCHES), detail, basis="recomputed")


def terms_in(text: str, terms: Sequence[str]) -> list[str]:
    """Return the terms that stand in a text, whatever their case."""
    folded = text.casefold()
    return [term for term in terms if term.strip().strip('"').casefold() in folded]


def _listed(texts: Sequence[str], most: int = _MOST_TERMS) -> str:
    listed = ", ".join(texts[:most])
    more = len(texts) - most
    return listed if more <= 0 else sentence("{names} and {more} more", names=listed, more=more)


def country_step(case: Case) -> Step:
    """Tell which country the post was put to, and what decided it: its place, its author's profile, or the watch."""
    mention, match = case.post.mention, case.match
    config = case.then.config
    listening = {code: one.timezone for code, one in config.countries.items() if one.mode != "off"}
    watch = _watch(config, match.watch_id)
    located = country_in(mention.author.location, listening) if mention.author.location else None
    clues = [
        (sentence("the place of the post"), mention.country, mention.place if not case.is_deleted else ""),
        (sentence("the author's country"), mention.author.country, ""),
        (sentence("the author's profile"), located, mention.author.location if not case.is_deleted else ""),
        (sentence("the watch"), watch.country if watch else None, ""),
    ]
    decided = next(((what, code) for what, code, _ in clues if code in listening), None)
    facts = [_clue(what, code, words, listening) for what, code, words in clues if code or words]
    if decided is None:
        summary = case.say("put to {country}", country=match.country)
    elif decided[1] == match.country:
        summary = case.say("put to {country}, as {what} says", country=match.country, what=decided[0])
    else:
        summary = case.say(
            "put to {country}; by what is known now {what} would put it to {other}",
            country=match.country, what=decided[0], other=str(decided[1]),
        )  # fmt: skip
    return Step("country", "info", summary, tuple(facts), "Country", case.brand)


def _clue(what: Sentence, code: str | None, words: str, listening: dict[str, str]) -> Fact:
    if code is None:
        return Fact(what, words, sentence("names no country that listens"), hostile=True, basis="recomputed")
    value = code if code in listening else sentence("{country}, which does not listen", country=code)
    return Fact(what, value, words, hostile=True, basis="recomputed")
