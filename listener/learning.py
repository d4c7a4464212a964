"""Learning from the team: gathers what people said, learns, says what came of it, installs it or not."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.app import Progress, load_shipped
from listener.config import Config
from listener.errors import LabelledFileError, ModelUnavailableError, StoreError
from listener.model import TOPICS, Sentiment, Urgency
from listener.store import Store

if TYPE_CHECKING:
    from classifiers.held_out import HeldOut
    from classifiers.judging import Change
    from classifiers.learned import Kept
    from classifiers.learning import Evidence, Learned, TaskResult
    from classifiers.lessons import Said
    from classifiers.mentions import MentionClassifier
    from classifiers.training.measures import Interval

_MOST_PROBLEMS = 10
_SENTIMENTS = tuple(str(one) for one in Sentiment)
_ALLOWED: Mapping[str, str] = {
    "complaint": "true or false",
    "urgency": "0, 1, 2 or 3",
    "topic": "one of " + ", ".join(TOPICS),
    "sentiment": "one of " + ", ".join(_SENTIMENTS),
}
_TEXTS = ("text", "language", "country")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `learn` did, for people and for scripts."""

    lines: tuple[str, ...]
    installed: str | None


class Lessons:
    """Learns on one installation."""

    def __init__(self, config: Config, progress: Progress | None = None, *, held_out: "HeldOut | None" = None) -> None:
        """Prepare to learn; `held_out` takes the place of the shipped evaluation set."""
        from classifiers.heads import load_heads
        from classifiers.held_out import load_held_out
        from classifiers.learned import LearnedFolder

        self._config = config
        self._progress = progress
        folder = heads_folder(config)
        self._heads = load_heads(folder)
        self._held_out = held_out or load_held_out(self._heads, folder)
        self.folder = LearnedFolder(Path(config.model.cache))

    def run(self, store: Store, file: Path | None, now: datetime, *, dry_run: bool = False) -> Outcome:
        """Learn from the corrections of the store and of a file; install what came of it if it is no worse.

        Raises:
            ListenerError: the file has a bad line, or the model cannot be used; nothing was changed then.
        """
        from classifiers.learning import FEWEST, learn

        evidence, sources = self._evidence(store, file)
        if not evidence.corrected.any():
            return Outcome(("nobody has corrected anything yet: see `listener correct --help`",), None)
        told = int(evidence.corrected.sum())
        if told < FEWEST:
            few = f"nothing is installed: {counted(told, 'different text')} corrected, {FEWEST} are needed"
            return Outcome((few, sources, *self._stays()), None)
        found = learn(self._heads, self._held_out, evidence, self._progress)
        self._say("weighing what was learned", 1.0)
        lines = [sources, *self._elsewhere(), "", *report(found)]
        if found.delta is None:
            return Outcome((*lines, "", f"nothing is installed: {found.reason}", *self._stays()), None)
        if self.folder.digest_in_force() == found.delta.digest:
            return Outcome((*lines, "", "this is the model in force already", *self._stays()), None)
        if dry_run:
            return Outcome((*lines, "", "a dry run: nothing is installed"), None)
        self._say("installing", 1.0)  # whoever asked to stop gets nothing installed
        name = self.folder.install(found.delta, _metadata(found, evidence), self._heads.version, now)
        return Outcome((*lines, "", *_installed(f"{self._heads.version}/{name}")), name)

    def _evidence(self, store: Store, file: Path | None) -> tuple["Evidence", str]:
        from classifiers.lessons import RESOLVED_WEIGHT, Said, Stood, evidence_of

        said = [
            Said(one.text, one.complaint, one.urgency, one.topic, one.sentiment)
            for one in store.corrections.effective()
        ]
        stood = [Stood(one.text, one.resolved) for one in store.corrections.standing()]
        given = read_corrections(file) if file else []
        classifier = load_shipped(self._config, self._progress) if said or given else None
        evidence = evidence_of(
            [*said, *given],
            self._hidden([one.text for one in (*said, *given)], classifier),
            stood,
            self._hidden([one.text for one in stood], classifier),
            self._heads,
        )
        n = int(evidence.corrected.sum())
        standing = len(evidence) - n
        parts = f"{counted(len(said), 'post')} corrected by people" + (f", {len(given)} in {file}" if file else "")
        resolved = int((evidence.weights["complaint"][~evidence.corrected] == RESOLVED_WEIGHT).sum())
        beside = (
            f"beside them {counted(standing, 'alert')} that nobody corrected: {resolved} resolved by people, right in"
            f" full, and {standing - resolved} sent in those weeks, looked at or not, right at three quarters"
        )
        return evidence, f"{parts}: {counted(n, 'different text')}; {beside}"

    def _hidden(self, texts: Sequence[str], classifier: "MentionClassifier | None") -> Any:
        import numpy as np

        width = self._held_out.hidden.shape[1]
        if classifier is None or not texts:
            return np.zeros((0, width), dtype=np.float32)
        self._say("reading what was said", 0.0)
        return self._heads.hidden(classifier.embed(texts))

    def _say(self, what: str, share: float) -> None:
        """Report progress; ends the work where somebody asked to stop."""
        if self._progress:
            self._progress(what, share)

    def _elsewhere(self) -> list[str]:
        outputs = sorted(set().union(*(one.outputs for one in self._config.model.classifiers)))
        return (
            [f"another checkpoint gives {', '.join(outputs)}: what is learned of it has no effect"] if outputs else []
        )

    def _stays(self) -> list[str]:
        name = self.folder.in_force()
        return [f"{name or 'the shipped model'} stays in force"]


