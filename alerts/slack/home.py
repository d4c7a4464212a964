"""The Home tab: my open alerts, and my team's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ContextBlock, DividerBlock, SectionBlock
from slack_sdk.models.views import View

from alerts import wording
from alerts.card import Due, Entry
from alerts.slack.elements import Fact, button, date, header, mrkdwn, plain, section
from alerts.slack.ids import ActionName, ViewName, value
from alerts.slack.notes import entry_line

MAX_BLOCKS = 100
_BLOCKS_AN_ENTRY = 3
_MOST_MINE = 15
MAX_ENTRIES = (MAX_BLOCKS - 8) // _BLOCKS_AN_ENTRY
"""The most alerts that there is room for, mine and my team's together."""


@dataclass(frozen=True, slots=True)
class HomeEntry:
    """One alert in the Home tab. Line and owner are hostile."""

    alert_id: int
    reference: str
    severity: int
    line: str
    """Who, where, what about."""
    timezone: str
    due: Due | None = None
    """What is to be reached next."""
    owner: str = ""
    """Empty where nobody has claimed it."""
    state: str = ""
    """In words where it is not simply open, such as "snoozed"."""


def home_view(
    mine: Sequence[HomeEntry],
    team: Sequence[HomeEntry],
    *,
    team_name: str = "",
    mine_in_all: int = 0,
    team_in_all: int = 0,
    status: str = "",
) -> dict[str, Any]:
    """Return the Home tab.

    Args:
        mine: my open alerts, the most urgent first.
        team: my team's open alerts that are not mine, the most urgent first.
        team_name: how the team is called.
        mine_in_all: how many are mine in all, where more than given.
        team_in_all: how many are the team's in all, where more than given.
        status: a line below them, such as what came of a press.
    """
    shown_mine = mine[: max(_MOST_MINE, MAX_ENTRIES - len(team))][:MAX_ENTRIES]
    shown_team = team[: MAX_ENTRIES - len(shown_mine)]
    named = wording.name(team_name, 60)
    blocks: list[Block] = [
        *_part("mine", "My open alerts", shown_mine, max(len(mine), mine_in_all), "You have no open alerts."),
        DividerBlock(),
        *_part(
            "team",
            f"Open alerts of {named}" if named else "Open alerts of my team",
            shown_team,
            max(len(team), team_in_all),
            "Your team has no other open alerts.",
        ),
    ]
    if words := wording.name(status, 250):
        blocks.append(ContextBlock(elements=[plain(words, 300)]))
    return View(type="home", callback_id=ViewName.HOME, blocks=blocks).to_dict()


def _part(name: str, title: str, entries: Sequence[HomeEntry], in_all: int, none: str) -> list[Block]:
    blocks: list[Block] = [header(title)]
    for number, entry in enumerate(entries):
        blocks += _entry(entry, f"{name}-{number}-{entry.alert_id}")
    if not entries and not in_all:
        blocks.append(section(none))
    if left_out := in_all - len(entries):
        blocks.append(ContextBlock(elements=[plain(f"and {left_out:,} more", 100)]))
    return blocks


def _entry(entry: HomeEntry, block_id: str) -> list[Block]:
    line = entry_line(Entry(entry.alert_id, entry.reference, entry.severity, entry.line))
    about = value(entry.alert_id)
    buttons = [button("Show", ActionName.SHOW_CARD, about)]
    if not entry.owner.strip():
        buttons.insert(0, button("Claim", ActionName.CLAIM, about, style="primary"))
    elements: list[Any] = []
    for what, says in _standing(entry):
        elements += [mrkdwn(what), plain(says, 150)]
    return [
        SectionBlock(text=plain(line, 400)),
        ContextBlock(elements=elements),
        ActionsBlock(block_id=block_id, elements=buttons),
    ]


def _standing(entry: HomeEntry) -> list[Fact]:
    owner = wording.name(entry.owner) or wording.NO_OWNER
    facts = [("*Owner*", owner)]
    if entry.state.strip():
        facts.append(("*State*", wording.name(entry.state, 40)))
    if entry.due:
        label = "\N{WARNING SIGN}\ufe0f *Missed*" if entry.due.missed else "*Due*"
        facts.append((f"{label} {date(entry.due.at, entry.timezone)}", wording.name(entry.due.what)))
    return facts
