"""`python -m benchmarks [NAME …]`: runs the benchmarks named, or all, and prints what was aimed at and reached."""

import argparse
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.agreement import agreement
from benchmarks.bench import EXAMPLES, Bench, Finding, cores
from benchmarks.causes import causes
from benchmarks.footprint import footprint
from benchmarks.machine import matrix_rate, shares
from benchmarks.repeats import no_second_inference
from benchmarks.speed import against_pipeline, latency
from classifiers.backends import AUTO, BACKENDS, processor_flags

BENCHMARKS: Mapping[str, tuple[str, Callable[[Bench], list[Finding]]]] = {
    "start": ("start to first answer, peak memory, weights' size", footprint),
    "repeats": ("copies and repeated texts cost no second inference", no_second_inference),
    "latency": ("one mention alone", latency),
    "shares": ("what tokenising, language, copies and heads cost", shares),
    "matrix": ("the encoder against a plain large product", matrix_rate),
    "pipeline": ("against transformers.pipeline on the same checkpoint", against_pipeline),
    "agreement": ("labels of every backend against float32", agreement),
    "causes": ("complaints grouped by what they are about, against labels and k-means", causes),
}
APART: Mapping[str, str] = {
    "explanation --data …": "how faithful the reasons are, by language; needs labelled data",
    "learning --data …": "what corrections bring, by how many there are; needs labelled data",
    "bursts --data …": "how bursts are found in labelled series, as the Numenta benchmark counts",
    "bursts simulate": "how bursts are found in simulated counts, and how often there is none",
    "bursts country": "the same for all topics of a country together, as the daemon decides",
    "weekly_digest": "a digest over a week of 1,000,000 mentions, on both databases",
    "console": "the console's pages and searches over 1,000,000 posts, on both databases",
    "simulate": "a week of 100,000 mentions under other rules, on both databases",
    "delivery": "nothing lost and nothing twice, over faults and kills",
}
"""Modules of their own, with arguments of their own."""
_TELLING = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16")


def main(arguments: list[str] | None = None) -> None:
    """Run what is asked for."""
    options = _parser().parse_args(arguments)
    if options.list:
        print("\n".join(_listed()))
        return
    bench = Bench(
        options.data,
        options.cache,
        options.backend,
        1 if options.cpu_time else options.threads or cores(),
        options.limit,
        options.repeats,
        time.process_time if options.cpu_time else time.perf_counter,
    )
    print(_heading(bench))
    for name in options.names or BENCHMARKS:
        about, run = BENCHMARKS[name]
        print(f"\n{name}: {about}", flush=True)
        start = time.perf_counter()
        for finding in run(bench):
            print(finding.line(), flush=True)
        print(f"  [{time.perf_counter() - start:.0f} s]")


def _listed() -> Iterator[str]:
    yield from (f"{name:10} {about}" for name, (about, _) in BENCHMARKS.items())
    for name, about in APART.items():
        yield f"python -m benchmarks.{name}: {about}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*BENCHMARKS, []], help=", ".join(BENCHMARKS))
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--data", type=Path, default=EXAMPLES, help="JSON Lines with `text`, or a folder of such")
    parser.add_argument("--cache", type=Path, default=Path("var/model"), help="where the encoder is kept")
    parser.add_argument("--backend", default=AUTO, choices=[AUTO, *BACKENDS])
    parser.add_argument("--threads", type=int, default=None, help="most threads used; the number of cores")
    parser.add_argument("--limit", type=int, default=512, help="most texts")
    parser.add_argument("--repeats", type=int, default=3, help="times each side is run; sides take turns")
    parser.add_argument(
        "--cpu-time", action="store_true", help="count the processor's time on one thread: for a machine that is busy"
    )
    return parser


def _heading(bench: Bench) -> str:
    has = [flag for flag in _TELLING if flag in processor_flags()]
    clock = "processor time" if bench.clock is time.process_time else "wall time"
    return (
        f"{len(bench.texts)} posts of {bench.data}; backend {bench.chosen}; {bench.threads} threads, {clock};"
        f" {platform.machine()} with {', '.join(has) or 'unknown features'}; Python {sys.version.split()[0]}"
    )


if __name__ == "__main__":
    main()
