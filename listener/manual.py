"""What `--help` says besides the options: summaries, examples, environment, exit status, where to read on.

The text of a command stands in its docstring; what goes around it stands in `manual_pages`.
`python -m listener.documents` writes all of it as one document.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

import typer

EXIT_STATUS: Mapping[str, str] = {
    "0": "done",
    "1": "an error or a finding, said on standard error",
    "2": "arguments that do not fit",
    "130": "stopped by Ctrl-C",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What the help of one command has besides its docstring and its options."""

    panel: str
    """Under which heading it is listed."""
    summary: str
    """One line, of at most 60 characters."""
    examples: Sequence[tuple[str, str]]
    """Command lines, each with what it does."""
    exits: Mapping[str, str] = field(default_factory=lambda: EXIT_STATUS)
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    see: Sequence[str] = ()
    """Documents, and other commands."""


def pages() -> Mapping[str, Page]:
    """Return the pages of all commands, by the words that call them; under an empty key that of `listener` itself."""
    from listener.manual_pages import PAGES

    return PAGES


def dress(app: typer.Typer) -> None:
    """Give every command of an app its page; one without is left as it is."""
    app.info.epilog = epilog(pages()[""])
    order = list(pages())
    for listed in (app.registered_commands, app.registered_groups):
        listed.sort(key=lambda info: order.index(name) if (name := _name(info)) in order else len(order))
    for words, info in _infos(app, ()):
        page = pages().get(" ".join(words))
        callback = info.callback
        if inspect.isfunction(callback):
            info.help = unwrapped(inspect.getdoc(callback) or "")
        if page is not None:
            info.short_help, info.epilog, info.rich_help_panel = page.summary, epilog(page), page.panel


def _infos(app: typer.Typer, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield what Typer knows of each command and group, with the words that call it."""
    for command in app.registered_commands:
        yield (*above, _name(command)), command
    for group in app.registered_groups:
        words = (*above, str(group.name))
        yield words, group
        if group.typer_instance is not None:
            yield from _infos(group.typer_instance, words)


def _name(info: Any) -> str:
    return str(info.name or (info.callback.__name__.replace("_", "-") if info.callback else ""))


def unwrapped(text: str) -> str:
    """Return a docstring whose paragraphs are a line each, so that a terminal breaks them where it ends."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def epilog(page: Page) -> str:
    """Return what follows the options: examples and the like, as rich markup."""
    parts = []
    for title, lines in sections(page):
        body = "\n".join(f"  {line}" for line in lines).replace("[", "\\[")  # no markup
        parts.append(f"[bold]{title}[/bold]\n{body}")
    return "\n\n".join(parts)


def sections(page: Page) -> Iterator[tuple[str, list[str]]]:
    """Yield the titles and lines of a page."""
    if page.examples:
        yield "Examples", [line for command, what in page.examples for line in (f"$ {command}", f"    {what}")]
    for title, items in (("Environment", page.environment), ("Files", page.files)):
        if items:
            yield title, [line for name, what in items.items() for line in (name, f"    {what}")]
    if page.exits:
        yield "Exit status", [f"{name:<3}  {what}" for name, what in page.exits.items()]
    if page.see:
        yield "See also", [", ".join(page.see)]


def document(app: typer.Typer) -> str:
    """Return docs/commands.md."""
    command = typer.main.get_command(app)
    root = pages()[""]
    lines = [
        "# Commands",
        "",
        "Made from the program by `python -m listener.documents`; a test holds it against the code.",
        "`listener COMMAND --help` and `listener help COMMAND` say the same in the terminal.",
        "",
        *_overview(command),
        "## Of all commands",
        "",
        *_markdown_sections(root),
    ]
    for words, one in _commands(command, ()):
        lines += _markdown(words, one)
    return "\n".join(lines).rstrip() + "\n"


def _commands(group: Any, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if not command.hidden:
            yield (*above, name), command
            if getattr(command, "commands", None):
                yield from _commands(command, (*above, name))


def _overview(root: Any) -> Iterator[str]:
    panels: dict[str, list[str]] = {}
    for name, command in root.commands.items():
        page = pages().get(name)
        if page is not None and not command.hidden:
            panels.setdefault(page.panel, []).append(f"| [`{name}`](#listener-{name}) | {page.summary} |")
    for panel in PANELS:
        if panel in panels:
            yield from (f"### {panel}", "", "| Command | |", "|---|---|", *panels[panel], "")


def _markdown(words: tuple[str, ...], command: Any) -> Iterator[str]:
    yield from (f"{'#' * (len(words) + 1)} listener {' '.join(words)}", "")
    yield from (unwrapped(inspect.cleandoc(command.help or "")), "")
    context = command.make_context(words[-1], [], resilient_parsing=True)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ("```", f"listener {' '.join(words)} {usage}".rstrip(), "```", "")
    rows = list(_parameters(command))
    if rows:
        yield from ("| | Default | |", "|---|---|---|", *rows, "")
    page = pages().get(" ".join(words))
    if page is not None:
        yield from _markdown_sections(page)


def _parameters(command: Any) -> Iterator[str]:
    for one in command.params:
        if one.name == "help" or getattr(one, "hidden", False):
            continue
        is_option = any(name.startswith("-") for name in (*one.opts, *one.secondary_opts))
        names = [*one.opts, *one.secondary_opts] if is_option else [one.metavar or one.name.upper()]
        shown = ", ".join(f"`{name}`" for name in names if name.strip())
        choices = choices_of(one)
        words = (getattr(one, "help", None) or "").replace("|", "\\|").replace("<", "\\<")
        if choices:
            named = ", ".join(f"`{choice}`" for choice in choices)
            words = f"{words} One of {named}."
        yield f"| {shown} | {_default(one)} | {words.strip()} |"


def choices_of(parameter: Any) -> tuple[str, ...]:
    """Return the values that a parameter takes, where they are few and known."""
    # Typer 0.29 keeps the annotation; versions before it had click's types.
    described = getattr(parameter, "type_descriptor", None)
    if described is None:
        return tuple(str(getattr(one, "value", one)) for one in getattr(parameter.type, "choices", ()))
    return tuple(_literals(described.annotation))


def _literals(annotation: object) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    else:
        for one in get_args(annotation):
            yield from _literals(one)


def _default(parameter: Any) -> str:
    value = parameter.default
    if parameter.required:
        return "**needed**"
    if value is None or value is False or value == "" or value == [] or callable(value) or value == ():
        return ""
    return f"`{'yes' if value is True else value}`"


def _markdown_sections(page: Page) -> Iterator[str]:
    if page.examples:
        yield "```sh"
        for command, what in page.examples:
            yield f"# {what}"
            yield command
        yield from ("```", "")
    for title, items in (("Environment", page.environment), ("Files", page.files)):
        if items:
            yield from (f"{title}: " + "; ".join(f"`{name}` {what}" for name, what in items.items()) + ".", "")
    if page.exits:
        yield from ("Exit status: " + "; ".join(f"`{name}` {what}" for name, what in page.exits.items()) + ".", "")
    if page.see:
        yield from ("See also: " + ", ".join(map(_linked, page.see)) + ".", "")


def _linked(reference: str) -> str:
    if reference.startswith("docs/"):
        name = reference.removeprefix("docs/")
        return f"[{name}]({name})"
    words = reference.removeprefix("listener ")
    return f"[`{reference}`](#listener-{words.replace(' ', '-')})"


PANELS = ("First steps", "Listening", "Alerts and people", "Tuning", "Texts and parts")
