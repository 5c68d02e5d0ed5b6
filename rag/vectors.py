"""The vectors in Chroma: made from the ledger, searched where exact search would be slow.

Chroma's own client is used, so that ids, batches and upserts are ours. An embedded Chroma never
sees what another process wrote after it was opened: `reopen` is the cure.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

COLLECTION = "chunks"
BATCH = 5000
"""Chroma 1.5 refuses more than 5,461 records at once."""


class ChromaVectors:
    """One Chroma folder, opened at its first use (the import costs 0.65 s)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._client: Client | None = None
        self._collection: Collection | None = None

    def _open(self) -> Collection:
        if self._collection is None:
            import chromadb
            from chromadb.api.shared_system_client import SharedSystemClient
            from chromadb.config import Settings

            settings = Settings(anonymized_telemetry=False)
            try:
                client = chromadb.PersistentClient(str(self.path), settings)
            except BaseException:
                SharedSystemClient.clear_system_cache()  # it keeps what failed to start
                raise
            self._client = cast("Client", client)  # its declared type lacks close()
            self._collection = client.get_or_create_collection(
                COLLECTION, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
            )
        return self._collection

    def close(self) -> None:
        """Release files and memory; the next use opens anew."""
        if self._client is None:
            return
        from chromadb.api.shared_system_client import SharedSystemClient

        self._client.close()
        # Otherwise another client of this process hands its stale state to the next one.
        SharedSystemClient.clear_system_cache()
        self._client = self._collection = None

    def destroy(self) -> None:
        """Delete the folder."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def count(self) -> int:
        """How many vectors it holds."""
        return self._open().count()

    def upsert(
        self, ids: Sequence[str], article_ids: Sequence[str], vectors: NDArray[np.float32]
    ) -> None:
        """Add or replace vectors (one row an id)."""
        self._open().upsert(
            ids=list(ids),
            embeddings=vectors,
            metadatas=[{"article_id": article_id} for article_id in article_ids],
        )

    def delete(self, ids: Sequence[str]) -> None:
        """Forget vectors; unknown ids do nothing."""
        for i in range(0, len(ids), BATCH):
            self._open().delete(ids=list(ids[i : i + BATCH]))

    def nearest(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """The nearest vectors to a unit vector: (chunk id, cosine)."""
        found = self._open().query(
            query_embeddings=vector[np.newaxis], n_results=limit, include=["distances"]
        )
        distances = found["distances"]
        assert distances is not None
        return [
            (chunk_id, 1.0 - distance)  # Chroma's cosine distance is 1 - cosine
            for chunk_id, distance in zip(found["ids"][0], distances[0], strict=True)
        ]
