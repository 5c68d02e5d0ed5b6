"""The reader: a small cross-encoder of our own, which reads a question with each sentence.

It is the embedded model with an adapter, rag/adapter/reader.safetensors; its card stands beside it.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.graphs import cached
from rag.minilm import open_model
from rag.pairs import Pair, padded, pairs_of
from rag.signals import Candidate
from rag.types import Span

# Raise it when `rag.reader_model.export` changes what the graph computes or how it is called.
EXPORT_VERSION = 1
READ_AT_ONCE = 8
"""Pairs of like lengths that are padded together."""

_LOADING = threading.Lock()


def read(question: str, sentences: Sequence[Candidate]) -> NDArray[np.float64]:
    """The logit of each sentence, (sentences,), that it answers; 0 is that of none answering.

    May be called from several threads at once. Raises `EmbeddingError` where the embedded model's
    package is broken.
    """
    known = known_of(question)
    texts = [(sentence.heading, sentence.before, sentence.text) for sentence in sentences]
    new = {
        text: sentence for text, sentence in zip(texts, sentences, strict=True) if text not in known
    }
    known |= dict(zip(new, scores(question, list(new.values())), strict=True))
    return np.array([known[text] for text in texts])


@functools.lru_cache(maxsize=32)
def known_of(question: str) -> dict[tuple[str, str, str], float]:
    """What was read for a question: its passages are ranked by that, then its sentences."""
    return {}


def scores(question: str, sentences: Sequence[Candidate]) -> NDArray[np.float64]:
    """As `read`, anew."""
    pairs = pairs_of(question, sentences)
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].ids))
    logits = np.empty(len(pairs))
    for begin in range(0, len(order), READ_AT_ONCE):
        some = order[begin : begin + READ_AT_ONCE]
        logits[some] = _run("scores", [pairs[i] for i in some])
    return logits


def read_spans(question: str, sentence: Candidate, spans: Sequence[Span]) -> NDArray[np.float64]:
    """The log probability of each span of a sentence's text, (spans,), that the answer is there.

    That is, that it begins within the span and ends within it. Raises as `read` does.
    """
    pairs = pairs_of(question, [sentence])
    own = _run("spans", pairs)[0, pairs[0].first :][: len(pairs[0].offsets)]
    logs = own - np.logaddexp.reduce(own)
    inside = [
        [i for i, (start, end) in enumerate(pairs[0].offsets) if start < span[1] and end > span[0]]
        for span in spans
    ]
    return np.array([np.logaddexp.reduce(logs[some], initial=-np.inf).sum() for some in inside])


def _run(output: str, pairs: Sequence[Pair]) -> NDArray[np.float64]:
    with _LOADING:
        session = _session()
    (found,) = session.run(
        [output], dict(zip(("ids", "mask", "types"), padded(pairs), strict=True))
    )
    return np.asarray(found, np.float64)


def prepare() -> None:
    """Export the graph where the cache has it not, so that the first question need not wait."""
    if cached(_name()) is None:
        with _LOADING:
            _session()


@functools.cache
def _session() -> Any:
    def export() -> bytes:
        from rag.reader_model import export  # torch

        return export(_adapter())

    return open_model(_name(), export)


def _name() -> str:
    return f"reader-{hashlib.sha256(_adapter()).hexdigest()[:8]}-{EXPORT_VERSION}"


def _adapter() -> bytes:
    return (files("rag") / "adapter" / "reader.safetensors").read_bytes()
