"""What happens in the scripted day, and what must come of it: written by hand, from what the documentation promises.

The day is Saturday, 24 October 2026, and ends on Sunday morning; in that night clocks in France go back. In UTC, the
hours are: Tokyo 00:00 to 09:00, Paris 07:00 to 16:00 and on Sunday 08:00 to 17:00, New York 13:00 to 21:00. New York
is covered by Tokyo, Paris by nobody. The daemon looks around every five minutes, and people act after it has.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

MIDNIGHT = datetime(2026, 10, 24, tzinfo=UTC)
END = MIDNIGHT + timedelta(days=1, hours=9, minutes=15)
STEP = timedelta(minutes=5)
MENTIONS = 2_000
PARIS, TOKYO, NEW_YORK, HEAD = "C1", "C2", "C3", "C4"
COUNTRIES = ("FR", "JP", "US")

BURST_BEGAN = MIDNIGHT + timedelta(hours=11, minutes=30)
BURST_ENDED = MIDNIGHT + timedelta(hours=12, minutes=40)
BURST_AUTHORS, COPIES = 60, 100
SLACK_DOWN, SLACK_UP = "10:30", "10:45"
"""The first failure: whatever is sent in between fails or times out, often after Slack has taken it."""
TOKEN_REVOKED, TOKEN_MENDED = "18:00", "18:30"
"""The second failure, mended by a restart."""
CRASH = "15:40"


def moment(written: str) -> datetime:
    """Read `07:15`, a time of Saturday, or `+08:00`, one of Sunday."""
    hours, minutes = written.removeprefix("+").split(":")
    return MIDNIGHT + timedelta(days=written.startswith("+"), hours=int(hours), minutes=int(minutes))


@dataclass(frozen=True)
class Line:
    """One line of an alert's story: who does what when. What people do is done, what the daemon does expected."""

    at: datetime
    actor: str
    verb: str
    arg: str
    recorded_at: datetime

    @property
    def is_done_by_people(self) -> bool:
        return self.actor != "listener"


@dataclass
class Case:
    """One alert, by the post that raises it."""

    label: str
    country: str
    posted: str
    severity: int
    """What the post is read as."""
    story: str
    ends: str
    """State, owner and resolution in the end, `-` for none."""
    shown: dict[str, str]
    """In which channels its card stands, and since when."""
    topic: str = "delivery"
    severity_in_the_end: int = 0
    shows: str = ""
    """The post on its card: the one of the highest priority. Where empty, the one that raised it."""
    lines: list[Line] = field(init=False)

    def __post_init__(self) -> None:
        self.severity_in_the_end = self.severity_in_the_end or self.severity
        self.lines = [_line(written) for written in self.story.strip().splitlines()]


def _line(written: str) -> Line:
    words = written.split()
    at, actor, verb, rest = words[0], words[1], words[2], words[3:]
    recorded = next((word[1:] for word in rest if word.startswith(">")), at)
    return Line(moment(at), actor, verb, " ".join(word for word in rest if word[0] != ">"), moment(recorded))


