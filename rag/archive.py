"""An archive: one folder with a ledger (the truth) and Chroma (derived), one writer at a time.

Writes go to the ledger first and to Chroma second, under a lock; the ledger remembers what Chroma
still lacks, so that a crash at any moment is repaired by whoever opens the archive next. Readers
compare a generation number before each search and reopen Chroma when it has moved.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import filelock
import numpy as np
from numpy.typing import NDArray

from rag.errors import ArchiveError, ArchiveLockedError, EmbeddingError
from rag.filters import Choice
from rag.ledger import Indexed, Ledger, Source
from rag.vectors import BATCH, ChromaVectors

logger = logging.getLogger(__name__)

EXACT_LIMIT = 20_000
"""Up to so many chunks are searched exactly over the ledger's vectors (30 MB; 2 ms, and chromadb
is not even imported); Chroma serves more."""


class Archive:
    """An open archive. Search from any thread; write inside `with archive.writing():`."""

    def __init__(self, path: str | Path, create: bool = False) -> None:
        """Open the archive in a folder.

        Raises `ArchiveError` where there is none and `create` is false, where the folder holds
        something else, or where a newer Gazette made it.
        """
        self.path = Path(path)
        ledger = self.path / "ledger.sqlite"
        if not ledger.exists():
            self._check_may_create(create)
        self.ledger = Ledger(ledger)
        self._chroma = ChromaVectors(self.path / "chroma")
        self._searching = threading.Lock()
        self._generation = self.ledger.generation()
        if self._unfinished():
            self._repair()

    def _unfinished(self) -> bool:
        lacks_chroma = not self._chroma.path.exists() and self.ledger.chunk_count() > 0
        return self.ledger.unfinished() or bool(self.ledger.meta("rebuild")) or lacks_chroma

    def _check_may_create(self, create: bool) -> None:
        if not create:
            raise ArchiveError(
                f"there is no archive in {str(self.path)!r}; make one with: "
                f"gazette ingest SOURCE --archive {self.path}"
            )
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise ArchiveError(
                f"{str(self.path)!r} is not an archive and not an empty folder; "
                "name another place with --archive"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(
                f"the folder {str(self.path)!r} cannot be made ({error.strerror}); "
                "name another place with --archive"
            ) from error

    def close(self) -> None:
        """Release every file; a second call does nothing."""
        self._chroma.close()
        self.ledger.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # The embedding model that made it

    @property
    def embedding_model(self) -> str | None:
        """The name of the model that made the vectors; None while the archive is empty."""
        return self.ledger.meta("embedding_model")

    def check_model(self, name: str) -> None:
        """Raise `EmbeddingError` where another model made the vectors."""
        if self.embedding_model not in (None, name):
            raise EmbeddingError(
                f"the archive {str(self.path)!r} was made with the embedding model "
                f"{self.embedding_model!r}, not {name!r}; drop --embedding-model, or embed it "
                f"anew with: gazette reindex --archive {self.path} --embedding-model {name}"
            )

    # Writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the archive's one lock, finish what a crash left, and write.

        Raises `ArchiveLockedError`, naming the holder, where another process writes.
        """
        lock = filelock.FileLock(self.path / "lock", timeout=0)
        holder = self.path / "lock.holder"
        try:
            lock.acquire()
            holder.write_text(_this_process())
        except filelock.Timeout as error:
            raise ArchiveLockedError(
                f"the archive {str(self.path)!r} is being written by {_describe_holder(holder)}; "
                "try again when it has ended"
            ) from error
        except OSError as error:
            lock.release()
            raise self._unwritable(error) from error
        try:
            with self._searching:
                self._refresh()
            if self._unfinished():
                self.commit()
            yield
        except sqlite3.Error as error:
            raise self._unwritable(error) from error
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    def _unwritable(self, error: Exception) -> ArchiveError:
        return ArchiveError(
            f"the archive {str(self.path)!r} cannot be written ({error}); check the disk's space "
            "and who may write there, then run the same command again"
        )

    def put(
        self,
        articles: Sequence[Indexed],
        sources: Sequence[tuple[Source, Sequence[str]]],
        model: str,
    ) -> None:
        """Write articles, and sources that are now read to their end with the ids that left them.

        All of it or nothing.
        """
        with self.ledger.transaction():
            self.ledger.set_meta("embedding_model", model)
            for indexed in articles:
                self.ledger.put(indexed)
            for source, gone in sources:
                for article_id in gone:
                    self.ledger.remove(article_id)
                self.ledger.put_source(source)
        if self._unfinished():
            self.commit()

    def remove(self, article_ids: Sequence[str]) -> None:
        """Remove articles everywhere."""
        with self.ledger.transaction():
            for article_id in article_ids:
                self.ledger.remove(article_id)
        self.commit()

    def reindex(self, articles: Sequence[Indexed], model: str) -> None:
        """Put new chunks and vectors of every article in place of the old, at once."""
        with self.ledger.transaction():
            for indexed in articles:
                self.ledger.rechunk(indexed)
            self.ledger.set_meta("embedding_model", model)
            self.ledger.set_meta("rebuild", "1")
        self.commit()

    def commit(self) -> None:
        """Bring Chroma up to the ledger, and tell the readers."""
        if self.ledger.meta("rebuild") or not self._caught_up():
            self._rebuild()
        self.ledger.finish()
        self._generation = self.ledger.generation()

    def _caught_up(self) -> bool:
        """Give Chroma what it lacks; whether it then holds what the ledger says it should."""
        try:
            self._chroma.delete(self.ledger.departed())
            for ids, article_ids, vectors in self.ledger.vectors(unready_only=True, batch=BATCH):
                self._chroma.upsert(ids, article_ids, vectors)
            return self._chroma.count() == self.ledger.chunk_count()
        except Exception:  # noqa: BLE001 - a damaged folder raises nearly anything
            logger.warning("Chroma's folder in %s is damaged: making it anew", self.path)
            return False

    def _rebuild(self) -> None:
        """Make Chroma anew from the ledger's vectors; nothing is embedded."""
        self.ledger.set_meta("rebuild", "1")  # until it is done, in case of a crash
        self._chroma.destroy()
        try:
            for ids, article_ids, vectors in self.ledger.vectors(unready_only=False, batch=BATCH):
                self._chroma.upsert(ids, article_ids, vectors)
        except Exception as error:  # Chroma's own, the disk's
            raise self._unwritable(error) from error
        self.ledger.set_meta("rebuild", "")

    def _repair(self) -> None:
        """Finish what a crash left, unless another process is at work on it."""
        try:
            with self.writing():
                pass
        except ArchiveError as error:  # another writer is at it, or the folder may only be read
            logger.info("not repaired: %s", error)

    # Searching

    def _refresh(self) -> None:
        """Let go of a Chroma that another process has written to since it was opened."""
        generation = self.ledger.generation()
        if generation != self._generation:
            self._chroma.close()
            self._generation = generation

    def nearest(
        self, choice: Choice, vector: NDArray[np.float32], limit: int
    ) -> list[tuple[int, float]]:
        """The chosen chunks nearest to a unit vector: (chunk number, cosine), best first."""
        if choice.chunks <= EXACT_LIMIT:
            return self.ledger.index.nearest(choice, vector, limit)
        # The filter is applied after the search, so ask for as many as it may take away.
        wanted = 2 * limit * self.ledger.chunk_count() // choice.chunks
        try:
            with self._searching:
                self._refresh()
                found = self._chroma.nearest(vector, wanted)
        except Exception:  # noqa: BLE001 - a damaged folder raises nearly anything
            logger.warning("Chroma's folder in %s is damaged: searching without it", self.path)
            self.ledger.set_meta("rebuild", "1")  # for the next who writes
            return self.ledger.index.nearest(choice, vector, limit)
        numbers = self.ledger.index.numbers([chunk_id for chunk_id, _ in found], choice)
        hits = [(numbers[chunk_id], cosine) for chunk_id, cosine in found if chunk_id in numbers]
        return hits[:limit]


def _this_process() -> str:
    return json.dumps(
        {
            "pid": os.getpid(),
            "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200],
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
    )


def _describe_holder(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text())
    except (OSError, ValueError):  # it has just taken or just left the lock
        return "another process"
    return f"process {who['pid']} ({who['command']}, since {who['since']})"
