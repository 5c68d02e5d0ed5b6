"""Fit the confidence of `rag.extractive` and print its coefficients.

    python evals/bench/fit_confidence.py ../shared/data/squad/dev-v2.0.json

Data: the SQuAD 2.0 development half (CC BY-SA 4.0), one paragraph an article, and the sample suite;
every answerable question once more with its own article left out. What is fitted is whether the
extractive answer would be right. Half of the questions is held out.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evals.datasets import load_suite, sample_archive
from evals.metrics import answering_articles, comparable, holds
from ingest import ingest
from rag import Gazette, Passage, Query
from rag.extractive import extract

SAMPLE = 500


Row = tuple[str, tuple[float, ...], bool]
"""Group, signals, whether the extractive answer is right."""


def main() -> None:
    """Collect the signals, fit, and print."""
    random.seed(1)
    rows = [*_squad(Path(sys.argv[1])), *_sample()]
    random.shuffle(rows)
    half = len(rows) // 2
    x, y = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    model = LogisticRegression(C=100).fit(x[:half], y[:half])
    held_out = model.predict_proba(x[half:])[:, 1]
    print(f"{len(rows)} questions, {y.mean():.2f} right; AUC on the held-out half", end=" ")
    brier = np.mean((held_out - y[half:]) ** 2)
    print(f"{roc_auc_score(y[half:], held_out):.3f}, Brier {brier:.3f}")
    for low in (0.1, 0.15, 0.2, 0.25, 0.3):
        print(f"below {low}:", end=" ")
        for group in sorted({row[0] for row in rows}):
            of_group = [row[0] == group for row in rows[half:]]
            print(f"{group} {np.mean(held_out[of_group] < low):.3f}", end="; ")
        print()
    print("BIAS =", round(float(model.intercept_[0]), 2))
    print("WEIGHTS =", tuple(round(float(weight), 2) for weight in model.coef_[0]))


def _squad(path: Path) -> Iterator[Row]:
    articles = json.loads(path.read_text())["data"]
    with TemporaryDirectory() as folder:
        source = Path(folder) / "squad.jsonl"
        with source.open("w") as lines:
            for article in articles:
                for number, paragraph in enumerate(article["paragraphs"]):
                    record = {"title": article["title"], "text": paragraph["context"]}
                    url = f"{article['title']}/{number}"
                    lines.write(json.dumps({**record, "url": url}) + "\n")
        ingest(source, Path(folder) / "archive")
        questions = [
            (article["title"], qa)
            for article in articles
            for paragraph in article["paragraphs"]
            for qa in paragraph["qas"]
        ]
        with Gazette.open(Path(folder) / "archive") as gazette:
            for title, qa in random.sample(questions, SAMPLE):
                found = gazette.retrieve(qa["question"], k=100)
                answers = [answer["text"] for answer in qa["answers"]]
                group = "answerable" if answers else "marked unanswerable"
                yield _row(gazette, group, qa["question"], found, answers)
                others = [passage for passage in found if passage.title != title]
                if answers and others:
                    yield _row(gazette, "left out", qa["question"], others, [])


def _sample() -> Iterator[Row]:
    with sample_archive() as archive, Gazette.open(archive) as gazette:
        texts = [(article, comparable(article.text)) for article in gazette.articles()]
        for question in load_suite("sample").questions:
            if not question.quotes or question.history or question.kind == "multi":
                continue
            found = gazette.retrieve(question.question)
            yield _row(gazette, "answerable", question.question, found, question.answers)
            without = answering_articles(question, texts)
            others = gazette.retrieve(question.question, without=without)
            yield _row(gazette, "left out", question.question, others, [])


def _row(
    gazette: Gazette,
    group: str,
    question: str,
    found: Sequence[Passage],
    answers: Sequence[str],
) -> Row:
    """The signals of the answer that would be given, and whether it would be right."""
    extracted = extract(question, Query(question), found[:5], gazette._embedder)
    text = " ".join(sentence.text for sentence in extracted.sentences)
    right = any(holds(comparable(text), comparable(answer)) for answer in answers)
    return group, extracted.signals, right


if __name__ == "__main__":
    main()
