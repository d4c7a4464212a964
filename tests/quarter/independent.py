"""Every figure of a digest, calculated a second time: with pandas, from the tables, by the words of `digest.model`.

Shares nothing with the way in which digests are made but the tables and the configuration.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu
from scipy.stats import t as student
from sqlalchemy import Table, select

from listener.config import Config
from listener.digest.weeks import Week
from listener.store import schema
from listener.store.engine import open_engine, reading
from listener.store.types import UtcDateTime
from tests.quarter.calendars import Minutes, kept_holidays

LEAST_OF_A_SHARE = 10
LEAST_OF_A_MEDIAN = 5
LEAST_OF_A_PERCENTILE = 10
WEEKS_BEFORE = 4
ONCE_IN = 1 / 20
"""How often noise alone may be called a change."""
PRIOR_SCATTER, PRIOR_FREEDOM = 2.0, 4
WEEKS_THAT_SAY = 2
LEAST_OF_TIMES = 10
LEAST_OF_SHARES = 20
LEAST_COUNTED = 20
_CLAIMS = ("claimed", "taken over")
_CLOSINGS = ("resolved", "dismissed")
_BY_ITSELF = ("over", "withdrawn", "drill")
"""How alerts end without a person's word on them."""

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Count:
    """Something counted."""

    n: float


@dataclass(frozen=True, slots=True)
class Share:
    """A part of something, times a factor."""

    part: int
    of: int
    times: float = 1.0
    squares: int = -1
    """The sum of the squares of what `part` adds up, where those are not 1 and 0."""

    def value(self) -> float | None:
        """Return it, None where it is too few."""
        return self.part / self.of * self.times if self.of >= LEAST_OF_A_SHARE else None


@dataclass(frozen=True, slots=True)
class Spans:
    """Seconds that something took, infinite where it never came; a percentile of them is asked for."""

    seconds: tuple[float, ...]
    quantile: float

    def value(self) -> float | None:
        """Return the percentile by nearest rank, None where it is too few or among those that never came."""
        least = LEAST_OF_A_MEDIAN if self.quantile == 0.5 else LEAST_OF_A_PERCENTILE
        if len(self.seconds) < least:
            return None
        rank = math.ceil(round(self.quantile * len(self.seconds), 9))
        found = sorted(self.seconds)[rank - 1]
        return None if math.isinf(found) else found


Raw = Count | Share | Spans


