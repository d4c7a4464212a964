"""The reply window: drafts beside their gloss, a live count, warnings, and links with the text filled in."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import regex

from alerts import wording
from alerts.slack.modals import ReplyDraft, ReplyForm, ReplyState, chosen_draft
from listener.clock import Clock
from listener.config import Config
from listener.model import Guidance
from listener.pipeline.assess import influence_of
from listener.pipeline.cards import SETTLED, CardBuilder, Circumstances, circumstances, now_another_case, reference
from listener.sentences import Listing, Minute, Sentence, sentence
from listener.store import AlertRow, Store, TriageItem
from listener.store.replies import Thread
from playbooks.networks import length_rule
from playbooks.personal_words import KINDS, named_personal_data

MOVED = "moved"
"""Begins the keys of what is said in public once the conversation goes on in private."""
_LINK = regex.compile(r"https?://\S+")
_RECENT_DATE = regex.compile(
    r"(?<![\p{Nd}./-])(?:\d{1,2}[./-]\d{1,2}[./-]20[2-9]\d|20[2-9]\d[./-]\d{1,2}[./-]\d{1,2})(?![\p{Nd}/-])"
)
# Phones, cards, IBANs and orders: seven digits or more, whatever stands between two of them.
_NUMBER = regex.compile(r"\p{Nd}(?:[\s\p{Pd}.,()（）/_·+]{0,3}+\p{Nd}){6,}")
_E_MAIL = regex.compile(r"(?<![\w.+@＠-])[\w.+-]{1,64}+[@＠][\w-]{1,63}+(?:\.[\w-]{1,63}+)+")


class ReplyDesk:
    """Makes reply windows from what the store holds."""

    def __init__(self, config: Config, cards: CardBuilder, store: Store, clock: Clock) -> None:
        self._config = config
        self._cards = cards
        self._store = store
        self._clock = clock

    def opened(self, alert_id: int) -> ReplyForm | None:
        """Return the window as it opens: the first draft stands in the box. None where there is nothing to answer."""
        return self._form(alert_id, None)

    def changed(self, state: ReplyState, *, picked: str | None) -> ReplyForm | None:
        """Return the window after somebody typed, or picked another draft, which then stands in the box.

        `picked` is the draft's key; the first draft for "".
        """
        form = self._form(state.alert_id, state if picked is None else None, picked or "")
        if form is None:
            return None
        return form if picked is None else replace(form, revision=state.revision + 1)

    def standing(self, state: ReplyState) -> ReplyForm | None:
        """Return the window after a press was refused: what was typed stays, unless another playbook is in force."""
        form = self.changed(state, picked=None)
        if form is None or form.playbook == state.seen:
            return form
        return self.changed(state, picked="")

    def known(self, alert_id: int, key: str, seen: str = "") -> str:
        """Return a draft's name as it came back from the window, if this alert was ever offered its like, else "".

        `seen` is the playbook that the text was of: where another is in force by now, the menu may name a draft of that
        one though its text never stood in the box.
        """
        found = self._found(alert_id) if self._cards.is_variant(key) else None
        if found is None or (seen and _playbook_of(key) != seen):
            return ""
        return key if _group_of(key) in map(_group_of, self._ever_offered(*found)) else ""

    def _ever_offered(
        self, alert: AlertRow, item: TriageItem, guidance: Guidance, around: Circumstances
    ) -> Iterator[str]:
        """Yield the drafts that an alert offers now, or did by its record; what is dear to find comes last."""
        yield from alert.variants
        yield from (draft.variant for draft in guidance.drafts)
        events = self._store.alerts.history(alert.id)
        books = {"", alert.playbook or ""}
        books |= {
            name for one in events if one.kind == "playbook"
            for key in ("playbook", "before") if isinstance(name := one.data.get(key), str)
        }  # fmt: skip
        was_settled = any(one.kind == "resolved" and one.data.get("how") in SETTLED for one in events)
        before = [replace(around, playbook=book, settled=False, offered=()) for book in sorted(books)]
        before += [replace(before[0], crowd=False)] if around.crowd else []
        before += [replace(before[0], settled=True)] if was_settled else []
        for circumstance in before:
            yield from (draft.variant for draft in self._cards.guidance(item, circumstance).drafts)

    def _found(self, alert_id: int) -> tuple[AlertRow, TriageItem, Guidance, Circumstances] | None:
        alert = self._store.alerts.alert(alert_id)
        if alert is None or alert.match_id is None or alert.country not in self._config.countries:
            return None
        item = self._store.triage.item(alert.match_id)
        if item is None or item.brand not in self._config.brands:
            return None
        thread = Thread.of(item.mention, item.brand, item.country)
        earlier = self._store.alerts.earlier(thread, self._clock.now(), alert)
        around = circumstances(alert, earlier, influence_of(item))
        return alert, item, self._cards.guidance(item, around), around

    def _form(self, alert_id: int, state: ReplyState | None, picked: str = "") -> ReplyForm | None:
        found = self._found(alert_id)
        if found is None:
            return None
        alert, item, guidance, _ = found
        drafts = tuple(_offered(alert, guidance))
        chosen = state.chosen if state is not None else picked
        draft = chosen_draft(drafts, chosen)
        text = state.text if state is not None else draft.text if draft is not None else ""
        rule = length_rule(item.mention.network)
        count = rule.count(text)
        author = item.mention.author
        seen = (state.seen if state is not None else "") or guidance.playbook
        return ReplyForm(
            alert_id=alert.id,
            reference=reference(alert),
            author=author.name or author.handle or author.external_id,
            post=item.mention.text if item.fate != "deleted" else sentence("(the author deleted this post)"),
            network=wording.network_name(item.mention.network),
            drafts=drafts,
            chosen=chosen,
            text=text,
            count=count,
            limit=rule.limit,
            warnings=(
                *_other_case(alert, guidance, seen),
                *self._warnings(alert, item, guidance, draft, text, count > rule.limit),
            ),
            reply_url=self._cards.reply_url(item, text),
            private_url=guidance.handoff.url,
            steps=Listing.of(filter(None, (guidance.handoff.steps, guidance.handoff.first)), "\n"),
            private_text=guidance.private_text,
            playbook=guidance.playbook,
            playbooks=tuple(self._cards.playbooks.items()) if alert.is_live else (),
            seen=seen,
            notes=tuple(_notes(guidance)),
            private_notes=tuple(_private_notes(guidance)),
            guidance=guidance,
            revision=state.revision if state is not None else 0,
        )

    def _warnings(
        self,
        alert: AlertRow,
        item: TriageItem,
        guidance: Guidance,
        draft: ReplyDraft | None,
        text: str,
        is_long: bool,
    ) -> Iterator[str]:
        if alert.replied_at is not None and draft is not None and not draft.key.startswith(MOVED):
            yield Sentence.of(
                "This was answered in public on {at}: do not say anything that contradicts it.",
                {"at": Minute.of(alert.replied_at)},
                self._config.countries[alert.country].timezone,
            )
        if item.fate == "deleted":
            yield sentence("The author deleted the post: answer only if they want it.")
        if guidance.best_unanswered:
            yield sentence("As a rule nobody answers this: an answer makes it larger.")
        locale = draft.locale if draft else "en"
        asked = sorted({kind for kind, _ in named_personal_data(text, locale)})
        if asked:
            yield sentence(
                "This names personal data in public ({kinds}): ask for it in private only.",
                kinds=Listing.of(KINDS[kind] for kind in asked),
            )
        own = [channel.channel for channel in self._config.voices[item.brand].contacts.values()]
        yield from _numbers_and_addresses(text, own)
        if is_long:
            yield sentence("The network will not take a text of this length.")
        yield from self._cards.word_faults(text, locale, item.brand)
        note = next((one.note for one in guidance.drafts if draft and one.variant == draft.key), "")
        if note:
            yield note


def _offered(alert: AlertRow, guidance: Guidance) -> Iterator[ReplyDraft]:
    """Yield the drafts; once it has moved to a private channel, first what shows the thread so."""
    if alert.private_at is not None and alert.is_live and guidance.drafts:
        locale = guidance.drafts[0].locale
        for number, text in enumerate(guidance.moved, 1):
            yield ReplyDraft(text, f"{locale} · now that it has moved · {number}", f"{MOVED}/{locale}/{number}", locale)
    for draft in guidance.drafts:
        label = wording.draft_label(draft)
        yield ReplyDraft(draft.text, label, draft.variant, draft.locale, draft.gloss, draft.gloss_language)


def _other_case(alert: AlertRow, guidance: Guidance, seen: str) -> Iterator[str]:
    """Yield a warning where the text in the box is of a playbook that is not in force any more."""
    if seen != guidance.playbook:
        yield Listing.of((now_another_case(alert, guidance), sentence("This text is of the case before.")), " ")


def _playbook_of(variant: str) -> str:
    return variant.split("/", 1)[0]


def _group_of(variant: str) -> str:
    """Return playbook and locale of a draft."""
    return variant.rpartition("/")[0]


def _numbers_and_addresses(text: str, own: Sequence[str]) -> Iterator[str]:
    """Yield whether a text gives away a number or an e-mail address that is none of the brand's own channels."""
    for channel in sorted(own, key=len, reverse=True):
        text = regex.sub(rf"(?<![\w.+-]){regex.escape(channel)}(?!\w)", " … ", text, flags=regex.IGNORECASE)
    text = _LINK.sub(" … ", text)
    if _NUMBER.search(_RECENT_DATE.sub(" … ", text)):
        yield sentence("This holds what looks like a phone or account number: leave it out, everybody can read it.")
    if _E_MAIL.search(text):
        yield sentence("This holds an e-mail address that is not the brand's own: leave it out, everybody can read it.")


def _notes(guidance: Guidance) -> Iterator[str]:
    """Yield what to keep in mind while writing."""
    soon = f"Answer within {guidance.answer_within}." if guidance.answer_within and not guidance.best_unanswered else ""
    others = f"Tell: {told}" if (told := wording.told(guidance)) else ""
    yield " ".join(filter(None, (soon, others)))
    yield from _listed("Never say", guidance.never)
    yield from _listed("May be promised", guidance.promise)
    if guidance.tone:
        yield f"Tone: {' '.join(guidance.tone)}"


def _private_notes(guidance: Guidance) -> Iterator[str]:
    """Yield what to keep in mind once it goes on in private."""
    yield from _listed("Ask for this, and for nothing else", guidance.ask)
    if guidance.close:
        yield f"To close it: {guidance.close}"


def _listed(label: str, lines: Sequence[str]) -> Iterator[str]:
    """Yield lines of the playbook as one."""
    if lines:
        yield f"{label}: {' · '.join(line.strip().rstrip('.') for line in lines)}."
