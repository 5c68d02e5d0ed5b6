"""The web chat: a question box, the answer with its marks, and beside it the sources.

Everything that comes from articles, models and users is escaped here; the page loads nothing from
elsewhere. Gradio is imported in this module alone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shlex
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from importlib.resources import files
from typing import Any

import gradio as gr
import typer

from rag import Gazette
from rag.answering import marked_text
from rag.errors import ArchiveError, GazetteError, UsageError
from rag.language_model import EXTRACTIVE
from rag.settings import Settings
from rag.types import Answer, Citation, Passage, Sentence, SentenceDone, printed_day

HOST = "127.0.0.1"
SAMPLE_OUTLET = "lindholtcourier.est"  # `.est` does not exist: only the sample archive has it
EXAMPLES = (
    "Why was the railway to Ransey cancelled?",
    "How many people drank contaminated water in Grevenau?",
    "What will the road bridge to Ransey cost?",
)
CONTEXT_CHARS = 500  # of a paragraph, on either side of a quote
_MARK = re.compile(r"\[(\d+)\]")
# A model's own marks count passages, not citations, and the last may still be arriving.
_MODEL_MARK = re.compile(r"\s*[\[【][\d,;\s]*(?:[\]】]|$)")
# Once a new question has pushed the turns before it up, bring it to the top of the page.
_SCROLL = "watch('value', () => document.getElementById('current').scrollIntoView());"
_LEDE = '<p class="lede">Ask about the articles. Every mark in an answer opens its quote.</p>'

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what came of it, as the page shows it."""

    number: int
    question: str
    body: str = '<p class="wait">Reading the articles …</p>'
    sources: str = ""
    said: str | None = None  # without marks, for the follow-up


class Desk:
    """The archive as it is now: opened when it is first there, and anew when it was replaced."""

    def __init__(self, archive: str | None, llm: str | None, base_url: str | None) -> None:
        self.settings = Settings.given(archive=archive, llm=llm, base_url=base_url)
        self._given = (archive, llm, base_url)
        self._opening = threading.Lock()
        self._open: Gazette | None = None
        self._seen: int | None = None

    def gazette(self) -> Gazette:
        """The open archive, shared by all sessions. Raises `GazetteError` where it cannot be."""
        with self._opening:
            there = self._identity()
            if self._open and there != self._seen:
                self._open.close()
                self._open = None
            if self._open is None:
                self._open = Gazette.open(*self._given)
                self._seen = there
            return self._open

    def _identity(self) -> int | None:
        """Which file the ledger is: a folder that was deleted and made anew has another."""
        ledger = self.settings.archive / "ledger.sqlite"
        return ledger.stat().st_ino if ledger.exists() else None

    def welcome(self) -> tuple[str, bool]:
        """The line about the archive, or what to do where there is none; and if it's the sample."""
        try:
            gazette = self.gazette()
            count = gazette.count()
            sample = next(gazette.articles(SAMPLE_OUTLET), None) is not None
        except GazetteError as error:
            if self._identity() is None:
                return self._invitation("There is no archive here yet."), False
            return f'<p class="error" role="alert">{escape(str(error))}</p>', False
        if not count:
            return self._invitation("The archive is empty."), False
        model = self.settings.llm
        how = "answers in the articles’ own words" if model == EXTRACTIVE else model
        line = f"{count:,} article{'s' * (count > 1)} in {self.settings.archive} · {how}"
        return f'<p class="status">{escape(line)}</p>', sample

    def _invitation(self, what: str) -> str:
        command = f"gazette ingest SOURCE --archive {shlex.quote(str(self.settings.archive))}"
        return (
            f'<div class="invitation"><h2>{what}</h2><p>In a terminal, bring articles in, from a '
            f"file, a folder or a web page; then ask.</p><pre>{escape(command)}</pre></div>"
        )

    def answer(self, question: str, turns: Sequence[Turn]) -> Iterator[Turn]:
        """The turn as it grows; what goes wrong is told in its place."""
        turn = Turn(len(turns) + 1, question)
        yield turn
        try:
            history = [(old.question, old.said) for old in turns if old.said is not None]
            yield from _grow(turn, self.gazette(), history)
        except GazetteError as error:
            yield replace(turn, body=_failure(str(error)))
        except Exception as error:
            logger.exception("a question in the web chat failed")
            yield replace(turn, body=_failure(f"{type(error).__name__}: {error}; ask again"))


