"""Questions to measure with: a file of the user's, a set that people already have, or our own."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, fields
from datetime import date
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote as quoted
from urllib.parse import unquote

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from evals.measures import MEASURES
from ingest import ingest
from ingest.pipeline import Progress
from rag.errors import UsageError
from rag.language import fold

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


def _filled(text: str) -> str:
    if not fold(text):
        raise ValueError("is empty")
    return text


_Filled = Annotated[str, AfterValidator(_filled)]


@dataclass(frozen=True)
class Quote:
    """Words that carry an answer, and where they stand."""

    page: str
    """How the source's file name or the article's URL starts."""
    quote: str = ""
    """Empty: the whole article."""
    relevance: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True)
class Question:
    """A question with what is right."""

    id: _Filled
    question: str
    kind: Kind = "fact"
    history: tuple[tuple[str, str], ...] = ()
    answers: tuple[_Filled, ...] = ()
    """Variants, best first; of a multi question the parts that must all be there."""
    quotes: tuple[Quote, ...] = ()
    """Any one will do; of a multi question all; of a search as many as there are, and of an
    overview, which has no answers but the articles on its topic."""
    outlet: str | None = None
    after: date | None = None
    before: date | None = None

    def __post_init__(self) -> None:
        if self.kind == "search" and not self.quotes:
            raise ValueError("a search has no quotes, so that there is nothing to find")

    @property
    def is_of_articles(self) -> bool:
        """Whether whole articles are to be found, so that each counts once."""
        return self.kind == "search" and not any(quote.quote for quote in self.quotes)

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


@dataclass(frozen=True)
class _Query:
    """A query of a BEIR set."""

    id: Annotated[_Filled, Field(alias="_id")]
    text: str


@dataclass(frozen=True)
class _Document(_Query):
    """A document of a BEIR set."""

    title: str | None = None


_FIELDS = tuple(field.name for field in fields(Question))
_QUESTION, _RULES = TypeAdapter(Question), TypeAdapter(_RulesLine)
_QUERY, _DOCUMENT = TypeAdapter(_Query), TypeAdapter(_Document)
_T = TypeVar("_T")
_SCHEME = "urn:document:"
_WHOLE = re.compile(r"[+-]?\d+(?:\.0*)?")
_IS_RULES = re.compile(r'\s*\{\s*"rules"\s*:')


def load_suite(name: str) -> Suite:
    """A built-in suite, a BEIR folder, a SQuAD file, or the questions of a JSON Lines file.

    Raises `UsageError` for what is none of them, naming the line of a file that has lines.
    """
    if name in SUITES:
        data = (files("evals") / "suites" / f"{name}.jsonl").read_bytes()
        return Suite(name, *_questions(name, data), _sample_articles)
    try:
        if Path(name).is_dir():
            return _beir(Path(name))
        data = Path(name).read_bytes()
        if name.endswith(".json"):
            return _squad(name, json.loads(data.decode("utf-8-sig"))["data"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{name!r} is neither a suite ({', '.join(SUITES)}, own) nor a questions file, a BEIR "
            f"folder or a SQuAD file that can be read ({type(error).__name__}: {error}); check the "
            "path"
        ) from error
    return Suite(name, *_questions(name, data))


def _lines(name: str, lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """The lines of a file that are not blank, each with what it is called in a complaint."""
    for number, line in enumerate(lines, 1):
        where = f"{name!r}, line {number}"
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(
                f"{where}: is not UTF-8 (byte {error.start + 1}); write the file as UTF-8"
            ) from error
        if text.strip():
            yield where, text


@contextmanager
def _checked(where: str) -> Iterator[None]:
    """What pydantic refuses, told in one line."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        said = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{where}: {place}: {said}; mend it") from error


def _validated(adapter: TypeAdapter[_T], line: str, where: str) -> _T:
    with _checked(where):
        return adapter.validate_json(line)


def _questions(name: str, data: bytes) -> tuple[tuple[Question, ...], Rules]:
    questions: list[Question] = []
    rules: Rules | None = None
    for where, line in _lines(name, data.split(b"\n")):
        if not _IS_RULES.match(line):
            questions.append(_question(line, where))
        elif rules is None:
            rules = _validated(_RULES, line, where).rules
        else:
            raise UsageError(f"{where}: gives rules a second time; write all of them in one line")
    if not questions:
        raise UsageError(f"{name!r} holds no question; write one JSON object a line")
    return _distinct(name, questions), rules or Rules()


