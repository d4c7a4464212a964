"""How a post was weighed: influence, velocity, priority, each rule with what it lacked, the severity, the age.

What was recorded then stands beside what is worked out now. The two differ where an author's followers, the post's
reactions, its text or the settings have changed since; that is said.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from alerts.priority import score_priority
from alerts.rules import decide
from listener.config import Country, Thresholds
from listener.explaining.case import Case, against, alone, number
from listener.explaining.model import Fact, State, Step
from listener.model import Classification, Influence, Part, Priority, Sentiment, Urgency
from listener.sentences import Listing, Sentence, sentence

_SAME = 0.005
"""Scores this close are shown as the same number."""
_PARTS = {
    "followers": sentence("followers"),
    "verified": sentence("verified"),
    "press": sentence("press"),
    "public figure": sentence("public figure"),
    "creator": sentence("creator"),
    "views": sentence("views"),
    "shares": sentence("shares"),
    "reactions": sentence("reactions"),
    "sponsored": sentence("sponsored"),
    "copies": sentence("copies"),
    "answers": sentence("answers"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule, with what it was held against."""

    what: Sentence
    value: float
    threshold: float
    is_below: bool = False
    """Whether the value must stay below the threshold instead of reaching it."""

    @property
    def holds(self) -> bool:
        """Whether it is fulfilled."""
        return (self.value < self.threshold) if self.is_below else (self.value >= self.threshold)

    @property
    def lacks(self) -> float:
        """By how much it is missed; 0 where it holds."""
        return 0.0 if self.holds else abs(self.threshold - self.value)

    def words(self) -> Sentence:
        """Say what was held against what, and by how much it was missed."""
        value, threshold = against(self.value, self.threshold)
        if self.is_below:
            words = sentence("{what} {value}, must be below {limit}", what=self.what, value=value, limit=threshold)
        else:
            words = sentence("{what} {value}, threshold {limit}", what=self.what, value=value, limit=threshold)
        if self.holds:
            return words
        return sentence("{condition}: missed by {lack}", condition=words, lack=against(self.lacks, 0.0)[0])


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, with all its conditions: it holds where all of them do."""

    name: str
    conditions: tuple[Condition, ...]
    says: Sentence | None = None
    """What it asks for besides, in words."""
    besides: bool = True
    """Whether that is so."""

    @property
    def holds(self) -> bool:
        """Whether it holds."""
        return self.besides and all(one.holds for one in self.conditions)


def rules_of(found: Classification, influence: float, priority: float, thresholds: Thresholds) -> tuple[Rule, ...]:
    """Return the rules of `alerts.rules` with each condition by itself."""
    high = found.urgency_probabilities[Urgency.HIGH]
    complaint, carries = sentence("complaint"), sentence("influence")
    complains = Condition(complaint, found.complaint, thresholds.complaint)
    praises = found.topic == "praise" and found.sentiment is Sentiment.POSITIVE
    return (
        Rule("urgent", (Condition(sentence("chance of high urgency"), high, thresholds.urgent),)),
        Rule("open-problem", (complains, Condition(sentence("priority"), priority, thresholds.priority))),
        Rule("influential-critic", (complains, Condition(carries, influence, thresholds.influence))),
        Rule(
            "praise",
            (
                Condition(complaint, found.complaint, thresholds.complaint, is_below=True),
                Condition(carries, influence, thresholds.praise),
            ),
            sentence("topic praise and a positive tone"),
            praises,
        ),
    )


def severity_conditions(found: Classification, priority: float, thresholds: Thresholds) -> tuple[Condition, ...]:
    """Return what makes an alert of severity 3, and then of severity 2, beside the rules themselves."""
    high = found.urgency_probabilities[Urgency.HIGH]
    return (
        Condition(sentence("severity 3: chance of high urgency"), high, thresholds.severity_3_urgent),
        Condition(sentence("severity 3: priority"), priority, thresholds.severity_3),
        Condition(sentence("severity 2: priority"), priority, thresholds.severity_2),
    )


# Scores


def influence_step(case: Case) -> Step | None:
    """Tell how far the author's voice carries, with its parts."""
    assessed = case.assessed(case.then.config)
    if assessed is None:
        return None
    recorded, now = case.match.influence, assessed.influence
    facts = [_recorded(recorded)] if _was_weighed(case) else []
    if case.is_deleted:
        facts.append(Fact("parts", sentence("not shown: the post was withdrawn")))
    else:
        label = case.say("author {author}, reach {reach}", author=now.author, reach=now.reach)
        facts.append(Fact(label, _worked_out(now.score), basis="recomputed"))
        nothing = Fact("parts", sentence("nothing known of the author"), depth=1)
        facts += [_part(part) for part in now.parts] or [nothing]
        why = sentence("what is known of the author or of the reactions has changed")
        facts += _changed(case, recorded, now.score, why)
    return _score_step(case, "influence", "Influence", recorded, now.score, facts)


