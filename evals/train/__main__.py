"""Train the reader's adapter on SQuAD, or measure one on the held articles.

    python -m evals.train ../shared/data/squad/dev-v2.0.json --out rag/adapter/reader.safetensors

Data: the SQuAD 2.0 development half (CC BY-SA 4.0), without the articles of `examples.HELD`. The
same command goes on from a checkpoint that stands beside the adapter; `--measure` only measures.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from evals.train.adapter import load_adapter
from evals.train.examples import parted, squad_examples
from evals.train.measuring import measure
from evals.train.training import Plan, train
from rag.reader_model import merged


def main() -> None:
    """Train, then measure the written file as it will be read."""
    parser = argparse.ArgumentParser(prog="python -m evals.train", description=__doc__)
    parser.add_argument("squad", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="where the processor has it")
    parser.add_argument("--measure", action="store_true", help="only measure what --out names")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not given.measure:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        train(Plan(given.squad, given.out, given.epochs, given.seed, given.bf16))
    _, held = parted(squad_examples(given.squad))
    print(f"{given.out}: {measure(merged(load_adapter(given.out), 'sdpa'), held)}")


if __name__ == "__main__":
    main()
