"""What a shell completes: commands, options, and the names that the configuration and the database hold.

The shell hands over the line as it stands; nothing here prints anything but candidates, fails, or takes long.
"""

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from listener.manual import choices_of

VARIABLE = "_LISTENER_COMPLETE"
"""Set by the scripts: the line up to the cursor. Candidates go to standard output, a tab before what each is."""

Candidate = tuple[str, str]
_SCRIPTS = {
    "bash": """\
_listener_completion() {
    local IFS=$'\\n' line="${COMP_LINE:0:COMP_POINT}" word cut place
    word="${line##*[[:space:]]}"
    mapfile -t COMPREPLY < <(_LISTENER_COMPLETE="$line" "${COMP_WORDS[0]}" 2>/dev/null | cut -f1)
    # bash replaces only what follows the last of its own word breaks (: and =)
    cut="${word%"${word##*[:=]}"}"
    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    # bash inserts what it is given as it stands
    for place in "${!COMPREPLY[@]}"; do printf -v "COMPREPLY[place]" %q "${COMPREPLY[place]}"; done
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:] ]]; then compopt -o nospace; fi
}
complete -o default -F _listener_completion listener
""",
    "zsh": """\
#compdef listener
_listener() {
    local -a lines shown
    local line
    lines=("${(@f)$(_LISTENER_COMPLETE="${(j: :)words[1,CURRENT]}" ${words[1]} 2>/dev/null)}")
    for line in $lines; do
        [[ -n $line ]] && shown+=("${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}")
    done
    if (( ${#shown} )); then _describe 'listener' shown; else _files; fi
}
if [[ $funcstack[1] == _listener ]]; then _listener "$@"; else compdef _listener listener; fi
""",
    "fish": """\
function __listener_candidates
    set --local found (_LISTENER_COMPLETE=(commandline -cp) listener 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command listener --no-files --arguments '(__listener_candidates)'
""",
}


def script(shell: str) -> str:
    """Return the script that makes a shell ask."""
    return _SCRIPTS[shell]


def shells() -> tuple[str, ...]:
    """Return the shells that there are scripts for."""
    return tuple(_SCRIPTS)


def answer(command: Any, line: str) -> str:
    """Return the candidates for a line, one each with what it is; none where something is in the way."""
    try:
        found = sorted(set(candidates(command, line)))
    except Exception:  # a shell waits: silence is the only useful answer to a broken file or database
        return ""
    return "".join(f"{value}\t{_one_line(what)}\n" for value, what in found if value.isprintable())


def candidates(command: Any, line: str) -> Iterator[Candidate]:
    """Yield what may stand where the line ends."""
    words, incomplete = _words(line)
    place = _Place(command)
    for word in words[1:]:
        place.take(word)
    option, sign, value = incomplete.partition("=")
    if sign and option.startswith("--"):
        parameter = place.option(option)
        if parameter is not None:
            yield from ((f"{option}={one}", what) for one, what in place.values(parameter, value))
        return
    yield from place.candidates(incomplete)


class _Place:
    """Where in the tree of commands a line stands, and which value it waits for."""

    def __init__(self, command: Any) -> None:
        self.command = self.root = command
        self.words: list[str] = []
        self.waiting: Any = None
        self.given: dict[str, str] = {}
        self.arguments = 0
        self.only_arguments = False

    def take(self, word: str) -> None:
        """Go on by a word that is complete."""
        if self.waiting is not None:
            self._note(self.waiting, word)
            self.waiting = None
        elif word == "--":
            self.only_arguments = True
        elif word.startswith("-") and not self.only_arguments:
            name, sign, value = word.partition("=")
            parameter = self.option(name)
            if parameter is not None and sign:
                self._note(parameter, value)
            elif parameter is not None and not parameter.is_flag:
                self.waiting = parameter
        elif word in getattr(self.command, "commands", {}):
            self.command = self.command.commands[word]
        else:
            self.arguments += 1
            self.words.append(word)

    def _note(self, parameter: Any, value: str) -> None:
        self.given[str(parameter.name)] = value

    def option(self, name: str) -> Any:
        """Return the option of that name, or None."""
        return next((one for one in self.command.params if name in (*one.opts, *one.secondary_opts)), None)

    def candidates(self, incomplete: str) -> Iterator[Candidate]:
        """Yield what may come next."""
        if self.waiting is not None:
            yield from self.values(self.waiting, incomplete)
        elif incomplete.startswith("-") and not self.only_arguments:
            yield from self._options(incomplete)
        elif getattr(self.command, "commands", None) and not self.words:
            for name, command in self.command.commands.items():
                if name.startswith(incomplete) and not command.hidden:
                    yield name, command.get_short_help_str(120)
        else:
            arguments = [one for one in self.command.params if one.param_type_name == "argument"]
            if arguments:
                last = arguments[min(self.arguments, len(arguments) - 1)]
                if self.arguments < len(arguments) or last.nargs != 1:
                    yield from self.values(last, incomplete)

    def _options(self, incomplete: str) -> Iterator[Candidate]:
        for one in self.command.params:
            if one.param_type_name == "option" and not getattr(one, "hidden", False):
                for name in (*one.opts, *one.secondary_opts):
                    if name.startswith(incomplete) and name.strip():
                        yield name, getattr(one, "help", "") or ""

    def _commands_named(self) -> Iterator[Candidate]:
        """Yield the commands below those that were named: what `listener help` is asked for."""
        place = self.root
        for word in self.words:
            place = place.commands[word]
        for name, command in getattr(place, "commands", {}).items():
            yield name, command.get_short_help_str(120)

    def values(self, parameter: Any, incomplete: str) -> Iterator[Candidate]:
        """Yield the values of a parameter that begin so."""
        choices = choices_of(parameter)
        found: Iterable[Candidate]
        if choices:
            found = ((one, "") for one in choices)
        elif self.command.name == "help":
            found = self._commands_named()
        else:
            reader = _reader(str(self.command.name), str(parameter.name))
            config = os.path.expanduser(self.given.get("config", "config.yaml"))
            found = reader(config) if reader is not None else ()
        for value, what in found:
            if value.casefold().startswith(incomplete.casefold()):
                yield value, what


