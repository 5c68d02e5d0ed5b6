"""The ledger's schema, and how an older one becomes today's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from rag.errors import ArchiveError

# One script a schema version; PRAGMA user_version counts those that have run.
_MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE sources (
        key TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, sha256 TEXT NOT NULL,
        etag TEXT, last_modified TEXT, problems TEXT NOT NULL DEFAULT '[]'
    ) WITHOUT ROWID;
    CREATE TABLE articles (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, source_key TEXT NOT NULL,
        source TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, url TEXT, outlet TEXT,
        domain TEXT, authors TEXT NOT NULL, published TEXT, published_at REAL, modified TEXT,
        language TEXT, content_hash TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1,
        cluster TEXT, ready INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX articles_by_source ON articles (source_key);
    CREATE INDEX articles_by_url ON articles (url);
    CREATE INDEX articles_by_date ON articles (published_at);
    CREATE INDEX articles_by_cluster ON articles (cluster);
    CREATE INDEX articles_unready ON articles (ready) WHERE ready = 0;
    CREATE TABLE versions (
        article_id TEXT NOT NULL, version INTEGER NOT NULL, title TEXT NOT NULL,
        text TEXT NOT NULL, published TEXT, modified TEXT, content_hash TEXT NOT NULL,
        replaced_at TEXT NOT NULL, PRIMARY KEY (article_id, version)
    ) WITHOUT ROWID;
    CREATE TABLE chunks (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        article INTEGER NOT NULL REFERENCES articles (number), position INTEGER NOT NULL,
        start INTEGER NOT NULL, stop INTEGER NOT NULL, context TEXT NOT NULL, text TEXT NOT NULL,
        vector BLOB NOT NULL
    );
    CREATE INDEX chunks_by_article ON chunks (article);
    CREATE TABLE departed (chunk_id TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE VIRTUAL TABLE lexical USING fts5 (
        context, text, content = 'chunks', content_rowid = 'number',
        tokenize = 'porter unicode61 remove_diacritics 2'
    );
    CREATE TRIGGER chunk_added AFTER INSERT ON chunks BEGIN
        INSERT INTO lexical (rowid, context, text) VALUES (new.number, new.context, new.text);
    END;
    CREATE TRIGGER chunk_removed AFTER DELETE ON chunks BEGIN
        INSERT INTO lexical (lexical, rowid, context, text)
        VALUES ('delete', old.number, old.context, old.text);
        INSERT OR IGNORE INTO departed VALUES (old.id);
    END;
    """,
)
SCHEMA_VERSION = len(_MIGRATIONS)


def migrate(db: sqlite3.Connection, archive: str) -> None:
    """Bring a ledger, new or old, to `SCHEMA_VERSION`.

    Raises `ArchiveError` where a newer Gazette made it.
    """
    if _version(db) == SCHEMA_VERSION:
        return
    # Two processes may open a new archive at once: only one runs the scripts.
    db.execute("BEGIN EXCLUSIVE")
    version = _version(db)
    if version > SCHEMA_VERSION:
        db.execute("ROLLBACK")
        raise ArchiveError(
            f"the archive {archive!r} has schema version {version}, made by a newer Gazette "
            f"(this one knows {SCHEMA_VERSION}); upgrade Gazette"
        )
    for script in _MIGRATIONS[version:]:
        for statement in _statements(script):
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would commit in between."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
