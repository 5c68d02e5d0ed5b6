"""What each choice of retrieval is worth: each left out or replaced, one at a time, in one table.

    python evals/bench/ablation.py --pages PAGES QUESTIONS --squad dev-v2.0.json

Always on the sample suite, and on the sample articles with two syndicated copies of each. PAGES is
a folder of articles and QUESTIONS a questions file; of SQuAD 2.0 (CC BY-SA 4.0) each paragraph is
one article, and its answerable questions are asked, `--draw` of them. The first row gives figures,
the others differences to it; a star marks those whose 95 % interval, by a paired bootstrap over the
questions, lies on one side of 0.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from evals.datasets import Question, load_suite
from evals.metrics import RANKED, quote_ranks, ranking_figures
from ingest import chunking, ingest, pipeline
from rag import Gazette, Passage, Query, language, retrieval, schema
from rag.archive import Archive
from rag.embeddings import EmbeddedMiniLM
from rag.search_index import SearchIndex
from rag.types import Article, Span

MEASURES = ("hit@1", "hit@5", "nDCG@10", "all@5")
RESAMPLES = 2000
COPIES = 2

Patch = tuple[Any, str, Any]
"""Where, the name there, what takes its place."""


@dataclass(frozen=True)
class Change:
    """One choice made otherwise."""

    name: str
    patches: tuple[Patch, ...] = ()
    anew: bool = False
    """Whether the articles must be ingested anew."""


@dataclass(frozen=True)
class Material:
    """Articles, and questions on them."""

    name: str
    source: Path
    questions: Sequence[Question]


def _fixed_size(article: Article) -> Iterator[Span]:
    size = chunking.CHUNK_CHARS
    for start in range(0, len(article.text), size):
        yield start, min(start + size, len(article.text))


def _as_fused(_query: Query, passages: Sequence[Passage]) -> list[Passage]:
    return list(passages)


def _ranked(**scores: None) -> Patch:
    """`rank` where it does not see some scores."""
    rank = retrieval.rank

    def ranked(query: Query, passages: Sequence[Passage]) -> list[Passage]:
        return rank(query, [replace(p, scores=replace(p.scores, **scores)) for p in passages])

    return retrieval, "rank", ranked


def _chunk_alone(index: SearchIndex, numbers: Sequence[int], _limit: int) -> dict[int, Passage]:
    return _passages(index, numbers, 0)


def _not_grown(_archive: Archive, passage: Passage, limits: Span) -> Passage:
    start, end = max(passage.start, limits[0]), min(passage.end, limits[1])
    text = passage.text[start - passage.start : end - passage.start]
    return replace(passage, start=start, end=end, text=text)


def _no_parts(*_: object) -> Iterator[Query]:
    return iter(())


def _none(*_: object) -> list[tuple[int, float]]:
    return []


def _tokenizer(was: str, is_now: str) -> Patch:
    return schema, "_MIGRATIONS", tuple(s.replace(was, is_now) for s in schema._MIGRATIONS)


def _same(word: str) -> str:
    return word


_passages = SearchIndex.passages
_FUSED_ORDER: Patch = (retrieval, "rank", _as_fused)
_NO_LEXICAL: Patch = (SearchIndex, "lexical", _none)
_NO_DENSE: Patch = (Archive, "nearest", _none)
CHANGES = (
    Change("as it is"),
    Change("chunks of 250 characters", ((chunking, "CHUNK_CHARS", 250),), anew=True),
    Change("chunks of 900", ((chunking, "CHUNK_CHARS", 900),), anew=True),
    Change("chunks of 400 cut anywhere", ((chunking, "_pieces", _fixed_size),), anew=True),
    Change("no title, outlet, date beside them", ((pipeline, "context", lambda _: ""),), anew=True),
    Change(
        "words not stemmed",
        (_tokenizer("porter ", ""), (language, "stem", _same), (retrieval, "stem", _same)),
        anew=True,
    ),
    Change("function words kept", ((language, "FUNCTION_WORDS", frozenset()),)),
    Change("numbers and names cut at their points", ((language, "_WORD", re.compile(r"[^\W_]+")),)),
    Change("dense alone", (_NO_LEXICAL, _FUSED_ORDER)),
    Change("BM25 alone", (_NO_DENSE, _FUSED_ORDER)),
    Change("RRF of both alone", (_FUSED_ORDER,)),
    Change("cosine and BM25 by rank alone", (_ranked(dense=None, lexical=None),)),
    Change("cosine and BM25 by value alone", (_ranked(fused=None),)),
    Change("no coverage", ((retrieval, "rarity", lambda wanted, _: dict.fromkeys(wanted, 0.0)),)),
    Change("ranked without neighbours", ((SearchIndex, "passages", _chunk_alone),)),
    Change("not read on around", ((retrieval, "_read_around", _not_grown),)),
    Change("parts of a question not searched apart", ((retrieval, "_parts", _no_parts),)),
    Change("copies kept", ((retrieval, "_is_copy", lambda *_: False),)),
    Change("passages may overlap", ((retrieval, "_unread", lambda *_: (0, sys.maxsize)),)),
    Change("10 candidates of each search", ((retrieval, "CANDIDATES", 10),)),
    Change("100", ((retrieval, "CANDIDATES", 100), (retrieval, "RANKED", 100))),
    Change("RRF k = 5", ((retrieval, "RRF_K", 5),)),
    Change("RRF k = 60", ((retrieval, "RRF_K", 60),)),
)


def main() -> None:
    """Ask everything under every change, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--pages", nargs=2, metavar=("PAGES", "QUESTIONS"))
    parser.add_argument("--squad", metavar="FILE")
    parser.add_argument("--draw", type=int, default=500, help="questions of SQuAD")
    given = parser.parse_args()
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        stack.enter_context(patch.object(EmbeddedMiniLM, "encode", _remembering()))
        whole = load_suite("sample").questions
        sample = [q for q in whole if q.quotes and q.kind != "overview"]
        material = [
            Material("sample", _sample(folder / "sample.jsonl", 0), sample),
            Material("copied", _sample(folder / "copied.jsonl", COPIES), sample),
        ]
        if given.pages:
            asked = [q for q in load_suite(given.pages[1]).questions if q.quotes]
            material.append(Material("pages", Path(given.pages[0]), asked))
        if given.squad:
            material.append(_squad(given.squad, folder / "squad.jsonl", given.draw))
        _print_table(material, folder)


