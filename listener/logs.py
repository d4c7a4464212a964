"""How the daemon logs: structured lines on standard error, so that standard output is for alerts."""

import logging
import sys

import structlog


def configure_logging(*, verbose: bool = False, quiet: bool = False) -> None:
    """Log readable lines on a terminal and key=value lines elsewhere; `quiet` leaves out all but warnings."""
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # "maximum number of running instances reached" is how a slow poll looks to it, and is no news.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL if not verbose else logging.WARNING)
    colors = sys.stderr.isatty()
    renderer = (
        # Plain, because a traceback that shows local variables shows tokens and people's posts.
        structlog.dev.ConsoleRenderer(colors=True, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback)
        if colors
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if colors else "iso", utc=not colors),
            structlog.processors.format_exc_info if not colors else _keep,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _keep(logger: object, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event