def velocity_step(case: Case) -> Step | None:
    """Tell how fast the post spreads, with copies, answers and reactions."""
    assessed = case.assessed(case.then.config)
    if assessed is None:
        return None
    recorded, now = case.match.velocity, assessed.velocity
    facts = [_recorded(recorded)] if _was_weighed(case) else []
    facts.append(Fact("", _worked_out(now.score), basis="recomputed"))
    nothing = Fact("parts", sentence("no reactions, copies or answers"), depth=1)
    facts += [_part(part) for part in now.parts] or [nothing]
    why = sentence("what is known of the reactions has changed, or copies were read later")
    facts += _changed(case, recorded, now.score, why)
    return _score_step(case, "velocity", "Velocity", recorded, now.score, facts)


def _score_step(case: Case, name: str, title: str, recorded: float | None, now: float, facts: Iterable[Fact]) -> Step:
    value = recorded if _was_weighed(case) and recorded is not None else now
    return Step(name, "info", number(value), tuple(facts), title, case.brand)


def _was_weighed(case: Case) -> bool:
    return case.match.outcome in ("raised", "joined", "quiet", "old")


def _recorded(value: float | None) -> Fact:
    return Fact("recorded", sentence("not recorded") if value is None else number(value), basis="recorded")


def _worked_out(value: float) -> Sentence:
    return sentence("{score} by what is stored now", score=value)


def _part(part: Part) -> Fact:
    value = f"{part.value:.2f} × {part.weight:g}" if part.weight != 1.0 else f"{part.value:.2f}"
    return Fact(_PARTS.get(part.name, part.name), value, part.because, hostile=True, basis="recomputed", depth=1)


def _changed(case: Case, recorded: float | None, now: float, why: Sentence) -> Iterator[Fact]:
    if _was_weighed(case) and recorded is not None and abs(recorded - now) >= _SAME:
        text = case.say("{now} now, {then} then: {why}", now=now, then=recorded, why=why)
        yield Fact("since then", text, basis="recomputed")


def priority_step(case: Case) -> Step | None:
    """Tell the priority as a formula with numbers."""
    found, country = case.post.classification, case.country
    if found is None or country is None or case.item is None:
        return None
    if not _was_weighed(case):
        assessed = case.assessed(case.then.config)
        if assessed is None:
            return None
        text = Fact("formula", assessed.priority.explanation, basis="recomputed")
        return Step("priority", "info", number(assessed.priority.score), (text,), "Priority", case.brand)
    influence, velocity, recorded = (getattr(case.match, one) or 0.0 for one in ("influence", "velocity", "priority"))
    again = _priority(found, influence, velocity, country)
    formula = case.say("{formula} = {score}", formula=again.explanation, score=again.score)
    facts = [_recorded(recorded), Fact("formula", formula, basis="recomputed")]
    if abs(again.score - recorded) >= _SAME:
        facts.append(Fact("", _why_not_the_same(case), basis="recomputed"))
    return Step("priority", "info", number(recorded), tuple(facts), "Priority", case.brand)


def _priority(found: Classification, influence: float, velocity: float, country: Country) -> Priority:
    weights = country.weights
    return score_priority(
        found.urgency_score,
        influence,
        velocity,
        influence_weight=weights.influence,
        velocity_weight=weights.velocity,
    )


def _why_not_the_same(case: Case) -> str:
    if case.was_read_again:
        return case.say("this is not what was recorded: the post was edited and read again since")
    if case.then.version is None or not case.then.is_readable:
        return case.say("this is not what was recorded: the weights may have been others, and were not kept")
    return case.say("this is not what was recorded, and nothing that is stored says why")


# Decisions


