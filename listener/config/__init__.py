"""Reading what admins write: the configuration file, its secrets, and where each value stands in the file."""

from listener.config.document import Document, read_yaml
from listener.config.loading import PluginOptions, load_config
from listener.config.models import (
    Brand,
    Config,
    Country,
    ReceiverOptions,
    Route,
    SourceOptions,
    Strict,
    Team,
    Thresholds,
    WatchOptions,
)
from listener.config.types import Duration, Hours, Secret

__all__ = [
    "Brand",
    "Config",
    "Country",
    "Document",
    "Duration",
    "Hours",
    "PluginOptions",
    "ReceiverOptions",
    "Route",
    "Secret",
    "SourceOptions",
    "Strict",
    "Team",
    "Thresholds",
    "WatchOptions",
    "load_config",
    "read_yaml",
]
