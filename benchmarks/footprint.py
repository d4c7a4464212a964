"""Start to first answer, peak memory, and the size of the weights."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.bench import Bench, Finding, at_most
from classifiers.heads import WEIGHTS

_PROGRAM = """
import resource, sys
from pathlib import Path
from classifiers.mentions import MentionClassifier
found = MentionClassifier.load(Path(sys.argv[1]), threads=int(sys.argv[2]), backend=sys.argv[3])
found.classify(["My kettle caught fire and nobody answers"])
print("answered", flush=True)
from benchmarks.bench import read_texts
found.classify(list(read_texts(Path(sys.argv[4])))[:512])
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
"""


def footprint(bench: Bench) -> list[Finding]:
    """Start the classifier in processes of its own, the checkpoint being cached."""
    bench.load(bench.backend)  # builds what is missing from the cache
    started = [_start(bench) for _ in range(bench.repeats)]
    shipped = sum(path.stat().st_size for path in WEIGHTS.iterdir()) / 1e6
    return [
        at_most("start to first answer, median", median(seconds for seconds, _ in started), 4, " s"),
        at_most("peak memory over 512 posts", max(memory for _, memory in started) / 1000, 1.2, " GB"),
        at_most("weights in the package", shipped, 25, " MB"),
    ]


def _start(bench: Bench) -> tuple[float, float]:
    """Return the seconds to the first answer and the most memory, MB."""
    arguments = [str(bench.cache), str(bench.threads), bench.backend, str(bench.data)]
    root = Path(__file__).parents[1]
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments], stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        if process.stdout is None or process.stdout.readline() != "answered\n":
            raise SystemExit("the classifier did not start")
        seconds = time.perf_counter() - start
        memory = float(process.stdout.readline())
    return seconds, memory
