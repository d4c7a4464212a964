"""Changing values in a YAML file that people wrote: the text around them stays as it is, to the character.

libyaml says where everything stands, and the new text is put in its place. Printing a parsed tree anew, as round-trip
loaders do, would wrap long lines and move comments that nobody touched.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from listener.config.document import Loc, dotted, parse_yaml
from listener.config.splicing import Outline, outline_of, spliced, with_item, with_key, without_entry
from listener.config.writing import writable
from listener.errors import ConfigError, Problem


class _Remove:
    def __repr__(self) -> str:
        return "REMOVE"

    def __copy__(self) -> "_Remove":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Remove":
        return self


REMOVE: Final = _Remove()
"""As a value: drop the key or item."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: what stands at `path` becomes `value`; `REMOVE` drops it, an index after the last one appends."""

    path: Loc
    value: Any


def edited(text: str, edits: Sequence[Edit], *, name: str = "config.yaml") -> str:
    """Return `text` with the edits made, in order; comments, order, quoting and line ends stay.

    A value behind an alias is written out where it is edited. An edit that would change what another place repeats
    through an alias is refused.

    Raises:
        ConfigError: the text is no YAML or several documents, a path leads nowhere, or a value cannot be written.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix("\ufeff")
    for edit in edits:
        text = _Editor(text, name).edited(edit)
    return mark + text


class _Editor:
    """One edit, made in as many small changes as keep most of the text; each of them starts from a new outline."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name

    def edited(self, edit: Edit) -> str:
        expected = self._expected(edit)
        before = parse_yaml(self.text, self.name).data
        if not _same(before, expected):
            self._change((), before, expected)
            self._check(edit, expected)
        return self.text

    def _expected(self, edit: Edit) -> Any:
        data = parse_yaml(self.text, self.name).data
        if not edit.path:
            raise self._error((), "the file as a whole is not replaced by an edit")
        if edit.value is REMOVE:
            return self._removed(data, edit.path)
        try:
            value = _plain(edit.value)
        except ValueError as error:
            raise self._error(edit.path, str(error)) from None
        return self._put(data, edit.path, value, ())

    def _removed(self, data: Any, path: Loc) -> Any:
        parent = data
        for part in path[:-1]:
            if not _has(parent, part):
                return data
            parent = parent[part]
        if _has(parent, path[-1]):
            data = copy.deepcopy(data)  # what an alias repeats is shared, and must not change twice
            parent = data
            for part in path[:-1]:
                parent = parent[part]
            del parent[path[-1]]
        return data

    def _put(self, data: Any, path: Loc, value: Any, above: Loc) -> Any:
        if not path:
            return value
        part, rest = path[0], path[1:]
        here = (*above, part)
        if data is None:
            data = [] if isinstance(part, int) else {}
        if isinstance(data, dict):
            if isinstance(part, bool) or not isinstance(part, str | int):
                raise self._error(here, "a key must be a word")
            return {**data, part: self._put(data.get(part), rest, value, here)}
        if not isinstance(data, list):
            raise self._error(above, f"is {_shown(data)}, so nothing can be set below it; replace it as a whole")
        if not isinstance(part, int) or isinstance(part, bool) or not 0 <= part <= len(data):
            raise self._error(above, f"is a list of {len(data)}, which has no place {part!r}")
        old = data[part] if part < len(data) else None
        return [*data[:part], self._put(old, rest, value, here), *data[part + 1 :]]

    def _change(self, loc: Loc, old: Any, new: Any) -> None:
        """Make the text say `new` where it says `old`, with the smallest changes that do."""
        if _same(old, new):
            return
        if isinstance(old, dict) and isinstance(new, dict) and old and new and not self._is_alias(loc):
            self._change_mapping(loc, old, new)
        elif isinstance(old, list) and isinstance(new, list) and old and new and not self._is_alias(loc):
            self._change_list(loc, old, new)
        elif not loc and isinstance(new, dict):
            for key in new:
                self._apply(loc, with_key, key, new[key])
            for key in old or {}:
                self._apply((key,), without_entry)
        else:
            self._apply(loc, spliced, new)

    def _change_mapping(self, loc: Loc, old: dict[Any, Any], new: dict[Any, Any]) -> None:
        outline = outline_of(self.text)
        for key in old:
            if key not in new:
                self._refuse_shared(outline, (*loc, key), removes=True)
        for key, value in new.items():
            if key in old:
                self._change((*loc, key), old[key], value)
            else:
                self._apply(loc, with_key, key, value, self._place(loc, key))
        for key in old:
            if key not in new:
                self._apply((*loc, key), without_entry)

    def _change_list(self, loc: Loc, old: list[Any], new: list[Any]) -> None:
        start = 0
        while start < min(len(old), len(new)) and _same(old[start], new[start]):
            start += 1
        end = 0
        while end < min(len(old), len(new)) - start and _same(old[-1 - end], new[-1 - end]):
            end += 1
        changed, wanted = old[start : len(old) - end], new[start : len(new) - end]
        both = min(len(changed), len(wanted))
        for index in range(both):
            self._change((*loc, start + index), changed[index], wanted[index])
        for index in range(both, len(wanted)):
            self._apply(loc, with_item, start + index, wanted[index])
        for index in reversed(range(both, len(changed))):
            self._apply((*loc, start + index), without_entry)

    def _place(self, loc: Loc, key: Any) -> int:
        """Return after which entry a new key reads best: where it stands in mappings of the same kind, else last."""
        data = parse_yaml(self.text, self.name).data
        own = list(_at(data, loc))
        for model in _alike(data, loc):
            names = list(model) if isinstance(model, dict) else []
            if key not in names:
                continue
            later = [own.index(name) for name in names[names.index(key) + 1 :] if name in own]
            if later and min(later) > 0:
                return min(later) - 1
            earlier = [own.index(name) for name in names[: names.index(key)] if name in own]
            if earlier:
                return max(earlier)
        return len(own) - 1

    def _is_alias(self, loc: Loc) -> bool:
        return outline_of(self.text).at(loc).kind == "alias"

    def _apply(self, loc: Loc, change: Any, *arguments: Any) -> None:
        outline = outline_of(self.text)
        self._refuse_shared(outline, loc, removes=change in (spliced, without_entry))
        self.text = change(outline, loc, *arguments)

    def _refuse_shared(self, outline: Outline, loc: Loc, *, removes: bool) -> None:
        found = outline.sharing(loc, removes=removes)
        if found is not None:
            anchor, line = found
            raise self._error(
                loc,
                f"is shared: line {line} repeats it as *{anchor}, and would change with it; "
                f"write the values out in one of the two places first",
            )

    def _check(self, edit: Edit, expected: Any) -> None:
        """Refuse a text that does not read as it should, whatever the reason."""
        try:
            found = parse_yaml(self.text, self.name).data
        except ConfigError as error:
            raise self._error(edit.path, f"cannot be edited in place ({error.problems[0].text})") from error
        if not _same(found, expected):
            raise self._error(edit.path, "cannot be edited in place: write it by hand")

    def _error(self, loc: Loc, text: str) -> ConfigError:
        line, column = parse_yaml(self.text, self.name).position(loc)
        return ConfigError([Problem(self.name, line, column, dotted(loc), text)])


def _has(data: Any, part: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(part, int) and 0 <= part < len(data)
    return isinstance(data, dict) and part in data


def _at(data: Any, loc: Loc) -> Any:
    for part in loc:
        if not _has(data, part):
            return None
        data = data[part]
    return data


def _alike(data: Any, loc: Loc) -> list[Any]:
    """Return values that are written like the one at `loc`: its neighbours, and a country's in `defaults`."""
    neighbours = _at(data, loc[:-1]) if loc else None
    found = list(neighbours.values()) if isinstance(neighbours, dict) else []
    if len(loc) > 1 and loc[0] == "countries":
        found = [_at(data, ("countries", other, *loc[2:])) for other in data["countries"]]
        found.append(_at(data, ("defaults", *loc[2:])))
    return found


def _shown(value: Any) -> str:
    return f"{value!r:.40}"


def _plain(value: Any) -> Any:
    """Return a value as the file's reader would give it back."""
    if isinstance(value, Mapping):
        return {_plain_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return writable(value)


def _plain_key(key: Any) -> str | int:
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise ValueError("a key must be a word")
    return key


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
