"""Running a suite: every question asked, what was found and answered, counted by kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from evals.datasets import Question
from evals.metrics import exact_quotes, is_hit, is_right, quote_ranks
from rag.errors import GazetteError
from rag.gazette import Gazette
from rag.types import Answer

Progress = Callable[[int, int], None]
"""Called with (questions asked, questions in all)."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one question."""

    question: Question
    ranks: tuple[int | None, ...]
    """Of each gold quote among the passages; None where it is not there."""
    right: bool
    answer: Answer | None
    """None where asking failed: that counts as wrong."""
    error: str | None = None
    exact_quotes: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of some questions; shares from 0 to 1, None where none of them can tell."""

    kind: str
    questions: int
    hit_at_1: float | None
    hit_at_5: float | None
    all_at_5: float | None
    """Of multi questions: all their gold quotes in the first five."""
    right: float | None
    """Of the answerable questions."""
    abstained_rightly: float | None
    abstained_wrongly: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """A suite's figures."""

    suite: str
    model: str
    rows: tuple[Row, ...]
    """By kind; the last is of all."""
    quotes: int
    exact_quotes: int
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
    gazette: Gazette,
    questions: Sequence[Question],
    suite: str,
    use_filters: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Ask every question; `use_filters` passes on the outlet and dates that it is labelled with."""
    results = []
    for number, question in enumerate(questions, 1):
        results.append(_ask(gazette, question, use_filters))
        if progress:
            progress(number, len(questions))
    return _report(suite, results)


def _ask(gazette: Gazette, question: Question, use_filters: bool) -> Result:
    try:
        answer = gazette.ask(
            question.question,
            history=question.history,
            outlets=[question.outlet] if use_filters and question.outlet else (),
            after=question.after if use_filters else None,
            before=question.before if use_filters else None,
        )
    except GazetteError as error:
        return Result(question, (None,) * len(question.quotes), False, None, str(error))
    return Result(
        question,
        quote_ranks(question, answer.passages, gazette.article),
        is_right(question, answer),
        answer,
        exact_quotes=exact_quotes(answer, gazette.article),
    )


def _report(suite: str, results: Sequence[Result]) -> Report:
    kinds = list(dict.fromkeys(result.question.kind for result in results))
    rows = [_row(kind, [r for r in results if r.question.kind == kind]) for kind in kinds]
    answers = [result.answer for result in results if result.answer]
    return Report(
        suite=suite,
        model=answers[0].model if answers else "none",
        rows=(*rows, _row("all", results)),
        quotes=sum(len(answer.citations) for answer in answers),
        exact_quotes=sum(result.exact_quotes for result in results),
        passage_chars=_mean([len(p.text) for answer in answers for p in answer.passages]) or 0.0,
        answer_words=_mean([len(a.text.split()) for a in answers if not a.abstained]) or 0.0,
        seconds=_mean([sum(answer.timings.values()) for answer in answers]) or 0.0,
        failures=tuple((r.question.id, r.error) for r in results if r.error),
        results=tuple(results),
    )


def _row(kind: str, results: Sequence[Result]) -> Row:
    with_quotes = [result for result in results if result.question.quotes]
    answerable = [result for result in results if result.question.answers]
    unanswerable = [result for result in results if not result.question.answers]
    return Row(
        kind=kind,
        questions=len(results),
        hit_at_1=_mean([is_hit(result.ranks, 1) for result in with_quotes]),
        hit_at_5=_mean([is_hit(result.ranks, 5) for result in with_quotes]),
        all_at_5=_mean(
            [
                all(rank is not None and rank <= 5 for rank in r.ranks)
                for r in with_quotes
                if r.question.kind == "multi"
            ]
        ),
        right=_mean([result.right for result in answerable]),
        abstained_rightly=_mean([_abstained(result) for result in unanswerable]),
        abstained_wrongly=_mean([_abstained(result) for result in answerable]),
    )


def _abstained(result: Result) -> bool:
    return result.answer is not None and result.answer.abstained


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