def _grow(turn: Turn, gazette: Gazette, history: Sequence[tuple[str, str]]) -> Iterator[Turn]:
    """The answer as it is written: the checked sentences, then what is not yet checked."""
    sentences: list[Sentence] = []
    cards: list[str] = []
    unchecked = ""
    for event in gazette.stream(turn.question, history):
        if isinstance(event, Answer):
            yield _finished(turn, gazette, event)
            return
        if isinstance(event, SentenceDone):
            sentences.append(event.sentence)
            cards += [_card(gazette, citation, turn.number) for citation in event.citations]
            unchecked = _after(unchecked, event.sentence.text)
        else:
            unchecked += event.text
        prose = _prose(marked_text(sentences), sentences, turn.number)
        rest = f'<span class="unchecked">{escape(_MODEL_MARK.sub("", unchecked))}</span>'
        body = f'<p class="answer">{prose} {rest}</p>'
        yield replace(turn, body=body, sources=_sources("Sources", cards))


def _after(written: str, sentence: str) -> str:
    """What was written after a sentence; marks and spaces do not count, for it lacks the marks."""
    left = len("".join(sentence.split()))
    plain = _MODEL_MARK.sub("", written)
    for position, character in enumerate(plain):
        if left == 0:
            return plain[position:]
        left -= not character.isspace()
    return ""


def _finished(turn: Turn, gazette: Gazette, answer: Answer) -> Turn:
    """The whole answer, with its sources or with what comes nearest."""
    if answer.abstained:
        # The other lines of its text list the passages, which stand beside it.
        body = f'<p class="answer abstained">{escape(answer.text.splitlines()[0])}</p>'
        nearest = [_source(near, escape(_beginning(near.text, 280))) for near in answer.passages]
        return replace(turn, body=body, sources=_sources("What comes nearest", nearest), said="")
    cards = [_card(gazette, citation, turn.number) for citation in answer.citations]
    body = f'<p class="answer">{_prose(answer.text, answer.sentences, turn.number)}</p>'
    said = " ".join(sentence.text for sentence in answer.sentences)
    return replace(turn, body=body, sources=_sources("Sources", cards), said=said)


def _prose(text: str, sentences: Sequence[Sentence], turn: int) -> str:
    """An answer's text with its sentences labelled and its marks leading to the sources."""
    seen: set[str] = set()

    def link(mark: re.Match[str]) -> str:
        name = f"{turn}-{mark[1]}"
        back = "" if name in seen else f' id="mark-{name}"'
        seen.add(name)
        return f'<a class="mark" href="#source-{name}"{back} title="Source">{mark[0]}</a>'

    parts, position = [], 0
    for sentence in sentences:
        start = text.find(sentence.text, position)
        if start >= 0:
            parts += [_MARK.sub(link, escape(text[position:start])), _labelled(sentence)]
            position = start + len(sentence.text)
    # Between sentences only: a [1] inside one is the article's own.
    return "".join([*parts, _MARK.sub(link, escape(text[position:]))])


def _labelled(sentence: Sentence) -> str:
    text = escape(sentence.text)
    if sentence.verdict in ("quoted", "supported"):
        return text
    how = "contradicted" if sentence.verdict == "contradicted" else "not supported"
    return (
        f'<span class="doubtful">{text}</span> <span class="verdict">{how} by the articles</span>'
    )


def _card(gazette: Gazette, citation: Citation, turn: int) -> str:
    """A source: where it stands, and its quote highlighted in its paragraph."""
    before, after = _around(gazette, citation)
    name = f"{turn}-{citation.number}"
    back = f'<a class="mark" href="#mark-{name}" title="Back">[{citation.number}]</a>'
    quote = f"{escape(before)}<mark>{escape(citation.quote)}</mark>{escape(after)}"
    return _source(citation, quote, f' id="source-{name}"', back)


def _around(gazette: Gazette, citation: Citation) -> tuple[str, str]:
    """The paragraph on either side of a quote, shortened; nothing if the article has changed."""
    with contextlib.suppress(ArchiveError):  # removed since it was cited
        text = gazette.article(citation.article_id).text
        if text[citation.start : citation.end] == citation.quote:
            before = text[text.rfind("\n", 0, citation.start) + 1 : citation.start]
            after = text[citation.end :].split("\n", 1)[0]
            if len(before) > CONTEXT_CHARS:
                before = f"… {before[-CONTEXT_CHARS:].split(' ', 1)[-1]}"
            return before, _beginning(after, CONTEXT_CHARS)
    return "", ""


def _source(found: Citation | Passage, text: str, anchor: str = "", back: str = "") -> str:
    """What every source shows: outlet, day, title, and an already escaped text."""
    day = printed_day(found.published) if found.published else "undated"
    title = escape(found.title or "untitled")
    if found.url and found.url.lower().startswith(("http://", "https://")):
        address = f'href="{escape(found.url)}" target="_blank" rel="noopener noreferrer"'
        title = f"<a {address}>{title}</a>"
    outlet = escape(found.outlet or "unknown outlet")
    head = f'<p class="where">{back} <b>{outlet}</b>, {day}</p><h4>{title}</h4>'
    return f'<article class="source"{anchor}>{head}<blockquote>{text}</blockquote></article>'


