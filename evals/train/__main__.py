"""Train the reader's adapter on SQuAD and PolNeAR, or measure one on the held articles.

    python -m evals.train dev-v2.0.json train-half.jsonl.gz --out rag/adapter/reader.safetensors

Data: half of SQuAD 2.0's development set (CC BY-SA 4.0), without the articles of `examples.HELD`;
questions made from half of PolNeAR (`news.py`), without one article in `news.HELD_EVERY`; and
questions written about it (`written.py`). The same command goes on from a checkpoint that stands
beside the adapter; `--measure` only measures.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from evals.train.adapter import DEVICE, load_adapter
from evals.train.curve import draw
from evals.train.examples import parted, squad_examples
from evals.train.measuring import measure
from evals.train.news import attributed, read_reports
from evals.train.training import Plan, train
from evals.train.written import written_examples
from rag.reader_model import merged


def main() -> None:
    """Train, draw the curve, then measure the written file as it will be read."""
    parser = argparse.ArgumentParser(prog="python -m evals.train", description=__doc__)
    parser.add_argument("squad", type=Path)
    parser.add_argument("news", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="where the processor has it")
    parser.add_argument("--measure", action="store_true", help="only measure what --out names")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not given.measure:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        plan = Plan(given.squad, given.news, given.out, given.epochs, given.seed, given.bf16)
        train(plan)
        given.out.with_suffix(".svg").write_text(draw(plan.curve), encoding="utf-8")
    reader = merged(load_adapter(given.out), "sdpa").to(DEVICE)
    kept, held = read_reports(given.news)
    print(f"SQuAD: {measure(reader, parted(squad_examples(given.squad))[1])}")
    print(f"PolNeAR, who said it: {measure(reader, attributed(held))}")
    print(f"Written for it: {measure(reader, written_examples(kept, held=True))}")


if __name__ == "__main__":
    main()