CASES = [
    # The night in Europe: Tokyo works, and covers for New York.
    Case("us-cover", "US", "00:12", 2, """
        00:15 listener opened
        00:20 Paul claimed
        00:30 Paul replied private
        00:40 Paul resolved private
        """, "resolved Paul private", {TOKYO: "00:15"}),
    Case("jp-day", "JP", "01:08", 2, """
        01:10 listener opened
        01:20 Paul claimed
        01:25 Paul snoozed 1h
        02:25 listener awake
        02:25 listener escalated everybody of Tokyo
        02:30 Paul replied public
        02:50 Paul resolved public
        """, "resolved Paul public", {TOKYO: "01:10"}),
    Case("fr-fire", "FR", "02:17", 3, """
        02:20 listener opened
        02:20 listener woke
        02:30 listener reminded
        02:35 listener escalated those on call of Paris
        03:05 listener escalated Tokyo
        03:30 Olga claimed
        03:40 Olga replied both
        03:50 Olga resolved solved
        """, "resolved Olga solved", {PARIS: "02:20", TOKYO: "03:05"}, topic="safety"),
    Case("fr-quiet-1", "FR", "03:02", 2, """
        03:05 listener opened
        07:10 Olga claimed
        07:20 Olga resolved no_reply
        """, "resolved Olga no_reply", {PARIS: "07:00"}),
    Case("fr-quiet-2", "FR", "04:31", 2, """
        04:35 listener opened
        07:15 Winner claimed
        07:25 Winner replied public
        07:55 Winner resolved public
        """, "resolved Winner public", {PARIS: "07:00"}),
    Case("fr-quiet-ended", "FR", "04:48", 1, """
        04:50 listener opened
        06:10 Olga resolved no_reply
        """, "resolved - no_reply", {}),
    Case("jp-forgotten", "JP", "05:06", 1, """
        05:10 listener opened
        +00:00 listener repeated
        +00:40 listener reminded
        +05:10 listener escalated everybody of Tokyo
        +05:40 listener escalated Head office
        +07:10 listener escalated everybody of Head office
        """, "open - -", {TOKYO: "05:10", HEAD: "+05:40"}),
    Case("fr-quiet-3", "FR", "05:47", 2, """
        05:50 listener opened
        07:25 Paul dismissed joke
        """, "dismissed - not_complaint", {PARIS: "07:00"}),
    Case("jp-woken", "JP", "06:02", 2, """
        06:05 listener opened
        06:25 Paul snoozed 1h
        07:10 Paul awake
        07:15 listener escalated everybody of Tokyo
        07:20 Paul resolved solved
        """, "resolved - solved", {TOKYO: "06:05"}),
    # The day in Paris.
    Case("fr-author", "FR", "08:03", 2, """
        08:05 listener opened
        08:15 listener joined
        08:15 listener severity 2 3
        08:20 Olga claimed
        08:25 listener reminded
        08:25 Olga replied public
        08:30 Olga released
        08:35 Paul claimed
        08:40 Olga taken_over
        08:50 Olga resolved private
        """, "resolved Olga private", {PARIS: "08:05"}, severity_in_the_end=3, shows="fr-author-again"),
    Case("fr-silenced", "FR", "09:32", 2, """
        09:35 listener opened
        10:10 listener reminded
        10:15 Paul claimed
        10:20 Paul resolved solved
        """, "resolved Paul solved", {PARIS: "10:10"}, topic="price"),
    Case("jp-quiet-1", "JP", "10:02", 2, """
        10:05 listener opened
        +00:10 Paul claimed
        +00:15 Paul resolved solved
        """, "resolved Paul solved", {TOKYO: "+00:00"}),
    # Slack does not answer.
    Case("fr-outage-0", "FR", "09:58", 2, """
        10:00 listener opened
        10:30 listener reminded
        10:50 Olga claimed
        10:55 Olga resolved public
        """, "resolved Olga public", {PARIS: "10:00"}),
    Case("fr-outage-1", "FR", "10:27", 2, """
        10:30 listener opened
        10:50 Paul claimed
        10:55 Paul resolved solved
        """, "resolved Paul solved", {PARIS: "10:30"}),
    Case("fr-outage-2", "FR", "10:31", 2, """
        10:35 listener opened
        10:55 Olga claimed
        11:00 Olga resolved no_reply
        """, "resolved Olga no_reply", {PARIS: "10:35"}),
    Case("jp-night", "JP", "10:37", 3, """
        10:40 listener opened
        10:40 listener woke
        10:50 listener reminded
        10:55 listener escalated everybody of Tokyo
        11:00 Paul claimed
        11:05 Paul replied private
        11:15 Paul resolved solved
        """, "resolved Paul solved", {TOKYO: "10:40"}, topic="safety"),
    # The burst in France.
    Case("burst-early", "FR", "11:33", 2, """
        11:35 listener opened
        12:05 listener reminded
        12:35 listener escalated the group of Paris
        12:50 Paul claimed
        12:55 Paul resolved public
        """, "resolved Paul public", {PARIS: "11:35"}, topic="outage"),
    Case("burst-copied", "FR", "11:46", 2, """
        11:50 listener opened
        12:20 listener reminded
        12:30 Olga claimed
        12:35 Olga replied public
        13:00 Olga resolved public
        """, "resolved Olga public", {PARIS: "11:50"}, topic="outage"),
    Case("burst-mother", "FR", "12:11", 2, """
        12:15 listener opened
        12:20 Paul claimed
        12:25 Paul resolved solved
        """, "resolved Paul solved", {PARIS: "12:15"}, topic="outage"),
    Case("burst-late", "FR", "12:26", 2, """
        12:30 listener opened
        12:40 Olga claimed
        12:45 Olga resolved private
        """, "resolved Olga private", {PARIS: "12:30"}, topic="outage"),
    # The afternoon in Paris, the morning in New York.
    Case("fr-nobody", "FR", "13:12", 2, """
        13:15 listener opened
        13:45 listener reminded
        14:15 listener escalated the group of Paris
        14:45 listener escalated New York
        15:20 Paul claimed
        15:25 Paul replied public
        """, "claimed Paul -", {PARIS: "13:15", NEW_YORK: "14:45"}),
    Case("fr-mistaken", "FR", "13:32", 1, """
        13:35 listener opened
        13:40 Paul resolved no_reply
        13:50 Paul reopened
        13:55 Paul claimed
        14:00 Paul resolved private
        """, "resolved Paul private", {PARIS: "13:35"}),
    *(
        Case(f"us-fold-{number}", "US", f"14:0{number}", 1, """
        14:05 listener opened
        14:40 Paul claimed
        14:50 Paul resolved solved
        """, "resolved Paul solved", {NEW_YORK: "14:05"})
        for number in (1, 2, 3)
    ),
    Case("us-fold-4", "US", "14:06", 1, """
        14:10 listener opened
        18:40 listener reminded
        """, "open - -", {NEW_YORK: "18:40"}),
    Case("us-fold-5", "US", "14:07", 1, """
        14:10 listener opened
        14:25 Olga shown
        14:30 Olga claimed
        14:35 Olga resolved no_reply
        """, "resolved Olga no_reply", {NEW_YORK: "14:25"}),
    Case("us-fold-6", "US", "14:08", 1, """
        14:10 listener opened
        18:40 listener reminded
        """, "open - -", {NEW_YORK: "18:40"}),
    Case("jp-quiet-2", "JP", "14:22", 2, """
        14:25 listener opened
        +00:20 Paul resolved no_reply
        """, "resolved - no_reply", {TOKYO: "+00:00"}),
    Case("fr-by-hand", "FR", "14:32", 2, """
        14:35 listener opened
        14:40 Olga claimed
        14:45 Olga escalated the group of Paris
        14:55 Olga resolved private
        """, "resolved Olga private", {PARIS: "14:35"}),
    Case("fr-tomorrow", "FR", "14:51", 1, """
        14:55 listener opened
        15:05 Olga snoozed opening
        +08:00 listener awake
        +08:20 Paul resolved no_reply
        """, "resolved - no_reply", {PARIS: "14:55"}),
    Case("fr-deleted", "FR", "15:11", 2, """
        15:15 listener opened
        15:25 listener withdrawn
        15:35 Olga resolved no_reply
        """, "resolved - no_reply", {PARIS: "15:15"}),
    # The crash: one press was acknowledged before it, two cards are on their way.
    Case("fr-pressed", "FR", "15:27", 2, """
        15:30 listener opened
        15:35 Olga claimed >15:41
        15:50 Olga resolved solved
        """, "resolved Olga solved", {PARIS: "15:30"}),
    Case("fr-crash", "FR", "15:36", 2, """
        15:40 listener opened
        15:45 Paul claimed
        15:50 Paul resolved solved
        """, "resolved Paul solved", {PARIS: "15:40"}),
    Case("us-crash", "US", "15:38", 2, """
        15:40 listener opened
        15:50 Paul claimed
        15:55 Paul resolved public
        """, "resolved Paul public", {NEW_YORK: "15:45"}),
    # The evening in Europe. Slack refuses the token.
    Case("us-afternoon", "US", "17:12", 2, """
        17:15 listener opened
        17:45 listener reminded
        18:10 Paul claimed
        18:15 listener escalated everybody of New York
        18:35 Paul replied public
        18:50 Paul resolved solved
        """, "resolved Paul solved", {NEW_YORK: "17:15"}),
    Case("us-revoked", "US", "18:03", 2, """
        18:05 listener opened
        18:35 listener reminded
        18:40 Paul claimed
        18:45 Paul resolved private
        """, "resolved Paul private", {NEW_YORK: "18:30"}),
    Case("fr-evening", "FR", "18:08", 3, """
        18:10 listener opened
        18:10 listener woke
        18:20 listener reminded
        18:25 listener escalated those on call of Paris
        18:40 Olga claimed
        18:45 Olga replied both
        18:50 Olga resolved solved
        """, "resolved Olga solved", {PARIS: "18:30"}, topic="safety"),
    # The night in which clocks in France go back: 02:42 is summer time, 02:18 after it is winter time.
    Case("fr-night-1", "FR", "19:11", 2, """
        19:15 listener opened
        +08:10 Olga claimed
        +08:15 Olga resolved solved
        """, "resolved Olga solved", {PARIS: "+08:00"}),
    Case("fr-night-2", "FR", "20:23", 2, """
        20:25 listener opened
        +08:10 Paul claimed
        +08:25 Paul resolved public
        """, "resolved Paul public", {PARIS: "+08:00"}),
    Case("us-quiet-1", "US", "21:31", 2, """
        21:35 listener opened
        +00:20 Paul claimed
        +00:25 Paul resolved private
        """, "resolved Paul private", {TOKYO: "+00:00"}),
    Case("us-quiet-2", "US", "22:47", 2, """
        22:50 listener opened
        +00:30 Paul dismissed question
        """, "dismissed - not_complaint", {TOKYO: "+00:00"}),
    Case("fr-night-3", "FR", "23:41", 2, """
        23:45 listener opened
        +08:20 Olga dismissed advert
        """, "dismissed - not_complaint", {PARIS: "+08:00"}),
    Case("fr-night-4", "FR", "+00:42", 2, """
        +00:45 listener opened
        +08:30 listener reminded
        +08:35 Paul claimed
        +08:40 Paul replied private
        """, "claimed Paul -", {PARIS: "+08:00"}),
    Case("fr-night-5", "FR", "+01:18", 2, """
        +01:20 listener opened
        +08:30 listener reminded
        +09:00 listener escalated the group of Paris
        """, "open - -", {PARIS: "+08:00"}),
]  # fmt: skip
BY_COMMAND_LINE = {"fr-quiet-ended"}
"""Its card is not shown yet: Olga ends it from the command line."""
UNHEARD = {("fr-pressed", "claimed")}
"""Acknowledged, and carried out only after the crash."""
INCIDENT = [Line(moment("12:30"), "Olga", "claimed", "", moment("12:30")),
            Line(moment("12:35"), "Olga", "replied", "public", moment("12:35")),
            Line(moment("15:55"), "Olga", "resolved", "solved", moment("15:55"))]  # fmt: skip