def rules_step(case: Case) -> Step | None:
    """Tell every rule, whether it held, and by how much it was missed."""
    found, country = case.post.classification, case.country
    if found is None or country is None or case.item is None:
        return None
    weighed = _weighed(case)
    if weighed is None:
        return None
    influence, priority = weighed
    rules = rules_of(found, influence, priority, country.thresholds)
    held = [rule.name for rule in rules if rule.holds]
    facts = [*_settings(case), *(fact for rule in rules for fact in _rule_facts(rule))]
    facts += _as_recorded(case, held)
    facts += _today(case, held)
    state: State = "ok" if held else "stopped" if case.match.outcome == "quiet" else "info"
    return Step("rules", state, _rules_summary(case, rules, held), tuple(facts), "Rules", case.brand)


def _weighed(case: Case) -> tuple[float, float] | None:
    """Return influence and priority as recorded; as they are now where nothing was decided yet."""
    if _was_weighed(case):
        return case.match.influence or 0.0, case.match.priority or 0.0
    assessed = case.assessed(case.then.config)
    return None if assessed is None else (assessed.influence.score, assessed.priority.score)


def _settings(case: Case) -> Iterator[Fact]:
    then = case.then
    if case.match.triaged_at is None:
        return
    if then.version is None:
        yield Fact("settings", sentence("those of now: none were kept at that time"), basis="today")
    elif not then.is_readable:
        text = case.say(
            "those of now: version {version} was in force and cannot be read by this release", version=then.version
        )
        yield Fact("settings", text, basis="today")
    else:
        since = case.say("in force since {at}", at=then.since) if then.since else ""
        yield Fact("settings", case.say("version {version}", version=then.version), since, basis="recorded")


def _rule_facts(rule: Rule) -> Iterator[Fact]:
    holds = sentence("holds" if rule.holds else "does not hold")
    yield Fact(Listing.of([rule.name]), holds, basis="recomputed", holds=rule.holds)
    if rule.says is not None:
        is_so = sentence("yes" if rule.besides else "no")
        yield Fact(rule.says, is_so, basis="recomputed", holds=rule.besides, depth=1)
    for one in rule.conditions:
        yield Fact("", one.words(), basis="recomputed", holds=one.holds, depth=1)


def _rules_summary(case: Case, rules: Sequence[Rule], held: Sequence[str]) -> Sentence:
    if held:
        return case.say("held: {rules}", rules=", ".join(held))
    rule, missed = _nearest(rules)
    return case.say("none held; nearest is {rule}: {missed}", rule=rule, missed=missed)


def _nearest(rules: Sequence[Rule]) -> tuple[str, str]:
    """Return which rule was missed by the least, and what it lacked in words."""
    nearest = min((rule for rule in rules if rule.besides), key=_distance)
    return nearest.name, Listing.of((one.words() for one in nearest.conditions if not one.holds), "; ")


def quiet_words(case: Case) -> Sentence:
    """Say that no rule held, and by how much the nearest was missed where that is known."""
    found, country, weighed = case.post.classification, case.country, _weighed(case)
    rules = () if found is None or country is None or weighed is None else rules_of(found, *weighed, country.thresholds)
    if not rules or any(rule.holds for rule in rules):
        return case.say("no rule held, so nobody was told")
    rule, missed = _nearest(rules)
    return case.say("no rule held, so nobody was told; nearest is {rule}: {missed}", rule=rule, missed=missed)


def _distance(rule: Rule) -> float:
    return sum(one.lacks for one in rule.conditions)


def _as_recorded(case: Case, held: list[str]) -> Iterator[Fact]:
    """Say where what is worked out now is not what was decided then."""
    place, alert = case.place, case.alert
    if place is not None and alert is not None and place.role == "first" and alert.kind == "post":
        recorded = case.store.trails.rules(alert.id)
        why = sentence("the rules that raised it")
        yield Fact("recorded", ", ".join(recorded) or sentence("none"), why, basis="recorded")
        if sorted(recorded) != sorted(held):
            yield Fact("", _why_not_decided_so(case), basis="recomputed")
    elif case.match.outcome == "quiet" and held:
        yield Fact("", _why_not_decided_so(case), basis="recomputed")


def _why_not_decided_so(case: Case) -> str:
    if case.was_read_again:
        return case.say("that was decided on the post as it read before it was edited")
    if case.then.version is None or not case.then.is_readable:
        return case.say("that was decided with other settings than those of now, which were not kept")
    return case.say("that does not follow from what is stored; nothing stored says why")


