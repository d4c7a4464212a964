"""The reply window: drafts beside their gloss, a live count, warnings, and links with the text filled in."""

from collections.abc import Sequence
from dataclasses import replace

from alerts import wording
from alerts.slack.modals import ReplyDraft, ReplyForm, ReplyState
from listener.config import Config
from listener.model import Draft, Guidance
from listener.pipeline.cards import CardBuilder, reference
from listener.store import AlertRow, Store, TriageItem
from playbooks.networks import length_rule
from playbooks.personal_words import named_personal_data


class ReplyDesk:
    """Makes reply windows from what the store holds."""

    def __init__(self, config: Config, cards: CardBuilder, store: Store) -> None:
        self._config = config
        self._cards = cards
        self._store = store

    def opened(self, alert_id: int) -> ReplyForm | None:
        """Return the window as it opens: the first draft stands in the box. None where there is nothing to answer."""
        return self._form(alert_id, None)

    def changed(self, state: ReplyState, *, picked: int | None) -> ReplyForm | None:
        """Return the window after somebody typed, or picked another draft, which then stands in the box."""
        form = self._form(state.alert_id, state if picked is None else None, picked or 0)
        if form is None:
            return None
        return form if picked is None else replace(form, revision=state.revision + 1)

    def variant(self, alert_id: int, chosen: int) -> str:
        """Return the name of the draft that was chosen in the window."""
        found = self._found(alert_id)
        drafts = found[2].drafts if found else ()
        return drafts[chosen].variant if 0 <= chosen < len(drafts) else ""

    def _found(self, alert_id: int) -> tuple[AlertRow, TriageItem, Guidance] | None:
        alert = self._store.alerts.alert(alert_id)
        if alert is None or alert.match_id is None or alert.country not in self._config.countries:
            return None
        item = self._store.triage.item(alert.match_id)
        if item is None or item.brand not in self._config.brands:
            return None
        return alert, item, self._cards.guidance(item, self._sent_before(alert))

    def _sent_before(self, alert: AlertRow) -> Sequence[str]:
        """Return the variants that people sent in this thread: two in one thread must not read the same sentence."""
        events = self._store.alerts.history(alert.id)
        return [str(event.data["variant"]) for event in events if event.data.get("variant")]

    def _form(self, alert_id: int, state: ReplyState | None, picked: int = 0) -> ReplyForm | None:
        found = self._found(alert_id)
        if found is None:
            return None
        alert, item, guidance = found
        chosen = state.chosen if state is not None else picked
        chosen = chosen if 0 <= chosen < len(guidance.drafts) else 0
        draft = guidance.drafts[chosen] if guidance.drafts else None
        text = state.text if state is not None else draft.text if draft is not None else ""
        rule = length_rule(item.mention.network)
        count = rule.count(text)
        author = item.mention.author
        return ReplyForm(
            alert_id=alert.id,
            reference=reference(alert),
            author=author.name or author.handle or author.external_id,
            post=item.mention.text if item.fate != "deleted" else "(the author deleted this post)",
            network=wording.network_name(item.mention.network),
            drafts=tuple(_shown(one) for one in guidance.drafts),
            chosen=chosen,
            text=text,
            count=count,
            limit=rule.limit,
            warnings=tuple(self._warnings(alert, item, draft, text, count > rule.limit)),
            reply_url=self._cards.reply_url(item, text),
            private_url=guidance.handoff.url,
            steps=guidance.handoff.steps,
            revision=state.revision if state is not None else 0,
        )

    def _warnings(self, alert: AlertRow, item: TriageItem, draft: Draft | None, text: str, is_long: bool) -> list[str]:
        timezone = self._config.countries[alert.country].timezone
        warnings = []
        if alert.replied_at is not None:
            at = wording.local_time(alert.replied_at, timezone)
            warnings.append(f"This was answered in public on {at}: do not say anything that contradicts it.")
        if item.fate == "deleted":
            warnings.append("The author deleted the post: answer only if they want it.")
        asked = sorted({kind for kind, _ in named_personal_data(text, draft.locale if draft else "en")})
        if asked:
            warnings.append(f"This names personal data in public ({', '.join(asked)}): ask for it in private only.")
        if is_long:
            warnings.append("The network will not take a text of this length.")
        if draft is not None and draft.note:
            warnings.append(draft.note)
        return warnings


def _shown(draft: Draft) -> ReplyDraft:
    return ReplyDraft(draft.text, wording.draft_label(draft), draft.locale, draft.gloss, draft.gloss_language)
