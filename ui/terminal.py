"""How every command reads and writes: common options, stdout, stderr, progress, plain text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from rag.types import Answer, Article, Citation, Verdict, describe, printed_day, to_json

OPENS = "gazette articles show"
"""The command that shows an article, by its id."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Archive = Annotated[
    str | None,
    typer.Option(help="The archive's folder (GAZETTE_ARCHIVE; ./archive).", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, field by field.")]
Llm = Annotated[
    str | None,
    typer.Option(
        help="`extractive` (quotes, needs no model), or a language model as provider:model.",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option(help="A server of your own that speaks its protocol: no key needed.")
]
Reranker = Annotated[
    str | None,
    typer.Option(help="A CrossEncoder by name or path, to order the passages.", show_default=False),
]
EmbeddingModel = Annotated[
    str | None,
    typer.Option(
        help="A sentence-transformers model by name or path.", show_default="the archive's own"
    ),
]


def write(value: Any, as_json: bool, text: str) -> None:
    """Print a value as JSON, or else a text; no article in it commands the terminal."""
    if as_json:
        text = json.dumps(to_json(value), ensure_ascii=False, indent=2)
        typer.echo(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
    else:
        typer.echo(_CONTROL.sub("", text))


def complain(message: object, prefix: str = "error: ") -> None:
    """Say one line on stderr."""
    typer.echo(_CONTROL.sub("", f"{prefix}{message}".replace("\n", " ")), err=True)


@contextmanager
def progress(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with rate and time left."""
    from rich import console, progress

    err = console.Console(stderr=True)
    columns = (
        progress.TextColumn(what),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
    )
    quiet = not err.is_terminal
    with progress.Progress(*columns, console=err, transient=True, disable=quiet) as bar:
        task = bar.add_task(what, total=None, rate="")

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, rate=f"{speed:.1f} {unit}/s" if speed else "")

        yield tell


def with_quotes(answer: Answer, opens: str = OPENS) -> str:
    """An answer as plain text: what it says, then each source with its quote.

    `opens` is what stands before an article's id where it has no URL.
    """
    lines = [answer.text]
    for citation in answer.citations:
        lines += _shown(citation, opens)
    unsupported = [s.text for s in answer.sentences if s.verdict in ("unsupported", "contradicted")]
    if unsupported:
        lines += ["", "Not supported by the articles:", *(f"  ✗ {text}" for text in unsupported)]
    return "\n".join(lines)


def judged(verdict: Verdict, opens: str = OPENS) -> str:
    """A verdict as plain text: the label, then the quotes for it and against it."""
    if verdict.reason:
        return f"Not found: {verdict.reason}."
    lines = [verdict.label.capitalize()]
    for citation in verdict.citations:
        if verdict.label == "supported" and citation.number in verdict.against[:1]:
            lines += ["", "Against it:"]
        lines += _shown(citation, opens)
    return "\n".join(lines)


def whole(article: Article) -> str:
    """An article as plain text."""
    day = printed_day(article.published) if article.published else "undated"
    head = " · ".join([article.outlet or "unknown outlet", day, *article.authors])
    return "\n".join([article.title, head, article.url or article.source, "", article.text])


def _shown(citation: Citation, opens: str) -> list[str]:
    """A source with its quote, and where to open it."""
    where = citation.url or f"{opens} {citation.article_id}"
    return ["", describe(citation), f"    > {' '.join(citation.quote.split())}", f"    {where}"]
