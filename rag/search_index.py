"""Searching a ledger: what filters leave, the nearest vectors, the lexical index, spelling.

All of it reads the ledger's own tables, in the state that its connection sees.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from rag.filters import Choice, date_bounds, in_force, names_outlet
from rag.language import stem
from rag.types import Passage, Query

SHORT_WORD, LONG_WORD = 5, 9
"""Letters: up to the one, and from the other on, a misspelling is looked for differently."""

CASED_CHUNKS, CAPITAL = 20, 0.9
"""How many chunks are looked at for how a word is written, and what share makes it a name."""
_WRITTEN = re.compile(r"((?<=[\w,;] |\w-))?\b([^\W\d_]+)")


class SearchIndex:
    """What can be asked of a ledger's chunks. Safe to use from several threads."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        # What takes a whole table to find is kept until something is written.
        self._rows = lru_cache(maxsize=64)(self._read)
        self._vectors = lru_cache(maxsize=4)(self._read_vectors)
        db.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, lexical, row)")

    def outlets(self) -> list[tuple[str | None, str | None]]:
        """The distinct (outlet, domain) pairs."""
        rows = self._rows(
            self._state(), "SELECT DISTINCT outlet, domain FROM articles WHERE ready", ()
        )
        return [(row[0], row[1]) for row in rows]

    def newest(self) -> datetime | None:
        """When the newest article was published; None where all are undated."""
        row = self._db.execute(
            "SELECT published FROM articles WHERE ready AND published_at NOT NULL "
            "ORDER BY published_at DESC LIMIT 1"
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def choose(self, query: Query) -> Choice:
        """The chunks that a query's filters leave."""
        query = in_force(query)
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
        undated = 0
        if bounds:
            dateless = [*conditions, "a.published_at IS NULL"]
            undated = self._count("articles a", dateless, parameters)
        for comparison, moment in bounds:
            conditions.append(f"a.published_at {comparison} ?")
            parameters.append(moment.timestamp())
        table = "chunks c JOIN articles a ON a.number = c.article"
        return Choice(
            condition=" AND ".join(conditions),
            parameters=tuple(parameters),
            chunks=self._count(table, conditions, parameters),
            undated=undated,
            unknown=tuple(unknown),
        )

    def about(self, choice: Choice, terms: Sequence[str]) -> Choice:
        """Of a choice the articles that hold all of these terms in one chunk."""
        return replace(
            choice,
            condition=f"{choice.condition} AND a.number IN (SELECT c.article FROM lexical "
            "JOIN chunks c ON c.number = lexical.rowid WHERE lexical MATCH ?)",
            parameters=(*choice.parameters, " AND ".join(f'"{term}"' for term in terms)),
        )

    def written_by(self, choice: Choice, author: str) -> Choice:
        """Of a choice the articles of an author, by a part of the name."""
        condition = f"{choice.condition} AND instr(lower(a.authors), ?)"
        return replace(choice, condition=condition, parameters=(*choice.parameters, author.lower()))

    def per_outlet(self, choice: Choice) -> dict[str | None, int]:
        """The outlets of the chosen articles, each with their number, those with most first."""
        rows = self._db.execute(
            f"SELECT a.outlet, count(*) FROM articles a WHERE {choice.condition} "
            "GROUP BY a.outlet ORDER BY count(*) DESC, a.outlet",
            choice.parameters,
        )
        return {row[0]: row[1] for row in rows}

    def _count(self, table: str, conditions: list[str], parameters: list[str | float]) -> int:
        sql = f"SELECT count(*) FROM {table} WHERE {' AND '.join(conditions)}"
        return int(self._rows(self._state(), sql, tuple(parameters))[0][0])

    def _state(self) -> object:
        """What differs as soon as anything was written, here or by another connection."""
        if self._db.in_transaction:  # what is read now may be taken back
            return object()
        by_others = self._db.execute("PRAGMA data_version").fetchone()[0]
        return self._db.total_changes, by_others

    def _read(
        self, _state: object, sql: str, parameters: tuple[str | float, ...]
    ) -> list[sqlite3.Row]:
        return self._db.execute(sql, parameters).fetchall()

    def nearest(
        self, choice: Choice, vector: NDArray[np.float32], limit: int
    ) -> list[tuple[int, float]]:
        """The chosen chunks nearest to a unit vector, exactly: (chunk number, cosine)."""
        numbers, vectors = self._vectors(self._state(), choice.condition, choice.parameters)
        if not numbers:
            return []
        cosines = vectors @ vector
        last = max(0, len(numbers) - limit)
        near = np.flatnonzero(cosines >= np.partition(cosines, last)[last])
        best = near[np.argsort(-cosines[near], kind="stable")][:limit]
        return [(numbers[i], float(cosines[i])) for i in best]

    def _read_vectors(
        self, _state: object, condition: str, parameters: tuple[str | float, ...]
    ) -> tuple[list[int], NDArray[np.float32]]:
        """The numbers of the chosen chunks, and their vectors, one a row."""
        rows = self._db.execute(
            "SELECT c.number, c.vector FROM chunks c JOIN articles a ON a.number = c.article "
            f"WHERE {condition}",
            parameters,
        ).fetchall()
        matrix = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float32)
        return [row[0] for row in rows], matrix.reshape(max(1, len(rows)), -1)

    def cosines(self, numbers: Sequence[int], vectors: NDArray[np.float32]) -> dict[int, float]:
        """Chunk number to the chunk's largest cosine to any of the unit vectors, one a row."""
        rows = self._db.execute(
            f"SELECT number, vector FROM chunks WHERE number IN ({', '.join('?' * len(numbers))})",
            tuple(numbers),
        ).fetchall()
        if not rows:
            return {}
        matrix = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float32)
        nearest = (matrix.reshape(len(rows), -1) @ vectors.T).max(axis=1)
        return dict(zip((row[0] for row in rows), nearest.tolist(), strict=True))

    def lexical(self, terms: Sequence[str], choice: Choice, limit: int) -> list[tuple[int, float]]:
        """The chosen chunks that hold any of the terms, best first: (chunk number, BM25)."""
        if not terms:
            return []
        match = " OR ".join(f'"{term}"' for term in terms)
        # Joined in this order, the index gives them best first, and what stands behind the limit
        # is looked up nowhere else.
        rows = self._db.execute(
            "SELECT lexical.rowid, -lexical.rank FROM lexical "
            "CROSS JOIN chunks c ON c.number = lexical.rowid "
            "CROSS JOIN articles a ON a.number = c.article "
            f"WHERE lexical MATCH ? AND {choice.condition} ORDER BY lexical.rank LIMIT ?",
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
            "ifnull(n.stop, c.stop) AS after, a.text, a.id, a.title, a.url, a.outlet, a.published, "
            "a.language "
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
                published=datetime.fromisoformat(row["published"]) if row["published"] else None,
                language=row["language"],
            )
        return found

    def written(self, word: str) -> str | None:
        """How the articles write a word: with a capital only where they nearly always do.

        Inside sentences, if it stands there at all: what begins one has a capital anyhow. None
        where no article has the word.
        """
        forms = self._forms(word)
        if forms is None:
            return None
        capital = Counter({form: n for form, n in forms.items() if form[0].isupper()})
        if not capital or capital.total() < CAPITAL * forms.total():
            return word
        own = {form: n for form, n in capital.items() if form.casefold() == word}
        return max(own, key=own.__getitem__) if own else word.capitalize()

    def _forms(self, word: str, rest: str = "") -> Counter[str] | None:
        """How often some articles write a word in which inflection and case.

        Of a stem, which may have a stem of its own, with `*` as the rest.
        """
        rows = self._db.execute(
            "SELECT substr(a.text, c.start + 1, c.stop - c.start) FROM lexical "
            "JOIN chunks c ON c.number = lexical.rowid JOIN articles a ON a.number = c.article "
            "WHERE lexical MATCH ? LIMIT ?",
            (f'"{word}"{rest}', CASED_CHUNKS),
        ).fetchall()
        wanted, inside, opening = {word, stem(word)}, Counter[str](), Counter[str]()
        for row in rows:
            for match in _WRITTEN.finditer(row[0]):
                if stem(match[2].casefold()) in wanted:
                    (opening if match[1] is None else inside)[match[2]] += 1
        return (inside or opening) if rows else None

    def spelling(self, word: str) -> str | None:
        """The word of the articles that a misspelt one may stand for; None where they have it.

        One with the same first letter (Kukich, ACM Computing Surveys 1992, on how seldom that is
        mistyped) and few edits away: in a short word two letters may have changed places, in a
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
                if distance <= edits and (swapped or len(word) > SHORT_WORD):
                    near.append((distance, -articles, term))
        if not near:
            return None
        forms = self._forms(min(near)[2], "*") or Counter()
        closest = sorted(
            (OSA.distance(word, form.casefold()), -count, form) for form, count in forms.items()
        )
        return closest[0][2] if closest else None
