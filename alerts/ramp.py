"""Which alerts of a country in mode pilot are in earnest already: the ramp of a launch."""

import hashlib
from datetime import datetime

from alerts.calendars import Calendar, kept_holidays
from listener.config import Country
from listener.model import Mention

_WHOLE = 2**64


def in_earnest(code: str, country: Country, key: str, severity: int, at: datetime) -> bool:
    """Tell whether an alert goes to the real receivers: always in mode live, by the ramp in mode pilot.

    `key` names what it was raised for; the choice is by chance, and the same for one key ever after, so that a
    replay chooses as the daemon did, and a greater share adds alerts without taking others away.
    """
    if country.mode != "pilot":
        return country.mode == "live"
    ramp = country.ramp
    if severity not in ramp.severities or place(key) >= ramp.share:
        return False
    if ramp.hours is None:
        return True
    return Calendar(ramp.hours, country.timezone, kept_holidays(code, country.holidays)).is_open(at)


def place(key: str) -> float:
    """Return where in [0, 1) a key falls; uniform over keys."""
    return (
        int.from_bytes(hashlib.sha256(f"listener/ramp/{key}".encode("utf-8", "replace")).digest()[:8], "big") / _WHOLE
    )


def ramp_key(mention: Mention) -> str:
    """Return what an alert that this post raises is chosen by."""
    return f"{mention.network}/{mention.external_id}"
