"""Runs and judgements in TREC's formats, as trec_eval and ir_measures read them."""

from __future__ import annotations

from pathlib import Path

from evals.metrics import relevance
from evals.runner import Report


def write_trec(report: Report, folder: Path) -> None:
    """Write run.txt (qid Q0 docno rank score tag) and qrels.txt (qid 0 docno relevance).

    The folder must be there. A document is a passage, `article id:start-end`; a gold quote that
    was not found is judged as the document `missed-…`.
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
