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

from rag.minilm import open_model
from rag.pairs import padded, pairs_of
from rag.signals import Candidate

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
    with _LOADING:
        session = _session()
    pairs = pairs_of(question, sentences)
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].ids))
    scores = np.empty(len(pairs))
    for begin in range(0, len(order), READ_AT_ONCE):
        some = order[begin : begin + READ_AT_ONCE]
        inputs = dict(zip(("ids", "mask", "types"), padded([pairs[i] for i in some]), strict=True))
        (scores[some],) = session.run(["scores"], inputs)
    return scores


@functools.cache
def _session() -> Any:
    adapter = (files("rag") / "adapter" / "reader.safetensors").read_bytes()

    def export() -> bytes:
        from rag.reader_model import export  # torch

        return export(adapter)

    return open_model(f"reader-{hashlib.sha256(adapter).hexdigest()[:8]}-{EXPORT_VERSION}", export)
