"""How long one question takes from cold, as a whole process, beside LangChain's plain chain.

    pip install -c constraints.txt -e '.[bench]'
    python evals/bench/cold_ask.py [ROUNDS]

Both are made ready on the sample articles first; then they run in turn, so that a machine that
slows down slows both. Quote the median of the ratios.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
ARTICLES = ROOT / "evals" / "articles" / "articles.jsonl"
QUESTION = "How many people died in the Tordis disaster?"


def main() -> None:
    """Time both in turn, and print the medians and the ratio."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    gazette = [str(Path(sys.executable).with_name("gazette"))]
    peer = [sys.executable, str(ROOT / "evals" / "bench" / "langchain_ask.py")]
    with TemporaryDirectory() as folder:
        archive, store = f"{folder}/archive", f"{folder}/store"
        _seconds([*gazette, "ingest", str(ARTICLES), "--archive", archive])
        _seconds([*peer, store, "--make", str(ARTICLES)])
        ours, theirs = [], []
        for number in range(rounds + 1):
            ours.append(_seconds([*gazette, "ask", QUESTION, "--archive", archive]))
            theirs.append(_seconds([*peer, store, QUESTION]))
            print(f"{number}: gazette {ours[-1]:.2f} s, LangChain {theirs[-1]:.2f} s")
    ratios = [a / b for a, b in zip(ours[1:], theirs[1:], strict=True)]  # the first one warms up
    print(
        f"median: gazette {statistics.median(ours[1:]):.2f} s, "
        f"LangChain {statistics.median(theirs[1:]):.2f} s, "
        f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    )


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
