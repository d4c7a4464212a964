"""`listener console`: the pages for people in a browser, as a process of their own beside a daemon or without one."""

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from listener.terminal import (
    DEFAULT_CONFIG,
    ConfigOption,
    VerboseOption,
    load_or_tell_the_way_back,
    say,
    stop_on_signals,
)

if TYPE_CHECKING:
    from listener.config import Config


def console(config: ConfigOption = DEFAULT_CONFIG, verbose: VerboseOption = False) -> None:
    """Serve the console, the pages for people in a browser, until Ctrl-C; works beside a running daemon.

    It listens at 127.0.0.1:8321, where this machine alone reaches it, unless console.listen says otherwise.
    """
    from listener.logs import configure_logging

    settings = load_or_tell_the_way_back(config)
    configure_logging(verbose=verbose, quiet=True)
    _serve(config, settings, stop_on_signals())
    # A page may still be at work in a thread: whatever it stores is stored whole, so leave it behind.
    sys.stdout.flush()
    os._exit(0)


def _serve(path: Path, config: "Config", stop: threading.Event) -> None:
    from listener.clock import SystemClock
    from listener.console.office import Office
    from listener.console.server import ConsoleServer, attend
    from listener.keeping import Keeper
    from listener.store import Store

    store, clock = Store(config.store.address), SystemClock()
    try:
        office = Office(Keeper(path, store, clock), store, clock)
        server = ConsoleServer(office)
        server.start()
        public = config.console.url if config.console else None
        say(f"the console answers at {public or server.url} and Ctrl-C stops it")
        attend(server, office, stop)
    finally:
        store.close()
    say("stopped; nothing is lost")