def _distinct(name: str, questions: Sequence[Question]) -> tuple[Question, ...]:
    twice = [key for key, count in Counter(q.id for q in questions).items() if count > 1]
    if twice:
        raise UsageError(f"{name!r} has several questions with the id {twice[0]!r}; give each one")
    return tuple(questions)


def _question(line: str, where: str) -> Question:
    question = _validated(_QUESTION, line, where)
    for name in set(json.loads(line)) - set(_FIELDS):  # others are the writer's own affair
        if meant := get_close_matches(name, _FIELDS, cutoff=0.8):
            raise UsageError(f"{where}: {name!r} is no field; write {meant[0]!r}")
    return question


def _beir(folder: Path) -> Suite:
    """A set in BEIR's format (Thakur et al. 2021); a passage is judged by its document.

    Of several judgements those of the test split are taken. Only judged queries are asked.
    """
    splits = sorted((folder / "qrels").glob("*.tsv"), key=lambda path: path.stem != "test")
    if not splits:
        raise FileNotFoundError(f"no file is there like {folder / 'qrels' / 'test.tsv'}")
    judged: dict[str, dict[str, Quote]] = {}
    for query, document, relevance in _judgements(splits[0]):
        if relevance > 0:
            quote = Quote(address_of(document), relevance=relevance)
            judged.setdefault(query, {})[document] = quote
    questions = [
        Question(query.id, query.text, "search", quotes=tuple(judged[query.id].values()))
        for query in _records(folder / "queries.jsonl", _QUERY)
        if query.id in judged
    ]
    if not questions:
        raise UsageError(
            f"{str(splits[0])!r} judges no query of {str(folder / 'queries.jsonl')!r} as relevant; "
            "check that both have the same ids"
        )

    def articles() -> Iterator[dict[str, str]]:
        for document in _records(folder / "corpus.jsonl", _DOCUMENT):
            title = document.title or ""
            yield {"title": title, "text": document.text or title, "url": address_of(document.id)}

    return Suite(str(folder), _distinct(str(folder), questions), articles=articles)


def _judgements(path: Path) -> Iterator[tuple[str, str, int]]:
    """Query, document and relevance of each line; a header is passed over, and may be missing."""
    with path.open("rb") as lines:
        for number, (where, line) in enumerate(_lines(str(path), lines)):
            cells = [cell.strip() for cell in line.split("\t")]
            if number == 0 and not re.search(r"\d", cells[-1]):
                continue
            if len(cells) != 3 or not _WHOLE.fullmatch(cells[2]):
                raise UsageError(
                    f"{where}: is no judgement; write the query's id, the document's id and a "
                    "whole number, with tabs between"
                )
            yield cells[0], cells[1], int(float(cells[2]))


def _records(path: Path, adapter: TypeAdapter[_T]) -> Iterator[_T]:
    """What the lines of a JSON Lines file hold."""
    with path.open("rb") as lines:
        for where, line in _lines(str(path), lines):
            yield _validated(adapter, line, where)


def _squad(name: str, data: Iterable[Mapping[str, Any]]) -> Suite:
    """A set in SQuAD's format, 1.1 or 2.0: each paragraph is an article."""
    articles: list[dict[str, str]] = []
    questions = []
    for article in data:
        for paragraph in article["paragraphs"]:
            url = address_of(f"{article['title']}/{len(articles)}")
            articles.append({"title": article["title"], "text": paragraph["context"], "url": url})
            for asked in paragraph["qas"]:
                answers = tuple(dict.fromkeys(answer["text"] for answer in asked["answers"]))
                kind: Kind = "fact" if answers else "unanswerable"
                quotes = (Quote(url),) if answers else ()
                with _checked(f"{name!r}, question {asked['id']!r}"):
                    question = Question(
                        id=asked["id"],
                        question=asked["question"],
                        kind=kind,
                        answers=answers,
                        quotes=quotes,
                    )
                questions.append(question)
    return Suite(name, tuple(questions), articles=lambda: articles)


def address_of(document: str) -> str:
    """An address for a document of a set; no other document's begins with it."""
    return f"{_SCHEME}{quoted(document, safe='')}:"


def document_at(address: str) -> str:
    """A set's own name for the document with this address; any other address as it is."""
    if not address.startswith(_SCHEME):
        return address
    return unquote(address.removeprefix(_SCHEME).removesuffix(":"))


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