class Witness:
    """Reads the tables once, and calculates the figures of any week and scope."""

    def __init__(self, store_url: str, config: Config, now: datetime) -> None:
        self._config, self._now, self._url = config, pd.Timestamp(now), store_url
        engine = open_engine(store_url)
        names = ("authors", "mentions", "matches", "classifications", "corrections", "alerts", "alert_events",
                 "coverage_gaps", "skipped_items", "incidents", "embeddings")  # fmt: skip
        with reading(engine) as connection:
            self._tables = {name: _frame(connection, schema.metadata.tables[name]) for name in names}
        engine.dispose()
        self._zones = {code: country.timezone for code, country in config.countries.items()}
        self._known: dict[tuple[Any, ...], dict[str, Raw]] = {}
        self._mentions = self._all_mentions()
        self._events = self._all_events()
        self._alerts = self._all_alerts()
        matched = self._tables["matches"]["matched_at"]
        self._began = matched.min() if len(matched) else self._now

    # The tables side by side

    def _all_mentions(self) -> pd.DataFrame:
        """One row for each brand that a post matched, drills left out, with what is said of it and local clocks."""
        tables = self._tables
        posts = tables["mentions"].rename(columns={"id": "mention_id"}).drop(columns=["country"])
        frame = tables["matches"].rename(columns={"id": "match_id"}).merge(posts, on="mention_id")
        people = tables["authors"][["id", "followers"]].rename(columns={"id": "author_id"})
        frame = frame.merge(people, on="author_id")
        frame = frame.merge(tables["classifications"].drop(columns=["reasons"]), on="mention_id")
        said = tables["corrections"].dropna(subset=["complaint"]).sort_values(["at", "id"])
        said = said.drop_duplicates(["network", "external_id", "brand"], keep="last")
        said = said[["network", "external_id", "brand", "complaint"]].rename(columns={"complaint": "said"})
        frame = frame.merge(said, on=["network", "external_id", "brand"], how="left")
        frame = frame[(frame["network"] != "drill") & frame["country"].isin(list(self._zones))]
        limits = {code: country.thresholds for code, country in self._config.countries.items()}
        least = frame["country"].map({code: one.complaint for code, one in limits.items()})
        highest = frame["urgency_probabilities"].map(lambda one: one[3])
        frame["complains"] = (frame["complaint"] >= least).where(frame["said"].isna(), frame["said"] == True)  # noqa: E712
        frame["is_urgent"] = frame["complains"] & (
            highest >= frame["country"].map({code: one.urgent for code, one in limits.items()})
        )
        return self._by_clocks(frame, "published_at")

    def _by_clocks(self, frame: pd.DataFrame, column: str) -> pd.DataFrame:
        """Add week, weekday and hour of a moment by the clocks of each row's country."""
        parts = []
        for code, some in frame.groupby("country"):
            wall = some[column].dt.tz_convert(self._zones[str(code)])
            calendar = wall.dt.isocalendar()
            week = calendar["year"].astype(str) + "-W" + calendar["week"].astype(str).str.zfill(2)
            parts.append(
                some.assign(week=week, weekday=wall.dt.day_of_week, hour=wall.dt.hour, wall=wall.dt.tz_localize(None))
            )
        empty = frame.assign(week="", weekday=0, hour=0, wall=pd.Timestamp(0))
        return pd.concat(parts) if parts else empty

    def _all_events(self) -> pd.DataFrame:
        events = self._tables["alert_events"]
        about = self._tables["alerts"][["id", "country", "brand", "team", "kind", "drill", "pilot"]]
        about = about.rename(columns={"id": "alert_id", "kind": "alert_kind"})
        events = events.merge(about, on="alert_id")
        events["by_person"] = events["data"].map(lambda data: "origin" in data)
        return self._by_clocks(events, "at")

    def _all_alerts(self) -> pd.DataFrame:
        alerts = self._tables["alerts"]
        by_alert = self._events.groupby("alert_id")
        claims = self._events[self._events["kind"].isin(_CLAIMS)].groupby("alert_id")["at"].min()
        counts = {
            name: self._events[self._events["kind"] == kind].groupby("alert_id").size()
            for name, kind in (("replies", "replied"), ("reopenings", "reopened"), ("snoozes", "snoozed"))
        }
        assert len(by_alert) <= len(alerts)
        alerts["answered_at"] = alerts[["replied_at", "private_at"]].min(axis=1)
        alerts["first_claim_at"] = pd.concat([alerts["id"].map(claims), alerts["answered_at"]], axis=1).min(axis=1)
        for name, found in counts.items():
            alerts[name] = alerts["id"].map(found).fillna(0).astype(int)
        dismissals = self._events[self._events["kind"] == "dismissed"].sort_values("id")
        was = dismissals.assign(was=dismissals["data"].map(lambda data: data["was"])).groupby("alert_id")["was"].last()
        alerts["was"] = alerts["id"].map(was)
        alerts["author_id"] = alerts["match_id"].map(self._mentions.set_index("match_id")["author_id"])
        alerts["came_again"] = _came_again(alerts)
        ended = alerts["resolution"].isin(["not_complaint", "no_reply", "withdrawn"])
        alerts["needs"] = ~ended
        return self._by_clocks(self._with_spans(alerts), "opened_at")

    def _with_spans(self, alerts: pd.DataFrame) -> pd.DataFrame:
        """Add how long each step took, by the clock and in working time; infinite where it never came."""
        if alerts.empty:
            return alerts
        begin, end = alerts["opened_at"].min() - timedelta(days=1), self._now + timedelta(days=1)
        calendars = {
            pair: Minutes(self._config, *pair, begin, end)
            for pair in set(zip(alerts["country"], alerts["team"], strict=True))
        }
        steps = (("claim", "first_claim_at"), ("answer", "answered_at"), ("resolution", "closed_at"))
        for step, column in steps:
            took = (alerts[column] - alerts["opened_at"]).dt.total_seconds()
            alerts[f"{step}_s"] = took.fillna(math.inf)
            alerts[f"{step}_working_s"] = [
                math.inf if pd.isna(row[column])
                else calendars[row["country"], row["team"]].seconds(row["opened_at"], row[column])
                for row in alerts[["country", "team", "opened_at", column]].to_dict("records")
            ]  # fmt: skip
        return alerts

    # One week

    def figures(self, week: str, countries: Sequence[str], brands: Sequence[str], team: str = "") -> Figures:
        """Return every figure of a week by its path in `Digest`, such as "spoken.mentions.value"."""
        found: Figures = {}
        raw = {
            str(Week.parse(week).back(n)): self._raw(str(Week.parse(week).back(n)), countries, brands, team)
            for n in range(WEEKS_BEFORE + 1)
        }
        before = [str(Week.parse(week).back(n)) for n in range(1, WEEKS_BEFORE + 1)]
        heard = [one for one in before if self._was_heard(one, countries)]
        for name, one in raw[week].items():
            found[f"{name}.verdict"] = verdict(one, [raw[w].get(name) for w in heard], name)
            found |= _measure(
                name, one, [raw[w].get(name) for w in heard], raw[before[0]].get(name), before[0] in heard
            )
        found["weeks_before"] = len(heard)
        found |= self._days(week, heard, countries, brands)
        found |= self._hours(week, countries, brands)
        found |= self._desk_counts(week, countries, brands, team)
        found |= self._coverage(week, heard, countries, brands)
        found |= self._errata(week, countries, brands)
        found |= self._irritants(week, countries, brands)
        found |= self._incidents(week, countries, brands)
        found["holidays"] = self._holidays(week, countries)
        return found

    def _was_heard(self, week: str, countries: Iterable[str]) -> bool:
        """Tell whether the daemon was listening by the end of a week's Monday."""
        return any(Week.parse(week).span(self._zones[code])[0] + timedelta(days=1) > self._began for code in countries)

    def _of(self, week: str, countries: Collection[str], brands: Collection[str]) -> pd.DataFrame:
        all_of = self._mentions
        return all_of[
            (all_of["week"] == week) & all_of["country"].isin(list(countries)) & all_of["brand"].isin(list(brands))
        ]

    def _raw(self, week: str, countries: Sequence[str], brands: Sequence[str], team: str) -> dict[str, Raw]:
        known = (week, tuple(countries), tuple(brands), team)
        if known not in self._known:
            self._known[known] = self._calculated(week, countries, brands, team)
        return self._known[known]

    def _calculated(self, week: str, countries: Sequence[str], brands: Sequence[str], team: str) -> dict[str, Raw]:
        frame = self._of(week, countries, brands)
        raw = _nothing("spoken")
        for brand in brands:
            raw |= _nothing(f"spoken.by_brand[{brand}]")
        raw |= _spoken(frame.assign(all=""), "all", "spoken{}")
        for column in ("country", "network", "language", "topic", "brand"):
            raw |= _spoken(frame, column, f"spoken.by_{column}[{{}}]")
        texts, named = frame["text"].str.casefold(), []
        for brand in brands:
            for product in self._config.brands[brand].products:
                some = frame[
                    (frame["brand"] == brand) & texts.map(lambda text, name=product: _names(text, name)).astype(bool)
                ]
                named.append(some.assign(product=product))
        if named:
            raw |= _spoken(pd.concat(named), "product", "spoken.by_product[{}]")
        raw |= self._voice(week, countries, brands)
        raw |= self._desk(week, countries, brands, team)
        return raw

    def _voice(self, week: str, countries: Sequence[str], brands: Sequence[str]) -> dict[str, Raw]:
        competitors = [name for name, brand in self._config.brands.items() if brand.competitor]
        frame = self._of(week, countries, [*brands, *competitors])
        spoken = _spoken(frame, "brand", "{}")
        raw: dict[str, Raw] = {}
        for brand in (*brands, *competitors):
            net = spoken.get(f"{brand}.net_sentiment", Share(0, 0, 100.0, 0))
            raw[f"share_of_voice[{brand}].share"] = Share(int((frame["brand"] == brand).sum()), len(frame))
            raw[f"share_of_voice[{brand}].net_sentiment"] = net
        return raw

    # How well we answered

    def _cases(self, week: str, countries: Collection[str], brands: Collection[str], team: str) -> pd.DataFrame:
        return _of_desk(self._alerts, week, countries, brands, team)

    def _desk(self, week: str, countries: Sequence[str], brands: Sequence[str], team: str) -> dict[str, Raw]:
        cases = self._cases(week, countries, brands, team)
        raw = self._answers("desk", cases)
        needing, closed = cases[cases["needs"]], _closed_by_people(cases)
        answered = needing[needing["answered_at"].notna()]
        solved = cases[cases["resolution"] == "solved"]
        at_once = solved[(solved["replies"] == 1) & (solved["reopenings"] == 0)]
        for step in ("claim", "answer", "resolution"):
            for name, column in (("", f"{step}_s"), ("_working", f"{step}_working_s")):
                spans = tuple(float(one) for one in needing[column])
                raw[f"desk.{step}.median{name}"] = Spans(spans, 0.5)
                raw[f"desk.{step}.p90{name}"] = Spans(spans, 0.9)
        raw |= {
            "desk.alerts": Count(len(cases)),
            "desk.needing": Count(len(needing)),
            "desk.private": Share(int(answered["private_at"].notna().sum()), len(answered)),
            "desk.first_contact": Share(len(at_once), len(solved)),
            "desk.recontacts": Share(int(cases["came_again"].sum()), len(cases)),
            "desk.precision": Share(int((closed["resolution"] != "not_complaint").sum()), len(closed)),
            "desk.snoozed": Count(int((cases["snoozes"] > 0).sum())),
        }
        for name in ("country", "team"):
            for key, some in cases.groupby(name):
                raw |= self._answers(f"desk.by_{name}[{key}]", some)
                spans = tuple(float(one) for one in some[some["needs"]]["answer_s"])
                raw[f"desk.by_{name}[{key}].first_answer"] = Spans(spans, 0.5)
                raw[f"desk.by_{name}[{key}].answered_by_now"] = self._answered_by_now(some)
        return raw

    def _answered_by_now(self, cases: pd.DataFrame) -> Share:
        needing = cases[cases["needs"]]
        is_answered, by = needing["answered_at"].notna(), needing["respond_by"]
        return Share(int(is_answered.sum()), int((is_answered | by.isna() | (by <= self._now)).sum()))

    def _answers(self, name: str, cases: pd.DataFrame) -> dict[str, Raw]:
        needing = cases[cases["needs"]]
        is_answered = needing["answered_at"].notna()
        due = needing[is_answered | (needing["respond_by"] <= self._now)]
        in_time = int((due["answered_at"] <= due["respond_by"]).sum())
        return {
            f"{name}.response_rate": Share(int(is_answered.sum()), len(needing)),
            f"{name}.in_target": Share(in_time, len(due)),
        }

    def _desk_counts(self, week: str, countries: Sequence[str], brands: Sequence[str], team: str) -> Figures:
        cases, found = self._cases(week, countries, brands, team), {}
        ends: Counter[str] = Counter()
        for row in cases.to_dict("records"):
            if row["state"] in ("open", "claimed"):
                ends["open"] += 1
            elif row["state"] == "snoozed":
                ends["snoozed"] += 1
            elif row["state"] == "dismissed":
                ends[f"was:{row['was']}"] += 1
            else:
                ends[row["resolution"]] += 1
        found |= {f"desk.outcomes[{key}].alerts": number for key, number in ends.items()}
        for name in ("country", "team"):
            found |= {f"desk.by_{name}[{key}].alerts": len(some) for key, some in cases.groupby(name)}
        acts = _of_desk(self._events.assign(alert=self._events["kind"], kind=self._events["alert_kind"]),
                        week, countries, brands, team)  # fmt: skip
        acts = acts[acts["by_person"]]
        for person, some in acts.groupby("actor"):
            name = f"desk.load[{person}]"
            found[f"{name}.claimed"] = int(some["alert"].isin(_CLAIMS).sum())
            found[f"{name}.answered"] = int((some["alert"] == "replied").sum())
            found[f"{name}.closed"] = int(some["alert"].isin(_CLOSINGS).sum())
        found["desk.hours"] = _grid(acts)
        return found

    # When

    def _days(self, week: str, heard: Sequence[str], countries: Sequence[str], brands: Sequence[str]) -> Figures:
        found: Figures = {}
        now = self._of(week, countries, brands)
        past = [self._of(one, countries, brands) for one in heard]
        for day in range(7):
            name, today = f"spoken.days[{day}]", now[now["weekday"] == day]
            usual = [one[one["weekday"] == day] for one in past]
            found[f"{name}.mentions"] = len(today)
            found[f"{name}.complaints"] = int(today["complains"].sum())
            found[f"{name}.usual_mentions"] = float(np.mean([len(one) for one in usual])) if usual else None
            complaints = [int(one["complains"].sum()) for one in usual]
            found[f"{name}.usual_complaints"] = float(np.mean(complaints)) if usual else None
        return found

    def _hours(self, week: str, countries: Sequence[str], brands: Sequence[str]) -> Figures:
        frame = self._of(week, countries, brands)
        return {"spoken.hours": _grid(frame[frame["complains"]])}

    def _holidays(self, week: str, countries: Sequence[str]) -> list[tuple[str, str, str]]:
        monday = Week.parse(week).monday
        days = {(monday + timedelta(days=n)).isoformat() for n in range(7)}
        kept = {code: kept_holidays(self._config, code) for code in countries}
        return sorted((code, day, kept[code][day]) for code in countries for day in kept[code] if day in days)

    # What was not seen

    def _coverage(self, week: str, heard: Sequence[str], countries: Sequence[str], brands: Sequence[str]) -> Figures:
        watches = [one for one in self._config.watches if one.country in countries and one.brand in brands]
        gaps, found = self._tables["coverage_gaps"], {}
        unseen_s = total_s = missed = 0.0
        for watch in watches:
            begin, end = (pd.Timestamp(one) for one in Week.parse(week).span(self._zones[watch.country]))
            total_s += (end - begin).total_seconds()
            own = gaps[gaps["watch_id"] == watch.id]
            spans = _union((max(row.start_at, begin), min(row.end_at, end)) for row in own.itertuples())
            seconds = sum((until - since).total_seconds() for since, until in spans)
            if not seconds:
                continue
            unseen_s += seconds
            found[f"coverage.unseen[{watch.id}].seconds"] = seconds
            lost = self._usual(watch.id, spans, week, heard, self._zones[watch.country])
            found[f"coverage.unseen[{watch.id}].missed"] = lost
            missed += lost or 0.0
        found["coverage.watches"] = len(watches)
        found["coverage.seen_share.value"] = 1 - unseen_s / total_s if total_s else None
        found["coverage.missed"] = missed if heard or not unseen_s else None
        skipped = self._tables["skipped_items"]
        since = min((Week.parse(week).span(self._zones[code])[0] for code in countries), default=datetime.now(UTC))
        ids = [one.id for one in watches]
        wanted = (skipped["broken"] == True) & (skipped["last_at"] >= since) & skipped["watch_id"].isin(ids)  # noqa: E712
        found["coverage.skipped"] = int(skipped[wanted]["count"].sum())
        return found

    def _usual(
        self, watch: str, spans: Iterable[tuple[pd.Timestamp, pd.Timestamp]], week: str, heard: Sequence[str], zone: str
    ) -> float | None:
        """Return what a watch brought in the same hours, on the wall, of the weeks before: the mean."""
        own = self._mentions[self._mentions["watch_id"] == watch]
        gaps = self._tables["coverage_gaps"]
        away = [
            tuple(moment.tz_convert(zone).tz_localize(None) for moment in (row.start_at, row.end_at))
            for row in gaps[gaps["watch_id"] == watch].itertuples()
        ]
        counts = []
        for one in heard:
            back = Week.parse(week).monday - Week.parse(one).monday
            n, saw = 0, True
            for since, until in spans:
                wall = [moment.tz_convert(zone).tz_localize(None) - back for moment in (since, until)]
                saw &= not any(begin < wall[1] and end > wall[0] for begin, end in away)
                here = own["published_at"].dt.tz_convert(zone).dt.tz_localize(None)
                n += int(((here >= wall[0]) & (here < wall[1])).sum())
            counts += [n] if saw else []
        return float(np.mean(counts)) if counts else None

    def _errata(self, week: str, countries: Sequence[str], brands: Sequence[str]) -> Figures:
        last = str(Week.parse(week).back())
        frame = self._of(last, countries, brands)
        ends = {code: pd.Timestamp(Week.parse(last).span(zone)[1]) for code, zone in self._zones.items()}
        after = frame["collected_at"] >= frame["country"].map(ends)
        return {"errata.week": last, "errata.late": int(after.sum()), "errata.now": len(frame)}

    def late(self, week: str, countries: Sequence[str], brands: Sequence[str], made_at: datetime) -> int:
        """Return how many mentions of a week were collected after its digest was made."""
        return int((self._of(week, countries, brands)["collected_at"] > made_at).sum())

    def deleted(self) -> set[int]:
        """Return the posts that were deleted since."""
        posts = self._tables["mentions"]
        return set(posts[posts["fate"] == "deleted"]["id"])

    # Causes and bursts

    def _irritants(self, week: str, countries: Sequence[str], brands: Sequence[str]) -> Figures:
        """Return what the groups amount to that were stored when digests were made."""
        grouped = self._grouped()
        frame = self._of(week, countries, brands)
        frame = frame[frame["complains"]]
        here = frame.merge(grouped, on="match_id")
        compared = frame["mention_id"].isin(set(self._tables["embeddings"]["mention_id"]))
        found: Figures = {
            "causes.complaints": len(frame),
            "causes.without_embedding": int((~compared).sum()),
            "causes.alone": len(frame) - len(here) - int((~compared).sum()),
        }
        before = {
            str(Week.parse(week).back(n)): self._of(str(Week.parse(week).back(n)), countries, brands).merge(
                grouped, on="match_id"
            )
            for n in range(1, WEEKS_BEFORE + 1)
        }
        last = before[str(Week.parse(week).back())].groupby("irritant_id").size()
        for number, some in here.groupby("irritant_id"):
            brand = some["brand"].iloc[0]
            values = {
                "mentions": len(some),
                "authors": some["author_id"].nunique(),
                "urgent": int(some["is_urgent"].sum()),
                "share": len(some) / int((frame["brand"] == brand).sum()),
                "last": int(last.get(number, 0)),
                "countries": dict(Counter(some["country"])),
                "languages": dict(Counter(some["language"])),
            }
            found |= {f"causes.irritants[{number}].{what}": value for what, value in values.items()}
        for number in set(last.index) - set(here["irritant_id"]):
            nothing = {"mentions": 0, "authors": 0, "urgent": 0, "share": 0.0, "last": int(last[number])}
            found |= {f"causes.irritants[{number}].{what}": value for what, value in nothing.items()}
        return found

    def causes_of_irritants(self, cause_of: Mapping[int, str]) -> dict[int, str]:
        """Return the cause that most posts of each irritant were made from."""
        posts = self._grouped().merge(self._tables["matches"], left_on="match_id", right_on="id")
        causes = posts.assign(cause=posts["mention_id"].map(dict(cause_of))).dropna(subset=["cause"])
        return {int(number): some["cause"].mode().iloc[0] for number, some in causes.groupby("irritant_id")}

    def _grouped(self) -> pd.DataFrame:
        engine = open_engine(self._url)
        with reading(engine) as connection:
            frame = _frame(connection, schema.irritant_matches)
        engine.dispose()
        return frame[["match_id", "irritant_id"]].astype(int)

    def _incidents(self, week: str, countries: Sequence[str], brands: Sequence[str]) -> Figures:
        rows = self._tables["incidents"]
        rows = rows[~rows["drill"] & rows["country"].isin(list(countries)) & rows["brand"].isin(list(brands))]
        found: Figures = {}
        if rows.empty:
            return found
        rows = self._by_clocks(rows, "began_at")
        alerts = self._alerts.set_index("id")
        for row in rows[rows["week"] == week].to_dict("records"):
            alert, card = alerts.loc[row["alert_id"]], json.loads(row["facts"])
            name = f"incidents[I-{row['alert_id']}]"
            values = {
                "mentions": card["mentions"],
                "authors": card["authors"],
                "topic": row["topic"],
                "country": row["country"],
                "brand": row["brand"],
                "severity": int(alert["severity"]),
                "outcome": "open" if pd.isna(alert["resolution"]) else alert["resolution"],
                "claimed_after_s": _finite(alert["claim_s"]),
                "answered_after_s": _finite(alert["answer_s"]),
                "closed_after_s": _finite(alert["resolution_s"]),
                "peak": max(point["count"] for point in card["curve"]),
            }
            found |= {f"{name}.{what}": value for what, value in values.items()}
        return found