def _today(case: Case, held_then: Sequence[str]) -> Iterator[Fact]:
    """Say what the settings and figures of now would make of it, where that is something else."""
    country = case.config.countries.get(case.match.country)
    assessed = case.assessed(case.config)
    if not _was_weighed(case) or case.item is None or country is None or assessed is None:
        return
    changed = _changed_thresholds(case.country, country)
    if changed:
        yield Fact("thresholds changed since", Listing.of(changed), basis="today")
    if assessed.decision.raises == bool(held_then):
        return
    rules = rules_of(case.item.classification, assessed.influence.score, assessed.priority.score, country.thresholds)
    if assessed.decision.raises:
        held = ", ".join(rule.name for rule in rules if rule.holds)
        yield Fact("today", case.say("it would raise an alert: {rules}", rules=held), basis="today", holds=True)
    else:
        before = [rule for rule in rules if rule.name in held_then]
        lacking = dict.fromkeys(one.words() for rule in before for one in rule.conditions if not one.holds)
        missed = Listing.of(lacking, "; ") or sentence("its topic or tone reads otherwise now")
        text = case.say("it would not raise an alert: {missed}", missed=missed)
        yield Fact("today", text, basis="today", holds=False)


def _changed_thresholds(then: Country | None, now: Country) -> list[Sentence]:
    if then is None:
        return []
    pairs = ((name, getattr(then.thresholds, name), getattr(now.thresholds, name)) for name in Thresholds.model_fields)
    return [
        sentence("{setting} {before}, now {after}", setting=name, before=_setting(before), after=_setting(after))
        for name, before, after in pairs
        if before != after
    ]


def _setting(value: float | None) -> str:
    if value is None:
        return sentence("no limit")
    return f"{value:g}" if value <= 1 else alone(timedelta(seconds=value))


def severity_step(case: Case) -> Step | None:
    """Tell why the alert has its severity; None where the post raised none."""
    found, country, alert = case.post.classification, case.country, case.alert
    if found is None or country is None or alert is None or alert.kind != "post":
        return None
    weighed = _weighed(case)
    if weighed is None:
        return None
    influence, priority = weighed
    decided = _decided(found, influence, priority, country)
    facts = [
        Fact("", one.words(), basis="recomputed", holds=one.holds)
        for one in severity_conditions(found, priority, country.thresholds)
    ]
    raised = [rule for rule in decided.rules if rule in ("urgent", "influential-critic")]
    by_rule = ", ".join(raised) or sentence("none")
    facts.append(Fact("severity 2: by a rule", by_rule, basis="recomputed", holds=bool(raised)))
    if case.place is None or case.place.role == "first":
        opened = opening_severity(case)
        if opened is not None and opened != decided.severity:
            facts.append(Fact("", _why_not_decided_so(case), basis="recomputed"))
        summary = case.say("raised with severity {severity}", severity=opened or alert.severity)
    else:
        summary = case.say("by itself of severity {severity}", severity=decided.severity)
    if alert.severity != (opening_severity(case) or alert.severity):
        facts.append(Fact("it has risen since", str(alert.severity), basis="recorded"))
    return Step("severity", "info", summary, tuple(facts), "Severity", case.brand)


def _decided(found: Classification, influence: float, priority: float, country: Country) -> "Decided":
    scored = Influence(influence, influence, 0.0, ()), Priority(priority, found.urgency_score, influence, 0.0, "")
    decision = decide(found, *scored, country.thresholds)
    return Decided(decision.rules, decision.severity)


@dataclass(frozen=True, slots=True)
class Decided:
    """What the rules make of scores."""

    rules: tuple[str, ...]
    severity: int


def opening_severity(case: Case) -> int | None:
    """Return the severity that the alert was opened with, as its history has it."""
    if case.alert is None:
        return None
    for event in case.store.alerts.history(case.alert.id):
        severity = event.data.get("severity") if event.kind == "opened" else None
        if isinstance(severity, int):
            return severity
    return None


def age_step(case: Case) -> Step:
    """Tell whether the post was young enough when it was collected."""
    age = case.post.collected_at - case.post.mention.published_at
    limit = None if case.match.max_age_s is None else timedelta(seconds=case.match.max_age_s)
    facts = (
        Fact("age when collected", alone(age), basis="recorded"),
        Fact("limit of its watch", sentence("none") if limit is None else alone(limit), basis="recorded"),
    )
    if limit is None or age <= limit:
        return Step("age", "ok", case.say("young enough"), facts, "Age", case.brand)
    summary = case.say("too old by {span}: it is stored, and raises nothing", span=age - limit)
    state: State = "stopped" if case.match.outcome == "old" else "info"
    return Step("age", state, summary, facts, "Age", case.brand)
