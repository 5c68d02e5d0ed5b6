"""Adding articles from the web chat: from addresses and uploaded files to a report in words."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from ingest import IngestReport, ingest
from ingest.parsing import FORMATS, Problem
from ingest.sources import is_url, walk
from rag.archive import Archive
from rag.errors import GazetteError
from rag.types import to_json

UPLOADS = "uploads"
"""The archive's folder of what was uploaded: a file keeps its name, and can be ingested again."""
_NO_ADDRESS = "is no http or https address; a file is added with the other button"
MAX_REASONS = 100  # of a file with thousands of broken lines
READABLE = ", ".join([*FORMATS, "each also as .gz"])

logger = logging.getLogger(__name__)


def add(
    archive: Path, addresses: str, uploaded: Sequence[str], allow_private: bool
) -> Iterator[str]:
    """Ingest web pages and uploaded files; tells as HTML how far it is, last what came of it."""
    yield "<p>Reading …</p>"
    news: SimpleQueue[tuple[int, int] | str] = SimpleQueue()
    skipped: list[Problem] = []

    def work() -> None:
        try:
            words = addresses.split()
            skipped[:] = [Problem(word, _NO_ADDRESS) for word in words if not is_url(word)]
            sources = [word for word in words if is_url(word)]
            sources += _keep(archive, uploaded, skipped)
            done = IngestReport(0, 0, 0, 0, ())
            if sources:
                done = ingest(sources, archive, None, allow_private, lambda *n: news.put(n))
            skipped.extend(Problem(*problem) for problem in done.skipped)
            news.put(_report(done, skipped))
        except GazetteError as error:
            news.put(_failure(str(error)) + _reasons(skipped))
        except Exception as error:
            logger.exception("adding articles in the web chat failed")
            news.put(_failure(f"{type(error).__name__}: {error}; try again"))

    # A reader who leaves does not break it off; the end of the server may.
    Thread(target=work, daemon=True).start()
    while isinstance(told := news.get(), tuple):
        done, known = told
        bar = f'<progress value="{done}" max="{known}" aria-label="Articles"></progress>'
        yield f"<p>{done:,} of {known:,} articles {bar}</p>"
    yield told.replace(escape(f"{archive / UPLOADS}/"), "")  # an uploaded file by its name alone


def _keep(archive: Path, uploaded: Sequence[str], skipped: list[Problem]) -> list[str]:
    """The uploaded files, moved into the archive under their own names."""
    kept: dict[str, str] = {}
    for file in uploaded:
        name = Path(file).name
        found = next(iter(walk(file)))
        if isinstance(found, Problem):
            skipped.append(Problem(name, found.reason))
        elif name in kept:
            skipped.append(Problem(name, "has the name of another chosen file; rename one"))
        else:
            kept[name] = file
    if not kept:
        return []
    Archive(archive, create=True).close()  # refuses a folder that holds something else
    folder = archive / UPLOADS
    folder.mkdir(exist_ok=True)
    return [str(shutil.move(file, folder / name)) for name, file in kept.items()]


def _report(done: IngestReport, skipped: Sequence[Problem]) -> str:
    counts = {**to_json(done), "skipped": len(skipped)}
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return f'<p class="told">{told or "No address was given"}.</p>{_reasons(skipped)}'


def _reasons(skipped: Sequence[Problem]) -> str:
    lines = [f"<li><b>{escape(source)}</b> {escape(reason)}</li>" for source, reason in skipped]
    if len(lines) > MAX_REASONS:
        lines[MAX_REASONS:] = [f"<li>and {len(lines) - MAX_REASONS:,} more</li>"]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _failure(message: str) -> str:
    return f'<p class="error" role="alert">Could not add: {escape(message)}</p>'