def _measure(name: str, one: Raw, before: Sequence[Raw | None], last: Raw | None, last_heard: bool) -> Figures:
    """Return a figure with the week before and with the four weeks before."""
    found: Figures = {}
    if isinstance(one, Count):
        past = [0.0 if raw is None else raw.n for raw in before if raw is None or isinstance(raw, Count)]
        found["value"] = one.n
        found["last"] = (last.n if isinstance(last, Count) else 0.0) if last_heard else None
        found["mean"] = float(np.mean(past)) if past else None
    elif isinstance(one, Share):
        shares = [raw for raw in before if isinstance(raw, Share)]
        pooled = Share(sum(raw.part for raw in shares), sum(raw.of for raw in shares), one.times)
        found |= {"value": one.value(), "of": one.of, "mean": pooled.value()}
        found |= {"part": one.part} if one.times == 1.0 else {}
        found["last"] = last.value() if isinstance(last, Share) and last_heard else None
    else:
        spans = [raw for raw in before if isinstance(raw, Spans)]
        pooled_spans = Spans(tuple(s for raw in spans for s in raw.seconds), one.quantile)
        found |= {"value": one.value(), "of": len(one.seconds), "mean": pooled_spans.value()}
        found["last"] = last.value() if isinstance(last, Spans) and last_heard else None
    return {f"{name}.{key}": value for key, value in found.items()}


