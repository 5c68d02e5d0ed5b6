"""Fit the coefficients of rag/signals.json, write them, and print what they reach.

    python evals/bench/fit_answers.py ../shared/data/squad/dev-v2.0.json

Data: the SQuAD 2.0 development half (CC BY-SA 4.0), each paragraph an article, and the sample
suite, which weighs `SAMPLE_WEIGHT` times as much. Sentences are fitted by a listwise softmax (Cao
et al., ICML 2007) on the questions that can be answered; confidence by logistic regression on
these, on unanswerable ones, on answerable ones without the articles that answer them, and on ones
that ask the same of another name, then scaled (Platt, 1999) on a mix in which one question in eight
cannot be answered. The reader's say is fitted on the sample suite and on the articles of SQuAD that
it was not trained on. What is said of SQuAD's paragraphs is cross-validated: fitted on two thirds
of the articles, measured on the others.
"""

from __future__ import annotations

import functools
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import rag
from evals.datasets import load_suite, sample_archive
from evals.metrics import answering_articles, comparable, holds
from evals.train.examples import HELD
from ingest import ingest
from rag import Gazette, Passage, reader
from rag.answer_type import asked
from rag.embeddings import load_embedder
from rag.extractive import READ, SENTENCES, SURE, read_best, sentences_of
from rag.question import understand
from rag.reader import read
from rag.signals import (
    ANSWER_SIGNALS,
    READ_SIGNALS,
    SENTENCE_SIGNALS,
    Candidate,
    answer_signals,
    coefficients,
    confidence,
    scores,
    sentence_signals,
    shares,
)
from rag.types import Scores

SQUAD_QUESTIONS, READ_QUESTIONS, SAMPLE_WEIGHT, UNANSWERABLE = 1500, 400, 3.0, 1 / 8
FOLDS = 3
SILENCED = 20
"""Of so many answerable questions one may get no answer: so `ENOUGH_CONFIDENCE` and `ENOUGH_READ`
were set."""
SIGNALS = Path(rag.__file__).parent / "signals.json"
EMBEDDER = load_embedder()
_NAME = re.compile(r"(?<=[\w,] )[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*")


@dataclass(frozen=True)
class Asked:
    """A question with the sentences that were found, and their signals."""

    group: str
    """`answerable`, `unanswerable`, `left out` or `swapped`."""
    article: str
    """That it is about, of SQuAD."""
    weight: float
    """For confidence; 0 where its paragraph was given and nothing was searched."""
    question: str
    sentences: Sequence[Candidate]
    signals: NDArray[np.float64]
    holds: NDArray[np.bool_]
    """By sentence, whether it holds an answer."""
    reads: bool = False
    """Whether the reader has its say. What follows is not to be asked before that is fitted, and
    the sentences are."""

    @cached_property
    def scored(self) -> NDArray[np.float64]:
        """How well each sentence answers."""
        scored = scores(self.signals)
        return read_best(self.question, self.sentences, scored)[0] if self.reads else scored

    @cached_property
    def right(self) -> bool:
        """Whether the sentences that would be given hold an answer."""
        order, share = np.argsort(-self.scored), shares(self.scored)
        given = 1 + int(np.searchsorted(np.cumsum(share[order]), SURE))
        return bool(self.holds[order[: min(given, SENTENCES)]].any())

    @cached_property
    def for_confidence(self) -> list[float]:
        """Its `ANSWER_SIGNALS`, or its `READ_SIGNALS` where the reader has its say."""
        best = self.sentences[int(self.scored.argmax())]
        cosine = float(EMBEDDER.encode([best.text])[0] @ EMBEDDER.encode_query(self.question))
        said = float(read(self.question, [best])[0]) if self.reads else None
        found = answer_signals(self.question, self.sentences, self.scored, cosine, (), said)
        return list(found.values())

    def read(self) -> Asked:
        """The sentences that are read, by the two scores that `read_best` weighs."""
        scored = scores(self.signals)
        best = np.argsort(-scored)[:READ]
        sentences = [self.sentences[i] for i in best]
        signals = np.column_stack([scored[best], read(self.question, sentences)])
        return replace(self, sentences=sentences, signals=signals, holds=self.holds[best])


