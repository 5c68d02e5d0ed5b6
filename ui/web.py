"""The web chat: a question box, the answer with its marks, and beside it the sources.

What is shown is made in `ui/page.py`; what the browser does itself is in `ui/chat.js`. The page
loads nothing from elsewhere. Gradio is imported in this module alone.
"""

from __future__ import annotations

import socket
import sqlite3
import sys
import webbrowser
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from typing import Any

import gradio as gr
import typer
import uvicorn
from fastapi import FastAPI
from gradio import events

from rag.errors import GazetteError, UsageError
from rag.question import Filters
from rag.types import to_json
from ui.adding import READABLE
from ui.desk import Desk
from ui.guard import HEALTH, Guard
from ui.mcp_server import http_app
from ui.page import pack, shown, sources, unpack
from ui.server import api, health
from ui.tokens import Tokens, kept_tokens

EXAMPLES = (
    "Why was the railway to Ransey cancelled?",
    "How many people drank contaminated water in Grevenau?",
    "What will the road bridge to Ransey cost?",
)
# Once a new question has pushed the turns before it up, bring it to the top of the page.
_SCROLL = "watch('value', () => document.getElementById('current').scrollIntoView());"
_MASTHEAD = """<header><h1>Gazette</h1><nav aria-label="Gazette">
<button type="button" id="new">New conversation</button>
<button type="button" popovertarget="conversations">Conversations</button>
<button type="button" popovertarget="add">Add articles</button></nav></header>
"""
_OVERLAYS = """
<section id="conversations" popover aria-label="Conversations"><p></p><ol></ol></section>
<dialog id="reader" aria-label="Article" closedby="any">
<form method="dialog"><button>Close</button></form><div></div></dialog>"""
# No icon, and until the page is there words, instead of Gradio's.
_HEAD = """<link rel="icon" href="data:,"><style>
body:not(:has(header)) gradio-app { visibility: hidden }
body:not(:has(header))::before {
  content: "Opening Gazette …"; margin: 2rem; color: gray; font: 1.5rem serif
}
</style>"""
_OPENING = '<p class="status" role="status">Opening the archive …</p>'
_UNREADABLE = (
    '<p class="error" role="alert">This conversation cannot be shown: what this browser kept of it '
    "is damaged, or of another version of Gazette.</p>"
)
_LEDE = '<p class="lede">Ask about the articles. Every mark in an answer opens its quote.</p>'

