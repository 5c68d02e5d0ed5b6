"""What becomes of a question, told to those who run Gazette: OpenTelemetry spans and log lines.

Nothing is set up here. Spans go to the program's own TracerProvider, and nowhere without one; the
lines go to the logger `gazette`, as records with fields, once somebody sets its level. Spans and
their attributes are named as OpenTelemetry's semantic conventions for generative AI have it (of
2026, in development); what these do not name begins with `gazette.`. No text of a question, an
article or an answer is in them, but for what `Step.show` gives the spans, where it is asked for.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

logger = logging.getLogger("gazette")
if logger.level == logging.NOTSET:  # off unless asked for, also what is a warning or an error
    logger.setLevel(logging.CRITICAL + 1)
T = TypeVar("T")

_CONVENTIONS = {
    "operation": "gen_ai.operation.name",
    "agent": "gen_ai.agent.name",
    "provider": "gen_ai.provider.name",
    "model": "gen_ai.request.model",
    "archive": "gen_ai.data_source.id",
    "k": "gen_ai.retrieval.top_k",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "finish_reasons": "gen_ai.response.finish_reasons",
    "first_chunk": "gen_ai.response.time_to_first_chunk",
    "error_type": "error.type",
}
"""The attributes of facts for which the conventions have one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that was asked of Gazette, from its first step to its last."""

    shows: bool
    """Whether text is in the spans."""
    id: str = field(default_factory=lambda: uuid4().hex)
    seconds: dict[str, float] = field(default_factory=dict)
    """Of the steps within it that have ended, by name; the sum where there were several."""


class Step:
    """A step on the way to an answer: its span, and the facts for its log line."""

    def __init__(self, name: str, span: Span, asked: Asked, is_first: bool) -> None:
        self.asked = asked
        self._name = name
        self._span = span
        self._is_first = is_first
        self._facts: dict[str, Any] = {}
        self._started = time.perf_counter()

    def note(self, **facts: Any) -> None:
        """Facts for the span and the log line, never a text; what is None is left out."""
        known = {name: fact for name, fact in facts.items() if fact is not None}
        self._facts |= known
        self._span.set_attributes(_attributes(known))

    def show(self, **texts: Any) -> None:
        """Text for the span, under the conventions' name without `gen_ai.`, where it is wanted."""
        if self.asked.shows:
            for name, text in texts.items():
                shown = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
                self._span.set_attribute(f"gen_ai.{name.replace('__', '.')}", shown)

    def happened(self, what: str, **facts: Any) -> None:
        """Something on the way: a line of its own, and an event of the span."""
        self._span.add_event(f"gazette.{what}", _attributes(facts))
        self._log(logging.WARNING if "error_type" in facts else logging.INFO, what, facts)

    @contextmanager
    def current(self) -> Iterator[None]:
        """While it lasts, what begins and what happens is this step's."""
        before = _current.set(self)
        try:
            # What an error says is not told, for it may quote anything.
            with trace.use_span(self._span, record_exception=False, set_status_on_exception=False):
                yield
        finally:
            _current.reset(before)

    def end(self, error: BaseException | None = None) -> None:
        """It is over. Who stops listening to a stream ends it by `GeneratorExit`: no failure."""
        seconds, of_steps = time.perf_counter() - self._started, self.asked.seconds
        if self._is_first:
            self._facts["steps"] = {name: round(each, 4) for name, each in of_steps.items()}
        else:
            of_steps[self._name] = of_steps.get(self._name, 0.0) + seconds
        level = logging.INFO
        if isinstance(error, GeneratorExit):
            self.note(stopped=True)
        elif error:
            self.note(error_type=self._facts.get("error_type", type(error).__name__))
            self._span.set_status(Status(StatusCode.ERROR))
            level = logging.ERROR if self._is_first else logging.INFO
        self._log(level, self._name, {"seconds": round(seconds, 4), **self._facts})
        self._span.end()

    def ids(self) -> dict[str, str]:
        """What joins the lines of one question, and a line and its span."""
        given = self._span.get_span_context()
        ids = {"question_id": self.asked.id}
        if given.is_valid:
            ids["trace_id"] = trace.format_trace_id(given.trace_id)
            ids["span_id"] = trace.format_span_id(given.span_id)
        return ids

    def _log(self, level: int, what: str, facts: Mapping[str, Any]) -> None:
        if logger.isEnabledFor(level):
            logger.log(level, what, extra={**self.ids(), **facts})


_current: ContextVar[Step | None] = ContextVar("gazette_step", default=None)
_tracer = trace.get_tracer("gazette")  # it finds a provider that is set up later


@contextmanager
def step(
    name: str,
    span_name: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    told: Mapping[str, str] | None = None,
    is_current: bool = True,
    shows: bool = False,
) -> Iterator[Step]:
    """A step of what is being asked; if nothing is, it is the first of something new.

    `told` are facts for the span alone. A step beside which others go on is current only while
    `Step.current` says so. `shows` is heeded of the first.
    """
    outer = _current.get()
    asked = outer.asked if outer else Asked(shows)
    attributes = _attributes({"question_id": asked.id, **(told or {})})
    span = _tracer.start_span(span_name or name, kind=kind, attributes=attributes)
    begun = Step(name, span, asked, outer is None)
    try:
        with begun.current() if is_current else nullcontext():
            yield begun
    except BaseException as error:  # an interrupt too, and a listener who leaves
        begun.end(error)
        raise
    begun.end()


def note(**facts: Any) -> None:
    """Facts about the current step, if there is one."""
    if here := _current.get():
        here.note(**facts)


def happened(what: str, **facts: Any) -> None:
    """Something on the way of the current step, if there is one."""
    if here := _current.get():
        here.happened(what, **facts)


def ids() -> dict[str, str]:
    """What joins anything said now to what is being asked."""
    here = _current.get()
    return here.ids() if here else {}


def message(role: str, text: str) -> list[dict[str, Any]]:
    """One message, in the conventions' form."""
    return [{"role": role, "parts": parts(text)}]


def parts(text: str) -> list[dict[str, str]]:
    """What a message says, in the conventions' form."""
    return [{"type": "text", "content": text}]


def _attributes(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as attributes of a span, which have no mappings."""
    found: dict[str, Any] = {}
    for name, fact in facts.items():
        key = _CONVENTIONS.get(name, f"gazette.{name}")
        if isinstance(fact, Mapping):
            found |= {f"{key}.{part}": value for part, value in fact.items()}
        else:
            found[key] = fact
    return found


class Stream(Iterator[T]):
    """A generator that runs in a context of its own, whichever thread asks for what comes next.

    So its steps stay current between two events, and are never current for whoever listens. It
    runs up to its first yield, which gives nothing, at once: what is refused is refused then.
    """

    def __init__(self, events: Generator[T | None]) -> None:
        self._events = events
        self._context = copy_context()
        self._context.run(next, events)

    def __next__(self) -> T:
        event = self._context.run(next, self._events)
        assert event is not None
        return event

    def close(self) -> None:
        """Stop: what is left is not made, and what was begun is ended."""
        self._context.run(self._events.close)

    def __del__(self) -> None:
        self.close()
