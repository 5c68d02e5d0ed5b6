"""The ledger: one SQLite file that holds the truth of an archive.

Articles with their text and versions, sources with what is needed to see that nothing changed,
chunks with their vectors, and the lexical index; `SearchIndex` searches them. Everything in Chroma
can be made from it. It knows nothing of Chroma, locks or embedding models.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ArchiveError
from rag.filters import Choice, domain
from rag.schema import migrate
from rag.search_index import SearchIndex
from rag.types import Article, Chunk, to_json

_ARTICLE_COLUMNS = ", ".join(field.name for field in fields(Article))


@dataclass(frozen=True, slots=True)
class Source:
    """What was seen of a source when it was last read, to tell whether it has changed."""

    key: str
    sha256: str
    size: int | None = None
    mtime_ns: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    problems: tuple[tuple[str, str], ...] = ()
    """(source, reason) of what could not be read in it."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """An article ready to be written: with its chunks, and what is embedded beside them."""

    article: Article
    source_key: str
    chunks: tuple[Chunk, ...]
    context: str
    vectors: NDArray[np.float32]
    """(chunks, dimensions), rows of length 1."""


class Ledger:
    """One open ledger file. Safe to read from several threads; writes are one thread's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA busy_timeout = 10000")
            self._use_wal()
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            migrate(self._db, str(path.parent))
            self.index = SearchIndex(self._db)
        except sqlite3.DatabaseError as error:
            raise ArchiveError(
                f"the ledger {str(path)!r} cannot be opened ({error}); check that you may write "
                "there, or restore it from a copy, or ingest into a new archive"
            ) from error

    def _use_wal(self) -> None:
        """Switch to write-ahead logging: the one step for which SQLite does not wait its turn."""
        for attempt in range(50):
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempt == 49:
                    raise
                time.sleep(0.1)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:  # an interrupt too must not leave half a write open
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # What the archive remembers of itself

    def meta(self, key: str) -> str | None:
        """A remembered value, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Remember a value."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def generation(self) -> int:
        """A number that every finished write raises."""
        return int(self.meta("generation") or 0)

    # Sources

    def source(self, key: str) -> Source | None:
        """What was seen of a source, or None if it never was."""
        row = self._db.execute("SELECT * FROM sources WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        problems = tuple((where, why) for where, why in json.loads(row["problems"]))
        return Source(**{**dict(row), "problems": problems})

    def put_source(self, source: Source) -> None:
        """Remember what was seen of a source."""
        self._insert("sources", {**to_json(source), "problems": json.dumps(source.problems)})

    def hashes(self, source_key: str) -> dict[str, str]:
        """Article id to content hash, of all that came from a source."""
        rows = self._db.execute(
            "SELECT id, content_hash FROM articles WHERE source_key = ?", (source_key,)
        )
        return {row[0]: row[1] for row in rows}

    # Articles

    def put(self, indexed: Indexed) -> None:
        """Add an article, or replace it and keep its former text as a version.

        It is not ready until Chroma holds it too.
        """
        article = indexed.article
        row = {
            **to_json(article),
            "authors": json.dumps(article.authors, ensure_ascii=False),
            "source_key": indexed.source_key,
            "domain": domain(article.url),
            "published_at": article.published.timestamp() if article.published else None,
            "version": self._keep_version(article.id),
        }
        self._drop(article.id)
        self._insert("articles", row)
        self.rechunk(indexed)

    def _insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Put a row, column by column, in place of one with the same key."""
        places = ", ".join("?" * len(row))
        self._db.execute(
            f"INSERT OR REPLACE INTO {table} ({', '.join(row)}) VALUES ({places})",
            tuple(row.values()),
        )

    def _keep_version(self, article_id: str) -> int:
        """Keep the standing text as a version; return the number of the next."""
        self._db.execute(
            "INSERT INTO versions SELECT id, version, title, text, published, modified, "
            "content_hash, ? FROM articles WHERE id = ?",
            (datetime.now(UTC).isoformat(timespec="seconds"), article_id),
        )
        row = self._db.execute(
            "SELECT max(version) FROM versions WHERE article_id = ?", (article_id,)
        ).fetchone()
        return (row[0] or 0) + 1

    def rechunk(self, indexed: Indexed) -> None:
        """Put these chunks and vectors in place of those that the article has."""
        article_id = indexed.article.id
        self._drop_chunks(article_id)
        self._db.executemany(
            "INSERT INTO chunks (id, position, start, stop, context, text, vector, article) "
            "SELECT ?, ?, ?, ?, ?, ?, ?, number FROM articles WHERE id = ?",
            (
                (
                    f"{article_id}-{chunk.position}",
                    chunk.position,
                    chunk.start,
                    chunk.end,
                    indexed.context,
                    chunk.text,
                    vector.tobytes(),
                    article_id,
                )
                for chunk, vector in zip(indexed.chunks, indexed.vectors, strict=True)
            ),
        )

    def _drop_chunks(self, article_id: str) -> None:
        self._db.execute(
            "DELETE FROM chunks WHERE article = (SELECT number FROM articles WHERE id = ?)",
            (article_id,),
        )

    def _drop(self, article_id: str) -> None:
        self._drop_chunks(article_id)
        self._db.execute("DELETE FROM articles WHERE id = ?", (article_id,))

    def remove(self, article_id: str) -> None:
        """Remove an article with its versions; its source counts as never seen."""
        self._db.execute(
            "DELETE FROM sources WHERE key = (SELECT source_key FROM articles WHERE id = ?)",
            (article_id,),
        )
        self._drop(article_id)
        self._db.execute("DELETE FROM versions WHERE article_id = ?", (article_id,))

    def article(self, article_id: str) -> Article | None:
        """The article with this id, or None."""
        row = self._db.execute(
            f"SELECT {_ARTICLE_COLUMNS} FROM articles WHERE id = ? AND ready", (article_id,)
        ).fetchone()
        return _article(row) if row else None

    def articles(self, choice: Choice, oldest_first: bool = False) -> Iterator[Article]:
        """The chosen articles, newest (or oldest) first, the undated last."""
        order = "ASC" if oldest_first else "DESC"
        # One by one: an open cursor would hide from this connection what is written meanwhile.
        ids = self._db.execute(
            f"SELECT id FROM articles a WHERE {choice.condition} "
            f"ORDER BY published_at {order} NULLS LAST, number",
            choice.parameters,
        ).fetchall()
        return (article for row in ids if (article := self.article(row[0])))

    def article_count(self) -> int:
        """How many articles there are."""
        return int(self._db.execute("SELECT count(*) FROM articles WHERE ready").fetchone()[0])

    def find(self, name: str, source_key: str) -> list[str]:
        """The ids of the articles that a user may mean: by id, by URL, or by source."""
        rows = self._db.execute(
            "SELECT id FROM articles WHERE id = ? OR url = ? OR source = ? OR source_key = ?",
            (name, name, name, source_key),
        )
        return [row[0] for row in rows]

    # What Chroma must still be told

    def unfinished(self) -> bool:
        """Whether Chroma lacks something, or still holds what is gone."""
        row = self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM articles WHERE ready = 0) "
            "OR EXISTS (SELECT 1 FROM departed)"
        ).fetchone()
        return bool(row[0])

    def departed(self) -> list[str]:
        """Chunk ids that Chroma must forget."""
        rows = self._db.execute(
            "SELECT chunk_id FROM departed WHERE chunk_id NOT IN (SELECT id FROM chunks)"
        )
        return [row[0] for row in rows]

    def vectors(
        self, unready_only: bool, batch: int
    ) -> Iterator[tuple[list[str], list[str], NDArray[np.float32]]]:
        """Batches of (chunk ids, article ids, vectors), of all or of what Chroma lacks."""
        cursor = self._db.execute(
            "SELECT c.id, a.id, c.vector FROM chunks c JOIN articles a ON a.number = c.article"
            + (" WHERE a.ready = 0" if unready_only else "")
        )
        while rows := cursor.fetchmany(batch):
            matrix = np.frombuffer(b"".join(row[2] for row in rows), dtype=np.float32)
            yield [r[0] for r in rows], [r[1] for r in rows], matrix.reshape(len(rows), -1)

    def finish(self) -> None:
        """Chroma holds all: every article is ready, and readers are told."""
        with self.transaction():
            self._db.execute("UPDATE articles SET ready = 1 WHERE ready = 0")
            self._db.execute("DELETE FROM departed")
            self.set_meta("generation", str(self.generation() + 1))

    def chunk_count(self) -> int:
        """How many chunks Chroma must hold."""
        return int(self._db.execute("SELECT count(*) FROM chunks").fetchone()[0])


def _moment(iso: str | None) -> datetime | None:
    return datetime.fromisoformat(iso) if iso else None


def _article(row: sqlite3.Row) -> Article:
    moments = {key: _moment(row[key]) for key in ("published", "modified")}
    return Article(**{**dict(row), **moments, "authors": tuple(json.loads(row["authors"]))})