# The page tells in words what goes on, and its events are nobody else's interface: `_offer` is.
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def build(desk: Desk) -> gr.Blocks:
    """The page, not yet served."""
    page = gr.Blocks(title="Gazette", analytics_enabled=False, fill_width=True)
    with page:
        gr.HTML(_MASTHEAD, js_on_load=None, apply_default_css=False)
        notice = gr.HTML(_OPENING, elem_id="notice", apply_default_css=False)
        past, current, beside, examples, buttons = _columns()
        added = _adding(desk)
        with gr.Row(elem_id="ask"):
            shape: dict[str, Any] = {"container": False, "autofocus": True, "submit_btn": "Ask"}
            box = gr.Textbox(label="Question", placeholder="Ask the articles", **shape)
        # Its value is the conversation: to the browser, which keeps it, and back.
        browser = gr.HTML(
            html_template=_OVERLAYS,
            js_on_load=(files("ui") / "chat.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            archive=str(desk.settings.archive.absolute()),
            shown=0,
        )

        def greet() -> dict[Any, Any]:
            line, sample = desk.welcome()
            return {notice: line, examples: gr.Column(visible=sample)}

        def resume(event: gr.EventData) -> dict[Any, Any]:
            """Show a conversation that the browser kept; an empty one is a new one."""
            update: dict[Any, Any] = {current: _LEDE, beside: ""}
            try:
                turns = unpack(event.turns)
            except ValueError:
                turns, update[current] = (), _UNREADABLE
            if turns:
                update[current] = shown(turns[-1], len(turns))
                update[beside] = sources(turns[-1], len(turns), desk.find)
            update[browser] = gr.HTML(value=pack(turns), shown=event.time)
            return greet() | update | {past: desk.folded(turns[:-1])}

        def respond(question: str, kept: str | None) -> Iterator[dict[Any, Any]]:
            before = unpack(kept or "[]")
            number = len(before) + 1
            yield {past: desk.folded(before), box: ""}
            for turn in desk.answer(question, before):
                cards = sources(turn, number, desk.find)
                done = {browser: pack([*before, turn])} if turn.is_done else {}
                yield {current: shown(turn, number), beside: cards} | done

        whole = [browser, notice, past, current, beside, box, examples]
        answers = []
        for listen, given in [(box.submit, box), *((each.click, each) for each in buttons)]:
            # A question that is sent during an answer waits for its end.
            asked = listen(respond, [given, browser], whole, trigger_mode="always_last", **_QUIET)
            answers.append(asked)
        # Not for an answer that can be seen to be under way: then chat.js loads the page anew.
        browser.open(resume, None, whole, cancels=answers, **_QUIET)
        for each in (*answers, *added):
            each.then(greet, None, [notice, examples], **_QUIET)
        _offer(desk)
    page.queue(default_concurrency_limit=8)
    return page


def _offer(desk: Desk) -> None:
    """The endpoint for Gradio's clients."""

    def ask(
        question: str,
        history: list[list[str]] | None = None,
        outlets: list[str] | None = None,
        after: str | None = None,
        before: str | None = None,
        as_of: str | None = None,
    ) -> dict[str, Any]:
        """Answer a question: the JSON of `gazette ask --json`.

        The turns before are pairs of question and answer, oldest first; days are like 2025-03-14.
        """
        if any(len(turn) != 2 for turn in history or ()):
            raise gr.Error("history is a list of pairs: [question, answer]", print_exception=False)
        turns = [(turn[0], turn[1]) for turn in history or ()]
        filters = Filters(outlets=outlets or None, after=after, before=before, as_of=as_of)
        try:
            return dict(to_json(desk.gazette().ask(question, turns, **filters)))
        except (GazetteError, OSError, sqlite3.Error) as error:
            raise gr.Error(str(error), print_exception=False) from error

    events.api(ask, api_name="ask")


def _columns() -> tuple[gr.HTML, gr.HTML, gr.HTML, gr.Column, list[gr.Button]]:
    """The earlier turns, the current one, its sources, and questions to start with."""
    with gr.Row(elem_id="desk"):
        with gr.Column(scale=3, min_width=300):
            past = gr.HTML(elem_id="past", js_on_load=_SCROLL, apply_default_css=False)
            current = gr.HTML(_LEDE, elem_id="current", apply_default_css=False)
            with gr.Column(visible=False, elem_id="examples") as examples:
                gr.HTML("<p>For example</p>", apply_default_css=False)
                buttons = [gr.Button(question) for question in EXAMPLES]
        with gr.Column(scale=2, min_width=300, elem_id="sources"):
            beside = gr.HTML(apply_default_css=False)
    return past, current, beside, examples, buttons


def _adding(desk: Desk) -> list[Any]:
    """The panel that adds articles, and the events after which the archive may hold more."""
    with gr.Column(elem_id="add"):
        gr.HTML("<h2>Add articles</h2>", apply_default_css=False)
        pages = gr.Textbox(label="Web pages, one address a line", lines=3, max_lines=8)
        add_pages = gr.Button("Add these pages")
        hint = f"<p>Files: {READABLE}. A file replaces an earlier one of the same name.</p>"
        gr.HTML(hint, apply_default_css=False)
        upload = gr.UploadButton("Choose files", file_count="multiple")
        live = '<div aria-live="polite">${value}</div>'
        report = gr.HTML("", html_template=live, elem_id="report", apply_default_css=False)

    def bring(given: str | list[str] | None) -> Iterator[str]:
        yield from desk.add(given, ()) if isinstance(given, str) else desk.add("", given or ())

    return [
        add_pages.click(bring, pages, report, **_QUIET),
        upload.upload(bring, upload, report, **_QUIET),
    ]


def serve(desk: Desk, host: str, port: int) -> None:
    """Serve the chat and all else that is asked over HTTP, until interrupted.

    Raises `UsageError` if the address cannot be had, or if others could ask without a token.
    """
    app = guarded(desk, host, kept_tokens())
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(
            f"port {port} of {host} cannot be had ({error.strerror or error}); name another with "
            "--port, or an address of this machine with --host"
        ) from error
    with listening:
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        typer.echo(f"Gazette answers at {address} (Ctrl+C ends it)")
        if sys.stdout.isatty():
            webbrowser.open(address)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[listening])


def guarded(desk: Desk, host: str, tokens: Tokens) -> Guard:
    """All that is served: /v1, the tools at /mcp, the articles' pages, and Gradio's page.

    Raises `UsageError` where others than this machine could ask, and there is no token.
    """
    tools = http_app(desk, host)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with tools.router.lifespan_context(tools):
            yield

    app = FastAPI(openapi_url=None, lifespan=lifespan)
    app.mount("/v1", api(desk))
    app.add_route(HEALTH, partial(health, desk=desk))
    app.add_route("/article/{article_id:path}", desk.read)
    app.routes.extend(tools.routes)
    gr.mount_gradio_app(
        app,
        build(desk),
        "/",
        server_name=host,
        run_history=False,
        footer_links=[],
        show_error=False,
        # Fonts by name alone: Gradio would fetch those of its own theme.
        theme=gr.themes.Base(font=["Georgia", "serif"], font_mono=["monospace"]).set(
            body_background_fill="#fcfbf7", body_background_fill_dark="#191816"
        ),
        css=(files("ui") / "chat.css").read_text(encoding="utf-8"),
        head=_HEAD,
    )
    return Guard(app, host, tokens)
