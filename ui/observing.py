"""What the command line does with spans and log lines, where the settings ask for it."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from importlib.metadata import version

from rag import tracing
from rag.settings import Settings

_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime"}
"""What every record has."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON, with the id of what is being asked."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger and event, then whatever else the record carries.

        Of an exception come its name and where it was raised; what it says may quote a question.
        """
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **tracing.ids(),
            **{name: value for name, value in vars(record).items() if name not in _USUAL},
        }
        if record.exc_info and record.exc_info[0]:
            line["error_type"] = record.exc_info[0].__name__
            line["stack"] = "".join(traceback.format_tb(record.exc_info[2]))
        return json.dumps(line, ensure_ascii=False, default=str)


def observe(settings: Settings) -> None:
    """Let spans and log lines go where the settings want them."""
    if settings.log == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines())
        tracing.logger.setLevel(logging.INFO)
    if settings.trace != "none":
        _trace(settings.trace == "otlp")


def _trace(to_collector: bool) -> None:
    """Send spans to a collector, or write each as a line on stderr; what is left, at the end."""
    from opentelemetry import trace
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import (
        BatchSpanProcessor,
        ConsoleSpanExporter,
        SimpleSpanProcessor,
    )

    ours = Resource.create({"service.name": "gazette", "service.version": version("gazette")})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    if to_collector:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    else:
        console = ConsoleSpanExporter(
            out=sys.stderr, formatter=lambda span: f"{span.to_json(indent=None)}\n"
        )
        provider.add_span_processor(SimpleSpanProcessor(console))
    trace.set_tracer_provider(provider)
