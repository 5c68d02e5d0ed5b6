"""The reader: a small cross-encoder of our own, which reads a question with each sentence.

It is the embedded model with an adapter, rag/adapter/reader.safetensors; its card stands beside it.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.graphs import open_graph
from rag.pairs import Pair, padded, pairs_of
from rag.signals import Candidate
from rag.types import Span

# Raise it when `rag.reader_model.export` changes what the graph computes or how it is called.
EXPORT_VERSION = 1
READ_AT_ONCE = 8
"""Pairs of like lengths that are padded together."""
SHORT_TOKENS = 30
"""The most that a short answer has."""

_LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a sentence."""

    score: float
    """That it answers, as a logit; 0 is that of no sentence answering."""
    answer: Span
    """Where in it the answer stands, if it does."""


def read(question: str, sentences: Sequence[Candidate]) -> list[Reading]:
    """Read a question with each of some sentences. May be called from several threads at once.

    Raises `EmbeddingError` where the embedded model's package is broken.
    """
    with _LOADING:
        session = _session()
    pairs = pairs_of(question, sentences)
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].ids))
    found: dict[int, Reading] = {}
    for begin in range(0, len(order), READ_AT_ONCE):
        some = order[begin : begin + READ_AT_ONCE]
        inputs = dict(zip(("ids", "mask", "types"), padded([pairs[i] for i in some]), strict=True))
        for i, score, spans in zip(some, *session.run(None, inputs), strict=True):
            found[i] = Reading(float(score), best_span(spans, pairs[i]))
    return [found[i] for i in range(len(pairs))]


@functools.cache
def _session() -> Any:
    adapter = (files("rag") / "adapter" / "reader.safetensors").read_bytes()

    def export() -> bytes:
        from rag.reader_model import export  # torch

        return export(adapter)

    return open_graph(f"reader-{hashlib.sha256(adapter).hexdigest()[:8]}-{EXPORT_VERSION}", export)


def best_span(logits: NDArray[np.float32], pair: Pair) -> Span:
    """The likeliest place of a short answer in the sentence's text, by logits (length, 2)."""
    own = logits[pair.first : pair.first + len(pair.offsets)]
    sums = own[:, None, 0] + own[None, :, 1]
    allowed = np.triu(np.ones_like(sums)) - np.triu(np.ones_like(sums), SHORT_TOKENS)
    first, last = np.unravel_index(np.where(allowed > 0, sums, -np.inf).argmax(), sums.shape)
    return pair.offsets[first][0], pair.offsets[last][1]
