"""A suite's figures as tables on the terminal, and in TREC's formats for other tools."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from rich import box
from rich.console import Console
from rich.table import Table

from evals.comparing import Comparison
from evals.datasets import Kind
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
    if report.seconds:  # something was answered
        console.print(
            f"{report.quotes} quotes · passage {report.passage_chars:.0f} characters · "
            f"{report.seconds:.2f} s a question · {len(report.failures)} failed",
            soft_wrap=True,
        )
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
    table = _bare(title, "kind", ["n", *measures])
    for row in report.rows:
        last_kind = row is report.rows[-2]
        cells = [shown(row.figures[name], name) for name in measures]
        table.add_row(row.kind, str(row.questions), *cells, end_section=last_kind)
    for i, bound in enumerate(("95 % from", "to")):
        ends = {name: pair[i] for name, pair in whole.intervals.items() if pair}
        table.add_row(bound, "", *[shown(ends.get(name), name) for name in measures])
    return table


def _print_comparison(console: Console, against: Comparison) -> None:
    headings = ["n", "old", "new", "difference", "95 % from", "to"]
    table = _bare(f"Against the old report · {against.paired} questions paired", "", headings)
    table.add_column("")
    for each in against.differences:
        figures = [each.old, each.new, each.difference, *each.interval]
        cells = [shown(figure, each.measure) for figure in figures]
        verdict = each.verdict if each.verdict == "not clear" else f"real, {each.verdict}"
        table.add_row(each.measure, str(each.questions), *cells, verdict)
    console.print(table)
    unpaired: Mapping[str, tuple[str, ...]] = {"old": against.only_old, "new": against.only_new}
    for which, ids in unpaired.items():
        if ids:
            console.print(f"only in the {which} report: {len(ids)} ({', '.join(ids)})")


def _bare(title: str, first: str, headings: list[str]) -> Table:
    table = Table(first, title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.title_justify, table.title_style = "left", "bold"
    for heading in headings:
        longest = max(map(len, heading.split()))  # a heading of several words takes several lines
        table.add_column(heading, justify="right", width=max(longest, 5))
    table.columns[0].min_width = max(map(len, get_args(Kind)))
    return table


def write_trec(report: Report, folder: Path) -> None:
    """Write run.txt (qid Q0 docno rank score tag) and qrels.txt (qid 0 docno relevance).

    trec_eval and ir_measures read them. The folder must be there. A document is a passage,
    `article id:start-end`; a gold quote that was not found is judged as the document `missed-…`.
    """
    run, qrels = [], []
    for result in report.results:
        qid = "_".join(result.question.id.split())
        documents = [f"{article}:{start}-{end}" for article, start, end in result.passages]
        for rank, document in enumerate(documents, 1):
            run.append(f"{qid} Q0 {document} {rank} {1 / rank:.4f} gazette\n")
        ranks = result.ranks or (None,) * len(result.question.quotes)
        for place, grade in relevance(result.question, ranks).items():
            document = documents[int(place) - 1] if place.isdigit() else place
            qrels.append(f"{qid} 0 {document} {grade}\n")
    (folder / "run.txt").write_text("".join(run), encoding="utf-8")
    (folder / "qrels.txt").write_text("".join(qrels), encoding="utf-8")
