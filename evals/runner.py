"""Running a suite: every question asked, what was found and answered, counted by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import get_args

from evals.datasets import Measure, Question, Suite
from evals.metrics import (
    RANKED,
    answering_articles,
    citation_precision,
    comparable,
    exact_quotes,
    is_right,
    quote_ranks,
    ranking_figures,
)
from rag.errors import GazetteError
from rag.gazette import Gazette
from rag.question import Filters
from rag.types import Answer, Article

Progress = Callable[[int, int], None]
"""Called with (questions asked, questions in all)."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one question."""

    question: Question
    answer: Answer | None = None
    """None where asking failed: that counts as wrong."""
    ranks: tuple[int | None, ...] = ()
    """Of each gold quote among the first `RANKED` passages; None where it is not there."""
    figures: Mapping[Measure, float] = field(default_factory=dict)
    """By measure; one that the question does not bear on is not there."""
    without: tuple[str, ...] = ()
    """The articles that answer it, which were left out when it was asked again."""
    left_out: Answer | None = None
    """What was said then."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of some questions."""

    kind: str
    questions: int
    figures: Mapping[Measure, float | None]
    """Means; None where no question bears on the measure."""


@dataclass(frozen=True, slots=True)
class Report:
    """A suite's figures."""

    suite: str
    model: str
    rows: tuple[Row, ...]
    """By kind; the last is of all."""
    missed: tuple[Measure, ...]
    """Of the suite's gate."""
    gate: Mapping[Measure, float]
    quotes: int
    """How many citations there are in all answers."""
    passage_chars: float
    """Mean length of a passage."""
    answer_words: float
    """Mean length of an answer that was given."""
    seconds: float
    """Mean time of a question."""
    failures: tuple[tuple[str, str], ...]
    """(question id, what went wrong)."""
    results: tuple[Result, ...] = ()


def run(
    gazette: Gazette, suite: Suite, use_filters: bool = False, progress: Progress | None = None
) -> Report:
    """Ask every question; `use_filters` passes on the outlet and dates that it is labelled with."""
    texts: list[tuple[Article, str]] = []
    if suite.rules.leave_out:
        texts = [(article, comparable(article.text)) for article in gazette.articles()]
    results = []
    for number, question in enumerate(suite.questions, 1):
        results.append(_result(gazette, question, use_filters, texts))
        if progress:
            progress(number, len(suite.questions))
    return _report(suite, results)


def _result(
    gazette: Gazette,
    question: Question,
    use_filters: bool,
    texts: Sequence[tuple[Article, str]],
) -> Result:
    filters = _filters(question) if use_filters else Filters()
    result = Result(question)
    try:
        passages = gazette.retrieve(question.question, RANKED, question.history, **filters)
        result = replace(
            result,
            ranks=quote_ranks(question, passages, gazette.article),
            answer=gazette.ask(question.question, question.history, **filters),
        )
        if texts and question.answers:
            filters["without"] = without = answering_articles(question, texts)
            left_out = gazette.ask(question.question, question.history, **filters)
            result = replace(result, without=without, left_out=left_out)
    except GazetteError as error:
        result = replace(result, error=str(error))
    return replace(result, figures=_figures(result, gazette))


def _filters(question: Question) -> Filters:
    return Filters(
        outlets=[question.outlet] if question.outlet else None,
        after=question.after,
        before=question.before,
    )


def _figures(result: Result, gazette: Gazette) -> dict[Measure, float]:
    """What can be told of one question."""
    question, answer, left_out = result.question, result.answer, result.left_out
    silent = answer is not None and answer.abstained
    figures: dict[Measure, float] = {}
    if question.quotes:
        ranks = result.ranks or (None,) * len(question.quotes)
        figures |= ranking_figures(question, ranks)
    if answer and answer.citations:
        figures["quotes exact"] = exact_quotes(answer, gazette.article)
    if not question.answers:
        return figures | {"abstained": silent}
    figures["right"] = answer is not None and is_right(question, answer)
    figures["answered"] = answer is not None and not silent
    if answer and answer.citations:
        figures["citation precision"] = citation_precision(question, answer, gazette.article)
    if left_out:
        figures["abstained left out"] = left_out.abstained
    return figures


def _report(suite: Suite, results: Sequence[Result]) -> Report:
    kinds = list(dict.fromkeys(result.question.kind for result in results))
    rows = [_row(kind, [r for r in results if r.question.kind == kind]) for kind in kinds]
    whole = _row("all", results)
    answers = [result.answer for result in results if result.answer]
    gate = suite.rules.gate
    return Report(
        suite=suite.name,
        model=answers[0].model if answers else "none",
        rows=(*rows, whole),
        gate=gate,
        missed=tuple(name for name in gate if (whole.figures[name] or 0.0) < gate[name]),
        quotes=sum(len(answer.citations) for answer in answers),
        passage_chars=_mean([len(p.text) for answer in answers for p in answer.passages]) or 0.0,
        answer_words=_mean([len(a.text.split()) for a in answers if not a.abstained]) or 0.0,
        seconds=_mean([sum(answer.timings.values()) for answer in answers]) or 0.0,
        failures=tuple((r.question.id, r.error) for r in results if r.error),
        results=tuple(results),
    )


def _row(kind: str, results: Sequence[Result]) -> Row:
    figures = {
        measure: _mean([r.figures[measure] for r in results if measure in r.figures])
        for measure in get_args(Measure)
    }
    return Row(kind, len(results), figures)


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
