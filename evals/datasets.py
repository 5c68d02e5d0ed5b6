"""Questions to measure with: a file of the user's, or a suite that comes with Gazette."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ingest import ingest
from rag.errors import UsageError

Kind = Literal[
    "fact", "said", "number", "date", "outlet", "multi", "changed", "followup", "unanswerable"
]
SUITES = ("sample",)
"""Suites that come with Gazette and bring their own articles."""


@dataclass(frozen=True)
class Quote:
    """Words that carry an answer, and where they stand."""

    page: str
    """How the source's file name or the article's URL starts."""
    quote: str


@dataclass(frozen=True)
class Question:
    """A question with what is right."""

    id: str
    question: str
    kind: Kind = "fact"
    history: tuple[tuple[str, str], ...] = ()
    answers: tuple[str, ...] = ()
    """Variants, best first; of a multi question the parts that must all be there."""
    quotes: tuple[Quote, ...] = ()
    """Any one will do; of a multi question all."""
    outlet: str | None = None
    after: date | None = None
    before: date | None = None


_QUESTION = TypeAdapter(Question)


def load_questions(suite: str) -> tuple[Question, ...]:
    """The questions of a built-in suite, or of a JSON Lines file.

    Raises `UsageError`, naming the line, for a file that is none.
    """
    if suite in SUITES:
        text = (files("evals") / "suites" / f"{suite}.jsonl").read_text(encoding="utf-8")
    else:
        text = _read(suite)
    questions = tuple(
        _question(line, f"{suite!r}, line {number}")
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip()
    )
    if not questions:
        raise UsageError(f"{suite!r} holds no question; write one JSON object a line")
    return questions


def _read(suite: str) -> str:
    try:
        return Path(suite).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{suite!r} is neither a suite ({', '.join(SUITES)}) nor a questions file that can "
            f"be read ({error}); check the path"
        ) from error


def _question(line: str, where: str) -> Question:
    try:
        return _QUESTION.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        raise UsageError(f"{where}: {field}: {first['msg'].lower()}; mend it") from error


@contextmanager
def sample_archive() -> Iterator[Path]:
    """The sample articles in an archive of their own, for as long as they are measured."""
    with TemporaryDirectory() as folder, as_file(files("evals") / "articles") as articles:
        archive = Path(folder) / "archive"
        ingest(articles / "articles.jsonl", archive)
        yield archive
