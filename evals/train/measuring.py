"""What a reader reaches on questions whose paragraph is given."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from evals.train.adapter import tensors
from evals.train.examples import Example
from rag.pairs import Pair
from rag.reader_model import ReaderModel
from rag.types import Span

READ_AT_ONCE = 32
SHORT_TOKENS = 30
"""The most that a short answer has."""
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class Measured:
    """Shares of the answerable questions, but for `auc`, which is over all questions."""

    first: float
    """Whose best sentence holds an answer,"""
    second: float
    """or one of whose best two does."""
    auc: float
    """Of the best sentence's score, for telling answerable questions from the others."""
    f1: float
    """Of the short answer's words, as SQuAD counts them."""

    def __str__(self) -> str:
        return (
            f"right sentence first {self.first:.3f}, in first two {self.second:.3f},"
            f" answerable AUC {self.auc:.3f}, short answer F1 {self.f1:.3f}"
        )


def measure(reader: ReaderModel, examples: Sequence[Example]) -> Measured:
    """Read all the examples and compare with their answers."""
    read = _read(reader, [pair for example in examples for pair in example.pairs])
    first, second, f1, best_scores = [], [], [], []
    for example in examples:
        found = [next(read) for _ in example.pairs]
        scored = np.array([score for score, _ in found])
        order = np.argsort(-scored)
        best = int(order[0])
        best_scores.append(scored[best])
        if example.answers:
            holds = np.array(example.holds)
            first.append(holds[best])
            second.append(holds[order[:2]].any())
            start, end = best_span(found[best][1], example.pairs[best])
            short = example.sentences[best].text[start:end]
            f1.append(max(token_f1(short, answer) for answer in example.answers))
    answerable = [bool(example.answers) for example in examples]
    auc = np.nan if all(answerable) else roc_auc_score(answerable, best_scores)
    return Measured(float(np.mean(first)), float(np.mean(second)), float(auc), float(np.mean(f1)))


def _read(
    reader: ReaderModel, pairs: Sequence[Pair]
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Score and span logits of each pair, read in batches of like lengths."""
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].ids))
    found: dict[int, tuple[float, NDArray[np.float32]]] = {}
    was_training = reader.training
    reader.eval()
    with torch.inference_mode():
        for begin in range(0, len(order), READ_AT_ONCE):
            some = order[begin : begin + READ_AT_ONCE]
            scores, spans = reader(*tensors([pairs[i] for i in some]))
            found_spans = spans.float().cpu().numpy()
            for i, score, span in zip(some, scores.tolist(), found_spans, strict=True):
                found[i] = score, span
    reader.train(was_training)
    return (found[i] for i in range(len(pairs)))


def best_span(logits: NDArray[np.float32], pair: Pair) -> Span:
    """The likeliest place of a short answer in the sentence's text, by logits (length, 2)."""
    own = logits[pair.first : pair.first + len(pair.offsets)]
    sums = own[:, None, 0] + own[None, :, 1]
    allowed = np.triu(np.ones_like(sums)) - np.triu(np.ones_like(sums), SHORT_TOKENS)
    first, last = np.unravel_index(np.where(allowed > 0, sums, -np.inf).argmax(), sums.shape)
    return pair.offsets[first][0], pair.offsets[last][1]


def token_f1(given: str, answer: str) -> float:
    """Token F1 by the normalising of SQuAD's own evaluation (Rajpurkar et al., 2016)."""
    ours, theirs = _normalised(given), _normalised(answer)
    common = (Counter(ours) & Counter(theirs)).total()
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def _normalised(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()
