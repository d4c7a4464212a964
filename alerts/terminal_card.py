"""Messages laid out for a terminal with rich: what a person needs first stands first."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.style import Style
from rich.table import Table
from rich.text import Text

from alerts import wording
from alerts.card import Card, IncidentCard, Message, Note
from alerts.escaping import clean, isolate, shorten, shorten_lines, web_url
from alerts.outline import Outline, Part, handoff_lines, outline
from alerts.standing import COUNTS, facts, reference, standing
from listener.model import Guidance

MAX_WIDTH = 110
_MAX_LINES = 20
_MAX_TEXT = 1_500
_MAX_URL = 8_000
_MOST_RULES = 10
_COLOURS = {3: "red", 2: "yellow", 1: "cyan"}
_NOTE_COLOURS = {
    "history": "blue",
    "mention": "cyan",
    "reminder": "yellow",
    "escalation": "red",
    "operator": "magenta",
}
_LOOKS = {"alarm": "red", "quiet": "dim", "quote": "bold", "curve": "red"}
_LABEL_WIDTH = 9


def print_card(console: Console, card: Card, *, wrap_drafts: bool, whole_links: bool) -> None:
    """Print the card.

    Args:
        console: where to print, with its width and colours.
        card: the alert.
        wrap_drafts: False leaves the wrapping to the terminal, so that a copied draft has no added line ends.
        whole_links: True writes out addresses longer than a line, for where they cannot be clicked.
    """
    for part in _head(card):
        console.print(part)
    for label, draft in _drafts(card):
        console.print(label)
        console.print(draft, soft_wrap=not wrap_drafts)
    for part in _tail(card, whole_links=whole_links, width=console.width):
        console.print(part)


def print_message(console: Console, message: Message, *, wrap_drafts: bool, whole_links: bool) -> None:
    """Print what is no alert card: an incident, a note in few lines, a summary as a list. See `print_card`."""
    shown = outline(message)
    for line in _heading(message, shown):
        console.print(line)
    for part in shown.parts:
        if part.label and part.look != "link":
            console.print(_part_label(part))
        for text in _part_lines(part, whole_links, console.width):
            if part.look == "draft":
                console.print(text, soft_wrap=not wrap_drafts)
            else:
                console.print(Padding(text, (0, 0, 0, 2)))
    if shown.footer:
        console.print(Text(shown.footer, style="dim"), Text(), sep="\n")


def _heading(message: Message, shown: Outline) -> Iterator[RenderableType]:
    if isinstance(message, IncidentCard):
        title = Text(f"{wording.dots(message.severity)} {shown.title}", style=f"bold {_colour(message)}")
        yield Rule(title, align="left", style=_colour(message), characters="━")
        yield Text(shown.where, style="bold")
    else:
        colour = _NOTE_COLOURS.get(message.tone, "magenta") if isinstance(message, Note) else "magenta"
        yield Text(f"! {shown.title}", style=f"bold {colour}")


def _part_label(part: Part) -> Text:
    label = Text(part.label, style="bold green" if part.look == "draft" else "bold")
    return label.append(f"  {part.detail}" if part.detail else "", style="dim not bold")


def _part_lines(part: Part, whole_links: bool, width: int) -> Iterator[Text]:
    if part.look == "link":
        yield Text(f"{part.label}: ").append_text(_link(part.url or "", whole_links, width))
        return
    for number, line in enumerate(part.lines, 1):
        mark = f"{number}. " if part.look == "steps" else "• " if part.look in ("list", "alarm") else ""
        yield Text(f"{mark}{line}", style=_LOOKS.get(part.look, ""))
    if part.url:
        yield _link(part.url, whole_links, width)


def update_line(message: Message, news: Mapping[str, str]) -> Text:
    """Return one line on what is new of a message, as `alerts.standing.Told` knows it, or how it stands."""
    known = {name: words for name, words in facts(message).items() if words}
    new = [words for name, words in (news or known).items() if name not in (COUNTS, "title")]
    kept = [known[COUNTS]] if COUNTS in known else []
    colour = _colour(message) if isinstance(message, Card | IncidentCard) else "magenta"
    about = reference(message) or facts(message).get("title", "")
    line = Text(about, style=f"bold {colour}")
    return line.append(f" now {' · '.join([*new, *kept])}", style="default not bold")


def _head(card: Card) -> Iterator[RenderableType]:
    reference = wording.name(card.reference, 30)
    title = Text(f"{wording.dots(card.severity)} {wording.severity(card)} · {reference}", style=f"bold {_colour(card)}")
    yield Rule(title, align="left", style=_colour(card), characters="━")
    yield _where(card)
    yield _labelled("Stands", standing(card))
    yield _labelled("Who", _who(card))
    yield Padding(_post(card), (1, 0, 1, _LABEL_WIDTH + 1))
    yield _labelled("Why", _why(card))
    guidance = card.guidance
    if guidance:
        yield from _told(guidance)
        yield _labelled("Do", _steps(guidance))


def _told(guidance: Guidance) -> Iterator[RenderableType]:
    if others := wording.told(guidance):
        yield _labelled("Tell", [Text(others, style="yellow")])


def _steps(guidance: Guidance) -> list[str | Text]:
    unanswered = [Text(f"{wording.UNANSWERED}: {wording.WHY_UNANSWERED}.", style="yellow")]
    return [
        Text(wording.playbook_title(guidance), style="bold"),
        *(unanswered if guidance.best_unanswered else []),
        *(f"{number}. {wording.name(step, 300)}" for number, step in enumerate(guidance.steps[:10], 1)),
    ]


def _where(card: Card) -> Text:
    line = Text(style="bold").append(wording.mark(card), style="magenta")
    line.append(f"{wording.name(card.brand)} · {wording.place(card)} · {wording.network(card)}")
    style = "not bold" if card.team_reads_language else "not bold yellow"
    line.append(f" · {wording.language(card)}", style=style)
    rest = [wording.name(card.topic), wording.counts(card)]
    return line.append("".join(f" · {part}" for part in rest), style="not bold")


def _who(card: Card) -> list[Text]:
    return [Text(wording.author(card)), Text(shorten(wording.influence(card), 300), style="dim")]


def _post(card: Card) -> Text:
    if card.fate == "deleted":
        return Text(wording.DELETED, style="yellow")
    shown = shorten_lines(shorten(clean(card.text), _MAX_TEXT), _MAX_LINES)
    post = Text(f"“{isolate(shown)}”" if shown else "(no text)", style="bold")
    return post.append(f"\n{wording.EDITED}", style="not bold yellow") if card.fate == "edited" else post


def _why(card: Card) -> list[str | Text]:
    reasons: list[str | Text] = [f"• {words}" for words in wording.names(card.reasons, 200)]
    because = [line] if (line := wording.because(card)) else []
    return [*reasons[:8], *because, Text(shorten(wording.priority(card), 400), style="dim")]


def _drafts(card: Card) -> Iterator[tuple[Text, Text]]:
    guidance = card.guidance
    for text in wording.moved(card)[:1]:
        yield _draft_label("Tell the thread", "that it goes on in private"), Text(clean(text))
    for number, draft in enumerate(guidance.drafts if guidance else (), 1):
        label = _draft_label(f"Reply {number}", shorten(wording.draft_label(draft), 200))
        yield label, Text(clean(draft.text) or "(empty)")
    if guidance and (private := clean(guidance.private_text)):
        yield _draft_label("Private message"), Text(private)


def _draft_label(words: str, detail: str = "") -> Text:
    return Text("\n").append(words, style="bold green").append(f"  {detail}" if detail else "", style="dim")


def _tail(card: Card, *, whole_links: bool, width: int) -> Iterator[RenderableType]:
    guidance = card.guidance
    yield Text()
    if guidance:
        yield from _rules(guidance)
        private: list[str | Text] = [*handoff_lines(guidance.handoff)]
        private += [_link(guidance.handoff.url, whole_links, width)] if guidance.handoff.url else []
        yield from [_labelled("Private", private)] if private else []
        yield from (
            [_labelled("Reply at", [_link(guidance.reply_url, whole_links, width)])] if guidance.reply_url else []
        )
        yield from [_labelled("Playbook", [_link(guidance.url, whole_links, width)])] if guidance.url else []
    yield from [_labelled("Post", [_link(card.url, whole_links, width)])] if card.url else []
    yield from [_labelled("Author", [_link(card.author.url, whole_links, width)])] if card.author.url else []
    yield Text(f"Team {wording.name(card.team)} · {wording.times(card)}", style="dim")
    yield Text()


def _rules(guidance: Guidance) -> Iterator[RenderableType]:
    rules = (
        ("Never say", guidance.never, "bold red"),
        ("Promise", guidance.promise, "bold"),
        ("Ask only", guidance.ask, "bold"),
        ("Close", (guidance.close,), "bold"),
    )
    for label, lines, style in rules:
        shown = wording.names(lines[:_MOST_RULES], 200)
        if shown:
            yield _labelled(label, shown if label == "Close" else [f"• {words}" for words in shown], style=style)


def _link(url: str, whole: bool, width: int) -> Text:
    checked = web_url(url[:_MAX_URL])
    if checked is None:
        return Text("(no usable web address)", style="dim")
    shown = checked if whole else shorten(checked, max(20, width - _LABEL_WIDTH - 2))
    return Text(shown, style=Style(color="blue", link=checked), overflow="fold")


def _labelled(label: str, lines: Sequence[str | Text], style: str = "bold") -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=_LABEL_WIDTH, style=style, no_wrap=True)
    grid.add_column(overflow="fold")
    for number, line in enumerate(lines):
        grid.add_row(Text(label if number == 0 else ""), line if isinstance(line, Text) else Text(line))
    return grid


def _colour(card: Card | IncidentCard) -> str:
    return "green" if wording.is_closed(card) else _COLOURS.get(card.severity, "cyan")
