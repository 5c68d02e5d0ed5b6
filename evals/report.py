"""A suite's figures as tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from rich import box
from rich.console import Console
from rich.table import Table

from evals.datasets import Measure
from evals.runner import Report

FOUND: tuple[Measure, ...] = ("hit@1", "hit@5", "MRR@10", "nDCG@10", "all@5")
ANSWERED: tuple[Measure, ...] = tuple(each for each in get_args(Measure) if each not in FOUND)


def print_report(report: Report) -> None:
    """Print what was found and what was answered, by kind, and what holds of all."""
    console = Console(highlight=False)
    console.print(f"{report.suite} · {report.model}")
    console.print(_table(report, "Passages found", FOUND))
    console.print(_table(report, "Answers", ANSWERED))
    console.print(
        f"{report.quotes} quotes · passage {report.passage_chars:.0f} characters · answer "
        f"{report.answer_words:.0f} words · {report.seconds:.2f} s a question · "
        f"{len(report.failures)} failed",
        soft_wrap=True,
    )
    for measure, least in report.gate.items():
        how = "missed" if measure in report.missed else "reached"
        console.print(f"gate: {measure} of at least {least:.3f} {how}")


def _table(report: Report, title: str, measures: Sequence[Measure]) -> Table:
    table = Table("kind", title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.title_justify, table.title_style = "left", "bold"
    for heading in ("n", *measures):
        longest = max(map(len, heading.split()))  # a heading of several words takes several lines
        table.add_column(heading, justify="right", width=max(longest, 5))
    for row in report.rows:
        shares = [row.figures[measure] for measure in measures]
        cells = ["–" if share is None else f"{share:.3f}" for share in shares]
        last_kind = row is report.rows[-2:][0]
        table.add_row(row.kind, str(row.questions), *cells, end_section=last_kind)
    return table
