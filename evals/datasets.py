"""Questions to measure with: a file of the user's, a set that people already have, or our own."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, fields
from datetime import date
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal
from urllib.parse import quote as quoted

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from evals.measures import MEASURES
from ingest import ingest
from ingest.pipeline import Progress
from rag.errors import UsageError

Kind = Literal[
    "fact",
    "said",
    "number",
    "date",
    "outlet",
    "multi",
    "changed",
    "followup",
    "unanswerable",
    "overview",
    "search",
]
SUITES = ("sample",)
"""Suites that come with Gazette."""


def _known(measure: str) -> str:
    if measure not in MEASURES:
        raise ValueError(f"no measure is called {measure!r}")
    return measure


@dataclass(frozen=True)
class Quote:
    """Words that carry an answer, and where they stand."""

    page: str
    """How the source's file name or the article's URL starts."""
    quote: str = ""
    """Empty: the whole article."""
    relevance: int = 1


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
    """Any one will do; of a multi question all; of a search as many as there are, and of an
    overview, which has no answers but the articles on its topic."""
    outlet: str | None = None
    after: date | None = None
    before: date | None = None

    @property
    def is_answerable(self) -> bool:
        """Whether the articles say."""
        return bool(self.quotes if self.kind == "overview" else self.answers)


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Rules:
    """How a suite is run, and what it must reach; in its file a line `{"rules": {...}}`."""

    gate: Mapping[Annotated[str, AfterValidator(_known)], float] = field(default_factory=dict)
    """The least that is let through, or the most where less is better."""
    leave_out: bool = False
    """Ask each answerable question again, without the articles that answer it."""


@dataclass(frozen=True)
class Suite:
    """Questions, the rules by which they are asked, and the articles that they ask about."""

    name: str
    questions: tuple[Question, ...]
    rules: Rules = field(default_factory=Rules)
    articles: Callable[[], Iterable[Mapping[str, Any]]] | None = None
    """Gives them as `gazette ingest` reads them; None where the archive holds them already."""


@dataclass(frozen=True)
class _RulesLine:
    rules: Rules


_FIELDS = tuple(field.name for field in fields(Question))
_QUESTION, _RULES = TypeAdapter(Question), TypeAdapter(_RulesLine)
_IS_RULES = re.compile(r'\s*\{\s*"rules"\s*:')


def load_suite(name: str) -> Suite:
    """A built-in suite, a BEIR folder, a SQuAD file, or the questions of a JSON Lines file.

    Raises `UsageError` for what is none of them, naming the line of a questions file.
    """
    if name in SUITES:
        text = (files("evals") / "suites" / f"{name}.jsonl").read_text(encoding="utf-8")
        return Suite(name, *_questions(name, text), _sample_articles)
    try:
        if Path(name).is_dir():
            return _beir(Path(name))
        text = Path(name).read_text(encoding="utf-8-sig")
        if name.endswith(".json"):
            return _squad(name, json.loads(text)["data"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{name!r} is neither a suite ({', '.join(SUITES)}, own) nor a questions file, a BEIR "
            f"folder or a SQuAD file that can be read ({type(error).__name__}: {error}); check the "
            "path"
        ) from error
    return Suite(name, *_questions(name, text))


def _questions(name: str, text: str) -> tuple[tuple[Question, ...], Rules]:
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
    return questions, rules


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


def _beir(folder: Path) -> Suite:
    """A set in BEIR's format (Thakur et al. 2021); a passage is judged by its document.

    Of several judgements those of the test split are taken. Only judged queries are asked.
    """
    splits = sorted((folder / "qrels").glob("*.tsv"), key=lambda path: path.stem != "test")
    if not splits:
        raise FileNotFoundError(f"no file is there like {folder / 'qrels' / 'test.tsv'}")
    judged: dict[str, list[Quote]] = {}
    for line in splits[0].read_text(encoding="utf-8").splitlines()[1:]:
        query, document, relevance = line.split("\t")
        if int(relevance) > 0:
            judged.setdefault(query, []).append(Quote(_address(document), relevance=int(relevance)))
    questions = tuple(
        Question(query["_id"], query["text"], "search", quotes=tuple(judged[query["_id"]]))
        for query in _json_lines(folder / "queries.jsonl")
        if query["_id"] in judged
    )

    def articles() -> Iterator[dict[str, str]]:
        for document in _json_lines(folder / "corpus.jsonl"):
            title = document.get("title", "")
            text = document["text"] or title
            yield {"title": title, "text": text, "url": _address(document["_id"])}

    return Suite(str(folder), questions, articles=articles)


def _squad(name: str, data: Iterable[Mapping[str, Any]]) -> Suite:
    """A set in SQuAD's format, 1.1 or 2.0: each paragraph is an article."""
    articles: list[dict[str, str]] = []
    questions = []
    for article in data:
        for paragraph in article["paragraphs"]:
            url = _address(f"{article['title']}/{len(articles)}")
            articles.append({"title": article["title"], "text": paragraph["context"], "url": url})
            for asked in paragraph["qas"]:
                answers = tuple(dict.fromkeys(answer["text"] for answer in asked["answers"]))
                kind: Kind = "fact" if answers else "unanswerable"
                quotes = (Quote(url),) if answers else ()
                question = Question(asked["id"], asked["question"], kind, (), answers, quotes)
                questions.append(question)
    return Suite(name, tuple(questions), articles=lambda: articles)


def _address(name: str) -> str:
    """An address for a document; no other document's begins with it."""
    return f"urn:document:{quoted(name, safe='')}:"


def _json_lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _sample_articles() -> Iterator[Any]:
    text = (files("evals") / "articles" / "articles.jsonl").read_text(encoding="utf-8")
    return map(json.loads, text.splitlines())


@contextmanager
def archive_of(
    suite: Suite, path: str | None = None, progress: Progress | None = None
) -> Iterator[str | None]:
    """The archive to ask a suite of: the one at the path, which the settings name if it is None.

    A suite that brings its articles is asked of an archive made of them: at the path, where there
    is none yet, or for the time being where no path is given.
    """
    if suite.articles is None or (path and (Path(path) / "ledger.sqlite").exists()):
        yield path
        return
    with TemporaryDirectory() as folder:
        source = Path(folder) / "articles.jsonl"
        with source.open("w", encoding="utf-8") as lines:
            lines.writelines(f"{json.dumps(article)}\n" for article in suite.articles())
        archive = path or str(Path(folder) / "archive")
        ingest(source, archive, progress=progress)
        yield archive


@contextmanager
def sample_archive() -> Iterator[Path]:
    """The sample articles in an archive of their own, for as long as they are measured."""
    with archive_of(load_suite("sample")) as archive:
        yield Path(str(archive))
