"""What the models' docstrings say of each of their keys, read from their source; nothing is imported for it."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


@cache
def key_words(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring below each key of a model, and of those it comes from; a key without one is left out."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= dict(_documented(one))
    return {name: found[name] for name in model.model_fields if name in found}


def _documented(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    except (OSError, SyntaxError):  # no source beside the program
        return
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    for statement, after in pairwise(body):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            yield statement.target.id, " ".join(after.value.value.split())


def model_words(model: type[BaseModel]) -> str:
    """Return a model's own docstring, in one line."""
    return " ".join((model.__doc__ or "").split())