def _words(line: str) -> tuple[list[str], str]:
    """Split a line as a shell does, with the word that is being written apart; an open quotation mark is closed."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        words.append(lexer.token)
    return (words, "") if not words or line[-1:].isspace() else (words[:-1], words[-1])


def _one_line(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:120]


Reader = Callable[[str], Iterable[Candidate]]


def _reader(command: str, parameter: str) -> Reader | None:
    """Return what names the values of a parameter; the command decides where one name has two meanings."""
    return _OF_COMMANDS.get((command, parameter)) or _OF_PARAMETERS.get(parameter)


def _section(name: str) -> Reader:
    def read(config: str) -> Iterator[Candidate]:
        from listener.config.document import read_yaml
        from listener.config.types import is_name

        for key, value in (read_yaml(Path(config)).data.get(name) or {}).items():
            if is_name(str(key)):
                yield str(key), str(value.get("name", "")) if isinstance(value, dict) else ""

    return read


def _countries(config: str) -> Iterator[Candidate]:
    from listener.config.types import COUNTRY_CODES
    from listener.starting.places import country_name

    for code, name in _section("countries")(config):
        if code in COUNTRY_CODES:
            yield code, name or country_name(code)


def _all_countries(config: str) -> Iterator[Candidate]:
    from listener.config.types import COUNTRY_CODES
    from listener.starting.places import country_name

    return ((code, country_name(code)) for code in COUNTRY_CODES)


def _topics(config: str) -> Iterator[Candidate]:
    from listener.model import TOPICS

    return ((topic, "") for topic in TOPICS)


def _networks(config: str) -> Iterator[Candidate]:
    from playbooks.networks import known_networks

    return ((network, "") for network in known_networks())


def _playbooks(config: str) -> Iterator[Candidate]:
    from playbooks.loading import LIBRARY_FOLDER

    return ((path.parent.name, "") for path in LIBRARY_FOLDER.glob("*/playbook.yaml"))


def _words_of(*words: str) -> Reader:
    return lambda config: ((word, "") for word in words)


def _alerts(config: str) -> Sequence[Candidate]:
    """Return the alerts that are open, or none where the database takes long: it may accept and never speak."""
    read: SimpleQueue[Sequence[Candidate]] = SimpleQueue()

    def work() -> None:
        found: list[Candidate] = []
        with suppress(Exception):
            found.extend(_open_alerts(config))
        read.put(found)

    Thread(target=work, daemon=True).start()
    try:
        return read.get(timeout=_PATIENCE_S)
    except Empty:
        return ()


def _open_alerts(config: str) -> Iterator[Candidate]:
    """Yield the alerts that are open; nothing is made or changed for it."""
    from listener.keeping import store_settings
    from listener.pipeline.cards import reference
    from listener.store import Store

    address = store_settings(Path(config)).address
    if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).is_file():
        return
    store = Store(address, read_only=True)
    try:
        for one in store.alerts.live()[:_MOST_ALERTS]:
            yield reference(one), f"{one.country} {one.brand} {one.state}"
    finally:
        store.close()


_MOST_ALERTS = 200
_PATIENCE_S = 2.5
_ACTIONS = (
    "claim",
    "release",
    "take-over",
    "snooze",
    "wake",
    "escalate",
    "replied",
    "resolve",
    "not-a-complaint",
    "playbook",
    "reopen",
    "show",
)
_OF_PARAMETERS: Mapping[str, Reader] = {
    "country": _countries,
    "countries": _countries,
    "brand": _section("brands"),
    "team": _section("teams"),
    "receiver": _section("receivers"),
    "reader": _section("digests"),
    "topic": _topics,
    "network": _networks,
    "sentiment": _words_of("negative", "neutral", "positive"),
    "state": _words_of("waiting", "held", "dead", "dropped", "moved", "sent"),
    "reference": _alerts,
    "post": _alerts,
    "role": _words_of("viewer", "community-manager", "communications-lead", "admin"),
}
_OF_COMMANDS: Mapping[tuple[str, str], Reader] = {
    ("init", "country"): _all_countries,
    ("init", "source"): _words_of("x", "vk", "wechat", "file"),
    ("init", "tell"): _words_of("terminal", "slack", "email"),
    ("test-source", "name"): _section("sources"),
    ("alert", "name"): _alerts,
    ("alert", "action"): _words_of(*_ACTIONS),
    ("history", "name"): _alerts,
    ("digest", "language"): _words_of("en", "fr", "de", "es", "ru", "zh"),
    ("drill", "topic"): _words_of("outage", "delivery"),
    ("completion", "shell"): _words_of(*_SCRIPTS),
    ("playbooks", "folder"): _playbooks,
}


def complete_and_end(command: Any) -> None:
    """Where a shell asks, answer and end the process."""
    line = os.environ.get(VARIABLE)
    if line is not None:
        sys.stdout.write(answer(command, line))
        sys.exit(0)