def heads_folder(config: Config) -> Path:
    """Return the folder of the heads that learning starts from: those that ship, or those that are configured."""
    from classifiers.heads import WEIGHTS

    return Path(config.model.heads or WEIGHTS)


def back(config: Config) -> list[str]:
    """Go back to what was in force before; return what to say."""
    from classifiers.learned import LearnedFolder

    given_up, now = LearnedFolder(Path(config.model.cache)).back()
    return [f"{given_up} is no longer in force", f"in force: {now or 'the shipped model'}", _RESTART]


def listed(config: Config) -> list[str]:
    """Return every learned version as lines, the latest first, and the shipped model."""
    from classifiers.heads import load_heads
    from classifiers.learned import LearnedFolder

    heads, folder = load_heads(heads_folder(config)), LearnedFolder(Path(config.model.cache))
    shipped, kept = heads.version, folder.kept()
    used = next((one.name for one in kept if one.in_force and one.base == shipped), shipped)
    last = "* in force"
    try:
        folder.heads(heads)
    except ModelUnavailableError as error:
        used, last = "", f"nothing can start: {error}"
    lines = [f"{'*' if one.name == used else ' '} {one.name}  {_kept_line(one, shipped)}" for one in kept]
    return [*lines, f"{'*' if used == shipped else ' '} {shipped}  as shipped", last]


def _kept_line(one: "Kept", shipped: str) -> str:
    if one.problem:
        return one.problem
    other = "" if one.base == shipped else " (not used: other weights ship now; learn again)"
    return f"{one.made_at:%Y-%m-%d %H:%M} UTC, {counted(one.corrections, 'text')} corrected, on {one.base}{other}"


def counted(number: int, what: str) -> str:
    """Return a number of things in words, as `1 post` or `2 posts`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def read_corrections(path: Path) -> list["Said"]:
    """Return the corrections of a JSON Lines file.

    Raises:
        LabelledFileError: the file cannot be read, or lines of it say nothing or no label; all are named.
    """
    from classifiers.lessons import Said

    found = []
    problems: list[str] = []
    for where, row in read_lines(path, problems):
        wrong = list(_problems(row, strict=True))
        if not wrong and all(row.get(name) is None for name in _ALLOWED):
            wrong = ["says nothing: give at least one of " + ", ".join(_ALLOWED)]
        problems += [f"{where}: {text}" for text in wrong]
        if not wrong:
            complaint = None if row.get("complaint") is None else bool(row["complaint"])
            found.append(Said(row["text"], complaint, row.get("urgency"), row.get("topic"), row.get("sentiment")))
    raise_problems(problems)
    return found


def read_lines(path: Path, problems: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a JSON Lines file with file:line; lines that hold none go to `problems`.

    Raises:
        LabelledFileError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                where = f"{path}:{number}"
                try:
                    row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
                except UnicodeDecodeError as error:
                    problems.append(f"{where}: byte {error.start + 1} is not UTF-8; save the file as UTF-8")
                    continue
                except (ValueError, RecursionError) as error:
                    problems.append(f"{where}: not JSON ({error})")
                    continue
                if isinstance(row, dict):
                    yield where, row
                else:
                    problems.append(f'{where}: expected an object such as {{"text": "…", "complaint": false}}')
    except OSError as error:
        raise LabelledFileError(f"cannot read {path}: {error.strerror}") from error


def label_problems(row: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the labels of one line; keys that say nothing here are passed over."""
    return list(_problems(row, strict=False))


def _problems(row: Mapping[str, Any], *, strict: bool) -> Iterator[str]:
    unknown = [key for key in row if key not in _ALLOWED and key not in _TEXTS]
    if strict and unknown:
        yield f"unknown {', '.join(map(repr, unknown[:3]))}; allowed: {', '.join((*_TEXTS, *_ALLOWED))}"
    if not isinstance(row.get("text"), str) or not row["text"].strip():
        yield "'text' is missing or empty"
    for name, allowed in _ALLOWED.items():
        value = row.get(name)
        if value is not None and not _is_label(name, value):
            yield f"{name} cannot be {json.dumps(value)[:60]}; allowed: {allowed}"
    for name in ("language", "country"):
        if row.get(name) is not None and not isinstance(row[name], str):
            yield f"{name} must be text"


