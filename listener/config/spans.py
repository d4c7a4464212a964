"""Durations in words, as they are written in the configuration."""

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s"))
_MOST_HOURS_S = 72 * 3600.0


def span_text(seconds: float) -> str:
    """Return seconds as a duration of the configuration: 90 is `90s`, 7200 is `2h`, three days are `3d`."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:g}ms"
    for unit, name in _UNITS:
        is_long_enough = name != "d" or seconds >= _MOST_HOURS_S
        if seconds >= unit and is_long_enough and seconds % unit == 0:
            return f"{seconds / unit:g}{name}"
    return f"{seconds:g}s"
