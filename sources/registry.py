"""The list of sources. A new source adds one line here."""

from collections.abc import Mapping
from importlib import import_module

from sources.base import SourceSpec

_MODULES = {
    "x": "sources.x",
    "vk": "sources.vk",
    "wechat": "sources.wechat",
    "file": "sources.file",
}


def source_specs() -> Mapping[str, SourceSpec]:
    """Return every known source by name, without importing any network client."""
    return {name: import_module(module).SPEC for name, module in _MODULES.items()}
