"""The configuration that was in force at a moment, where it was kept; else the one of now, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from listener.config import Config, load_config
from listener.errors import ConfigError
from listener.plugins import plugin_options
from listener.store import Store


@dataclass(frozen=True, slots=True)
class InForce:
    """Settings as they were at a moment."""

    config: Config
    version: int | None = None
    """The number of the kept version; None where none was kept by then."""
    since: datetime | None = None
    """Since when that version was in force."""
    is_readable: bool = True
    """False where a version was kept that this release cannot read: then these are the settings of now."""

    @property
    def is_known(self) -> bool:
        """Whether these are the settings of then, and not those of now for want of them."""
        return self.version is not None and self.is_readable


def in_force(store: Store, config: Config, at: datetime | None) -> InForce:
    """Return what was in force at a moment; the configuration of now where that is not known."""
    version = None if at is None else store.configurations.in_force_at(at)
    if version is None:
        return InForce(config)
    try:
        kept = read_kept(version.files, config)
    except ConfigError:
        return InForce(config, version.id, version.at, is_readable=False)
    return InForce(kept, version.id, version.at)


def read_kept(files: Mapping[str, str], config: Config) -> Config:
    """Return the configuration that kept files describe.

    Raises:
        ConfigError: this release cannot read them.
    """
    name = next((one for one in (config.path.name, "config.yaml") if one in files), next(iter(files), "config.yaml"))
    return load_config(config.path.with_name(name), plugin_options(), files)