"""What Olga does with the incident."""
SILENCED_AT = moment("09:10")
SILENCE = "silence country=FR topic=price 1h courier strike"
DELETED_AT, DELETED = moment("15:25"), "fr-deleted"


@dataclass(frozen=True)
class Post:
    """One mention to come."""

    label: str
    at: datetime
    country: str
    text: str
    author: str
    outcome: str
    """What is to be decided on it."""


_SYLLABLES = "ka lo mi ter san vel dor pin ruf gal hem bis con tur wex yol jad fro nim sul qua zet".split()


class Words:
    """Invented words, so that no two texts are near copies of each other."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def some(self, count: int = 9) -> str:
        return " ".join(
            "".join(self.random.choice(_SYLLABLES) for _ in range(self.random.randint(2, 3))) for _ in range(count)
        )


def posts() -> list[Post]:
    """Return all 2,000 mentions of the day, in order."""
    words = Words(20261024)
    found = [*_of_cases(words)]
    copied = next(post.text for post in found if post.label == "burst-copied")
    found += _of_the_burst(words, copied)
    found += _grumbles(words)
    found += _harmless(words, MENTIONS - len(found))
    return sorted(found, key=lambda post: post.at)


def _of_cases(words: Words) -> Iterator[Post]:
    for case in CASES:
        text = f"acme severity-{case.severity} topic-{case.topic} {words.some()}"
        yield Post(case.label, moment(case.posted), case.country, text, f"author-{case.label}", "raised")
    again = f"acme severity-3 topic-delivery {words.some()}"
    yield Post("fr-author-again", moment("08:13"), "FR", again, "author-fr-author", "joined")


def _of_the_burst(words: Words, copied: str) -> Iterator[Post]:
    span = (BURST_ENDED - BURST_BEGAN) / BURST_AUTHORS
    for number in range(BURST_AUTHORS):
        text = f"acme grumble topic-outage panne {words.some()}"
        yield Post(f"burst-{number}", BURST_BEGAN + number * span, "FR", text, f"crowd-{number}", "quiet")
    start, span = moment("11:52"), (moment("12:28") - moment("11:52")) / COPIES
    for number in range(COPIES):
        yield Post(f"copy-{number}", start + number * span, "FR", copied, f"parrot-{number}", "joined")


def _grumbles(words: Words) -> Iterator[Post]:
    """Complaints that nobody needs to be told of: they make the usual level."""
    for country, every in (("FR", 30), ("JP", 60), ("US", 60)):
        at, number = MIDNIGHT + timedelta(minutes=7), 0
        while at < END - STEP:
            topic = ("delivery", "billing", "quality", "staff")[number % 4]
            yield Post(f"grumble-{country}-{number}", at, country, f"acme grumble topic-{topic} {words.some()}",
                       f"grumbler-{country}-{number}", "quiet")  # fmt: skip
            number += 1
            at += timedelta(minutes=every * words.random.uniform(0.5, 1.5))


def _harmless(words: Words, count: int) -> Iterator[Post]:
    seconds = int((END - STEP - MIDNIGHT).total_seconds())
    for number in range(count):
        at = MIDNIGHT + timedelta(seconds=words.random.randrange(seconds))
        country = words.random.choice(COUNTRIES)
        yield Post(f"talk-{number}", at, country, f"acme {words.some()}", f"talker-{number % 900}", "quiet")
