"""Moments as seconds since 1970, in the SQL of each database."""

from typing import Any

from sqlalchemy import BigInteger, Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class WholeSeconds(FunctionElement[int]):
    """Whole seconds from 1970 to a moment, rounded down."""

    type = BigInteger()
    inherit_cache = True


class Seconds(FunctionElement[float]):
    """Seconds from 1970 to a moment with their fraction."""

    type = Float()
    inherit_cache = True


@compiles(WholeSeconds)
def _whole_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(FLOOR(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **options)})) AS BIGINT)"


@compiles(WholeSeconds, "sqlite")
def _whole_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    # SQLite rounds a moment to milliseconds, which would put the last of them into the next second, and day.
    return f"CAST(STRFTIME('%s', SUBSTR({compiler.process(element.clauses, **options)}, 1, 19)) AS INTEGER)"


@compiles(Seconds)
def _seconds_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"EXTRACT(EPOCH FROM {compiler.process(element.clauses, **options)})"


@compiles(Seconds, "sqlite")
def _seconds_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"((JULIANDAY({compiler.process(element.clauses, **options)}) - 2440587.5) * 86400.0)"
