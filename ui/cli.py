"""The command line. Results go to stdout, progress and complaints to stderr."""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from rag.errors import GazetteError, UsageError
from rag.types import Answer, describe, printed_day, to_json

EXAMPLES = (
    "gazette ingest articles/ https://example.com/a-story",
    'gazette ask "Who will build the bridge?"',
    'gazette ask "What did the minister say?" --outlet kontor --after 2025-01-01',
    'gazette ask "Who will build it?" --llm mistralai:mistral-small-latest',
    "gazette chat",
    "gazette eval questions.jsonl",
)

_TYPE = re.compile(r" <.*>$")  # as Typer names it
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Group(TyperGroup):
    """The whole of it: its examples stand line by line."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples under each other."""
        formatter.write("\n" + (self.epilog or "").replace("\n\n", "\n  ") + "\n")


class _Command(TyperCommand):
    """A command whose help reads as that of other tools: SOURCES..., not {sources}..."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the name, without Typer's braces."""
        return [re.sub("[{}]", "", piece).upper() for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments in capitals; an option that takes a value has TEXT or NUMBER after it."""
        rows: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for each in self.get_params(ctx):
            name, said = each.get_help_record(ctx) or ("", "")
            value = " NUMBER" if "<int" in name else " TEXT"
            is_option = each.param_type_name == "option"
            name = _TYPE.sub(value, name) if is_option else _TYPE.sub("", name).upper()
            rows[each.param_type_name].append((name, said))
        for kind in filter(rows.get, rows):
            with formatter.section(f"{kind.title()}s"):
                formatter.write_dl(rows[kind])


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables give every flag a value
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\n\n".join(["For example:", *EXAMPLES]),
)
articles_app = typer.Typer(
    no_args_is_help=True, help="What the archive holds.", rich_markup_mode=None
)
app.add_typer(articles_app, name="articles")

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
EmbeddingModel = Annotated[
    str | None,
    typer.Option(
        help="A sentence-transformers model by name or path.", show_default="the archive's own"
    ),
]
Reranker = Annotated[
    str | None,
    typer.Option(help="A CrossEncoder by name or path, to order the passages.", show_default=False),
]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("no date; write it as year-month-day, 2025-03-14") from error


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"gazette {version('gazette')}")
        raise typer.Exit


@app.callback()
def gazette(
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version)
    ] = False,
) -> None:
    """Answer questions from news articles that you bring in, each sentence with its quote."""


def main() -> None:
    """Run a command; what Gazette refuses or fails to do is told in one line."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    logging.getLogger("rag").setLevel(logging.INFO)  # what takes a while says so
    # No command of Gazette's reports to anyone.
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # what it tries again, it would tell twice
    try:
        app()
    except UsageError as error:
        _complain(error)
        sys.exit(2)
    except GazetteError as error:
        _complain(error)
        sys.exit(1)
    except (OSError, sqlite3.Error) as error:
        _complain(f"{error}; check the disk, the path and who may read and write there")
        sys.exit(1)
    except KeyboardInterrupt:
        _complain("interrupted; what was finished is kept")
        sys.exit(1)


@app.command()
def ingest(
    sources: Annotated[list[str], typer.Argument(help="Files, folders, http(s) pages.")],
    archive: Archive = None,
    embedding_model: EmbeddingModel = None,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="Fetch from private and loopback addresses too."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if anything was skipped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring articles into an archive.

    What has not changed since it was last brought in is left alone. Reads .html, .txt, .md, .json
    and .jsonl, each also as .gz, in folders and below.
    """
    import ingest as ingesting

    with _progress("Ingesting", "articles") as progress:
        report = ingesting.ingest(sources, archive, embedding_model, allow_private, progress)
    for source, reason in report.skipped:
        _complain(f"skipped {source}: {reason}", "")
    _write(report, as_json, str(report))
    if strict and report.skipped:
        raise typer.Exit(1)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    archive: Archive = None,
    llm: Llm = None,
    base_url: BaseUrl = None,
    reranker: Reranker = None,
    outlet: Annotated[
        list[str] | None, typer.Option(help="Only from this outlet, by name or domain.")
    ] = None,
    after: Annotated[
        date | None, typer.Option(help="From this day on (2025-03-14).", parser=_day)
    ] = None,
    before: Annotated[date | None, typer.Option(help="Before this day.", parser=_day)] = None,
    as_of: Annotated[
        date | None, typer.Option(help="As it stood at the end of this day.", parser=_day)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer one question, with its quotes."""
    from rag import Gazette

    with Gazette.open(archive, llm, base_url, reranker=reranker) as gazette:
        answer = gazette.ask(
            question, outlets=outlet or (), after=after, before=before, as_of=as_of
        )
    if answer.undated and not answer.reason:
        plural = "s were" if answer.undated > 1 else " was"
        _complain(f"{answer.undated} undated article{plural} left out", "")
    _write(answer, as_json, _with_quotes(answer))


@app.command()
def chat(
    archive: Archive = None,
    llm: Llm = None,
    base_url: BaseUrl = None,
    reranker: Reranker = None,
    port: Annotated[int, typer.Option(help="On 127.0.0.1.", min=1, max=65535)] = 7860,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="Add pages of private and loopback addresses too."),
    ] = False,
) -> None:
    """Open the web chat on this machine."""
    from ui.desk import Desk
    from ui.web import serve

    serve(Desk(archive, llm, base_url, reranker, allow_private), port)


