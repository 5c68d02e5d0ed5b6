"""The ledger: one SQLite file that holds the truth of an archive.

Articles with their text and versions, sources with what is needed to see that nothing changed,
chunks with their vectors, and the lexical index. Everything in Chroma can be made from it.
It knows nothing of Chroma, locks or embedding models.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from rag.errors import ArchiveError
from rag.filters import Choice, date_bounds, domain, names_outlet
from rag.language import stem
from rag.schema import migrate
from rag.types import Article, Chunk, Passage, Query

SHORT_WORD, LONG_WORD = 5, 9
"""Letters: up to the one, and from the other on, a misspelling is looked for differently."""
_ARTICLE_COLUMNS = (
    "id, source, title, text, url, outlet, authors, published, modified, language, content_hash"
)


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
            self._db.execute(
                "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, lexical, row)"
            )
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
        row = self._db.execute(
            "SELECT key, sha256, size, mtime_ns, etag, last_modified, problems FROM sources "
            "WHERE key = ?",
            (key,),
        ).fetchone()
        if row is None:
            return None
        problems = tuple((where, why) for where, why in json.loads(row["problems"]))
        return Source(**{**dict(row), "problems": problems})

    def put_source(self, source: Source) -> None:
        """Remember what was seen of a source."""
        self._db.execute(
            "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                source.key,
                source.size,
                source.mtime_ns,
                source.sha256,
                source.etag,
                source.last_modified,
                json.dumps(source.problems),
            ),
        )

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
        version = self._keep_version(article.id)
        self._drop(article.id)
        self._db.execute(
            f"INSERT INTO articles (source_key, domain, published_at, version, {_ARTICLE_COLUMNS}) "
            f"VALUES ({', '.join('?' * 15)})",
            (
                indexed.source_key,
                domain(article.url),
                article.published.timestamp() if article.published else None,
                version,
                article.id,
                article.source,
                article.title,
                article.text,
                article.url,
                article.outlet,
                json.dumps(article.authors, ensure_ascii=False),
                article.published.isoformat() if article.published else None,
                article.modified.isoformat() if article.modified else None,
                article.language,
                article.content_hash,
            ),
        )
        self.rechunk(indexed)

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
        self._db.execute(
            "DELETE FROM chunks WHERE article = (SELECT number FROM articles WHERE id = ?)",
            (article_id,),
        )
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

    def _drop(self, article_id: str) -> None:
        self._db.execute(
            "DELETE FROM chunks WHERE article = (SELECT number FROM articles WHERE id = ?)",
            (article_id,),
        )
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

    def articles(self, choice: Choice) -> Iterator[Article]:
        """The chosen articles, newest first, the undated last."""
        # One by one: an open cursor would hide from this connection what is written meanwhile.
        ids = self._db.execute(
            f"SELECT id FROM articles a WHERE {choice.condition} "
            "ORDER BY published_at DESC NULLS LAST, number",
            choice.parameters,
        ).fetchall()
        return (article for row in ids if (article := self.article(row[0])))

    def article_count(self) -> int:
        """How many articles there are."""
        return self._count("articles", ["ready"], [])

    def find(self, name: str, source_key: str) -> list[str]:
        """The ids of the articles that a user may mean: by id, by URL, or by source."""
        rows = self._db.execute(
            "SELECT id FROM articles WHERE id = ? OR url = ? OR source = ? OR source_key = ?",
            (name, name, name, source_key),
        )
        return [row[0] for row in rows]

    def outlets(self) -> list[tuple[str | None, str | None]]:
        """The distinct (outlet, domain) pairs."""
        rows = self._db.execute("SELECT DISTINCT outlet, domain FROM articles WHERE ready")
        return [(row[0], row[1]) for row in rows]

    # Searching

    def choose(self, query: Query) -> Choice:
        """The chunks that a query's filters leave."""
        conditions, parameters = ["a.ready"], list[str | float]()
        unknown: list[str] = []
        if query.outlets:
            known = self.outlets()
            meant = {
                wanted: [pair for pair in known if names_outlet(wanted, *pair)]
                for wanted in query.outlets
            }
            unknown = [wanted for wanted, found in meant.items() if not found]
            pairs = [(name or "", host or "") for found in meant.values() for name, host in found]
            values = f"VALUES {', '.join(['(?, ?)'] * len(pairs))}" if pairs else "SELECT 0, 0"
            conditions.append(f"(ifnull(a.outlet, ''), ifnull(a.domain, '')) IN ({values})")
            parameters.extend(part for pair in pairs for part in pair)
        if query.without:
            conditions.append(f"a.id NOT IN ({', '.join('?' * len(query.without))})")
            parameters.extend(query.without)
        bounds = date_bounds(query)
        undated = self._count("articles a", [*conditions, "a.published_at IS NULL"], parameters)
        for comparison, moment in bounds:
            conditions.append(f"a.published_at {comparison} ?")
            parameters.append(moment.timestamp())
        table = "chunks c JOIN articles a ON a.number = c.article"
        return Choice(
            condition=" AND ".join(conditions),
            parameters=tuple(parameters),
            chunks=self._count(table, conditions, parameters),
            undated=undated if bounds else 0,
            unknown=tuple(unknown),
        )

    def _count(self, table: str, conditions: list[str], parameters: list[str | float]) -> int:
        sql = f"SELECT count(*) FROM {table} WHERE {' AND '.join(conditions)}"
        return int(self._db.execute(sql, parameters).fetchone()[0])

    def nearest(
        self, choice: Choice, vector: NDArray[np.float32], limit: int
    ) -> list[tuple[int, float]]:
        """The chosen chunks nearest to a unit vector, exactly: (chunk number, cosine)."""
        rows = self._db.execute(
            "SELECT c.number, c.vector FROM chunks c JOIN articles a ON a.number = c.article "
            f"WHERE {choice.condition}",
            choice.parameters,
        ).fetchall()
        if not rows:
            return []
        matrix = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float32)
        cosines = matrix.reshape(len(rows), -1) @ vector
        best = np.argsort(-cosines, kind="stable")[:limit]
        return [(rows[i][0], float(cosines[i])) for i in best]

    def lexical(self, terms: Sequence[str], choice: Choice, limit: int) -> list[tuple[int, float]]:
        """The chosen chunks that hold any of the terms, best first: (chunk number, BM25)."""
        if not terms:
            return []
        match = " OR ".join(f'"{term}"' for term in terms)
        rows = self._db.execute(
            "SELECT lexical.rowid, -bm25(lexical) FROM lexical "
            "JOIN chunks c ON c.number = lexical.rowid JOIN articles a ON a.number = c.article "
            f"WHERE lexical MATCH ? AND {choice.condition} ORDER BY bm25(lexical) LIMIT ?",
            (match, *choice.parameters, limit),
        )
        return [(number, score) for number, score in rows]

    def numbers(self, chunk_ids: Sequence[str], choice: Choice) -> dict[str, int]:
        """Chunk id to chunk number, of those that exist and are chosen."""
        found: dict[str, int] = {}
        for i in range(0, len(chunk_ids), 500):
            some = chunk_ids[i : i + 500]
            rows = self._db.execute(
                "SELECT c.id, c.number FROM chunks c JOIN articles a ON a.number = c.article "
                f"WHERE c.id IN ({', '.join('?' * len(some))}) AND {choice.condition}",
                (*some, *choice.parameters),
            )
            found.update((row[0], row[1]) for row in rows)
        return found

    def passages(self, numbers: Sequence[int], limit: int) -> dict[int, Passage]:
        """Chunk number to the chunk with its neighbours, up to `limit` characters."""
        rows = self._db.execute(
            "SELECT c.number, c.start, c.stop, ifnull(p.start, c.start) AS before, "
            "ifnull(n.stop, c.stop) AS after, a.text, a.id, a.title, a.url, a.outlet, a.published "
            "FROM chunks c JOIN articles a ON a.number = c.article "
            "LEFT JOIN chunks p ON p.article = c.article AND p.position = c.position - 1 "
            "LEFT JOIN chunks n ON n.article = c.article AND n.position = c.position + 1 "
            f"WHERE c.number IN ({', '.join('?' * len(numbers))})",
            tuple(numbers),
        )
        found = {}
        for row in rows:
            start = row["before"] if row["stop"] - row["before"] <= limit else row["start"]
            end = row["after"] if row["after"] - start <= limit else row["stop"]
            found[row["number"]] = Passage(
                article_id=row["id"],
                start=start,
                end=end,
                text=row["text"][start:end],
                title=row["title"],
                url=row["url"],
                outlet=row["outlet"],
                published=_moment(row["published"]),
            )
        return found

    def spelling(self, word: str) -> str | None:
        """The indexed term that a misspelt word may stand for; None where the word is indexed.

        A term with the same first letter (Kukich, ACM Computing Surveys 1992, on how seldom that
        is mistyped) and few edits away: in a short word two letters may have changed places, in a
        longer one any letter may be wrong, in a long one two.
        """
        if self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM lexical WHERE lexical MATCH ?)", (f'"{word}"',)
        ).fetchone()[0]:
            return None
        rows = self._db.execute(
            "SELECT term, doc FROM temp.vocabulary WHERE term >= ? AND term < ? "
            "AND abs(length(term) - ?) <= 2",
            (word[0], chr(ord(word[0]) + 1), len(word)),
        ).fetchall()
        near = []
        for wrong in {word, stem(word)}:  # what is indexed are stems
            edits = 1 if len(wrong) < LONG_WORD else 2
            for term, articles in rows:
                distance = OSA.distance(wrong, term, score_cutoff=edits)
                swapped = sorted(wrong) == sorted(term)
                if distance <= edits and (swapped or len(wrong) > SHORT_WORD):
                    near.append((distance, -articles, term))
        return min(near)[2] if near else None

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
        return self._count("chunks", ["1"], [])


def _moment(iso: str | None) -> datetime | None:
    return datetime.fromisoformat(iso) if iso else None


def _article(row: sqlite3.Row) -> Article:
    moments = {key: _moment(row[key]) for key in ("published", "modified")}
    return Article(**{**dict(row), **moments, "authors": tuple(json.loads(row["authors"]))})
