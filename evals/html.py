"""A suite's figures as one page of HTML: plots, tables, and the worst cases to read.

The page holds all that it shows, and asks nobody for anything.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from evals.measures import BINS, MEASURES, bins, column
from evals.metrics import FindArticle, Result
from evals.report import shown, tables
from evals.runner import Report
from rag.types import describe

CASES = 40
"""Worst cases that are shown."""
PASSAGES = 5
PLOTTED = ("hit@5", "right", "abstained")


def write_html(report: Report, path: Path, article: FindArticle) -> None:
    """Write the report; `article` finds those that the cases show passages of."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.globals |= {"shown": shown, "measures": MEASURES}
    template = environment.from_string((files("evals") / "report.html").read_text("utf-8"))
    whole = report.rows[-1]
    wrong = sorted(filter(_badness, report.results), key=_badness, reverse=True)
    page = template.render(
        report=report,
        whole=whole,
        tables=tables(report),
        plotted=[name for name in PLOTTED if whole.figures[name] is not None],
        confidence=_confidence(report),
        wrong=len(wrong),
        cases=[_case(result, article) for result in wrong[:CASES]],
    )
    path.write_text(page, encoding="utf-8")


def _confidence(report: Report) -> list[tuple[float, float, int]]:
    """Of each bin that is not empty: mean confidence, share right, questions."""
    pairs = [r.figures["ECE"] for r in report.results if "ECE" in r.figures]
    if not pairs:
        return []
    confidence, right = column(pairs).T
    groups = [bins(confidence) == b for b in range(BINS)]
    return [(confidence[g].mean(), right[g].mean(), g.sum()) for g in groups if g.any()]


def _badness(result: Result) -> float:
    """How wrong a question went, 0 for not at all: worst is an error, then a confident mistake."""
    if result.error:
        return 3
    if result.answer is None:
        found = result.figures.get("MRR@10", 1.0)
        assert isinstance(found, float)
        return 1 - found
    if result.answer.abstained:
        return 1 + result.answer.confidence if result.question.is_answerable else 0
    return 0 if result.is_right else 2 + result.answer.confidence


def _case(result: Result, article: FindArticle) -> dict[str, Any]:
    """What the page shows of a question."""
    answer, question = result.answer, result.question
    found = [(article(name), start, end) for name, start, end in result.passages[:PASSAGES]]
    passages = [
        (describe(source), source.text[start:end], rank in result.ranks)
        for rank, (source, start, end) in enumerate(found, 1)
    ]
    ranks = result.ranks or (None,) * len(question.quotes)
    return {
        "what": _what(result),
        "question": question,
        "golds": list(zip(question.quotes, ranks, strict=True)),
        "answer": answer,
        "citations": [(describe(c), c.quote) for c in answer.citations] if answer else [],
        "passages": passages,
    }


def _what(result: Result) -> str:
    """What went wrong, in a few words."""
    answer = result.answer
    if result.error:
        return f"failed: {result.error}"
    if answer is None:
        rank = min((rank for rank in result.ranks if rank), default=None)
        return f"found at rank {rank}" if rank else "not found"
    said = f"confidence {answer.confidence:.2f}"
    if answer.abstained:
        return f"held back, {said}; {'it was' if result.is_right else 'not'} right"
    return (
        f"wrong, {said}" if result.question.is_answerable else f"answers the unanswerable, {said}"
    )
