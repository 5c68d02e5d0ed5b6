"""How well pages become articles: `python evals/bench/extraction.py FOLDER`, beside trafilatura.

FOLDER is Zyte's article-extraction-benchmark (`ground-truth.json`, `html/`) or fundus' publishers
(`OUTLET.json` with its page). Body: precision and recall over four-word shingles, averaged over
pages, F1 of the two averages, as Zyte's evaluate.py defines it. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import trafilatura

from ingest.webpage import read_page
from rag.errors import SourceError


@dataclass
class Page:
    """A page with what a person found on it; title, day and authors only where somebody looked."""

    name: str
    html: bytes
    body: str
    title: str | None = None
    day: str | None = None
    authors: frozenset[str] | None = None


@dataclass
class Reading:
    """What an extractor made of a page."""

    body: str = ""
    title: str = ""
    day: str = ""
    authors: frozenset[str] = field(default_factory=frozenset)


def pages(folder: Path) -> Iterator[Page]:
    """The pages of either benchmark."""
    truth = folder / "ground-truth.json"
    if truth.exists():
        for key, entry in json.loads(truth.read_text("utf-8")).items():
            html = gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes())
            yield Page(key, html, entry["articleBody"])
        return
    for path in sorted(folder.glob("*.json")):
        entry = json.loads(path.read_text("utf-8"))
        parts = list(entry["body"]["summary"])
        for section in entry["body"]["sections"]:
            parts += section["headline"] + section["paragraphs"]
        html = gzip.decompress((folder / entry["page"]).read_bytes())
        day = datetime.fromisoformat(entry["publishing_date"]).date().isoformat()
        authors = frozenset(entry["authors"])
        yield Page(path.stem, html, "\n".join(parts), entry["title"], day, authors)


def gazette(html: bytes) -> Reading:
    """Our reading."""
    try:
        article = read_page(html, "page")
    except SourceError as error:
        print(error, file=sys.stderr)
        return Reading()
    day = article.published.date().isoformat() if article.published else ""
    return Reading(article.text, article.title, day, frozenset(article.authors))


def plain(html: bytes) -> Reading:
    """The reading of trafilatura with its defaults."""
    text = html.decode("utf-8", "replace")
    meta = trafilatura.extract_metadata(text)
    authors = frozenset((meta.author or "").split("; ")) - {""}
    return Reading(trafilatura.extract(text) or "", meta.title or "", meta.date or "", authors)


def without_comments(html: bytes) -> Reading:
    """The body without comments: the stronger baseline."""
    text = html.decode("utf-8", "replace")
    return Reading(trafilatura.extract(text, include_comments=False) or "")


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Four-word runs with their counts; a shorter text is one run."""
    words = re.findall(r"\w+", text)
    runs = (tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3)))
    return Counter(run for run in runs if run)


def precision_recall(gold: str, text: str) -> tuple[float, float]:
    """Of one page; both 1 where there is nothing to find and nothing was found."""
    wanted, found = shingles(gold), shingles(text)
    hits = (wanted & found).total()
    if wanted == found:
        return 1.0, 1.0
    return hits / (found.total() or 1), hits / (wanted.total() or 1)


def title_f1(gold: str, title: str) -> float:
    """F1 over the words, in lower case."""
    wanted, found = (Counter(re.findall(r"\w+", text.lower())) for text in (gold, title))
    hits = (wanted & found).total()
    return 2 * hits / ((wanted.total() + found.total()) or 1)


def measure(material: list[Page], read: Callable[[bytes], Reading]) -> dict[str, Any]:
    """All figures of one extractor."""
    start = time.perf_counter()
    readings = [read(page.html) for page in material]
    seconds = time.perf_counter() - start
    pairs = list(zip(material, readings, strict=True))
    scores = [precision_recall(page.body, reading.body) for page, reading in pairs]
    # as in the benchmark: a page without text counts against recall alone
    precision = statistics.fmean(p for (p, _), r in zip(scores, readings, strict=True) if r.body)
    recall = statistics.fmean(r for _, r in scores)
    figures: dict[str, Any] = {
        "body_f1": round(2 * precision * recall / (precision + recall), 4),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "no_body": [page.name[:12] for page, reading in pairs if not reading.body],
        "ms_per_page": round(1000 * seconds / len(material)),
    }
    judged = [(page, reading) for page, reading in pairs if page.title is not None]
    checks: dict[str, Callable[[Page, Reading], bool]] = {
        "title": lambda page, reading: title_f1(page.title or "", reading.title) >= 0.6,
        "day": lambda page, reading: page.day == reading.day,
        "authors": lambda page, reading: page.authors == reading.authors,
    }
    for name, right in checks.items() if judged and judged[0][1].title else ():
        wrong = [page.name for page, reading in judged if not right(page, reading)]
        figures[name] = round(1 - len(wrong) / len(judged), 4)
        figures[f"{name}_wrong"] = wrong
    return figures


def lost_quotes(folder: Path, material: list[Page]) -> list[str]:
    """Gold quotes of the folder's questions that our text of the page does not hold."""
    lost = []
    texts = {page.name[:12]: fold(gazette(page.html).body) for page in material}
    for path in sorted(folder.glob("questions*.jsonl")):
        for question in map(json.loads, path.read_text("utf-8").splitlines()):
            for quote in question["quotes"]:
                if fold(quote["quote"]) not in texts.get(quote["page"], ""):
                    lost.append(f"{question['id']} {quote['page']}: {quote['quote']}")
    return lost


def fold(text: str) -> str:
    """Words in lower case: quotes, dashes and blanks do not count."""
    return " ".join(re.findall(r"\w+", text.lower()))


def main() -> None:
    """Measures a folder and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    material = list(pages(folder))
    readers = {
        "gazette": gazette,
        "trafilatura": plain,
        "trafilatura_without_comments": without_comments,
    }
    figures: dict[str, Any] = {name: measure(material, read) for name, read in readers.items()}
    print(
        json.dumps(
            {"pages": len(material), **figures, "lost_quotes": lost_quotes(folder, material)},
            indent=1,
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
