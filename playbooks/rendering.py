"""Reply templates compiled and rendered in a sandbox that knows placeholders and conditions and nothing else.

The syntax tree is checked against an allow-list before anything is compiled; the sandbox is the second wall.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from listener.errors import Problem, TemplateError
from listener.sentences import Sentence, sentence

REPLY_PLACEHOLDERS = ("greeting", "quoted", "handoff", "signature", "name", "product", "place", "brand")
PRIVATE_PLACEHOLDERS = ("product", "place", "brand")
OPTIONAL_PLACEHOLDERS = frozenset({"name", "product", "place", "quoted", "contact", "hours"})
"""Those that may be empty: a template names them only inside an `if`."""
MAX_TEMPLATE_CHARACTERS = 2000
MAX_OUTPUT_CHARACTERS = 10_000
_MOST_TAGS = 60
_LONGEST_TAG = 120
_TAG = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
_UNSEEN = re.compile(r"\{#|\{%[-+]?\s*raw\b")
_FILTERS = ("capitalize", "trim")
_NODES = (nodes.Output, nodes.TemplateData, nodes.Name, nodes.If, nodes.Not, nodes.And, nodes.Or, nodes.Filter)
_CONDITIONS = (nodes.Not, nodes.And, nodes.Or)
_ALLOWED = sentence(
    "only {placeholder} and {condition} are allowed",
    placeholder="{{ placeholder }}",
    condition="{% if placeholder %} … {% else %} … {% endif %}",
)
_TOO_DEEP = sentence("is not a valid template: nested too deeply; {allowed}", allowed=_ALLOWED)


class _Sandbox(ImmutableSandboxedEnvironment):
    """No arithmetic, no attribute, no call: `"a" * 10**9` and its kind cannot run."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> NoReturn:
        """Refuse arithmetic."""
        raise SecurityError("arithmetic is not allowed")

    def call_unop(self, context: Context, operator: str, arg: Any) -> NoReturn:
        """Refuse arithmetic."""
        raise SecurityError("arithmetic is not allowed")

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse every attribute."""
        return False

    def is_safe_callable(self, obj: Any) -> bool:
        """Refuse every call."""
        return False


def sandbox() -> jinja2.Environment:
    """Return a fresh environment with the few filters allowed and no test or global.

    Autoescape is off: each receiver escapes for its own markup.
    """
    environment = _Sandbox(undefined=jinja2.StrictUndefined, autoescape=False, cache_size=0)
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.tests = {}
    environment.globals = {}
    return environment


_ENVIRONMENT = sandbox()


class CompiledTemplate:
    """A checked template, ready to render. `names` are the placeholders it uses."""

    def __init__(self, source: str, placeholders: tuple[str, ...] = REPLY_PLACEHOLDERS) -> None:
        """Check and compile `source`.

        Raises:
            TemplateError: it holds anything but known placeholders and conditions, or is too long.
        """
        tree = _checked(source, placeholders)
        self.names = frozenset(node.name for node in tree.find_all(nodes.Name))
        code = _ENVIRONMENT.compile(tree)
        self._template = jinja2.Template.from_code(_ENVIRONMENT, code, {})

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text with `values` put in; they are data and never compiled.

        Raises:
            TemplateError: a placeholder has no value, or the text is longer than any network takes.
        """
        text = ""
        try:
            for piece in self._template.generate(**values):
                text += piece
                if len(text) > MAX_OUTPUT_CHARACTERS:
                    raise _template_error([f"the text exceeds {MAX_OUTPUT_CHARACTERS} characters"])
        except jinja2.TemplateError as error:
            raise _template_error([f"cannot be rendered: {error}"]) from error
        return text


@lru_cache(maxsize=8192)
def check_source(source: str, placeholders: tuple[str, ...] = REPLY_PLACEHOLDERS) -> None:
    """Check a template without compiling it, which costs more than most templates of a library are ever used for.

    Raises:
        TemplateError: see CompiledTemplate.
    """
    _checked(source, placeholders)


@lru_cache(maxsize=8192)
def compiled(source: str, placeholders: tuple[str, ...] = REPLY_PLACEHOLDERS) -> CompiledTemplate:
    """Return the template for `source`, compiled once.

    Raises:
        TemplateError: see CompiledTemplate.
    """
    return CompiledTemplate(source, placeholders)


def fill(source: str, **values: str) -> str:
    """Return a phrase with its values put in; their names are the placeholders it may use."""
    return compiled(source, tuple(values)).render(values)


