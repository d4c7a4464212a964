"""`listener help` and `listener completion`."""

import difflib
from typing import Annotated, Any

import typer

from listener.terminal import end_with_the_pipe, usage_error


def help_(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="[COMMAND]…", help="Such as: config rollback.")] = None,
) -> None:
    """Show the help of a command, as its --help does; without a command, the list of all."""
    end_with_the_pipe()
    place: Any = context.parent or context
    for word in words or ():
        known = getattr(place.command, "commands", {})
        if word not in known:
            close = difflib.get_close_matches(word, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "`listener help` lists them"
            raise usage_error(f"there is no command {' '.join(words or ())}; {hint}")
        place = known[word].make_context(word, [], parent=place, resilient_parsing=True)
    typer.echo(place.get_help())


def completion(
    shell: Annotated[str, typer.Argument(help="bash, zsh or fish.")],
) -> None:
    """Print the script that lets a shell complete commands, options, countries, brands, receivers and alerts.

    Names come from config.yaml in the working directory, or the file after --config; open alerts from its database,
    which is only read.
    """
    from listener.completion import script, shells

    if shell not in shells():
        raise usage_error(f"there is no script for {shell}; shells: {', '.join(shells())}")
    typer.echo(script(shell), nl=False)