def verdict(one: Raw, before: Sequence[Raw | None], name: str = "") -> str | None:
    """Return what the test of noise in docs/digest.md says; None where that does not tell enough, or of too little."""
    if len(before) < WEEKS_THAT_SAY or name.endswith(".reach"):
        return None
    if isinstance(one, Count):
        return _verdict_of_counts(one.n, [raw.n if isinstance(raw, Count) else 0.0 for raw in before])
    if isinstance(one, Share):
        return _verdict_of_shares(one, [raw for raw in before if isinstance(raw, Share) and raw.of])
    past = [seconds for raw in before if isinstance(raw, Spans) for seconds in raw.seconds]
    if min(len(one.seconds), len(past)) < LEAST_OF_TIMES:
        return None
    test = mannwhitneyu(one.seconds, past, method="asymptotic")
    middle = len(one.seconds) * len(past) / 2
    found = "noise" if test.pvalue > ONCE_IN else "up" if test.statistic > middle else "down"
    now, earlier = one.value(), replace(one, seconds=tuple(past)).value()
    if found != "noise" and now is not None and earlier is not None:
        return found if (now > earlier) == (found == "up") and now != earlier else "noise"
    return found


def _verdict_of_counts(n: float, before: Sequence[float]) -> str | None:
    mean = float(np.mean(before))
    if n + sum(before) < LEAST_COUNTED:
        return None
    freedom = PRIOR_FREEDOM + len(before) - 1
    scatter = (PRIOR_FREEDOM * PRIOR_SCATTER * mean + sum((one - mean) ** 2 for one in before)) / freedom
    return _said((n - mean) / math.sqrt(max(mean, scatter) * (1 + 1 / len(before))), freedom)


