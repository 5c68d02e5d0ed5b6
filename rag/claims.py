"""A claim against an archive: which quotes bear it out, which contradict it."""

from __future__ import annotations

from datetime import UTC, datetime

from rag import tracing
from rag.answering import why_nothing
from rag.cross_encoder import CrossEncoder
from rag.language import fold
from rag.retrieval import Retrieved
from rag.types import Passage, Query, Span, Verdict, VerdictLabel
from rag.verification import verify

NOWHEN = datetime.min.replace(tzinfo=UTC)
NOTHING_BEARS_ON_IT = "no article says so, or says otherwise, in words near to these"


def check(claim: str, query: Query, retrieved: Retrieved, verifier: CrossEncoder | None) -> Verdict:
    """The verdict of the passages that were found for a claim, each quote once."""
    verdicts = [(p, verify(claim, [p.text], verifier)) for p in retrieved.passages]
    verdicts.sort(key=lambda pair: pair[0].published or NOWHEN, reverse=True)
    seen: set[str] = set()
    supporting: list[tuple[Passage, Span]] = []
    contradicting: list[tuple[Passage, Span]] = []
    for passage, verdict in verdicts:
        if verdict.quote is None or verdict.label == "unsupported":
            continue
        start, end = verdict.quote[1:]
        quote = fold(passage.text[start:end])
        if quote not in seen:
            seen.add(quote)
            side = supporting if verdict.label == "supported" else contradicting
            side.append((passage, (passage.start + start, passage.start + end)))
    quotes = [*supporting, *contradicting]
    label: VerdictLabel = "unsupported"
    reason = None
    if quotes:
        label = "supported" if supporting else "contradicted"
    else:
        why, given = NOTHING_BEARS_ON_IT, dict[str, object]()
        if not retrieved.passages:
            why, given = why_nothing(query, retrieved)
        tracing.note(reason=why)  # without what was asked
        reason = why.format(**given)
    return Verdict(
        label,
        max((verdict.score for _, verdict in verdicts if verdict.label == label), default=0.0),
        citations=tuple(passage.cite(n, *span) for n, (passage, span) in enumerate(quotes, 1)),
        against=tuple(range(len(supporting) + 1, len(quotes) + 1)),
        reason=reason,
    )
