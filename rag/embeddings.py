"""Texts as vectors: the embedded MiniLM, or any sentence-transformers model."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag.errors import EmbeddingError
from rag.minilm import DEFAULT_MODEL, DIMENSIONS, open_minilm

BATCH_SIZE = 8

_LOADING = threading.Lock()


class Embedder(Embeddings, ABC):
    """A model that turns texts into L2-normalised vectors, also for LangChain.

    Every method may be called from several threads at once.
    """

    name: str
    """What an archive remembers of the model that made its vectors."""
    dimensions: int

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of documents, one row a text in the same order: (n, dimensions)."""

    @abstractmethod
    def encode_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a question: (dimensions,)."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """`encode` in LangChain's shape."""
        vectors: list[list[float]] = self.encode(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """`encode_query` in LangChain's shape."""
        vector: list[float] = self.encode_query(text).tolist()
        return vector


class EmbeddedMiniLM(Embedder):
    """all-MiniLM-L6-v2 from its PyPI package: loaded by the first text, once for the process.

    Whatever keeps it from loading is then raised as an EmbeddingError.
    """

    name = DEFAULT_MODEL
    dimensions = DIMENSIONS

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of documents, one row a text in the same order: (n, 384)."""
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        if not texts:
            return vectors
        with _LOADING:
            tokenizer, session = open_minilm()
        # Texts of like length share a batch, so that little is spent on padding.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), BATCH_SIZE):
            rows = order[start : start + BATCH_SIZE]
            encodings = tokenizer.encode_batch_fast([texts[row] for row in rows])
            ids = np.array([encoding.ids for encoding in encodings], np.int64)
            mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
            vectors[rows] = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a question, (384,): this model has no prompt for questions."""
        vector: NDArray[np.float32] = self.encode([text])[0]
        return vector


class SentenceTransformerEmbedder(Embedder):
    """Any sentence-transformers model by name or path, with its own prompts, on torch."""

    _options: ClassVar[dict[str, Any]] = {"normalize_embeddings": True, "show_progress_bar": False}

    def __init__(self, name: str) -> None:
        """Load the model; EmbeddingError if it is unknown, unreachable or broken."""
        from sentence_transformers import SentenceTransformer  # 5.5 s, hence here

        self.name = name
        # A tokenizer that is shared by two threads raises "Already borrowed".
        self._lock = threading.Lock()
        try:
            self._model = SentenceTransformer(name)
            dimensions = self._model.get_embedding_dimension()
        except Exception as error:  # whatever hub, tokenizer, weights or config files raise
            reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
            raise _cannot_load(name, reason) from error
        if not dimensions:
            raise _cannot_load(name, "it gives no vectors of a known length")
        self.dimensions = int(dimensions)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of documents, one row a text in the same order: (n, dimensions)."""
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        with self._lock:
            vectors = self._model.encode_document(list(texts), **self._options)
        return np.asarray(vectors, np.float32)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a question: (dimensions,)."""
        with self._lock:
            return np.asarray(self._model.encode_query(text, **self._options), np.float32)


def load_embedder(name: str = DEFAULT_MODEL) -> Embedder:
    """The embedder of that name: the embedded model, or a sentence-transformers name or path.

    Raises EmbeddingError if a sentence-transformers model cannot be loaded.
    """
    if name in (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"):
        return EmbeddedMiniLM()
    return SentenceTransformerEmbedder(name)


def _cannot_load(name: str, reason: str) -> EmbeddingError:
    return EmbeddingError(
        f"The embedding model {name!r} could not be loaded: {reason}. Name a sentence-transformers"
        " model on Hugging Face (the first use downloads it) or a folder that holds one, or use"
        f" {DEFAULT_MODEL!r}, which needs no network."
    )
