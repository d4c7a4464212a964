"""Makes a digest: reads the week, compares it with those before, and puts together what it says."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from pydantic import TypeAdapter

from alerts.calendars import Calendar, kept_holidays
from listener.config import Config, DigestReader
from listener.digest import counting
from listener.digest.advice import advice
from listener.digest.bursts import incidents
from listener.digest.counting import Columns, Counted, WeekCounts
from listener.digest.coverage import coverage, errata
from listener.digest.desk_figures import DeskScope, desk
from listener.digest.figures import Compared, share_of_voice, spoken
from listener.digest.irritants import Irritants, Namer
from listener.digest.model import Desk, Digest, Errata, Scope
from listener.digest.quoting import Quoting
from listener.digest.voices import voices
from listener.digest.weeks import Week, last_finished
from listener.errors import DigestError
from listener.store import Store

WEEKS_BEFORE = 4
_COUNTS: TypeAdapter[WeekCounts] = TypeAdapter(WeekCounts)


def scope_of(config: Config, name: str, reader: DigestReader) -> Scope:
    """Return what a configured reader may see."""
    return make_scope(
        config, reader=name, countries=reader.countries, brands=reader.brands, team=reader.team or "",
        masked=reader.personal_data == "masked",
    )  # fmt: skip


def make_scope(
    config: Config, *, reader: str = "", countries: Sequence[str] | None = None,
    brands: Sequence[str] | None = None, team: str = "", masked: bool = True,
) -> Scope:  # fmt: skip
    """Return a scope; all countries that are listened to, and all our own brands, unless some are named.

    Raises:
        DigestError: a country, brand or team is none of the configuration's.
    """
    own = tuple(name for name, brand in config.brands.items() if not brand.competitor)
    on = tuple(code for code, country in config.countries.items() if country.mode != "off")
    chosen = tuple(dict.fromkeys(countries)) if countries else on
    for what, names, known in (
        ("country", chosen, tuple(config.countries)),
        ("brand", brands or (), own),
        ("team", (team,) if team else (), tuple(config.teams)),
    ):
        for one in names:
            if one not in known:
                raise DigestError(f"there is no {what} {one!r}; known: {', '.join(known)}")
    return Scope(reader, chosen, tuple(brands) if brands else own, team, masked)


@dataclass(frozen=True, slots=True)
class _Read:
    """A week as it was read, and what was counted of it and of those before."""

    columns: Columns
    weeks: tuple[Week | None, ...]
    """The week and the four before; None for one that was not listened to."""
    counts: Compared[WeekCounts]

    @property
    def listened(self) -> list[Week]:
        """The weeks before that were listened to, the latest first."""
        return [week for week in self.weeks[1:] if week is not None]


class Maker:
    """Makes digests from a store."""

    def __init__(self, config: Config, store: Store, namer: Namer | None = None) -> None:
        self._config = config
        self._store = store
        self._irritants = Irritants(store, config, namer)

    def make(self, week: Week, scope: Scope, now: datetime, *, timezone: str = "UTC") -> Digest:
        """Return the digest of a week as a reader may see it.

        Raises:
            DigestError: the week has not begun, or nothing is listened to.
        """
        if not scope.countries or not scope.brands:
            raise DigestError("there is no country that is listened to, or no brand of our own: see the configuration")
        counted = Counted.of(self._config, scope.countries, scope.brands)
        since, until = counted.span(week)
        if since > now:
            over = last_finished(now, timezone)
            raise DigestError(f"{week} has not begun; name a week that is over, such as {over}")
        complete = until <= now
        read = self._read(counted, week, now)
        self._keep_irritants(read.columns, counted, week, now)
        zones = dict(counted.zones)
        desks = DeskScope(scope.countries, scope.brands, scope.team)
        quoting = Quoting(self._store.digests, self._config, masked=scope.masked)
        causes = self._irritants.told(read.columns, scope.brands, scope.countries, week, read.listened, quoting)
        answers = desk(self._store.digests, self._config, desks, read.weeks, now)
        heard = voices(read.columns, quoting)
        bursts = incidents(self._store.digests, desks, zones, week)
        seen = coverage(self._store.digests, self._config, scope.countries, scope.brands, week, read.listened, now)
        return Digest(
            week=str(week),
            scope=scope,
            timezone=timezone,
            as_of=now,
            complete=complete,
            spans=tuple((code, *week.span(zone)) for code, zone in zones.items()),
            weeks_before=len(read.listened),
            holidays=tuple(self._holidays(scope, week)),
            spoken=spoken(read.counts),
            share_of_voice=share_of_voice(read.counts, self._brands(scope)),
            desk=answers,
            causes=causes,
            voices=heard,
            incidents=bursts,
            coverage=seen,
            errata=self._errata(scope, zones, week.back()),
            advice=advice(causes, answers, heard, bursts, seen),
            pilot=tuple(code for code in scope.countries if self._config.countries[code].mode == "pilot"),
            names=self._names(scope, answers),
        )

    def _read(self, counted: Counted, week: Week, now: datetime) -> _Read:
        columns = counting.read_week(self._store.digests, counted, week)
        counts = counting.tally(columns)
        self._save(counted, week, counts, now)
        earlier = [self._counts(counted, week.back(back), now) for back in range(1, WEEKS_BEFORE + 1)]
        listened = _listened(earlier, [week.back(back) for back in range(1, WEEKS_BEFORE + 1)], self._began_on())
        weeks = (week, *(week.back(back) if on else None for back, on in enumerate(listened, start=1)))
        before = tuple(one if on else None for one, on in zip(earlier, listened, strict=True))
        return _Read(columns, weeks, Compared(counts, before))

    def _began_on(self) -> date | None:
        """Return the day on which the first mention was collected."""
        at = self._store.digests.first_collected_at()
        return None if at is None else at.date()

    def _counts(self, counted: Counted, week: Week, now: datetime) -> WeekCounts:
        """Return what was counted of an earlier week, anew where anything of it has changed since."""
        saved = self._store.digests.saved_counts(str(week), _key(counted))
        since, until = counted.span(week)
        if saved is not None and not self._store.digests.changed_since(since, until, saved.counted_at):
            return _COUNTS.validate_json(saved.counts)
        counts = counting.count_week(self._store.digests, counted, week)
        self._save(counted, week, counts, now)
        return counts

    def _save(self, counted: Counted, week: Week, counts: WeekCounts, now: datetime) -> None:
        if counted.span(week)[1] <= now:
            self._store.digests.save_counts(str(week), _key(counted), _COUNTS.dump_json(counts).decode(), now)

    def _keep_irritants(self, columns: Columns, counted: Counted, week: Week, now: datetime) -> None:
        """Group the complaints of the weeks up to this one that are over in every country and that nobody grouped."""
        every = make_scope(self._config)
        whole = Counted.of(self._config, every.countries, every.brands)
        if not every.countries:
            return
        for back in range(WEEKS_BEFORE, -1, -1):
            one = week.back(back)
            brands = [brand for brand in every.brands if not self._store.causes.is_grouped(str(one), brand)]
            if not brands or whole.span(one)[1] > now:
                continue
            is_here = (
                not back and set(every.countries) == set(counted.countries) and set(every.brands) <= set(counted.own)
            )
            read = columns if is_here else counting.read_week(self._store.digests, whole, one)
            if len(read):  # a week that was not listened to has no irritants, rather than none
                self._irritants.keep(read, brands, one, now)

    def _errata(self, scope: Scope, zones: dict[str, str], week: Week) -> Errata:
        spans = [(code, *week.span(zone)) for code, zone in zones.items()]
        made = self._store.digests.made(scope.reader, str(week)) if scope.reader else None
        said = None if made is None else (made[0], said_mentions(made[1]))
        return errata(self._store.digests, spans, scope.brands, week, said)

    def _brands(self, scope: Scope) -> list[tuple[str, str, bool]]:
        return [
            (key, brand.name, brand.competitor)
            for key, brand in self._config.brands.items()
            if key in scope.brands or brand.competitor
        ]

    def _holidays(self, scope: Scope, week: Week) -> Iterator[tuple[str, str, str]]:
        for code in scope.countries:
            country = self._config.countries[code]
            calendar = Calendar(country.hours, country.timezone, kept_holidays(code, country.holidays))
            for number in range(7):
                day = week.monday + timedelta(days=number)
                if (name := calendar.holiday_on(day)) is not None:
                    yield code, day.isoformat(), name

    def _names(self, scope: Scope, answers: Desk) -> dict[str, str]:
        """Return what is called how of what the digest speaks of."""
        brands = {f"brand:{key}": name for key, name, _ in self._brands(scope)}
        teams = [key for key in (*(row.key for row in answers.by_team), scope.team) if key in self._config.teams]
        return brands | {f"team:{key}": self._config.teams[key].name for key in teams}


def said_mentions(document: str) -> int:
    """Return how many mentions a digest counted, from its JSON."""
    value = json.loads(document)["spoken"]["mentions"]["value"]
    return int(value or 0)


def _listened(earlier: Sequence[WeekCounts], weeks: Sequence[Week], began_on: date | None) -> list[bool]:
    """Tell which earlier weeks were listened to, the latest first.

    Those on whose Monday the daemon ran already; and where a history was read in, all from the first that had a
    mention on its Monday.
    """
    listened, begun = [], False
    for counts, week in zip(reversed(earlier), reversed(weeks), strict=True):
        begun = begun or counts.days[0][0] > 0 or (began_on is not None and began_on <= week.monday)
        listened.append(begun)
    return listened[::-1]


def _key(counted: Counted) -> str:
    """Return what tells apart what was counted by other rules."""
    return hashlib.sha256(json.dumps(asdict(counted), sort_keys=True).encode()).hexdigest()[:40]


def make_digest(
    config: Config, store: Store, week: Week, scope: Scope, now: datetime, *, timezone: str = "UTC",
    namer: Namer | None = None,
) -> Digest:  # fmt: skip
    """Return the digest of a week as a reader may see it.

    Raises:
        DigestError: the week has not begun, or nothing is listened to.
    """
    return Maker(config, store, namer).make(week, scope, now, timezone=timezone)