def _verdict_of_shares(one: Share, before: Sequence[Share]) -> str | None:
    past = Share(
        sum(raw.part for raw in before), sum(raw.of for raw in before), 1.0, sum(_squares(raw) for raw in before)
    )
    if min(one.of, past.of) < LEAST_OF_SHARES:
        return None
    both = Share(one.part + past.part, one.of + past.of, 1.0, _squares(one) + past.squares)
    if not _variance(both):
        return "noise"
    usual, mean = _variance(past) or _variance(both), past.part / past.of
    strange = sum(raw.of * (raw.part / raw.of - mean) ** 2 for raw in before) / usual
    freedom = PRIOR_FREEDOM + len(before) - 1
    scatter = max(1.0, (PRIOR_FREEDOM * PRIOR_SCATTER + strange) / freedom)
    error = math.sqrt(scatter * _variance(both) * (1 / one.of + 1 / past.of))
    return _said((one.part / one.of - mean) / error, freedom)


def _squares(share: Share) -> int:
    return share.part if share.squares < 0 else share.squares


def _variance(share: Share) -> float:
    return _squares(share) / share.of - (share.part / share.of) ** 2


def _said(steps: float, freedom: int) -> str:
    limit = float(student.ppf(1 - ONCE_IN / 2, freedom))
    return "up" if steps > limit else "down" if steps < -limit else "noise"


