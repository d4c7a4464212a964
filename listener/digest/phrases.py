"""One figure, name, post or cause in the reader's words. Knows no section of the page."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from alerts.escaping import one_line, shorten, web_url
from alerts.wording import name as safe_name
from listener.config.public_holidays import UnknownHolidaysError, public_holidays
from listener.digest.document import Cell, Column, Quote, Tone
from listener.digest.model import Digest, Irritant, Measure, Post, Verdict
from listener.digest.vocabulary import ENDINGS, FIGURES, NETWORKS, SIGNALS, TOPICS, TRENDS
from listener.digest.words import Words

CauseName = Callable[[str, str], str]
"""The name of a cause by its key in a language; empty where it has none."""
SIGNS: dict[Verdict, str] = {"up": "▲", "down": "▼", "noise": "≈", "unknown": ""}
_NAME_LIMIT = 60
_QUOTE_LIMIT = 400
_WORD_LIMIT = 24
_MOST_WORDS = 3
_COUNTRIES_NAMED = 6
_SHARE_FROM = 10
"""Of fewer no share is said."""
_PERCENT_FROM = 10
"""A percentage of fewer says too little: the difference itself is told."""
_IS_COMPLAINT = 0.5


@dataclass(frozen=True, slots=True)
class Phrases:
    """What all sections say alike."""

    words: Words
    digest: Digest
    cause_name: CauseName

    # --- names -----------------------------------------------------------------------------------------------------

    def name(self, text: str) -> str:
        """Return a name that others chose, on one line and of bounded length."""
        return safe_name(text, _NAME_LIMIT)

    def brand(self, key: str) -> str:
        """Return what a brand is called."""
        return safe_name(self.digest.names.get(f"brand:{key}", key), _NAME_LIMIT)

    def team(self, key: str) -> str:
        """Return what a team is called."""
        if not key:
            return self.words.say("No team")
        return safe_name(self.digest.names.get(f"team:{key}", key), _NAME_LIMIT)

    def brands(self) -> str:
        """Name the reader's brands: "Yunfan and Skybird Air"."""
        return self.words.all_of(self.brand(key) for key in self.digest.scope.brands)

    def countries(self) -> str:
        """Name the reader's countries, or count them where they are many."""
        codes = self.digest.scope.countries
        if len(codes) > _COUNTRIES_NAMED:
            return self.words.plural("{count} country", "{count} countries", len(codes))
        return self.words.all_of(self.words.country(code) for code in codes)

    def network(self, key: str) -> str:
        """Name a network as people write it."""
        return self.words.say(NETWORKS[key]) if key in NETWORKS else self.words.capital(safe_name(key, 30))

    def topic(self, key: str) -> str:
        """Name a topic."""
        return self.words.say(TOPICS[key]) if key in TOPICS else safe_name(key, _NAME_LIMIT)

    def ending(self, key: str) -> str:
        """Say how an alert or an incident ended."""
        return self.words.say(ENDINGS[key]) if key in ENDINGS else safe_name(key, _NAME_LIMIT)

    def trend(self, irritant: Irritant) -> str:
        """Say in a word how an irritant develops."""
        is_first = not self.digest.weeks_before and irritant.trend == "new"
        if is_first or (irritant.trend == "steady" and irritant.mean is None):
            # Translators: the trend of an irritant (a cause of complaints) in the first week that was listened to.
            return self.words.say("no trend yet")
        return self.words.say(TRENDS[irritant.trend])

    def label(self, figure: str) -> str:
        """Name a figure."""
        return self.words.say(FIGURES[figure].label)

    def definition(self, figure: str) -> str:
        """Define a figure."""
        return self.words.say(FIGURES[figure].definition)

    def column(self, figure: str) -> Column:
        """Return the head of a column of one figure."""
        return Column(self.label(figure), numeric=True, explained=self.definition(figure))

    # --- figures ---------------------------------------------------------------------------------------------------

    def value(self, measure: Measure) -> str:
        """Write a figure, or why it is not there."""
        if measure.value is None:
            return self._lacking(measure)
        return self._written(measure, measure.value)

    def _lacking(self, measure: Measure) -> str:
        if measure.lack == "few":
            # Translators: instead of a figure that would rest on too few cases.
            return self.words.say("not enough data")
        if measure.lack == "not_reached":
            # Translators: instead of a median or percentile, where too many alerts still wait for an answer.
            return self.words.say("not reached")
        if measure.lack == "nothing":
            # Translators: instead of a share or a duration, where there was nothing to count.
            return self.words.say("nothing to count")
        # Translators: instead of a figure that the networks do not tell.
        return self.words.say("not known")

    def before(self, measure: Measure, value: float | None) -> str:
        """Write the figure of a time before, or a dash."""
        return "–" if value is None else self._written(measure, value)

    def _written(self, measure: Measure, value: float) -> str:
        if measure.unit == "share":
            return self.words.percent(value)
        if measure.unit == "points":
            return self.words.signed(value)
        return self.words.duration(value) if measure.unit == "seconds" else self.words.number(value)

    def basis(self, measure: Measure) -> str:
        """Say what a share or percentile rests on: "330 of 1,248"; empty for others."""
        if not measure.of or measure.unit == "points":
            return ""
        if measure.part is not None:
            # Translators: under a share: "330 of 1,248".
            return self.words.say(
                "{part} of {whole}", part=self.words.number(measure.part), whole=self.words.number(measure.of)
            )
        # Translators: under a figure: how many cases it rests on, or would rest on.
        return self.words.plural("out of {count} case", "out of {count} cases", measure.of)

    def difference(self, measure: Measure) -> str:
        """Write the change on the four-week mean, with its sign; empty where there is none."""
        if measure.value is None or measure.mean is None:
            return ""
        change = measure.value - measure.mean
        if measure.unit in ("share", "points"):
            points = change * 100 if measure.unit == "share" else change
            # Translators: a difference of two percentages or of two sentiments, such as "+3 points".
            return self.words.plural("{signed} point", "{signed} points", points, signed=self.words.signed(points))
        if measure.unit == "seconds" and measure.mean > 0:
            return self.words.signed_percent(change / measure.mean)
        if measure.mean < _PERCENT_FROM:
            return self.words.signed(change)
        return self.words.signed_percent(change / measure.mean)

    def change(self, measure: Measure) -> str:
        """Say how a figure changed and whether by more than noise: "▲ +19 % on the four-week mean, …"."""
        difference = self.difference(measure)
        if not difference:
            # Translators: instead of a change, in the first week or where too little is known.
            return "" if measure.value is None else self.words.say("nothing to compare with yet")
        shown = f"{SIGNS[measure.verdict]} {difference}".strip()
        if measure.verdict == "noise":
            return self.words.say("{difference} on the four-week mean, within the usual", difference=shown)
        if measure.verdict == "unknown":
            return self.words.say("{difference} on the four-week mean, too little to judge by", difference=shown)
        # Translators: "▲ +19 % on the four-week mean, more than noise": the change is more than chance explains.
        return self.words.say("{difference} on the four-week mean, more than noise", difference=shown)

    def signed_difference(self, measure: Measure) -> str:
        """Write the change on the four-week mean after the sign of its verdict: "▲ +19 %"; a dash where none is."""
        difference = self.difference(measure)
        return f"{SIGNS[measure.verdict]} {difference}".strip() if difference else "–"

    def verdict(self, measure: Measure) -> str:
        """Say whether a change is more than noise; empty where there is no change to judge."""
        if measure.value is None or measure.mean is None:
            return ""
        if measure.verdict == "unknown":
            return self.words.say("too little to judge by")
        return self.words.say("within the usual") if measure.verdict == "noise" else self.words.say("more than noise")

    def tone(self, figure: str, measure: Measure) -> Tone:
        """Tell whether a figure changed for the better or for the worse, by more than noise."""
        better = FIGURES[figure].better
        if measure.value is None:
            return "quiet"
        if better == "neither" or measure.verdict not in ("up", "down"):
            return "plain"
        return "good" if (measure.verdict == "up") == (better == "more") else "bad"

    def cell(self, figure: str, measure: Measure) -> Cell:
        """Return a figure as a cell: the value; under it the sign, last week and the four-week mean."""
        if measure.value is None:
            return Cell(self.value(measure), self.basis(measure), "quiet")
        before = f"{self.before(measure, measure.last)} · {self.before(measure, measure.mean)}"
        known = measure.last is not None or measure.mean is not None
        return Cell(
            self.value(measure),
            f"{SIGNS[measure.verdict]} {before}".strip() if known else "",
            self.tone(figure, measure),
        )

    # --- causes ----------------------------------------------------------------------------------------------------

    def irritant(self, irritant: Irritant) -> str:
        """Name an irritant; where others of the week have its name, with what tells it apart."""
        name = self._irritant_name(irritant)
        others = [
            one for one in self.digest.causes.irritants if one.id != irritant.id and self._irritant_name(one) == name
        ]
        return f"{name} · {self._told_apart(irritant, others)}" if others else name

    def _told_apart(self, irritant: Irritant, others: Sequence[Irritant]) -> str:
        """Return what an irritant has and none of its namesakes: brand, product, country, a word, else its number."""
        told: tuple[Callable[[Irritant], str], ...] = (
            lambda one: self.brand(one.brand),
            lambda one: self.name(one.product),
            lambda one: self.words.country(one.countries[0][0]) if one.countries else "",
            lambda one: self.quoted(safe_name(one.words[0], _WORD_LIMIT)) if one.words else "",
        )
        for tell in told:
            if (said := tell(irritant)) and said not in map(tell, others):
                return said
        return f"№\N{NO-BREAK SPACE}{irritant.id}"

    def share_of_brand(self, irritant: Irritant) -> str:
        """Say how much of its brand's complaints an irritant is: "23 % of complaints about Yunfan"."""
        spoken, several = self.digest.spoken, len(self.digest.scope.brands) > 1
        row = next((one for one in spoken.by_brand if one.key == irritant.brand), None)
        complaints = row.complaints.value if row else None if several else spoken.complaints.value
        if complaints is None:
            complaints = irritant.mentions / irritant.share if irritant.share else 0
        if complaints < _SHARE_FROM:
            # Translators: in the place of "37 % of complaints about Yunfan".
            return self.words.say("too few complaints about {brand} for a share", brand=self.brand(irritant.brand))
        share = self.words.percent(irritant.share)
        # Translators: how much of all complaints about a brand an irritant is: "37 % of complaints about Yunfan".
        return self.words.say("{share} of complaints about {brand}", share=share, brand=self.brand(irritant.brand))

    def _irritant_name(self, irritant: Irritant) -> str:
        """Name an irritant: in plain words, else by its topic and the words that set its posts apart."""
        named = self.cause_name(irritant.cause, self.words.language) if irritant.cause else ""
        if named:
            return named
        telling = [shown for word in irritant.words[:_MOST_WORDS] if (shown := safe_name(word, _WORD_LIMIT))]
        if not telling:
            return self.topic(irritant.topic)
        # Translators: a cause of complaints without a name: its topic, and words that its posts share.
        return self.words.say(
            "{topic}: {words}", topic=self.topic(irritant.topic), words=self.words.all_of(map(self.quoted, telling))
        )

    def quoted(self, text: str) -> str:
        """Return a name or a word in quotation marks."""
        # Translators: a name or a word in your language's quotation marks.
        return self.words.say("“{text}”", text=text)

    def holiday(self, country: str, day: str, name: str) -> str:
        """Return a holiday's name in the reader's language, where it is known; else as the digest has it."""
        date_ = date.fromisoformat(day)
        language = self.words.language.partition("-")[0]
        if language == "en":
            return name  # as it stands
        try:
            return public_holidays(country, None, date_.year, language).get(date_, name)
        except UnknownHolidaysError:
            return name

    # --- posts -----------------------------------------------------------------------------------------------------

    def quote(self, post: Post) -> Quote:
        """Return a post as a quotation with its gloss."""
        return Quote(
            text=shorten(one_line(post.text), _QUOTE_LIMIT),
            language=post.language or "und",
            who=self.who(post),
            gloss=self.gloss(post),
            url=web_url(post.url),
        )

    def who(self, post: Post) -> str:
        """Say who wrote a post, where, when, and how far it went: facts side by side."""
        facts = [
            safe_name(post.who, _NAME_LIMIT),
            self.network(post.network),
            self.words.country(post.country),
            self.words.language_name(post.language),
            self.words.moment(post.published_at, self.digest.timezone),
            *self._spread(post),
            *([safe_name(post.alert, 30)] if post.alert else []),
        ]
        return " · ".join(fact for fact in facts if fact)

    def _spread(self, post: Post) -> Iterable[str]:
        words = self.words
        if post.followers is not None:
            yield words.plural("{count} follower", "{count} followers", post.followers)
        if post.views:
            # Translators: how often a post was seen.
            yield words.plural("{count} view", "{count} views", post.views)
        if post.reposts:
            # Translators: how often a post was shared on its network.
            yield words.plural("{count} repost", "{count} reposts", post.reposts)
        if post.copies:
            # Translators: how many other posts say the same in the same words.
            yield words.plural("{count} copy", "{count} copies", post.copies)

    def gloss(self, post: Post) -> str:
        """Say in the reader's language what a post says: "Complaint: Late delivery; time-critical"."""
        return self.series([self._kind(post), *(self.words.say(SIGNALS[one]) for one in post.gloss if one in SIGNALS)])

    def series(self, parts: Sequence[str]) -> str:
        """Say one thing after another: "growing; 121 complaints"."""
        said = parts[0]
        for part in parts[1:]:
            # Translators: one thing after another that is said of a post or an irritant.
            said = self.words.say("{first}; {second}", first=said, second=part)
        return said

    def _kind(self, post: Post) -> str:
        about = self._about(post)
        complains = post.complaint >= _IS_COMPLAINT
        if not about:
            return self._bare_kind(post, complains=complains)
        if complains:
            # Translators: of a post in another language: what it complains of.
            return self.words.say("Complaint: {subject}", subject=about)
        if post.sentiment == "negative":
            # Translators: of a post in another language: what it criticises, without complaining.
            return self.words.say("Criticism: {subject}", subject=about)
        if post.sentiment == "positive":
            return self.words.say("Praise: {subject}", subject=about)
        # Translators: of a post in another language that neither praises nor criticises: what it is about.
        return self.words.say("Mention: {subject}", subject=about)

    def _bare_kind(self, post: Post, *, complains: bool) -> str:
        if complains:
            return self.words.say("Complaint")
        if post.sentiment == "negative":
            return self.words.say("Criticism")
        if post.sentiment == "positive":
            # Translators: of a post in another language: it praises the brand.
            return self.words.say("Praise")
        # Translators: of a post in another language that neither praises nor criticises.
        return self.words.say("Mention")

    def _about(self, post: Post) -> str:
        """Return what a post is about: the cause where it has a name, else the topic; empty where neither says it."""
        keys = [key for key in post.gloss if key and key not in SIGNALS]
        for key in keys:
            if key not in TOPICS and (named := self.cause_name(key, self.words.language)):
                return named
        topic = next((key for key in keys if key in TOPICS), "")
        return "" if topic in ("", "other", "praise") else self.topic(topic)
