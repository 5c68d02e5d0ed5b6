"""Fit how probable it is that an article is about a topic, and print what the bounds let through.

    python evals/bench/fit_overviews.py

Data: topics.jsonl beside this file, half of whose topics no article is about, and the sample
articles. Logistic regression on the articles found for each topic; what is printed is
cross-validated: each topic by coefficients fitted on the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from evals.bench.fit_answers import write_coefficients
from evals.datasets import Question, load_suite, sample_archive
from evals.metrics import is_page
from rag import Gazette
from rag.overview import MOST, NEARLY, ON_TOPIC, fits

TOPICS = Path(__file__).with_name("topics.jsonl")
FOLDS = 10


@dataclass(frozen=True)
class Found:
    """The articles found for a topic."""

    signals: Sequence[dict[str, float]]
    is_about: NDArray[np.bool_]


def main() -> None:
    """Fit, write and print."""
    with sample_archive() as archive, Gazette.open(archive) as gazette:
        every = [_find(gazette, question) for question in load_suite(str(TOPICS)).questions]
    every = [found for found in every if found.signals]
    names = list(every[0].signals[0])
    x = np.array([list(signals.values()) for found in every for signals in found.signals])
    y = np.concatenate([found.is_about for found in every])
    topics = np.repeat(np.arange(len(every)), [len(found.signals) for found in every])
    model = LogisticRegression(C=10)
    fitted = model.fit(x, y)
    weights = dict(zip(names, fitted.coef_[0].tolist(), strict=True))
    write_coefficients("overview", {"bias": float(fitted.intercept_[0]), **weights})
    folds = GroupKFold(FOLDS)
    probable = cross_val_predict(model, x, y, groups=topics, cv=folds, method="predict_proba")[:, 1]
    print(f"about the topic, AUC {roc_auc_score(y, probable):.3f} of {len(y)} articles")
    pairs = [(probable[topics == i], found.is_about) for i, found in enumerate(every)]
    for least in (0.4, 0.45, ON_TOPIC, 0.55, 0.6):
        print(f"of the best at least {least}:", _said(pairs, least))
    for share in (0.2, 0.25, NEARLY, 0.35, 0.4):
        print(f"of another at least {share} of it:", _quoted(pairs, share))


def _find(gazette: Gazette, question: Question) -> Found:
    answer = gazette.ask(question.question)
    fitting = fits(answer.query, answer.passages, gazette.embedder)
    articles = [gazette.article(fit.passage.article_id) for fit in fitting]
    about = [any(is_page(gold, article) for gold in question.quotes) for article in articles]
    return Found([dict(fit.signals) for fit in fitting], np.array(about))


def _said(pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]], least: float) -> str:
    """How many topics are answered that should not be, and not that should."""
    said = np.array([probable.max() >= least for probable, _ in pairs])
    known = np.array([about.any() for _, about in pairs])
    wrongly, silent = (said & ~known).sum(), (known & ~said).sum()
    return f"{wrongly} of {(~known).sum()} absent answered, {silent} of {known.sum()} present not"


def _quoted(pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]], share: float) -> str:
    """Mean share of what is quoted that is on the topic, and of what is on it that is quoted."""
    precision, recall = [], []
    for probable, about in pairs:
        if about.any() and probable.max() >= ON_TOPIC:
            order = np.argsort(-probable)[:MOST]
            taken = order[probable[order] >= share * probable.max()]
            precision.append(about[taken].mean())
            recall.append(about[taken].sum() / min(MOST, about.sum()))
    return f"precision {np.mean(precision):.3f}, recall {np.mean(recall):.3f}"


if __name__ == "__main__":
    main()