def _frame(connection: Any, table: Table) -> pd.DataFrame:
    rows = connection.execute(select(table)).mappings().all()
    frame = pd.DataFrame([dict(row) for row in rows], columns=list(table.c.keys()))
    for column in table.c:
        if isinstance(column.type, UtcDateTime):
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True)
    return frame


def _spoken(frame: pd.DataFrame, column: str, name: str) -> dict[str, Raw]:
    """Return how each value of a column was spoken of; `name` holds {} where the value goes."""
    if frame.empty:
        return {}
    posts = frame.drop_duplicates([column, "mention_id"])  # a post about two brands was seen once
    people = posts.groupby([column, "author_id"]).agg(views=("views", "sum"), followers=("followers", "max"))
    reach = people.astype(float).max(axis=1).fillna(0.0).groupby(level=0).sum()
    tones = frame["sentiment"].map({"positive": 1, "negative": -1}).fillna(0).astype(int)
    found = frame.assign(tone=tones, loud=tones.abs()).groupby(column).agg(
        mentions=("match_id", "size"), authors=("author_id", "nunique"), complaints=("complains", "sum"),
        urgent=("is_urgent", "sum"), tone=("tone", "sum"), loud=("loud", "sum"),
    )  # fmt: skip
    raw: dict[str, Raw] = {}
    for key, row in found.iterrows():
        here = name.format(key)
        counts = {"mentions": row.mentions, "authors": row.authors, "reach": reach[key],
                  "complaints": row.complaints, "urgent": row.urgent}  # fmt: skip
        raw |= {f"{here}.{what}": Count(float(number)) for what, number in counts.items()}
        raw[f"{here}.complaint_share"] = Share(int(row.complaints), int(row.mentions))
        raw[f"{here}.net_sentiment"] = Share(int(row.tone), int(row.mentions), 100.0, int(row.loud))
    return raw


