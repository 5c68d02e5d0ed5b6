"""A sentence-transformers CrossEncoder by name or path: it scores two texts read together.

Loaded by its first pair, for that costs seconds of imports.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import CrossEncoderError

if TYPE_CHECKING:
    import sentence_transformers

CLASSIFIER = "ForSequenceClassification"
"""How the name of an architecture that scores ends; any other would get a random head."""


class CrossEncoder:
    """A cross-encoder. May be called from several threads at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()

    @property
    def labels(self) -> tuple[str, ...]:
        """What the model's config calls its outputs, case-folded; one of a reranker."""
        with self._lock:
            model = self._model
        names = getattr(model.config, "id2label", None) or {}
        return tuple(str(names.get(i, i)).casefold() for i in range(model.num_labels))

    def scores(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """The logits of each pair of texts, in the same order: (n, labels).

        Raises `CrossEncoderError` if the model cannot be loaded.
        """
        with self._lock:  # a tokenizer that is shared by two threads raises "Already borrowed"
            labels = self._model.num_labels
            if not pairs:
                return np.empty((0, labels), np.float32)
            from torch.nn import Identity

            found = self._model.predict(
                list(pairs), show_progress_bar=False, activation_fn=Identity()
            )
        return np.asarray(found, np.float32).reshape(len(pairs), labels)

    @cached_property
    def _model(self) -> sentence_transformers.CrossEncoder:
        import sentence_transformers  # 5.5 s, hence here

        try:
            model: sentence_transformers.CrossEncoder = sentence_transformers.CrossEncoder(
                self.name
            )
        except Exception as error:  # whatever hub, tokenizer, weights or config files raise
            reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
            raise _cannot_load(self.name, reason) from error
        architectures = getattr(model.config, "architectures", None) or [""]
        if len(model) == 1 and not architectures[0].endswith(CLASSIFIER):
            raise _cannot_load(self.name, "it is a model that does not score pairs of texts")
        return model


def _cannot_load(name: str, reason: str) -> CrossEncoderError:
    return CrossEncoderError(
        f"the cross-encoder {name!r} could not be loaded: {reason}; name a CrossEncoder of "
        "sentence-transformers on Hugging Face (the first use downloads it) or a folder that holds "
        "one, or leave it out: Gazette then goes by its own signals"
    )
