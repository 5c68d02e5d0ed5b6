"""Questions to measure with: a file of the user's, or a suite that comes with Gazette."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, fields
from datetime import date
from difflib import get_close_matches
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ingest import ingest
from rag.errors import UsageError

Kind = Literal[
    "fact", "said", "number", "date", "outlet", "multi", "changed", "followup", "unanswerable"
]
Measure = Literal[
    "hit@1",
    "hit@5",
    "MRR@10",
    "nDCG@10",
    "all@5",
    "right",
    "citation precision",
    "quotes exact",
    "answered",
    "abstained",
    "abstained left out",
]
"""What a suite is measured by, and may have a gate on; all from 0 to 1, more is better."""
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


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Rules:
    """How a suite is run, and what it must reach; in its file a line `{"rules": {...}}`."""

    gate: Mapping[Measure, float] = field(default_factory=dict)
    """The least that is let through."""
    leave_out: bool = False
    """Ask each answerable question again, without the articles that answer it."""


@dataclass(frozen=True)
class Suite:
    """Questions, and the rules by which they are asked."""

    name: str
    questions: tuple[Question, ...]
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True)
class _RulesLine:
    rules: Rules


_FIELDS = tuple(field.name for field in fields(Question))
_QUESTION, _RULES = TypeAdapter(Question), TypeAdapter(_RulesLine)
_IS_RULES = re.compile(r'\s*\{\s*"rules"\s*:')


def load_suite(name: str) -> Suite:
    """A built-in suite, or the questions of a JSON Lines file.

    Raises `UsageError`, naming the line, for a file that is none.
    """
    if name in SUITES:
        text = (files("evals") / "suites" / f"{name}.jsonl").read_text(encoding="utf-8")
    else:
        text = _read(name)
    lines = [
        _parsed(line, f"{name!r}, line {number}")
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip()
    ]
    questions = tuple(line for line in lines if isinstance(line, Question))
    if not questions:
        raise UsageError(f"{name!r} holds no question; write one JSON object a line")
    twice = [key for key, count in Counter(q.id for q in questions).items() if count > 1]
    if twice:
        raise UsageError(f"{name!r} has several questions with the id {twice[0]!r}; give each one")
    rules = next((line.rules for line in lines if isinstance(line, _RulesLine)), Rules())
    return Suite(name, questions, rules)


def _read(suite: str) -> str:
    try:
        return Path(suite).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{suite!r} is neither a suite ({', '.join(SUITES)}) nor a questions file that can "
            f"be read ({error}); check the path"
        ) from error


def _parsed(line: str, where: str) -> Question | _RulesLine:
    try:
        if _IS_RULES.match(line):
            return _RULES.validate_json(line)
        question = _QUESTION.validate_json(line)
        for name in set(json.loads(line)) - set(_FIELDS):  # others are the writer's own affair
            if meant := get_close_matches(name, _FIELDS, cutoff=0.8):
                raise UsageError(f"{where}: {name!r} is no field; write {meant[0]!r}")
        return question
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        raise UsageError(f"{where}: {place}: {first['msg']}; mend it") from error


@contextmanager
def sample_archive() -> Iterator[Path]:
    """The sample articles in an archive of their own, for as long as they are measured."""
    with TemporaryDirectory() as folder, as_file(files("evals") / "articles") as articles:
        archive = Path(folder) / "archive"
        ingest(articles / "articles.jsonl", archive)
        yield archive