def _is_label(name: str, value: Any) -> bool:
    if name == "complaint":
        return isinstance(value, bool) or (isinstance(value, int) and value in (0, 1))
    if name == "urgency":
        return isinstance(value, int) and not isinstance(value, bool) and value in list(Urgency)
    return isinstance(value, str) and value in (TOPICS if name == "topic" else _SENTIMENTS)


def raise_problems(problems: Sequence[str]) -> None:
    """Raise what is wrong with a file's lines, the first few in full; nothing where nothing is."""
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        rest = [f"and {counted(more, 'more line')} like these"] if more > 0 else []
        raise LabelledFileError("\n".join([*problems[:_MOST_PROBLEMS], *rest, "nothing was taken of this file"]))


def report(found: "Learned") -> Iterator[str]:
    """Yield before and after on both sets as lines."""
    yield "Corrections that the model had not seen (cross-validated, 95 % intervals)"
    yield f"  {'':<10} {'texts':>5} {'standing':>8} {'loss':>15}  {'less by':<22} {'right':>11} {'still right':>13}"
    yield from map(_task_line, found.tasks)
    yield ""
    yield "Shipped evaluation set (posts held out, each scored without itself; 95 % intervals)"
    yield f"  {'':<42} {'posts':>5} {'shipped':>8} {'learned':>8}  change"
    yield from map(_change_line, found.shipped)
    for text in found.gentler:
        yield f"a stronger change was given up: {text}"


def _task_line(one: "TaskResult") -> str:
    if not one.corrected:
        return f"  {one.task:<10} {0:>5}  nobody corrected it"
    loss = f"{one.loss_before:.3f} → {one.loss_after:.3f}"
    right, kept = (
        f"{before:.0%} → {after:.0%}"
        for before, after in ((one.right_before, one.right_after), (one.kept_before, one.kept_after))
    )
    counts = f"{one.corrected:>5} {one.standing:>8}"
    return f"  {one.task:<10} {counts} {loss:>15}  {_bracketed(one.gain):<22} {right:>11} {kept:>13}  {one.because}"


def _change_line(one: "Change") -> str:
    name = one.figure if one.kind == "all" else f"{one.kind}: {one.figure}"
    return f"  {name:<42} {one.n:>5} {one.before.value:>8.3f} {one.after.value:>8.3f}  {_bracketed(one.gain)}"


def _bracketed(interval: "Interval") -> str:
    return f"{interval.value:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


_RESTART = "a listener that runs takes it at its next start"


def _installed(version: str) -> list[str]:
    return [f"installed: {version}", _RESTART, "go back with: listener learn --back"]


def _metadata(found: "Learned", evidence: "Evidence") -> dict[str, Any]:
    return {
        "corrections": int(evidence.corrected.sum()),
        "standing": int((~evidence.corrected).sum()),
        "tasks": [
            {
                "task": one.task,
                "width": one.width,
                "share": one.share,
                "corrected": one.corrected,
                "loss_before": one.loss_before,
                "loss_after": one.loss_after,
            }
            for one in found.tasks
        ],
        "shipped": [
            {"kind": one.kind, "figure": one.figure, "before": one.before.value, "after": one.after.value}
            for one in found.shipped
        ],
    }


def correct(
    store: Store,
    reference: str,
    brand: str | None,
    said: Mapping[str, Any],
    actor: str,
    now: datetime,
    *,
    origin: str = "cli",
) -> str:
    """Store what somebody says of a post and return what to say.

    Args:
        store: where it goes.
        reference: an alert's reference, as A-12, or a post, as x:1790000000.
        brand: of the post, where it was found for several.
        said: the fields of `Corrections.add`.
        actor: who says it.
        now: when.
        origin: where they say it.

    Raises:
        StoreError: there is no such alert or post, or nothing is said.
    """
    kind, _, number = reference.partition("-")
    network, colon, external_id = reference.partition(":")
    if kind.upper() == "A" and number.isdecimal() and len(number) < 19:
        target = store.corrections.target(int(number))
    elif colon and network and external_id:
        target = store.corrections.target_of_post(network.lower(), external_id, brand)
    else:
        raise StoreError(f"'{reference}' names no post; write an alert as A-12, or a post as x:1790000000")
    if target is None:
        of = f" of {brand}" if brand else ""
        raise StoreError(f"there is no {reference} among the classified posts{of}; `listener alerts --all` has alerts")
    store.corrections.add(target, actor=actor, origin=origin, now=now, **said)
    was = target.said
    return (
        f"noted for {target.network}:{target.external_id}, where {target.model} said complaint {was['complaint']:.2f},"
        f" urgency {was['urgency']}, topic {was['topic']}; `listener learn` learns from it"
    )
