"""What the command line logs and traces, as a program of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from rag import tracing
from tests.conftest import ROOT
from ui.observing import JsonLines

QUESTION = "How many of the eels reach the sea?"
RUN = """
import sys
from ui.cli import main
try:
    main()
finally:
    print("SDK:", "opentelemetry.sdk" in sys.modules)
"""


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what it is sent, as a collector of OpenTelemetry's does."""

    def __init__(self):
        self.sent = []

    def Export(self, request, context):
        self.sent += request.resource_spans
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def collector():
    server = grpc.server(ThreadPoolExecutor(1))
    collector = Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    collector.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield collector
    server.stop(None).wait()


def gazette(*arguments, **environment):
    given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-c", RUN, *map(str, arguments)],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_word_nothing_is_logged_and_the_sdk_is_not_loaded(sample_archive):
    done = gazette("ask", QUESTION, "--archive", sample_archive)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("SDK: False\n")


def test_spans_go_to_a_collector_and_lines_to_stderr_without_the_question(
    sample_archive, collector
):
    asked = {
        "GAZETTE_LOG": "json",
        "GAZETTE_TRACE": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
        "OTEL_SERVICE_NAME": "newsroom",
    }
    done = gazette("ask", QUESTION, "--archive", sample_archive, "--json", **asked)
    answer = json.loads(done.stdout.removesuffix("SDK: True\n"))
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["retrieve", "answer", "gazette.ask"]
    assert {line["question_id"] for line in lines} == {answer["id"]}
    assert {(line["level"], line["logger"]) for line in lines} == {("info", "gazette")}
    assert "eels" not in done.stderr
    (sent,) = collector.sent
    resource = {each.key: each.value.string_value for each in sent.resource.attributes}
    assert (resource["service.name"], "service.version" in resource) == ("newsroom", True)
    spans = [span for scope in sent.scope_spans for span in scope.spans]
    assert {span.span_id.hex() for span in spans} == {line["span_id"] for line in lines}
    assert {span.trace_id.hex() for span in spans} == {line["trace_id"] for line in lines}


def test_an_error_is_logged_by_its_kind_and_spans_can_be_read_on_stderr(sample_archive):
    asked = {"GAZETTE_LOG": "json", "GAZETTE_TRACE": "console"}
    done = gazette("verify", "", "--archive", sample_archive, **asked)
    assert (done.returncode, done.stdout) == (2, "SDK: True\n")
    *written, complaint = done.stderr.splitlines()
    assert complaint.startswith("error: ")
    line, span = map(json.loads, written)
    assert (line["event"], line["level"]) == ("gazette.verify", "error")
    assert line["error_type"] == span["attributes"]["error.type"] == "UsageError"
    assert span["attributes"]["gazette.question_id"] == line["question_id"]
    assert span["resource"]["attributes"]["service.name"] == "gazette"


def test_what_others_log_meanwhile_has_the_question_s_id_and_no_exception_s_words():
    with tracing.step("ask") as asking:
        try:
            raise ValueError(QUESTION)
        except ValueError:
            told = {"name": "rag.archive", "msg": "%d mended", "args": (2,)}
            record = logging.makeLogRecord({**told, "exc_info": sys.exc_info()})
        written = JsonLines().format(record)
    line = json.loads(written)
    assert (line["logger"], line["event"]) == ("rag.archive", "2 mended")
    assert line["question_id"] == asking.asked.id
    assert line["error_type"] == "ValueError"
    assert "test_observing.py" in line["stack"]
    assert QUESTION not in written
