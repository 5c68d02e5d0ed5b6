"""The command `gazette eval`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from ui.terminal import Archive, AsJson, BaseUrl, Llm, Reranker, complain, progress, write


def evaluate(
    suite: Annotated[
        str,
        typer.Argument(
            help="`sample`, `own` (questions made from your archive), a questions file (JSON "
            "Lines), a BEIR folder or a SQuAD file."
        ),
    ],
    archive: Archive = None,
    llm: Llm = None,
    base_url: BaseUrl = None,
    reranker: Reranker = None,
    use_filters: Annotated[
        bool,
        typer.Option(
            "--use-filters", help="Pass on the outlet and dates that a question is labelled with."
        ),
    ] = False,
    only_passages: Annotated[
        bool,
        typer.Option("--only-passages", help="Measure what is found, and answer nothing."),
    ] = False,
    judge: Annotated[
        str | None,
        typer.Option(help="A language model (provider:model) that says if answers are right."),
    ] = None,
    judge_url: Annotated[
        str | None, typer.Option(help="As --base-url, of the judge's server.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="A report that --json wrote before: say which differences are real."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a report with plots and the worst cases here.")
    ] = None,
    trec: Annotated[
        Path | None, typer.Option(help="Write run.txt and qrels.txt, as TREC's tools read them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure what is found and what is right.

    A suite's questions are asked and the answers counted. The sample suite, BEIR and SQuAD bring
    their own articles: if an archive is named, it is made of them where there is none yet. Exits
    with 1 where a figure misses the gate that the suite's file sets.
    """
    from evals.comparing import load_figures
    from evals.datasets import archive_of, load_suite
    from evals.html import write_html
    from evals.judge import load_judge
    from evals.own import OWN, own_suite
    from evals.report import print_report, write_trec
    from evals.runner import run
    from rag import Gazette

    loaded = None if suite == OWN else load_suite(suite)
    old = load_figures(against) if against else None
    judging = load_judge(judge, judge_url) if judge else None
    if html:  # what cannot be written is told before anything is asked
        html.touch()
    if trec:
        trec.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        path = archive
        if loaded:
            tell = stack.enter_context(progress("Ingesting", "articles"))
            path = stack.enter_context(archive_of(loaded, archive, tell))
        gazette = stack.enter_context(Gazette.open(path, llm, base_url, reranker=reranker))
        loaded = loaded or own_suite(gazette)
        tell = stack.enter_context(progress("Asking", "questions"))
        report = run(gazette, loaded, use_filters, only_passages, judging, old, tell)
        if html:
            write_html(report, html, gazette.article)
    for name, error in report.failures:
        complain(f"{name}: {error}", "")
    if report.absent:
        pages = {quote.page for result in report.results for quote in result.question.quotes}
        complain(
            f"{len(report.absent)} of the {len(pages)} pages that the quotes are on are not in the "
            f"archive, such as {report.absent[0]!r}: what is on them cannot be found; look at "
            "--archive, and at: gazette articles list",
            "warning: ",
        )
    if trec:
        write_trec(report, trec)
    if as_json:
        write(report, True, "")
    else:
        print_report(report)
    if report.missed:
        complain(f"{suite} misses its gate on {', '.join(report.missed)}")
        raise typer.Exit(1)
