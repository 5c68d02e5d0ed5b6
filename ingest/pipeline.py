"""From sources to an archive: walk, read what has changed, parse, chunk, embed, write."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ingest.chunking import chunk, context
from ingest.fetching import Fetcher
from ingest.parsing import Problem, parse
from ingest.sources import Document, read, source_key, walk, without_credentials
from rag.archive import Archive
from rag.embeddings import Embedder, load_embedder
from rag.errors import SourceError
from rag.ledger import Indexed, Source
from rag.minilm import DEFAULT_MODEL
from rag.settings import Settings
from rag.types import Article, Query, to_json

BATCH_CHUNKS = 256
"""Chunks embedded and written at once: a crash costs no more than these."""

BATCH_ARTICLES = 32

Progress = Callable[[int, int], None]
"""Called with (articles done, articles known of)."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of the sources, in articles."""

    added: int
    changed: int
    unchanged: int
    removed: int
    """Articles that stood in a source and no longer do."""
    skipped: tuple[tuple[str, str], ...]
    """(source, reason) of each thing that could not be read."""

    def __str__(self) -> str:
        return (
            f"{self.added} added, {self.changed} changed, {self.unchanged} unchanged, "
            f"{self.removed} removed, {len(self.skipped)} skipped"
        )


def ingest(
    sources: str | Path | Sequence[str | Path],
    archive: str | Path | None = None,
    embedding_model: str | None = None,
    allow_private: bool = False,
    progress: Progress | None = None,
) -> IngestReport:
    """Bring articles into an archive; a missing or empty folder becomes a new one.

    What has not changed since it was last ingested is not parsed again. Raises `SourceError` if
    nothing at all could be read, and `ArchiveError` or `EmbeddingError` where the archive cannot
    be written or was made by another model.
    """
    settings = Settings.given(archive=archive, embedding_model=embedding_model)
    given = [sources] if isinstance(sources, str | Path) else list(sources)
    path = settings.archive
    is_new = not (path / "ledger.sqlite").exists()
    with Archive(path, create=True) as opened, opened.writing():
        try:
            model = settings.embedding_model or opened.embedding_model or DEFAULT_MODEL
            embedder = load_embedder(model)
            opened.check_model(embedder.name)
            with Fetcher(allow_private) as fetcher:
                run = _Run(opened, embedder, fetcher, progress)
                run.take([str(source) for source in given])
            return run.report()
        except BaseException:  # an interrupt too
            # Nothing came into a new archive: leave none, while nobody else can be filling it.
            if is_new and opened.ledger.chunk_count() == 0:
                shutil.rmtree(path, ignore_errors=True)
            raise


def reindex(
    archive: str | Path | None = None,
    embedding_model: str | None = None,
    progress: Progress | None = None,
) -> int:
    """Chunk and embed every article anew, with another model if one is named; how many."""
    settings = Settings.given(archive=archive, embedding_model=embedding_model)
    with Archive(settings.archive) as opened, opened.writing():
        embedder = load_embedder(
            settings.embedding_model or opened.embedding_model or DEFAULT_MODEL
        )
        articles = list(opened.ledger.articles(opened.ledger.index.choose(Query(""))))
        indexed: list[Indexed] = []
        for i in range(0, len(articles), BATCH_ARTICLES):
            some = [_prepared(article, "") for article in articles[i : i + BATCH_ARTICLES]]
            indexed.extend(_embedded(some, embedder))
            if progress:
                progress(len(indexed), len(articles))
        opened.reindex(indexed, embedder.name)
    return len(indexed)


def remove(names: Sequence[str], archive: str | Path | None = None) -> int:
    """Remove articles everywhere, by id, URL or source; how many.

    Raises `SourceError`, and removes nothing, where a name is of no article.
    """
    with Archive(Settings.given(archive=archive).archive) as opened, opened.writing():
        found: dict[str, None] = {}
        for name in names:
            ids = opened.ledger.find(name, source_key(name))
            if not ids:
                raise SourceError(
                    f"{name!r} is no article's id, URL or source; see: gazette articles list"
                )
            found.update(dict.fromkeys(ids))
        opened.remove(list(found))
    return len(found)


def _prepared(article: Article, key: str) -> Indexed:
    """An article that waits to be embedded."""
    return Indexed(article, key, tuple(chunk(article)), context(article), np.empty(0, np.float32))


def _embedded(prepared: Sequence[Indexed], embedder: Embedder) -> list[Indexed]:
    vectors = embedder.encode([f"{p.context}\n{c.text}" for p in prepared for c in p.chunks])
    ends = np.cumsum([len(p.chunks) for p in prepared])[:-1]
    rows = np.split(vectors, ends) if prepared else []
    return [replace(p, vectors=some) for p, some in zip(prepared, rows, strict=True)]


