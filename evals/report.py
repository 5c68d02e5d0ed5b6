"""A suite's figures as tables on the terminal, and in TREC's formats for other tools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args
from urllib.parse import quote as quoted

from rich import box
from rich.console import Console
from rich.table import Table

from evals.comparing import Comparison
from evals.datasets import Kind, document_at
from evals.measures import MEASURES, TABLES
from evals.metrics import relevance
from evals.runner import Report
from rag.types import Usage


def print_report(report: Report) -> None:
    """Print what was found and what was answered, by kind, and what holds of all."""
    console = Console(highlight=False)
    told = f" · prompt {report.prompt}" if report.prompt else ""
    console.print(f"{report.suite} · {report.model}{told}")
    for title, measures in tables(report).items():
        console.print(_table(report, title, measures))
    counts = []
    if report.seconds:  # something was answered
        counts += [f"{report.quotes} quotes", f"passage {report.passage_chars:.0f} characters"]
        counts += [f"{report.seconds:.2f} s a question"]
    if counts or report.failures:
        counts += [f"{len(report.failures)} failed"]
        console.print(" · ".join(counts), soft_wrap=True)
    if report.usage:
        console.print(spent(report.usage), soft_wrap=True)
    if report.against:
        _print_comparison(console, report.against)
    for name, bound in report.gate.items():
        how = "missed" if name in report.missed else "reached"
        limit = "most" if MEASURES[name].less_is_better else "least"
        console.print(f"gate: {name} of at {limit} {bound:.3f} {how}")


def spent(usage: Usage) -> str:
    """The tokens that a language model took, and what they cost where there are prices."""
    cost = f" · cost {usage.cost:.4f}" if usage.cost is not None else ""
    return f"{usage.input_tokens} tokens read · {usage.output_tokens} written{cost}"


def shown(figure: float | None, name: str) -> str:
    """A figure as it is printed: a share with three digits, words as a number, or a dash."""
    return "–" if figure is None else f"{figure:.{0 if 'words' in name else 3}f}"


def tables(report: Report) -> dict[str, list[str]]:
    """The measures of each table of which anything was measured."""
    whole = report.rows[-1].figures
    every = {t: [name for name, each in MEASURES.items() if each.table == t] for t in TABLES}
    return {t: names for t, names in every.items() if any(whole[n] is not None for n in names)}


def _table(report: Report, title: str, measures: list[str]) -> Table:
    whole = report.rows[-1]
    rows = [
        [row.kind, str(row.questions), *[shown(row.figures[name], name) for name in measures]]
        for row in report.rows
    ]
    for i, bound in enumerate(("95 % from", "to")):
        ends = {name: pair[i] for name, pair in whole.intervals.items() if pair}
        rows.append([bound, "", *[shown(ends.get(name), name) for name in measures]])
    return _filled(title, ["kind", "n", *measures], rows, section=len(report.rows) - 2)


def _print_comparison(console: Console, against: Comparison) -> None:
    rows = []
    for each in against.differences:
        figures = [each.old, each.new, each.difference, *each.interval]
        cells = [shown(figure, each.measure) for figure in figures]
        verdict = each.verdict if each.verdict == "not clear" else f"real, {each.verdict}"
        rows.append([each.measure, str(each.questions), *cells, verdict])
    title = f"Against the old report · {against.paired} questions paired"
    headings = ["", "n", "old", "new", "difference", "95 % from", "to", ""]
    console.print(_filled(title, headings, rows))
    unpaired: Mapping[str, tuple[str, ...]] = {"old": against.only_old, "new": against.only_new}
    for which, ids in unpaired.items():
        if ids:
            console.print(f"only in the {which} report: {len(ids)} ({', '.join(ids)})")


def _filled(
    title: str, headings: list[str], rows: list[list[str]], section: int | None = None
) -> Table:
    """A table; a line follows the row `section`."""
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.title_justify, table.title_style = "left", "bold"
    table.add_column(headings[0], min_width=max(map(len, get_args(Kind))))
    for number, heading in enumerate(headings[1:], 1):
        if not heading:
            table.add_column()
            continue
        # a heading of several words takes several lines
        widest = max(map(len, [*heading.split(), *(row[number] for row in rows)]))
        table.add_column(heading, justify="right", width=max(widest, 5))
    for row in rows:
        table.add_row(*row)
    if section is not None:
        table.rows[section].end_section = True
    return table


def write_trec(report: Report, folder: Path) -> None:
    """Write run.txt (qid Q0 docno rank score tag) and qrels.txt (qid 0 docno relevance).

    trec_eval and ir_measures read them. The folder must be there. A document is a passage,
    `article id:start-end`; a gold quote that was not found is judged as the document `missed-…`.
    Where whole articles are to be found, a document is an article, under a set's own name for it.
    """
    run, qrels = [], []
    for result in report.results:
        question, qid = result.question, _token(result.question.id)
        documents = list(map(_token, result.documents)) or [
            f"{article}:{start}-{end}" for article, start, end in result.passages
        ]
        for rank, document in enumerate(documents, 1):
            run.append(f"{qid} Q0 {document} {rank} {1 / rank:.4f} gazette\n")
        ranks = result.ranks or (None,) * len(question.quotes)
        for place, grade in relevance(question, ranks).items():
            if place.isdigit():
                document = documents[int(place) - 1]
            elif question.is_of_articles:
                missed = question.quotes[int(place.removeprefix("missed-"))]
                document = _token(document_at(missed.page))
            else:
                document = place
            qrels.append(f"{qid} 0 {document} {grade}\n")
    (folder / "run.txt").write_text("".join(run), encoding="utf-8")
    (folder / "qrels.txt").write_text("".join(qrels), encoding="utf-8")


def _token(name: str) -> str:
    """A name without white space, which parts the columns; others stay as they are."""
    return re.sub(r"\s", lambda space: quoted(space[0]), name)
