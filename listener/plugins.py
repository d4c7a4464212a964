"""The plugins of one configuration: their options classes, what is on, what is off and what to do about it."""

from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, field
from pathlib import Path

from alerts.escaping import one_line
from alerts.receivers.base import Receiver
from alerts.receivers.registry import receiver_specs
from alerts.routing import receivers_in_earnest
from classifiers.backends import AUTO, choose
from listener.clock import Clock
from listener.config import Config, PluginOptions, Secret, Strict
from listener.errors import MissingSecretError
from listener.sentences import Listing
from playbooks.loading import LIBRARY_FOLDER
from sources.base import Source
from sources.file import FileWatchOptions
from sources.files import unread_above
from sources.registry import source_specs

_MOST_UNREAD = 5
SLACK_APP = "slack app"
"""Name of the Slack app among what is off."""


def plugin_options() -> PluginOptions:
    """Return the options classes of all plugins, for reading a configuration."""
    return PluginOptions(
        sources={name: (spec.options, spec.watch_options) for name, spec in source_specs().items()},
        receivers={kind: spec.options for kind, spec in receiver_specs().items()},
        playbooks={path.parent.name for path in LIBRARY_FOLDER.glob("*/playbook.yaml")},
        locales={path.stem for path in LIBRARY_FOLDER.glob("_phrases/*.yaml")},
    )


@dataclass(slots=True)
class Plugins:
    """Sources and receivers that are on, and for those that are off, what to do about it."""

    sources: dict[str, Source] = field(default_factory=dict)
    receivers: dict[str, Receiver] = field(default_factory=dict)
    off: dict[str, str] = field(default_factory=dict)

    def close(self) -> None:
        """Release all connections."""
        for source in self.sources.values():
            source.close()
        for receiver in self.receivers.values():
            receiver.close()


def open_plugins(config: Config, clock: Clock) -> Plugins:
    """Make every source that a watch needs and every receiver; a missing secret turns one off, not all."""
    plugins = Plugins()
    source_kinds, receiver_kinds = source_specs(), receiver_specs()
    for name in dict.fromkeys(watch.source for watch in config.watches):
        try:
            plugins.sources[name] = source_kinds[name].create(config.sources[name], clock)
        except MissingSecretError as error:
            plugins.off[f"source {name}"] = error.hint
    if hint := _missing_of_slack(config):
        plugins.off[SLACK_APP] = hint
    for name, options in config.receivers.items():
        try:
            plugins.receivers[name] = receiver_kinds[options.type].create(name, options)
        except MissingSecretError as error:
            plugins.off[f"receiver {name}"] = error.hint
    return plugins


def status_lines(config: Config, off: Mapping[str, str]) -> list[str]:
    """Return in words what listens, where alerts go, and what is off and why."""
    by_source: dict[str, int] = {}
    for watch in config.watches:
        by_source[watch.source] = by_source.get(watch.source, 0) + 1
    lines = [
        f"{_counted(config.brands, 'brand', 'brands')}, {_counted(config.countries, 'country', 'countries')}, "
        f"{_counted(config.watches, 'watch', 'watches')}: "
        + ", ".join(f"{source} {count}" for source, count in sorted(by_source.items()))
    ]
    lines.append(_model_line(config))
    lines += [f"warning: {warning}" for warning in config.warnings]
    lines += [f"warning: {warning}" for warning in pilot_warnings(config, config.countries)]
    lines += _unread_lines(config)
    lines += [f"{name} is off: {hint}" for name, hint in off.items()]
    if off:
        lines.append("a daemon that runs takes what is set now at its next start")
    if any(name.startswith("receiver ") for name in off):
        on = [name for name in config.receivers if f"receiver {name}" not in off]
        successor = config.fallback_receiver if config.fallback_receiver in on else next(iter(on), None)
        if successor is None:
            lines.append("NO RECEIVER IS ON: alerts are kept and nobody is told; add one of type terminal")
        else:
            lines.append(f"alerts for a receiver that is off go to '{successor}'")
    return lines


def pilot_warnings(config: Config, countries: Iterable[str]) -> list[str]:
    """Say of which pilots the alerts go where they would go in earnest."""
    return [
        f"{code} is a pilot, and its pilot_receiver {name} is where its alerts go in earnest, too; name another one"
        for code in countries
        if config.countries[code].mode == "pilot"
        and (name := config.countries[code].pilot_receiver) in receivers_in_earnest(config, code)
    ]


def _unread_lines(config: Config) -> list[str]:
    """Say which files lie one folder too high to be read."""
    places = sorted({watch.options.path for watch in config.watches if isinstance(watch.options, FileWatchOptions)})
    found = unread_above(places)
    lines = [f"warning: {one_line(str(path))} is read by no watch" for path in found[:_MOST_UNREAD]]
    if lines:
        lines[-1] += f"; put such files into one of {', '.join(places)}"
    return lines


def _counted(things: Sized, one: str, several: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else several}"


def _model_line(config: Config) -> str:
    """Say what runs the model.

    Raises:
        ModelUnavailableError: this machine lacks what the configuration asks for.
    """
    model = config.model
    backend = choose(model.backend, bundled=model.checkpoint is None)
    chosen = "chosen by what this machine has" if model.backend == AUTO else "as configured"
    others = "".join(
        f"; {', '.join(sorted(one.outputs))} from {Path(one.checkpoint).name}" for one in model.classifiers
    )
    return f"model: {model.checkpoint or 'bundled'} on {backend}, {chosen}{others}"


def missing_secrets(config: Config) -> dict[str, str]:
    """Return what is off for want of a secret, without opening anything."""
    off: dict[str, str] = {}
    used = {watch.source for watch in config.watches}
    parts: list[tuple[str, Strict]] = [
        (f"source {name}", options) for name, options in config.sources.items() if name in used
    ]
    parts += [(f"receiver {name}", options) for name, options in config.receivers.items()]
    if hint := _missing_of_slack(config):
        off[SLACK_APP] = hint
    for name, options in parts:
        if hint := _missing(value for value in dict(options).values() if isinstance(value, Secret)):
            off[name] = hint
    return off


def _missing(secrets: Iterable[Secret]) -> str | None:
    """Return what to do to provide all of these that are missing; None where none is."""
    hints = [hint for secret in secrets if (hint := secret.missing)]
    return Listing.of(dict.fromkeys(hints), "; ") if len(hints) > 1 else next(iter(hints), None)


def _missing_of_slack(config: Config) -> str | None:
    """Return what the Slack app is off for want of; None where there is no app, or nothing is missing."""
    settings = config.slack
    if settings is None:
        return None
    needed = settings.signing_secret if settings.mode == "http" else settings.app_token
    return _missing(secret for secret in (settings.token, needed) if secret is not None)