class _Run:
    """One ingest: what waits to be embedded, and the counts."""

    def __init__(
        self, archive: Archive, embedder: Embedder, fetcher: Fetcher, progress: Progress | None
    ) -> None:
        self._archive = archive
        self._embedder = embedder
        self._fetcher = fetcher
        self._progress = progress
        self._waiting: list[Indexed] = []
        self._finished: list[tuple[Source, list[str]]] = []
        self._added = self._changed = self._unchanged = self._removed = 0
        self._skipped: list[Problem] = []
        self._known = 0

    def take(self, given: Sequence[str]) -> None:
        """Ingest sources, each once."""
        found: dict[str, str] = {}
        for source in given:
            before = len(found) + len(self._skipped)
            for item in walk(source):
                if isinstance(item, Problem):
                    self._skipped.append(item)
                else:
                    found.setdefault(source_key(item), item)
            if len(found) + len(self._skipped) == before and source_key(source) not in found:
                self._skipped.append(Problem(source, "holds no file; check the path"))
        self._known = len(found)
        for key, source in found.items():
            self._take_source(source, key)
        self._flush()

    def _take_source(self, source: str, key: str) -> None:
        seen = self._archive.ledger.source(key)
        try:
            document = read(source, seen, self._fetcher)
        except SourceError as error:
            self._skipped.append(Problem(without_credentials(source), str(error)))
            self._known -= 1
            return
        if isinstance(document, Source):
            self._skipped.extend(Problem(*problem) for problem in document.problems)
            self._known -= 1
            self._count_unchanged(len(self._archive.ledger.hashes(key)))
            if document != seen:
                self._finished.append((document, []))
            return
        self._take_document(document, without_credentials(source))

    def _take_document(self, document: Document, source: str) -> None:
        key = document.seen.key
        former = self._archive.ledger.hashes(key)
        problems: list[Problem] = []
        present: set[str] = set()
        self._known -= 1
        for item in parse(document.data, document.kind, source, document.url, document.charset):
            if isinstance(item, Problem):
                problems.append(item)
                continue
            try:
                article = _identified(item, key, document.kind, present)
            except UnicodeEncodeError:
                problems.append(Problem(source, "holds half a character (a lone surrogate)"))
                continue
            present.add(article.id)
            if former.get(article.id) == article.content_hash:
                self._count_unchanged(1)
                continue
            self._changed += article.id in former
            self._added += article.id not in former
            self._known += 1
            self._waiting.append(_prepared(article, key))
            if sum(len(w.chunks) for w in self._waiting) >= BATCH_CHUNKS:
                self._flush()
        self._skipped.extend(problems)
        gone = (
            [] if problems else [article_id for article_id in former if article_id not in present]
        )
        self._removed += len(gone)
        self._finished.append((replace(document.seen, problems=tuple(problems)), gone))

    def _count_unchanged(self, count: int) -> None:
        self._unchanged += count
        self._known += count
        self._tell()

    def _flush(self) -> None:
        if self._waiting or self._finished:
            indexed = _embedded(self._waiting, self._embedder)
            self._archive.put(indexed, self._finished, self._embedder.name)
        self._waiting, self._finished = [], []
        self._tell()

    def _tell(self) -> None:
        if self._progress:
            done = self._added + self._changed + self._unchanged - len(self._waiting)
            self._progress(done, self._known)

    def report(self) -> IngestReport:
        """The counts; raises `SourceError` if nothing could be read."""
        if self._skipped and not self._added + self._changed + self._unchanged:
            # What could not be fetched names its address itself, with where it was redirected to.
            raise SourceError(
                "; ".join(
                    p.reason if repr(p.source) in p.reason else f"{p.source!r} {p.reason}"
                    for p in self._skipped
                )
            )
        return IngestReport(
            self._added,
            self._changed,
            self._unchanged,
            self._removed,
            tuple((problem.source, problem.reason) for problem in self._skipped),
        )


def _identified(article: Article, key: str, kind: str, taken: set[str]) -> Article:
    """The article with its id and hash.

    The id comes from the source and, where a source may hold many, from the article's URL or
    title, so that it stays when the text changes; the second of two alike gets another.
    """
    name = f"{key}\n{article.url or article.title}" if kind == "jsonl" else key
    article_id = _digest(name)[:16]
    while article_id in taken:
        name += "+"
        article_id = _digest(name)[:16]
    shown = {field: value for field, value in to_json(article).items() if field != "source"}
    return replace(
        article, id=article_id, content_hash=_digest(json.dumps(shown, ensure_ascii=False))
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
