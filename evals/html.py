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
from evals.report import shown, spent, tables
from evals.runner import Report
from rag.types import describe

CASES = 40
"""Worst cases that are shown."""
PASSAGES = 5
PLOTTED = ("hit@5", "right", "abstained")


def write_html(report: Report, path: Path, article: FindArticle) -> None:
    """Write the report; `article` finds those that the cases show passages of."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.globals |= {"shown": shown, "spent": spent, "measures": MEASURES}
    template = environment.from_string((files("evals") / "report.html").read_text("utf-8"))
    whole = report.rows[-1]
    judged = [(*_wrong(result), result) for result in report.results]
    wrong = sorted((each for each in judged if each[0]), key=lambda each: each[0], reverse=True)
    page = template.render(
        report=report,
        whole=whole,
        tables=tables(report),
        plotted=[name for name in PLOTTED if whole.figures[name] is not None],
        confidence=_confidence(report),
        wrong=len(wrong),
        cases=[_case(result, what, article) for _, what, result in wrong[:CASES]],
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


def _wrong(result: Result) -> tuple[float, str]:
    """How wrong a question went, 0 for not at all, and what went wrong in a few words.

    Worst is an error, then a confident mistake.
    """
    answer, is_answerable = result.answer, result.question.is_answerable
    if result.error:
        return 3, f"failed: {result.error}"
    if answer is None:
        rank = min((rank for rank in result.ranks if rank), default=None)
        if rank:
            return 1 - 1 / rank, f"found at rank {rank}"
        return float(bool(result.question.quotes)), "not found"
    said = f"confidence {answer.confidence:.2f}"
    if answer.abstained:
        held = f"held back, {said}; {'it was' if result.is_right else 'not'} right"
        return is_answerable * (1 + answer.confidence), held
    what = "wrong" if is_answerable else "answers the unanswerable"
    return (0 if result.is_right else 2 + answer.confidence), f"{what}, {said}"


def _case(result: Result, what: str, article: FindArticle) -> dict[str, Any]:
    """What the page shows of a question."""
    answer, question = result.answer, result.question
    found = [(article(name), start, end) for name, start, end in result.passages[:PASSAGES]]
    passages = [
        (describe(source), source.text[start:end], rank in result.ranks)
        for rank, (source, start, end) in enumerate(found, 1)
    ]
    ranks = result.ranks or (None,) * len(question.quotes)
    return {
        "what": what,
        "question": question,
        "golds": list(zip(question.quotes, ranks, strict=True)),
        "answer": answer,
        "citations": [(describe(c), c.quote) for c in answer.citations] if answer else [],
        "passages": passages,
    }
