"""The command line. Results go to stdout, progress and complaints to stderr."""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
import sys
from datetime import date
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from rag.errors import GazetteError, UsageError
from rag.types import scope, to_json
from ui.evaluating import evaluate
from ui.models import models
from ui.terminal import (
    Archive,
    AsJson,
    BaseUrl,
    EmbeddingModel,
    Llm,
    Reranker,
    complain,
    judged,
    progress,
    whole,
    with_quotes,
    write,
)
from ui.tokens import token_app

EXAMPLES = (
    "gazette ingest articles/ https://example.com/a-story",
    'gazette ask "Who will build the bridge?"',
    'gazette ask "What did the minister say?" --outlet kontor --after 2025-01-01',
    'gazette ask "Who will build it?" --llm mistralai:mistral-small-latest',
    'gazette verify "The bridge will cost 2.4 billion daler"',
    "gazette chat",
    "gazette mcp",
    "gazette eval questions.jsonl",
)

_TYPE = re.compile(r" <.*>$")  # as Typer names it


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
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables give every flag a value
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\n".join(["\b", "For example:", *(f"  {example}" for example in EXAMPLES)]),
)
articles_app = typer.Typer(
    no_args_is_help=True, help="What the archive holds.", rich_markup_mode=None
)
app.add_typer(articles_app, name="articles")
app.add_typer(token_app, name="token")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("no date; write it as year-month-day, 2025-03-14") from error


Outlets = Annotated[
    list[str] | None, typer.Option(help="Only from this outlet, by name or domain.")
]
After = Annotated[date | None, typer.Option(help="From this day on (2025-03-14).", parser=_day)]
Before = Annotated[date | None, typer.Option(help="Before this day.", parser=_day)]
AsOf = Annotated[date | None, typer.Option(help="As it stood at the end of this day.", parser=_day)]
Verifier = Annotated[
    str | None,
    typer.Option(
        help="A cross-encoder for entailment, by name or path, to check with (GAZETTE_VERIFIER).",
        show_default=False,
    ),
]


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
    from rag.settings import Settings
    from ui.observing import observe

    observe(Settings.given())


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
    except GazetteError as error:
        complain(error)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except (OSError, sqlite3.Error) as error:
        complain(f"{error}; check the disk, the path and who may read and write there")
        sys.exit(1)
    except KeyboardInterrupt:
        complain("interrupted; what was finished is kept")
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
    from rag.reader import prepare
    from rag.settings import Settings

    with progress("Ingesting", "articles") as tell:
        report = ingesting.ingest(sources, archive, embedding_model, allow_private, tell)
    if Settings.given().reader == "own":
        prepare()
    for source, reason in report.skipped:
        complain(f"skipped {source}: {reason}", "")
    write(report, as_json, str(report))
    if strict and report.skipped:
        raise typer.Exit(1)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    archive: Archive = None,
    llm: Llm = None,
    base_url: BaseUrl = None,
    reranker: Reranker = None,
    outlet: Outlets = None,
    after: After = None,
    before: Before = None,
    as_of: AsOf = None,
    verifier: Verifier = None,
    as_json: AsJson = False,
) -> None:
    """Answer one question, with its quotes."""
    from rag import Gazette

    with Gazette.open(archive, llm, base_url, reranker=reranker, verifier=verifier) as gazette:
        answer = gazette.ask(
            question, outlets=outlet or None, after=after, before=before, as_of=as_of
        )
    if narrowed := scope(answer.query):
        complain(narrowed, "")
    if answer.undated and not answer.reason:
        plural = "s were" if answer.undated > 1 else " was"
        complain(f"{answer.undated} undated article{plural} left out", "")
    write(answer, as_json, with_quotes(answer))


@app.command()
def verify(
    claim: Annotated[str, typer.Argument(help="What is said to be so, in a sentence.")],
    archive: Archive = None,
    outlet: Outlets = None,
    after: After = None,
    before: Before = None,
    as_of: AsOf = None,
    verifier: Verifier = None,
    as_json: AsJson = False,
) -> None:
    """Hold a claim against the articles.

    Says whether they support or contradict it, with their quotes, or that nothing was found.
    """
    from rag import Gazette

    with Gazette.open(archive, verifier=verifier) as gazette:
        verdict = gazette.verify(
            claim, outlets=outlet or (), after=after, before=before, as_of=as_of
        )
    write(verdict, as_json, judged(verdict))


@app.command()
def chat(
    archive: Archive = None,
    llm: Llm = None,
    base_url: BaseUrl = None,
    reranker: Reranker = None,
    host: Annotated[
        str, typer.Option(help="The address to serve; off this machine it wants a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.", min=1, max=65535)] = 7860,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="Add pages of private and loopback addresses too."),
    ] = False,
) -> None:
    """Open the web chat, and serve other programs on the same port.

    They find the archive at /v1 (as OpenAI's API, and in Gazette's own JSON: see /v1/docs) and at
    /mcp.
    """
    from ui.desk import Desk
    from ui.web import serve

    serve(Desk(archive, llm, base_url, reranker, allow_private), host, port)


@app.command()
def mcp(
    archive: Archive = None,
    llm: Llm = None,
    base_url: BaseUrl = None,
    reranker: Reranker = None,
    http: Annotated[
        bool, typer.Option("--http", help="Over streamable HTTP, at /mcp, instead of stdio.")
    ] = False,
    port: Annotated[int, typer.Option(help="On 127.0.0.1, with --http.", min=1, max=65535)] = 7861,
) -> None:
    """Offer the archive to other programs as tools of the Model Context Protocol.

    The tools ask, retrieve, read_article and verify only read. Over stdio, the program that uses
    them starts this command itself.
    """
    from ui.desk import Desk
    from ui.mcp_server import serve_http, server

    desk = Desk(archive, llm, base_url, reranker)
    if http:
        serve_http(desk, port)
    else:
        server(desk).run()


app.command("eval")(evaluate)
app.command("models")(models)


@app.command()
def reindex(archive: Archive = None, embedding_model: EmbeddingModel = None) -> None:
    """Chunk and embed every article anew.

    With another embedding model, if one is named.
    """
    import ingest as ingesting

    with progress("Embedding", "articles") as tell:
        count = ingesting.reindex(archive, embedding_model, tell)
    typer.echo(f"{count} articles embedded anew")


@articles_app.command("list")
def list_articles(
    archive: Archive = None,
    outlet: Annotated[str | None, typer.Option(help="By name or domain.")] = None,
    after: After = None,
    before: Before = None,
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
                write(article, False, " ".join(line.split("\n")))
            listed = True
        if not listed:
            complain("no article: the archive has none, or none of this outlet and these days", "")


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
    write(article, as_json, whole(article))


@articles_app.command("remove")
def remove_articles(
    names: Annotated[list[str], typer.Argument(help="Ids, URLs or sources, as ingested.")],
    archive: Archive = None,
) -> None:
    """Remove articles everywhere."""
    import ingest as ingesting

    typer.echo(f"{ingesting.remove(names, archive)} removed")


for _command in (*app.registered_commands, *articles_app.registered_commands):
    _command.cls = _Command


if __name__ == "__main__":
    main()