@app.command("eval")
def evaluate(
    suite: Annotated[str, typer.Argument(help="`sample`, or a questions file (JSON Lines).")],
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
    as_json: AsJson = False,
) -> None:
    """Measure what is found and what is right.

    A suite's questions are asked and the answers counted. The sample suite brings its own articles,
    unless an archive is named. Exits with 1 where a figure is under the gate that the suite's file
    sets.
    """
    from contextlib import nullcontext

    from evals.datasets import SUITES, load_suite, sample_archive
    from evals.report import print_report
    from evals.runner import run
    from rag import Gazette

    loaded = load_suite(suite)
    own = suite in SUITES and archive is None
    with (
        sample_archive() if own else nullcontext(archive) as path,
        Gazette.open(path, llm, base_url) as gazette,
        _progress("Asking", "questions") as progress,
    ):
        report = run(gazette, loaded, use_filters, progress)
    for name, error in report.failures:
        _complain(f"{name}: {error}", "")
    if as_json:
        _write(report, True, "")
    else:
        print_report(report)
    if report.missed:
        _complain(f"{suite} misses its gate on {', '.join(report.missed)}")
        raise typer.Exit(1)


@app.command()
def reindex(archive: Archive = None, embedding_model: EmbeddingModel = None) -> None:
    """Chunk and embed every article anew.

    With another embedding model, if one is named.
    """
    import ingest as ingesting

    with _progress("Embedding", "articles") as progress:
        count = ingesting.reindex(archive, embedding_model, progress)
    typer.echo(f"{count} articles embedded anew")


@articles_app.command("list")
def list_articles(
    archive: Archive = None,
    outlet: Annotated[str | None, typer.Option(help="By name or domain.")] = None,
    after: Annotated[
        date | None, typer.Option(help="From this day on (2025-03-14).", parser=_day)
    ] = None,
    before: Annotated[date | None, typer.Option(help="Before this day.", parser=_day)] = None,
    as_json: AsJson = False,
) -> None:
    """List the articles, newest first."""
    from rag import Gazette

    listed = False
    with Gazette.open(archive) as gazette:
        for article in gazette.articles(outlet, after=after, before=before):
            if as_json:
                shown = {key: value for key, value in to_json(article).items() if key != "text"}
                typer.echo(json.dumps(shown, ensure_ascii=False))
            else:
                day = f"{article.published:%Y-%m-%d}" if article.published else "undated   "
                line = f"{article.id}  {day}  {article.outlet or '–'}: {article.title}"
                _write(article, False, " ".join(line.split("\n")))
            listed = True
        if not listed:
            _complain("no article: the archive has none, or none of this outlet and these days", "")


@articles_app.command("show")
def show_article(
    name: Annotated[str, typer.Argument(help="Its id, URL or source, as ingested.")],
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """Show one article, whole."""
    from rag import Gazette

    with Gazette.open(archive) as gazette:
        article = gazette.article(name)
    day = printed_day(article.published) if article.published else "undated"
    head = [article.title, " · ".join([article.outlet or "unknown outlet", day, *article.authors])]
    where = article.url or article.source
    _write(article, as_json, "\n".join([*head, where, "", article.text]))


@articles_app.command("remove")
def remove_articles(
    names: Annotated[list[str], typer.Argument(help="Ids, URLs or sources, as ingested.")],
    archive: Archive = None,
) -> None:
    """Remove articles everywhere."""
    import ingest as ingesting

    typer.echo(f"{ingesting.remove(names, archive)} removed")


def _with_quotes(answer: Answer) -> str:
    """An answer for the terminal: the text, then each source with its quote."""
    lines = [answer.text]
    for citation in answer.citations:
        lines += ["", describe(citation), f"    > {' '.join(citation.quote.split())}"]
        lines += [f"    {citation.url or f'gazette articles show {citation.article_id}'}"]
    unsupported = [s.text for s in answer.sentences if s.verdict in ("unsupported", "contradicted")]
    if unsupported:
        lines += ["", "Not supported by the articles:", *(f"  ✗ {text}" for text in unsupported)]
    return "\n".join(lines)


def _write(value: Any, as_json: bool, text: str) -> None:
    # An article may hold what a terminal would obey.
    if as_json:
        text = json.dumps(to_json(value), ensure_ascii=False, indent=2)
        typer.echo(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
    else:
        typer.echo(_CONTROL.sub("", text))


def _complain(message: object, prefix: str = "error: ") -> None:
    typer.echo(_CONTROL.sub("", f"{prefix}{message}".replace("\n", " ")), err=True)


@contextmanager
def _progress(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with rate and time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None, rate="")

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, rate=f"{speed:.1f} {unit}/s" if speed else "")

        yield tell


for _command in (*app.registered_commands, *articles_app.registered_commands):
    _command.cls = _Command


if __name__ == "__main__":
    main()
