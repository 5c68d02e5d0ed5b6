"""From files and web pages to articles in an archive."""

from ingest.pipeline import IngestReport, ingest, reindex, remove

__all__ = ["IngestReport", "ingest", "reindex", "remove"]
