"""The reply to a post before it is sent: chosen, edited, counted and checked as in Slack. A person sends it."""

from starlette.responses import Response

from alerts.slack.modals import MAX_KEY, MAX_TYPED, ReplyForm, ReplyState
from listener.console import names, showing
from listener.console.page import NotFoundError, PageRequest, page
from listener.pipeline.cards import reference
from listener.slack.replying import ReplyDesk
from listener.store import AlertRow


@page("community-manager")
def reply(request: PageRequest) -> Response:
    """Show the reply with a draft in its box, or as it was typed, with its count and its warnings."""
    row = _row(request)
    desk = _desk(request)
    if request.is_post:
        state = ReplyState(
            alert_id=row.id,
            chosen=request.form.get("variant", "")[:MAX_KEY],
            text=request.form.get("text", "")[:MAX_TYPED].replace("\r\n", "\n"),
            revision=0,
            seen=request.form.get("seen", "")[:MAX_KEY],
        )
        picked = state.chosen if request.form.get("step") == "pick" else None
        form = desk.changed(state, picked=picked)
    else:
        form = desk.changed(ReplyState(row.id, "", "", 0), picked=request.query.get("variant", "")[:MAX_KEY])
    if form is None:
        said = request.words.say("There is no post to answer here any more.")
        return request.back(f"/alerts/{row.id}", said, "bad")
    template = "_reply_checked.html" if request.is_htmx else "reply.html"
    return request.render(template, _values(request, row, form))


def known_variant(request: PageRequest, row: AlertRow) -> str:
    """Return the draft that a form says was sent, where the alert ever offered its like; else nothing."""
    given = request.form.get("variant", "")[:MAX_KEY]
    if not given or given in row.variants:
        return given
    return _desk(request).known(row.id, given, request.form.get("seen", "")[:MAX_KEY])


def _desk(request: PageRequest) -> ReplyDesk:
    office = request.office
    return ReplyDesk(office.config, office.announcer.cards, office.store, office.clock)


def _row(request: PageRequest) -> AlertRow:
    number = request.path["alert"]
    row = request.office.store.alerts.alert(int(number)) if len(number) < 18 else None
    if row is None or row.kind == "incident":
        raise NotFoundError("no such alert")
    request.require_country(row.country)
    return row


def _values(request: PageRequest, row: AlertRow, form: ReplyForm) -> dict[str, object]:
    words = request.words
    return {
        "alert": row,
        "reference": reference(row),
        "form": form,
        "author": showing.short_name(form.author),
        "post": showing.whole_text(words.said(form.post)),
        "is_long": form.limit is not None and form.count > form.limit,
        "reply_url": showing.checked(form.reply_url),
        "private_url": showing.checked(form.private_url),
        "ways": [(name, words.say(text)) for name, text in names.ANSWERED.items()],
    }