def _names(text: str, name: str) -> bool:
    """Tell whether a word of a text is a name, with at most three letters of an ending."""
    spaced = "[^\\W\u2e80-\U0010ffff]"  # scripts without spaces end a word anywhere
    name = name.casefold()
    if name[0] >= "\u2e80":
        return name in text
    return re.search(f"(?<!{spaced}){re.escape(name)}(?:(?!\\d){spaced}){{0,3}}(?!{spaced})", text) is not None


def _nothing(name: str) -> dict[str, Raw]:
    """Return how a brand is spoken of that nobody speaks of."""
    counts: dict[str, Raw] = {
        f"{name}.{what}": Count(0) for what in ("mentions", "authors", "reach", "complaints", "urgent")
    }
    return counts | {f"{name}.complaint_share": Share(0, 0), f"{name}.net_sentiment": Share(0, 0, 100.0, 0)}


def _came_again(alerts: pd.DataFrame) -> list[bool]:
    """Tell of each alert whether its author was answered about the brand within the seven days before it was opened."""
    answers: dict[tuple[Any, Any], list[pd.Timestamp]] = {}
    rows = alerts.to_dict("records")
    for row in rows:
        if row["kind"] == "post" and not row["drill"]:
            moments = [row[column] for column in ("replied_at", "private_at") if not pd.isna(row[column])]
            answers.setdefault((row["author_id"], row["brand"]), []).extend(moments)
    week = timedelta(days=7)
    return [
        any(
            row["opened_at"] - week <= at < row["opened_at"] for at in answers.get((row["author_id"], row["brand"]), [])
        )
        for row in rows
    ]


