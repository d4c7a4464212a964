"""`listener test-source`: whether a source can be heard with the credentials that are configured."""

from typing import Annotated

import typer

from listener.errors import StoreError
from listener.terminal import DEFAULT_CONFIG, ConfigOption, end_with_the_pipe, load_settings, say


def try_source(
    name: Annotated[str, typer.Argument(help="The source: x, vk, wechat or file.", show_default=False)],
    watch: Annotated[
        str | None, typer.Option(help="Try this watch, such as x/FR/yunfan; else the first of the source.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make one small real request with the configured credentials, and say what works and what to do if not.

    It costs nothing or next to nothing, stores nothing and leaves the watch where it stands. X is asked for the watch's
    own query within one second long past, VK for one post; of folders the files are counted and opened. Once in
    ten seconds for each source. Exit status 1 where the source cannot be heard.
    """
    from listener.clock import SystemClock
    from listener.source_trial import allow, lines, try_watch, watches_of
    from listener.store import Store

    end_with_the_pipe()
    settings, clock = load_settings(config), SystemClock()
    chosen = watches_of(settings, name, watch)[0]
    cursor = None
    try:
        store = Store(settings.store.address)
    except StoreError as error:
        say(f"the database cannot be opened, so the limits that this watch has used are not looked at: {error}")
    else:
        try:
            allow(store, name, clock)
            cursor = store.collecting.state(chosen.id).cursor
        finally:
            store.close()
    outcome = try_watch(settings, clock, chosen, cursor)
    typer.echo("\n".join(lines(outcome)))
    if not outcome.works:
        raise typer.Exit(1)