def main() -> None:
    """Collect the signals, fit, write and print."""
    reader.known_of = functools.cache(reader.known_of.__wrapped__)  # each pass reads the same
    random.seed(1)
    articles = json.loads(Path(sys.argv[1]).read_text())["data"]
    given = list(_paragraphs(articles))
    found = [*_squad(articles, SQUAD_QUESTIONS, "none"), *_sample("none")]
    answerable = [each for each in (*given, *found) if each.holds.any()]
    write_coefficients("sentence", _fit_choice(answerable, SENTENCE_SIGNALS))
    write_coefficients("answer", _fit_confidence(found, ANSWER_SIGNALS))
    _print_silenced(found, "answer")
    random.seed(1)  # what follows does not hang on what was drawn before
    articles = [article for article in articles if article["title"] in HELD]
    _fit_reader([*_squad(articles, READ_QUESTIONS, "own"), *_sample("own")])
    titles = sorted({each.article for each in given})
    first, second, sure = [], [], dict[str, float]()
    for fold in range(FOLDS):
        held = set(titles[fold::FOLDS])
        fit_on = [each for each in answerable if each.article not in held]
        weights = _fit_choice(fit_on, SENTENCE_SIGNALS)
        fit_on = [each for each in found if each.article not in held]
        by_name = _fit_confidence(fit_on, ANSWER_SIGNALS)
        for each in (each for each in given if each.article in held):
            order = np.argsort(-each.signals @ np.array(list(weights.values())))
            if each.holds.any():
                first.append(each.holds[order[0]])
                second.append(each.holds[order[:2]].any())
            signals = zip(ANSWER_SIGNALS, each.for_confidence, strict=True)
            sure[each.question] = sum(by_name[name] * value for name, value in signals)
    print(f"right sentence first {np.mean(first):.3f}, in first two {np.mean(second):.3f}")
    y = [each.group == "answerable" for each in given]
    print(f"answerable, AUC {roc_auc_score(y, [sure[each.question] for each in given]):.3f}")


def _fit_reader(found: Sequence[Asked]) -> None:
    """What weighs the reader's say in the choice of sentences, and what it tells of confidence."""
    best = [each.read() for each in found if each.holds.any()]
    weights = _fit_choice([each for each in best if each.holds.any()], ("signals", "reader"))
    write_coefficients("read", weights)
    found = [replace(each, reads=True) for each in found]
    write_coefficients("answer read", _fit_confidence(found, READ_SIGNALS))
    _print_silenced(found, "answer read")


def _print_silenced(found: Sequence[Asked], group: str) -> None:
    """Under which confidence one in `SILENCED` answerable ones is, and how many others are."""
    names = list(coefficients(group))[1:]
    signals = [dict(zip(names, each.for_confidence, strict=True)) for each in found]
    sure = np.array([confidence(each, group) for each in signals])
    groups = np.array([each.group for each in found])
    least = np.quantile(sure[groups == "answerable"], 1 / SILENCED)
    others = [f"{name} {np.mean(sure[groups == name] < least):.2f}" for name in sorted(set(groups))]
    print(f"of confidence under {least:.3f}:", *others)


def write_coefficients(group: str, fitted: dict[str, float]) -> None:
    """Put coefficients in their place, where the next step reads them."""
    kept = json.loads(SIGNALS.read_text(encoding="utf-8"))
    kept[group] = {name: round(value, 3) for name, value in fitted.items()}
    SIGNALS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    coefficients.cache_clear()
    print(json.dumps(kept[group]))


def _fit_choice(found: Sequence[Asked], names: Sequence[str]) -> dict[str, float]:
    """Coefficients by which the sentences that hold an answer get most of the softmax."""
    every = np.vstack([each.signals for each in found])
    spread = every.std(axis=0)
    scaled, holds = every / spread, np.concatenate([each.holds for each in found])
    sizes = [len(each.signals) for each in found]
    starts, owner = np.cumsum([0, *sizes[:-1]]), np.repeat(np.arange(len(found)), sizes)
    weight = np.array([each.weight or 1.0 for each in found])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scored = scaled @ weights
        exponents = np.exp(scored - np.maximum.reduceat(scored, starts)[owner])
        whole = np.add.reduceat(exponents, starts)
        held = np.add.reduceat(exponents * holds, starts)
        slope = weight[owner] * (exponents / whole[owner] - exponents * holds / held[owner])
        penalty = 1e-3 * weights
        value = -(weight * np.log(held / whole)).sum() / weight.sum() + penalty @ weights
        return value, scaled.T @ slope / weight.sum() + 2 * penalty

    best = minimize(loss, np.zeros(len(spread)), jac=True, method="L-BFGS-B")
    return dict(zip(names, (best.x / spread).tolist(), strict=True))