def _of_desk(
    frame: pd.DataFrame, week: str, countries: Collection[str], brands: Collection[str], team: str
) -> pd.DataFrame:
    wanted = (frame["kind"] == "post") & ~frame["drill"].astype(bool) & ~frame["pilot"].astype(bool)
    wanted &= (frame["week"] == week) & frame["country"].isin(list(countries)) & frame["brand"].isin(list(brands))
    return frame[wanted & (frame["team"] == team)] if team else frame[wanted]


def _closed_by_people(cases: pd.DataFrame) -> pd.DataFrame:
    is_closed = cases["closed_at"].notna() & (cases["closed_by"] != "listener")
    return cases[is_closed & ~cases["resolution"].isin(list(_BY_ITSELF))]


def _grid(frame: pd.DataFrame) -> list[list[int]]:
    counts = Counter(zip(frame["weekday"], frame["hour"], strict=True))
    return [[counts[day, hour] for hour in range(24)] for day in range(7)]


def _union(spans: Iterable[tuple[pd.Timestamp, pd.Timestamp]]) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    found: list[tuple[pd.Timestamp, pd.Timestamp]] = []
    for since, until in sorted(span for span in spans if span[0] < span[1]):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return found


def _finite(seconds: float) -> float | None:
    return None if math.isinf(seconds) else float(seconds)
