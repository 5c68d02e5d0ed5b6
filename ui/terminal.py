"""How every command reads and writes: its common options, stdout, stderr, progress."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from rag.types import to_json

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
