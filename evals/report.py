"""A suite's figures as a table on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from evals.runner import Report, Row


def print_report(report: Report) -> None:
    """Print the figures by kind, and what holds of all."""
    table = Table(title=f"{report.suite} · {report.model}", title_justify="left")
    table.add_column("kind")
    for heading in ("n", "hit@1", "hit@5", "all@5", "right", "silent rightly", "silent wrongly"):
        table.add_column(heading, justify="right")
    for row in report.rows:
        table.add_row(*_cells(row), end_section=row is report.rows[-2:][0])
    console = Console()
    console.print(table)
    console.print(
        f"quotes exact {report.exact_quotes} of {report.quotes} · "
        f"passage {report.passage_chars:.0f} characters · answer {report.answer_words:.0f} words · "
        f"{report.seconds:.2f} s a question · {len(report.failures)} failed"
    )


def _cells(row: Row) -> list[str]:
    shares = (
        row.hit_at_1,
        row.hit_at_5,
        row.all_at_5,
        row.right,
        row.abstained_rightly,
        row.abstained_wrongly,
    )
    return [
        row.kind,
        str(row.questions),
        *("–" if share is None else f"{share:.3f}" for share in shares),
    ]
