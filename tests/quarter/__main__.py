"""Write a quarter with real texts: `python -m tests.quarter --data DIR --store sqlite:////tmp/quarter.db`."""

import argparse
import gzip
import json
import time
from pathlib import Path
from typing import Any

from tests.quarter.simulation import write_quarter
from tests.quarter.vectors import embed


def read_texts(path: Path) -> list[dict[str, Any]]:
    """Return the labelled posts of a file, or of the training file in a folder."""
    path = path / "train.jsonl.gz" if path.is_dir() else path
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.quarter", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("examples/authored.jsonl"))
    parser.add_argument("--store", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument(
        "--vectors", action="store_true", help="made from what posts were written about, not by a model"
    )
    arguments = parser.parse_args()
    began = time.monotonic()
    texts = read_texts(arguments.data)
    vectors = embed if arguments.vectors else None
    known = write_quarter(arguments.store, texts, seed=arguments.seed, scale=arguments.scale, embed=vectors)
    mentions, alerts = sum(known.mentions.values()), sum(known.alerts.values())
    print(f"{mentions} mentions, {alerts} alerts in {time.monotonic() - began:.1f} s")
    for week in known.weeks:
        counts = [sum(n for key, n in one.items() if key[0] == week) for one in (known.mentions, known.complaints)]
        print(week, *counts)


if __name__ == "__main__":
    main()
