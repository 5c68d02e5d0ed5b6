"""How long finding and answering take at 10,000 chunks, beside embedding the question alone.

    python evals/bench/speed.py [ARTICLES QUESTIONS] [--archive FOLDER]

ARTICLES is what `gazette ingest` takes, QUESTIONS a questions file; without them it is the sample
articles and their suite. The archive is filled up to 10,000 chunks with variations: the articles
again, with three words in ten exchanged for others. `--archive` keeps it, or takes one as it is.

All is warm, without a language model, and timed in turn, so that a machine that slows down slows
all alike. A ratio is the time of one question to that of embedding it, each the median of five.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from evals.datasets import Question, load_suite
from ingest import ingest
from ingest.chunking import chunk
from rag import Gazette
from rag.embeddings import load_embedder
from rag.reader import known_of
from rag.types import Article, to_json

SAMPLE = Path(__file__).parents[1] / "articles" / "articles.jsonl"
CHUNKS = 10_000
EXCHANGED = 0.3
"""Of the words: then a variation shares too few runs of four words to count as a copy."""
QUESTIONS, ROUNDS = 60, 5


def main() -> None:
    """Make the archive if there is none, time the questions, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("given", nargs="*", metavar="ARTICLES QUESTIONS")
    parser.add_argument("--archive", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if len(options.given) not in (0, 2):
        parser.error("give both ARTICLES and QUESTIONS, or neither")
    articles, name = options.given or (str(SAMPLE), "sample")
    asked = load_suite(name).questions
    drawn = random.Random(1).sample(asked, min(QUESTIONS, len(asked)))
    with nullcontext(options.archive) if options.archive else TemporaryDirectory() as folder:
        archive = Path(folder)
        if not (archive / "ledger.sqlite").exists():
            _fill(archive, articles)
        _time(archive, drawn)


def _fill(archive: Path, source: str) -> None:
    """Make an archive of articles, and of variations of them until it is large enough."""
    ingest(source, archive)
    with Gazette.open(archive) as gazette:
        articles = list(gazette.articles())
    lacking = CHUNKS - sum(len(chunk(article)) for article in articles)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "variations.jsonl"
        with path.open("w", encoding="utf-8") as lines:
            for number, varied in enumerate(_variations(articles)):
                if lacking <= 0:
                    break
                lacking -= len(chunk(varied))
                url = f"https://variations.example/{number}"
                lines.write(json.dumps(to_json(varied) | {"url": url}) + "\n")
        ingest(path, archive)


def _variations(articles: Sequence[Article]) -> Iterator[Article]:
    """The articles again and again, always with other words exchanged."""
    rng = random.Random(1)
    words = [word for article in articles for word in re.findall(r"\w+", article.text)]

    def varied(text: str) -> str:
        return re.sub(
            r"\w+", lambda m: rng.choice(words) if rng.random() < EXCHANGED else m[0], text
        )

    while True:
        for article in articles:
            yield replace(article, title=varied(article.title), text=varied(article.text))


def _time(archive: Path, questions: Sequence[Question]) -> None:
    with Gazette.open(archive, llm="extractive") as gazette:
        embedder = load_embedder()
        steps: dict[str, Callable[[Question], object]] = {
            "embedding": lambda q: embedder.encode_query(q.question),
            "retrieval": lambda q: gazette.retrieve(q.question, history=q.history),
            "with answer": lambda q: gazette.ask(q.question, q.history),
        }
        for step in steps.values():
            step(questions[0])
        times = {name: np.empty((len(questions), ROUNDS)) for name in steps}
        for i, question in enumerate(questions):
            for number in range(ROUNDS):
                for name, step in steps.items():
                    known_of.cache_clear()  # nothing is read already
                    started = time.perf_counter()
                    step(question)
                    times[name][i, number] = time.perf_counter() - started
    alone = np.median(times["embedding"], axis=1)
    print(f"{len(questions)} questions; median, 90th percentile")
    for name, each in times.items():
        taken = np.median(each, axis=1)
        ms, ratios = np.percentile(taken * 1000, (50, 90)), np.percentile(taken / alone, (50, 90))
        print(f"{name:12} {ms[0]:6.1f} {ms[1]:6.1f} ms   ratio {ratios[0]:5.2f} {ratios[1]:5.2f}")


if __name__ == "__main__":
    main()
