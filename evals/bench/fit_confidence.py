"""Fit the confidence of `rag.extractive` and print its coefficients.

    python evals/bench/fit_confidence.py ../shared/data/squad/dev-v2.0.json

Data: the SQuAD 2.0 development half (CC BY-SA 4.0), one paragraph an article; and the sample
suite. A question counts as answerable where its own article is searched, and as unanswerable where
that article is left out, or where SQuAD marks it so. Every second question is held out.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evals.datasets import load_questions, sample_archive
from evals.metrics import is_page
from ingest import ingest
from rag import Gazette, Passage
from rag.extractive import evidence_signals
from rag.language import sentence_spans

SAMPLE = 700


def main() -> None:
    """Collect the signals, fit, and print."""
    random.seed(1)
    rows = [*_squad(Path(sys.argv[1])), *_sample()]
    x = np.array([row[0] for row in rows])
    y = np.array([row[1] for row in rows])
    odd = np.arange(len(rows)) % 2 == 1
    model = LogisticRegression(C=100, class_weight="balanced").fit(x[~odd], y[~odd])
    print(f"{len(rows)} questions, AUC on the held-out half", end=" ")
    print(round(roc_auc_score(y[odd], model.predict_proba(x[odd])[:, 1]), 3))
    for group in sorted({row[2] for row in rows}):
        some = [i for i, row in enumerate(rows) if odd[i] and row[2] in (group, "answerable")]
        if group != "answerable":
            auc = roc_auc_score(y[some], model.predict_proba(x[some])[:, 1])
            print(f"  answerable against {group}: {auc:.3f}")
    print("BIAS =", round(float(model.intercept_[0]), 2))
    print("WEIGHTS =", tuple(round(float(weight), 2) for weight in model.coef_[0]))


def _squad(path: Path) -> Iterator[tuple[tuple[float, ...], bool, str]]:
    articles = json.loads(path.read_text())["data"]
    with TemporaryDirectory() as folder:
        source = Path(folder) / "squad.jsonl"
        with source.open("w") as lines:
            for article in articles:
                for number, paragraph in enumerate(article["paragraphs"]):
                    title = article["title"].replace("_", " ")
                    record = {"title": title, "text": paragraph["context"]}
                    lines.write(json.dumps({**record, "url": f"{title}/{number}"}) + "\n")
        ingest(source, Path(folder) / "archive")
        questions = [
            (article["title"].replace("_", " "), qa)
            for article in articles
            for paragraph in article["paragraphs"]
            for qa in paragraph["qas"]
        ]
        with Gazette.open(Path(folder) / "archive") as gazette:
            for title, qa in random.sample(questions, SAMPLE):
                found = gazette.retrieve(qa["question"], k=60)
                if qa["is_impossible"]:
                    yield _signals(gazette, qa["question"], found), False, "marked unanswerable"
                    continue
                yield _signals(gazette, qa["question"], found), True, "answerable"
                others = [passage for passage in found if passage.title != title]
                yield _signals(gazette, qa["question"], others), False, "article left out"


def _sample() -> Iterator[tuple[tuple[float, ...], bool, str]]:
    with sample_archive() as archive, Gazette.open(archive) as gazette:
        for question in load_questions("sample"):
            if not question.quotes or question.history:
                continue
            found = gazette.retrieve(question.question, k=60)
            yield _signals(gazette, question.question, found), True, "answerable"
            gold = {
                passage.article_id
                for passage in found
                for quote in question.quotes
                if is_page(quote, gazette.article(passage.article_id))
            }
            others = [passage for passage in found if passage.article_id not in gold]
            yield _signals(gazette, question.question, others), False, "sample, left out"


def _signals(gazette: Gazette, question: str, found: list[Passage] | tuple[Passage, ...]) -> tuple[float, ...]:
    passages = found[:5]
    sentences = [p.text[a:b] for p in passages for a, b in sentence_spans(p.text)]
    embedder = gazette._embedder
    cosines = embedder.encode(sentences) @ embedder.encode_query(question)
    return evidence_signals(question, passages, float(cosines.max()))


if __name__ == "__main__":
    main()