def _sources(heading: str, cards: Sequence[str]) -> str:
    return f"<h3>{heading}</h3>{''.join(cards)}" if cards else ""


def _failure(message: str) -> str:
    return f'<p class="error" role="alert">No answer: {escape(message)}</p>'


def _beginning(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit].rsplit(' ', 1)[0]} …"


def _shown(turn: Turn) -> str:
    question = escape(_beginning(turn.question, 400)) or "…"
    return f'<h2 class="question">{question}</h2><div aria-live="polite">{turn.body}</div>'


def _folded(turn: Turn) -> str:
    """An earlier turn; a mark in it opens its sources, which are folded under it."""
    sources = f"<details><summary>Sources</summary>{turn.sources}</details>" if turn.sources else ""
    return f'<section class="turn">{_shown(turn)}{sources}</section>'


def build(archive: str | None, llm: str | None, base_url: str | None) -> gr.Blocks:
    """The page, not yet served. Raises `UsageError` for settings that do not fit."""
    desk = Desk(archive, llm, base_url)
    page = gr.Blocks(title="Gazette", analytics_enabled=False, fill_width=True)
    with page:
        turns = gr.State([])
        gr.HTML('<header><h1><a href="./">Gazette</a></h1></header>', apply_default_css=False)
        notice = gr.HTML(elem_id="notice", apply_default_css=False)
        with gr.Row(elem_id="desk"):
            with gr.Column(scale=3, min_width=300):
                past = gr.HTML(elem_id="past", js_on_load=_SCROLL, apply_default_css=False)
                current = gr.HTML(_LEDE, elem_id="current", apply_default_css=False)
                with gr.Column(visible=False, elem_id="examples") as examples:
                    gr.HTML("<p>For example</p>", apply_default_css=False)
                    buttons = [gr.Button(question) for question in EXAMPLES]
            with gr.Column(scale=2, min_width=300, elem_id="sources"):
                sources = gr.HTML(apply_default_css=False)
        with gr.Row(elem_id="ask"):
            box = gr.Textbox(
                placeholder="Ask the articles",
                label="Question",
                container=False,
                autofocus=True,
                submit_btn="Ask",
            )

        def greet() -> dict[Any, Any]:
            line, sample = desk.welcome()
            return {notice: line, examples: gr.Column(visible=sample)}

        def respond(question: str, before: list[Turn]) -> Iterator[dict[Any, Any]]:
            yield {past: "".join(map(_folded, before)), box: "", examples: gr.Column(visible=False)}
            for turn in desk.answer(question, before):
                yield {current: _shown(turn), sources: turn.sources, turns: [*before, turn]}

        shown = [past, current, sources, box, examples, turns]
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        page.load(greet, None, [notice, examples], **quiet)
        for listen, given in [(box.submit, box), *((each.click, each) for each in buttons)]:
            # A question that is sent during an answer waits for its end.
            asked = listen(respond, [given, turns], shown, trigger_mode="always_last", **quiet)
            asked.then(lambda: desk.welcome()[0], None, notice, **quiet)
    page.queue(default_concurrency_limit=8)
    return page


def serve(archive: str | None, llm: str | None, base_url: str | None, port: int) -> None:
    """Serve the chat on this machine alone until interrupted; `UsageError` if the port is taken."""
    # Gradio calls its own server before it says that it is up; no proxy may stand between.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), HOST]))
    page = build(archive, llm, base_url)
    try:
        page.launch(
            server_name=HOST,
            server_port=port,
            share=False,
            run_history=False,
            footer_links=[],
            inbrowser=sys.stdout.isatty(),
            prevent_thread_lock=True,
            quiet=True,
            # Fonts by name alone: Gradio would fetch those of its own theme.
            theme=gr.themes.Base(font=["Georgia", "serif"], font_mono=["monospace"]).set(
                body_background_fill="#fcfbf7", body_background_fill_dark="#191816"
            ),
            css=(files("ui") / "chat.css").read_text(encoding="utf-8"),
            head='<link rel="icon" href="data:,">',  # instead of Gradio's
        )
    except OSError as error:
        raise UsageError(f"port {port} of {HOST} is taken; name another with --port") from error
    typer.echo(f"Gazette answers at http://{HOST}:{port} (Ctrl+C ends it)")
    page.block_thread()
