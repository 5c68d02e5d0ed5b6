"""What outlets and dates a question is understood to ask for, against labels of another.

    python evals/bench/question.py QUERIES [--corrections FILE] [--seed N] [--sample N] [--all]

QUERIES is the silver standard of Multi-Meta-RAG (Poliakov and Shvai, 2024): a JSON list of
`{"query": ..., "filter": {"source": {"$in": [...]}, "published_at": {"$in": [...]}}}`. It is noisy:
corrections, a JSON object of query to `{"outlets": [...], "dates": [...]}`, say what the question
asks for where the label differs. Prints precision, recall and F1, and every miss.
"""

from __future__ import annotations

import argparse
import json
import random
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dateutil.parser import parse

from ingest import ingest
from rag.archive import Archive
from rag.question import understand
from rag.types import Query


def expected(entry: dict[str, Any], corrections: dict[str, Any]) -> tuple[set[str], set[str]]:
    """The outlets and the days, as ISO dates, that a question is labelled with."""
    label = {"outlets": in_filter(entry, "source"), "dates": in_filter(entry, "published_at")}
    label |= corrections.get(entry["query"], {})
    return set(label["outlets"]), {parse(day).date().isoformat() for day in label["dates"]}


def in_filter(entry: dict[str, Any], field: str) -> list[str]:
    """What a MongoDB filter asks a field to be one of."""
    condition = entry["filter"].get(field, {})
    return list(condition.get("$in", [])) if isinstance(condition, dict) else [condition]


def understood(query: Query) -> tuple[set[str], set[str]]:
    """The outlets and the days that were understood; of a span of days, its first and its last."""
    days = {query.as_of} if query.as_of else set()
    for first, end in query.periods:
        last = end - timedelta(1) if end and first else end  # "before the 4th" names the 4th
        days |= {day for day in (first, last) if day}
    return set(query.outlets), {day.isoformat() for day in days}


def figures(pairs: list[tuple[set[str], set[str]]]) -> str:
    """Micro-averaged precision, recall and F1 of (expected, found) pairs."""
    hits = sum(len(want & found) for want, found in pairs)
    precision = hits / max(1, sum(len(found) for _, found in pairs))
    recall = hits / max(1, sum(len(want) for want, _ in pairs))
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return f"precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}"


def main() -> None:
    """Draw, understand, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("queries", type=Path)
    parser.add_argument("--corrections", type=Path)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--sample", type=int, default=100)
    arguments = parser.parse_args()
    entries = json.loads(arguments.queries.read_text(encoding="utf-8"))
    corrections = {}
    if arguments.corrections:
        corrections = json.loads(arguments.corrections.read_text(encoding="utf-8"))
    drawn = random.Random(arguments.seed).sample(entries, min(arguments.sample, len(entries)))
    outlets = sorted({name for entry in entries for name in in_filter(entry, "source")})
    with TemporaryDirectory() as folder:
        source = Path(folder) / "articles.jsonl"
        records = ({"text": f"News of {name}.", "outlet": name} for name in outlets)
        source.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
        ingest(source, Path(folder) / "archive")
        with Archive(Path(folder) / "archive") as archive:
            found = [understood(understand(e["query"], (), archive.ledger.index)) for e in drawn]
    wanted = [expected(entry, corrections) for entry in drawn]
    for want, have, entry in zip(wanted, found, drawn, strict=True):
        if want != have:
            print(entry["query"])
            for name, one, other in zip(("outlets", "dates"), want, have, strict=True):
                if one != other:
                    print(f"    {name}: missed {sorted(one - other)}, wrong {sorted(other - one)}")
    for i, name in enumerate(("outlets", "dates")):
        pairs = [(want[i], have[i]) for want, have in zip(wanted, found, strict=True)]
        print(f"{name:8} {figures(pairs)}  ({len(drawn)} questions, seed {arguments.seed})")


if __name__ == "__main__":
    main()