def _print_table(material: Sequence[Material], folder: Path) -> None:
    columns = [(m, name) for m in material for name in MEASURES]
    columns = [
        (m, n) for m, n in columns if n != "all@5" or any(q.kind == "multi" for q in m.questions)
    ]
    print("| |", " | ".join(f"{m.name} {name}" for m, name in columns), "|")
    print("|---|" + "---:|" * len(columns))
    first: list[NDArray[np.float64]] = []
    for number, change in enumerate(CHANGES):
        cells = []
        with ExitStack() as stack:
            for patched in change.patches:
                stack.enter_context(patch.object(*patched))
            for each in material:
                archive = folder / f"{each.name}-{number if change.anew else 0}"
                if not archive.exists():
                    ingest(each.source, archive)
                figures = _figures(archive, each.questions)
                cells += [figures[name] for m, name in columns if m is each]
        first = first or cells
        shown = [
            f"{cell.mean():.3f}" if number == 0 else _difference(cell - before)
            for cell, before in zip(cells, first, strict=True)
        ]
        print(f"| {change.name} |", " | ".join(shown), "|", flush=True)


def _figures(archive: Path, questions: Sequence[Question]) -> dict[str, NDArray[np.float64]]:
    """Each measure of each question that bears on it."""
    rows = []
    with Gazette.open(archive, reader="none") as gazette:  # what reading is worth: reading.py
        for question in questions:
            passages = gazette.retrieve(question.question, RANKED, question.history)
            ranks = quote_ranks(question, passages, gazette.article)
            rows.append({str(name): f for name, f in ranking_figures(question, ranks).items()})
    return {
        name: np.array([row[name] for row in rows if name in row], np.float64) for name in MEASURES
    }


def _difference(differences: NDArray[np.float64]) -> str:
    drawn = np.random.default_rng(1).integers(len(differences), size=(RESAMPLES, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), (2.5, 97.5))
    return f"{differences.mean():+.3f}{'*' if low > 0 or high < 0 else ''}"


def _sample(path: Path, copies: int) -> Path:
    """The sample articles; each also as other outlets carry it, with a dateline of their own."""
    text = (files("evals") / "articles" / "articles.jsonl").read_text(encoding="utf-8")
    with path.open("w", encoding="utf-8") as lines:
        for article in map(json.loads, text.splitlines()):
            lines.write(json.dumps(article) + "\n")
            for number in range(copies):
                url, dateline = f"{article['url']}#{number}", f"(Wire {number}) – {article['text']}"
                copy = article | {"url": url, "outlet": f"Wire {number}", "text": dateline}
                lines.write(json.dumps(copy) + "\n")
    return path


def _squad(name: str, source: Path, draw: int) -> Material:
    suite = load_suite(name)
    assert suite.articles
    with source.open("w", encoding="utf-8") as lines:
        lines.writelines(f"{json.dumps(article)}\n" for article in suite.articles())
    asked = [question for question in suite.questions if question.quotes]
    return Material("SQuAD", source, random.Random(1).sample(asked, min(draw, len(asked))))


def _remembering() -> Callable[[EmbeddedMiniLM, Sequence[str]], NDArray[np.float32]]:
    """`encode`, each text once in the whole run."""
    encode, known = EmbeddedMiniLM.encode, dict[str, NDArray[np.float32]]()

    def remembered(model: EmbeddedMiniLM, texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, encode(model, new), strict=True))
        return np.array([known[text] for text in texts], np.float32)

    return remembered


if __name__ == "__main__":
    main()
