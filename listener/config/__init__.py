"""Reading what admins write: the configuration file, its secrets, and where each value stands in the file."""

from listener.config.checkpoints import labels_of, read_checkpoint_config
from listener.config.document import Document, read_yaml
from listener.config.loading import PluginOptions, config_texts, load_config
from listener.config.models import (
    Brand,
    Config,
    Country,
    DigestReader,
    Escalation,
    Holidays,
    Matchers,
    OtherClassifier,
    ReceiverOptions,
    Route,
    SlackApp,
    SourceOptions,
    Strict,
    Target,
    Targets,
    Team,
    Thresholds,
    Voice,
    WatchOptions,
)
from listener.config.types import Duration, Hours, Secret

__all__ = [
    "Brand",
    "Config",
    "Country",
    "DigestReader",
    "Document",
    "Duration",
    "Escalation",
    "Holidays",
    "Hours",
    "Matchers",
    "OtherClassifier",
    "PluginOptions",
    "ReceiverOptions",
    "Route",
    "Secret",
    "SlackApp",
    "SourceOptions",
    "Strict",
    "Target",
    "Targets",
    "Team",
    "Thresholds",
    "Voice",
    "WatchOptions",
    "config_texts",
    "labels_of",
    "load_config",
    "read_checkpoint_config",
    "read_yaml",
]
