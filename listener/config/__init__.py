"""Reading what admins write: the configuration file, its secrets, and where each value stands in the file."""

from listener.config.checkpoints import labels_of, read_checkpoint_config
from listener.config.document import Document, read_yaml
from listener.config.loading import PluginOptions, load_config
from listener.config.models import (
    Brand,
    Config,
    Country,
    OtherClassifier,
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
    "OtherClassifier",
    "PluginOptions",
    "ReceiverOptions",
    "Route",
    "Secret",
    "SourceOptions",
    "Strict",
    "Team",
    "Thresholds",
    "WatchOptions",
    "labels_of",
    "load_config",
    "read_checkpoint_config",
    "read_yaml",
]
