"""Fit the coefficients of rag/signals.json, and print them with what they reach.

    python evals/bench/fit_answers.py ../shared/data/squad/dev-v2.0.json

Data: the SQuAD 2.0 development half (CC BY-SA 4.0), each paragraph an article, and the sample
suite, which weighs `SAMPLE_WEIGHT` times as much. Sentences are fitted by a listwise softmax (Cao
et al., ICML 2007) on the questions that can be answered; confidence by logistic regression on
these, on unanswerable ones and on answerable ones without the articles that answer them, then
scaled
(Platt, 1999) on a mix in which one question in eight cannot be answered.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evals.datasets import load_suite, sample_archive
from evals.metrics import answering_articles, comparable, holds
from ingest import ingest
from rag import Gazette, Passage
from rag.answer_type import asked
from rag.extractive import SURE, score_sentences, sentences_of
from rag.signals import ANSWER_SIGNALS, SENTENCE_SIGNALS, answer_signals, scores, shares

SQUAD_QUESTIONS, SAMPLE_WEIGHT, UNANSWERABLE = 1500, 5.0, 1 / 8


@dataclass(frozen=True)
class Asked:
    """A question with the signals of the sentences that were found."""

    group: str
    """`answerable`, `unanswerable` or `left out`."""
    weight: float
    signals: NDArray[np.float64]
    holds: NDArray[np.bool_]
    """By sentence, whether it holds an answer."""
    answer: dict[str, float]

    @property
    def right(self) -> bool:
        """Whether the sentences that would be given hold an answer."""
        scored = scores(self.signals)
        order, share = np.argsort(-scored), shares(scored)
        given = 1 + int(np.searchsorted(np.cumsum(share[order]), SURE))
        return bool(self.holds[order[: min(given, 3)]].any())


def main() -> None:
    """Collect the signals, fit, and print."""
    random.seed(1)
    found = [*_squad(Path(sys.argv[1])), *_sample()]
    sentence = _fit_sentences([each for each in found if each.holds.any()])
    print(json.dumps(dict(zip(SENTENCE_SIGNALS, sentence, strict=True)), indent=2))
    x = np.array([[each.answer[name] for name in ANSWER_SIGNALS] for each in found])
    y = np.array([each.right for each in found])
    weight = np.array([each.weight for each in found])
    middle, spread = x.mean(axis=0), x.std(axis=0)
    model = LogisticRegression(C=0.3, max_iter=3000).fit((x - middle) / spread, y, weight)
    coefficients = model.coef_[0] / spread
    raw = x @ coefficients + model.intercept_[0] - (middle / spread) @ model.coef_[0]
    bias = model.intercept_[0] - (middle / spread) @ model.coef_[0]
    group = np.array([each.group for each in found])
    answerable, silent = weight[group == "answerable"].sum(), group == "unanswerable"
    natural = np.where(group == "answerable", weight, 0.0)
    natural[silent] = UNANSWERABLE / (1 - UNANSWERABLE) * answerable / silent.sum()
    scale = LogisticRegression(C=100).fit(raw[:, None], y, natural)
    slope, shift = float(scale.coef_[0, 0]), float(scale.intercept_[0])
    fitted = dict(zip(ANSWER_SIGNALS, (slope * coefficients).round(3).tolist(), strict=True))
    print(json.dumps({"bias": round(slope * bias + shift, 3), **fitted}, indent=2))
    sure = 1 / (1 + np.exp(-(slope * raw + shift)))
    print(f"{len(found)} questions; right or not, AUC {roc_auc_score(y, sure):.3f}")
    for least in (0.3, 0.35, 0.4, 0.45):
        for each in ("answerable", "unanswerable", "left out"):
            print(f"{each} below {least}: {(sure[group == each] < least).mean():.3f}")


def _fit_sentences(found: Sequence[Asked]) -> list[float]:
    """Coefficients by which the sentences that hold an answer get most of the softmax."""
    every = np.vstack([each.signals for each in found])
    spread = every.std(axis=0)

    def loss(weights: NDArray[np.float64]) -> float:
        total = 0.0
        for each in found:
            share = shares(each.signals / spread @ weights)
            total -= each.weight * float(np.log(share[each.holds].sum()))
        return total / len(found) + 1e-3 * float(weights @ weights)

    best = minimize(loss, np.zeros(len(spread)), method="L-BFGS-B")
    return [round(float(weight), 3) for weight in best.x / spread]


def _squad(path: Path) -> Iterator[Asked]:
    articles = json.loads(path.read_text())["data"]
    questions = []
    with TemporaryDirectory() as folder:
        source = Path(folder) / "squad.jsonl"
        with source.open("w") as lines:
            for article in articles:
                for number, paragraph in enumerate(article["paragraphs"]):
                    url = f"https://squad.test/{article['title']}/{number}"
                    title = article["title"].replace("_", " ")
                    record = {"title": title, "text": paragraph["context"], "url": url}
                    lines.write(json.dumps(record) + "\n")
                    questions += [(title, qa) for qa in paragraph["qas"]]
        ingest(source, Path(folder) / "archive")
        with Gazette.open(Path(folder) / "archive") as gazette:
            titles = [(article.title, article.id) for article in gazette.articles()]
            for title, qa in random.sample(questions, SQUAD_QUESTIONS):
                question, answers = qa["question"], [answer["text"] for answer in qa["answers"]]
                group = "answerable" if answers else "unanswerable"
                passages = gazette.retrieve(question)
                yield _asked(gazette, group, 1.0, question, passages, answers)
                if answers:
                    without = [number for name, number in titles if name == title]
                    others = gazette.retrieve(question, without=without)
                    yield _asked(gazette, "left out", 1.0, question, others, [])


def _sample() -> Iterator[Asked]:
    with sample_archive() as archive, Gazette.open(archive) as gazette:
        texts = [(article, comparable(article.text)) for article in gazette.articles()]
        for question in load_suite("sample").questions:
            if question.history or question.kind in ("multi", "overview"):
                continue
            text, group = question.question, "answerable" if question.answers else "unanswerable"
            passages = gazette.retrieve(text)
            yield _asked(gazette, group, SAMPLE_WEIGHT, text, passages, question.answers)
            if question.answers:
                others = gazette.retrieve(text, without=answering_articles(question, texts))
                yield _asked(gazette, "left out", SAMPLE_WEIGHT, text, others, [])


def _asked(
    gazette: Gazette,
    group: str,
    weight: float,
    question: str,
    passages: Sequence[Passage],
    answers: Sequence[str],
) -> Asked:
    candidates = sentences_of(passages)
    kept, signals = score_sentences(question, asked(question), candidates, gazette._embedder)
    variants = [comparable(answer) for answer in answers]
    right = [any(holds(comparable(c.text), each) for each in variants) for c in kept]
    return Asked(group, weight, signals, np.array(right), answer_signals(question, kept, signals))


if __name__ == "__main__":
    main()