def _fit_confidence(found: Sequence[Asked], names: Sequence[str]) -> dict[str, float]:
    """Coefficients of the probability that an answer is right, and their bias."""
    x = np.array([each.for_confidence for each in found])
    y = np.array([each.right for each in found])
    weight = np.array([each.weight for each in found])
    middle, spread = x.mean(axis=0), x.std(axis=0)
    model = LogisticRegression(C=0.3, max_iter=3000).fit((x - middle) / spread, y, weight)
    raw = model.decision_function((x - middle) / spread)
    group = np.array([each.group for each in found])
    answerable, silent = weight[group == "answerable"].sum(), group == "unanswerable"
    natural = np.where(group == "answerable", weight, 0.0)
    natural[silent] = UNANSWERABLE / (1 - UNANSWERABLE) * answerable / silent.sum()
    scale = LogisticRegression(C=100).fit(raw[:, None], y, natural)
    slope, shift = float(scale.coef_[0, 0]), float(scale.intercept_[0])
    by_name = model.coef_[0] / spread
    bias = slope * (model.intercept_[0] - by_name @ middle) + shift
    return {"bias": bias, **dict(zip(names, (slope * by_name).tolist(), strict=True))}


def _paragraphs(articles: Sequence[dict[str, Any]]) -> Iterator[Asked]:
    """Each question of SQuAD with its paragraph."""
    for article in articles:
        for paragraph in article["paragraphs"]:
            text, title = paragraph["context"], article["title"].replace("_", " ")
            (vector,) = EMBEDDER.encode([f"{title}\n{text}"])
            for qa in paragraph["qas"]:
                near = Scores(dense=float(EMBEDDER.encode_query(qa["question"]) @ vector))
                passages = [Passage("", 0, len(text), text, title, scores=near)]
                answers = [answer["text"] for answer in qa["answers"]]
                group = "answerable" if answers else "unanswerable"
                yield _asked(group, title, 0.0, qa["question"], passages, answers)


def _squad(
    articles: Sequence[dict[str, Any]], draw: int, named: Literal["own", "none"]
) -> Iterator[Asked]:
    """Some questions of SQuAD with what is found for them, also without their article."""
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
        with Gazette.open(Path(folder) / "archive", reader=named) as gazette:
            titles = [(article.title, article.id) for article in gazette.articles()]
            for title, qa in random.sample(questions, draw):
                question, answers = qa["question"], [answer["text"] for answer in qa["answers"]]
                group = "answerable" if answers else "unanswerable"
                passages = gazette.retrieve(question)
                yield _asked(group, title, 1.0, question, passages, answers)
                if answers and (other := _swapped(question, title, questions)):
                    near = gazette.retrieve(other)
                    yield _asked("swapped", title, 1.0, other, near, [])
                if answers:
                    without = [number for name, number in titles if name == title]
                    others = gazette.retrieve(question, without=without)
                    yield _asked("left out", title, 1.0, question, others, [])


def _swapped(question: str, title: str, questions: Sequence[tuple[str, Any]]) -> str | None:
    """A question with one of its names out of a question on something else."""
    names = list(_NAME.finditer(question))
    drawn = random.sample(questions, 50)
    others = [
        name for other, qa in drawn if other != title for name in _NAME.findall(qa["question"])
    ]
    others = [name for name in others if name not in question]
    if not names or not others:
        return None
    own = random.choice(names)
    return f"{question[: own.start()]}{random.choice(others)}{question[own.end() :]}"


def _sample(named: Literal["own", "none"]) -> Iterator[Asked]:
    """The sample suite's questions that stand alone, also without the articles that answer."""
    with sample_archive() as archive, Gazette.open(archive, reader=named) as gazette:
        texts = [(article, comparable(article.text)) for article in gazette.articles()]
        for question in load_suite("sample").questions:
            text, group = question.question, "answerable" if question.answers else "unanswerable"
            alone = not question.history and question.kind not in ("multi", "overview")
            if not alone or understand(text).parts:
                continue
            passages = gazette.retrieve(text)
            yield _asked(group, "", SAMPLE_WEIGHT, text, passages, question.answers)
            if question.answers:
                others = gazette.retrieve(text, without=answering_articles(question, texts))
                yield _asked("left out", "", SAMPLE_WEIGHT, text, others, [])


def _asked(
    group: str,
    article: str,
    weight: float,
    question: str,
    passages: Sequence[Passage],
    answers: Sequence[str],
) -> Asked:
    kept = sentences_of(passages)
    signals = sentence_signals(question, asked(question), kept)
    variants = [comparable(answer) for answer in answers]
    right = [any(holds(comparable(c.text), each) for each in variants) for c in kept]
    return Asked(group, article, weight, question, kept, signals, np.array(right))


if __name__ == "__main__":
    main()