def _checked(source: str, placeholders: tuple[str, ...]) -> nodes.Template:
    try:
        return _checked_tree(source, placeholders)
    except RecursionError:
        raise _template_error([_TOO_DEEP]) from None
    except jinja2.TemplateError as error:
        text = sentence("is not a valid template: {error}; {allowed}", error=str(error).rstrip("."), allowed=_ALLOWED)
        raise _template_error([text]) from error


def _checked_tree(source: str, placeholders: tuple[str, ...]) -> nodes.Template:
    if len(source) > MAX_TEMPLATE_CHARACTERS:
        raise _template_error([f"is {len(source)} characters long; at most {MAX_TEMPLATE_CHARACTERS} are allowed"])
    # The compiler would go as deep as tags and conditions are nested.
    if source.count("{%") > _MOST_TAGS or any(len(tag) > _LONGEST_TAG for tag in _TAG.findall(source)):
        raise _template_error([_TOO_DEEP])
    if found := _UNSEEN.search(source):  # what it holds would stand outside all checks
        raise _template_error([sentence("holds '{found}'; {allowed}", found=found[0], allowed=_ALLOWED)])
    tree = _ENVIRONMENT.parse(source)
    if problems := _tree_problems(tree, placeholders):
        raise _template_error(problems)
    return tree


def _template_error(texts: Sequence[str]) -> TemplateError:
    return TemplateError([Problem("", 1, 1, "", text) for text in texts])


def _tree_problems(tree: nodes.Template, placeholders: tuple[str, ...]) -> list[Sentence]:
    found = list(tree.find_all(nodes.Node))
    foreign = dict.fromkeys(type(node).__name__ for node in found if not isinstance(node, _NODES))
    if foreign:
        return [sentence("uses {names}; {allowed}", names=", ".join(foreign), allowed=_ALLOWED)]
    if any(True for output in tree.find_all(nodes.Output) for _ in output.find_all(_CONDITIONS)):
        return [sentence("uses and, or, not outside a condition; {allowed}", allowed=_ALLOWED)]
    problems = [problem for node in found for problem in _name_problems(node, placeholders)]
    if placeholders != ("name",):  # a greeting with a name is used where there is one
        problems += [
            sentence(
                "'{name}' may be empty; use it inside {condition}",
                name=name,
                condition=f"{{% if {name} %}} … {{% endif %}}",
            )
            for name in _unguarded(tree, frozenset())
        ]
    return list(dict.fromkeys(problems))


def _name_problems(node: nodes.Node, placeholders: tuple[str, ...]) -> Iterator[Sentence]:
    if isinstance(node, nodes.Name) and node.name not in placeholders:
        known = ", ".join(placeholders)
        yield (
            sentence("unknown placeholder '{name}'; allowed: {known}", name=node.name, known=known)
            if known
            else sentence("unknown placeholder '{name}'; allowed: none", name=node.name)
        )
    elif isinstance(node, nodes.Filter) and (node.name not in _FILTERS or node.args or node.kwargs):
        known = ", ".join(_FILTERS)
        yield sentence(
            "filter '{name}' is not allowed so; allowed without arguments: {known}", name=node.name, known=known
        )
    elif isinstance(node, nodes.Filter) and node.name == "capitalize" and _names_greeting(node):
        yield sentence("'greeting' must not be capitalized: the name in it would be written small; remove the filter")


def _names_greeting(node: nodes.Filter) -> bool:
    return any(name.name == "greeting" for name in node.find_all(nodes.Name))


def _unguarded(node: nodes.Node, sure: frozenset[str]) -> Iterator[str]:
    if isinstance(node, nodes.If):
        for child in node.body:
            yield from _unguarded(child, sure | _asserted(node.test))
        for child in (*node.elif_, *node.else_):
            yield from _unguarded(child, sure | _denied(node.test))
    elif isinstance(node, nodes.Name):
        if node.name in OPTIONAL_PLACEHOLDERS - sure:
            yield node.name
    else:
        for child in node.iter_child_nodes():
            yield from _unguarded(child, sure)


def _asserted(test: nodes.Node) -> frozenset[str]:
    """Names that are not empty where `test` holds."""
    if isinstance(test, nodes.Name):
        return frozenset({test.name})
    return _asserted(test.left) | _asserted(test.right) if isinstance(test, nodes.And) else frozenset()


def _denied(test: nodes.Node) -> frozenset[str]:
    """Names that are not empty where `test` does not hold."""
    return _asserted(test.node) if isinstance(test, nodes.Not) else frozenset()
