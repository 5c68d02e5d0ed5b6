"""Spans and log records: what is in them, what is never in them, and whose they are."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from rag import Gazette
from rag.errors import LanguageModelError, UsageError
from rag.types import Answer
from tests.conftest import ChatServer

QUESTION = "How many people died in the Tordis disaster?"
EELS = "How many of the eels reach the sea?"
SAID = ("The disaster killed 14 people [1].", " It delighted the walruses [1].")
KEY = "a-secret-key"


@pytest.fixture(scope="module")
def exporter():
    """Of a provider that the process keeps, as it can have but one."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    yield exporter
    exporter.shutdown()


@pytest.fixture
def spans(exporter):
    """A function that gives the spans that have ended, by name."""
    exporter.clear()

    def ended():
        return {
            name: [span for span in exporter.get_finished_spans() if span.name == name]
            for name in {span.name for span in exporter.get_finished_spans()}
        }

    return ended


@pytest.fixture
def records(caplog):
    """A function that gives the records so far: what each is of, and all that it carries."""
    caplog.set_level(logging.INFO, "gazette")
    return lambda: [vars(each) for each in caplog.records if each.name == "gazette"]


@pytest.fixture(scope="module")
def server():
    server = ChatServer()
    server.pieces = list(SAID)
    yield server
    server.close()


@pytest.fixture(scope="module")
def with_model(sample_archive, server):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAZETTE_INPUT_PRICE", "1")
        patch.setenv("GAZETTE_OUTPUT_PRICE", "10")
        model = "mistralai:mistral-small-latest"
        with Gazette.open(sample_archive, model, server.base_url, api_key=KEY) as opened:
            yield opened


def written(exporter, records):
    """Everything that left Gazette, as one text."""
    spans = [span.to_json() for span in exporter.get_finished_spans()]
    return "\n".join([*spans, *map(str, records())])


def of(records, event):
    return [record for record in records() if record["msg"] == event]


def test_a_question_is_a_tree_of_spans_named_as_the_conventions_have_it(
    with_model, sample_archive, spans
):
    answer = with_model.ask(QUESTION)
    found = spans()
    (root,) = found.pop("invoke_workflow gazette.ask")
    (retrieval,) = found.pop(f"retrieval {sample_archive}")
    (answering,) = found.pop("answer")
    (chat,) = found.pop("chat mistral-small-latest")
    checks = found.pop("verify")
    assert found == {}
    assert root.parent is None
    assert {retrieval.parent.span_id, answering.parent.span_id} == {root.context.span_id}
    assert {each.parent.span_id for each in (chat, *checks)} == {answering.context.span_id}
    assert dict(retrieval.attributes) == {
        "gazette.question_id": answer.id,
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": str(sample_archive),
        "gen_ai.retrieval.top_k": 5,
        "gazette.passages": 5,
        "gazette.kind": "question",
        "gazette.widened": False,
    }
    told = dict(chat.attributes)
    assert 0 < told.pop("gazette.first_text") < 60
    assert told == {
        "gazette.question_id": answer.id,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-small-latest",
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.output_tokens": 30,
        "gen_ai.response.finish_reasons": ("stop",),
        "gazette.cost": 0.0012,
    }
    assert chat.kind == retrieval.kind == trace.SpanKind.CLIENT
    assert [each.attributes["gazette.verdict"] for each in checks] == ["supported", "unsupported"]
    assert root.attributes["gazette.verdicts.supported"] == 1
    assert root.attributes["gazette.usage.cost"] == 0.0012
    assert root.attributes["gazette.question_id"] == answer.id


def test_the_lines_of_a_question_carry_the_id_of_its_answer(with_model, exporter, records):
    answer = with_model.ask(QUESTION)
    lines = records()
    steps = ["retrieve", "verify", "chat", "verify", "answer", "gazette.ask"]
    assert [line["msg"] for line in lines] == steps  # the last sentence ends with the reply
    assert {line["question_id"] for line in lines} == {answer.id}
    last = lines[-1]
    assert last["levelname"] == "INFO"
    assert last["verdicts"] == {"supported": 1, "unsupported": 1}
    assert last["usage"] == {"input_tokens": 900, "output_tokens": 30, "cost": 0.0012}
    assert (last["abstained"], last["citations"]) == (False, 2)
    assert set(last["steps"]) == {"retrieve", "chat", "verify", "answer"}
    assert set(answer.timings) == {"retrieve", "answer"}
    for name, seconds in answer.timings.items():
        assert round(seconds, 4) == last["steps"][name]
    ended = {span.context.span_id for span in exporter.get_finished_spans()}
    assert {int(line["span_id"], 16) for line in lines} <= ended


def test_no_text_is_told_unless_it_is_asked_for(
    with_model, server, exporter, spans, records, monkeypatch
):
    secrets = ("Tordis", "killed 14", "walruses", KEY, "Nobody", "Penguins")
    answer = with_model.ask(QUESTION)
    assert with_model.ask(QUESTION, outlets=["Nobody"]).abstained
    with_model.verify("Penguins nest in Dallum.")
    with_model.retrieve("Penguins")
    with pytest.raises(UsageError):
        with_model.ask(QUESTION, after="Penguins")
    monkeypatch.setattr(server, "status", 401)
    monkeypatch.setattr(server, "error", f"no {KEY} for Tordis")
    with pytest.raises(LanguageModelError):
        with_model.ask(QUESTION)
    assert [secret for secret in secrets if secret in written(exporter, records)] == []
    assert not any(passage.text[:40] in written(exporter, records) for passage in answer.passages)
    reasons = {record["reason"] for record in records() if "reason" in record}
    assert (
        "the archive has no article of {names} (an outlet's whole name, or its domain)" in reasons
    )


def test_text_that_is_asked_for_is_in_the_spans_alone(
    sample_archive, server, exporter, spans, records, monkeypatch
):
    monkeypatch.setenv("GAZETTE_TRACE_CONTENT", "true")
    model = "mistralai:mistral-small-latest"
    with Gazette.open(sample_archive, model, server.base_url, api_key=KEY) as opened:
        answer = opened.ask(QUESTION)
    found = spans()
    root = found["invoke_workflow gazette.ask"][0].attributes
    asked = [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]
    assert json.loads(root["gen_ai.input.messages"]) == asked
    assert answer.text in root["gen_ai.output.messages"]
    retrieval = found[f"retrieval {sample_archive}"][0].attributes
    assert retrieval["gen_ai.retrieval.query.text"] == QUESTION
    documents = json.loads(retrieval["gen_ai.retrieval.documents"])
    assert [each["id"] for each in documents] == [each.article_id for each in answer.passages]
    chat = found["chat mistral-small-latest"][0].attributes
    assert "<passage number=1" in chat["gen_ai.input.messages"]
    assert "".join(SAID) in chat["gen_ai.output.messages"]
    assert "passages" in chat["gen_ai.system_instructions"]
    assert "Tordis" not in str(records())
    assert KEY not in written(exporter, records)


def test_what_is_tried_again_and_what_fails_is_told_by_its_kind(
    with_model, server, spans, records, monkeypatch
):
    monkeypatch.setattr("rag.retries.sleep", lambda _: None)
    server.failures = [(429, {}), (0, {})]
    answer = with_model.ask(QUESTION)
    retries = of(records, "retry")
    assert [(each["attempt"], each["levelname"]) for each in retries] == [
        (1, "WARNING"),
        (2, "WARNING"),
    ]
    assert retries[0]["error_type"] == "429"
    assert {each["question_id"] for each in retries} == {answer.id}
    events = spans()["chat mistral-small-latest"][0].events
    assert [event.name for event in events] == ["gazette.retry", "gazette.retry"]
    monkeypatch.setattr(server, "status", 401)
    with pytest.raises(LanguageModelError):
        with_model.ask(QUESTION)
    failed = of(records, "gazette.ask")[-1]
    assert (failed["levelname"], failed["error_type"]) == ("ERROR", "LanguageModelError")
    assert of(records, "chat")[-1]["error_type"] == "401"
    for name in ("chat mistral-small-latest", "answer", "invoke_workflow gazette.ask"):
        span = spans()[name][-1]
        assert span.status.status_code == trace.StatusCode.ERROR
        assert all(event.name.startswith("gazette.") for event in span.events)


def test_fewer_passages_and_a_wider_search_are_told(with_model, server, records, monkeypatch):
    monkeypatch.setattr(server, "most_passages", 2)
    answer = with_model.ask(QUESTION)
    (fewer,) = of(records, "fewer_passages")
    assert (fewer["question_id"], fewer["passages"]) == (answer.id, 2)
    assert [line.get("error_type") for line in of(records, "chat")] == ["400", None]
    wider = with_model.ask("What did Kontor write of penguins in October 2025?")
    assert wider.query.widened
    assert [each["question_id"] for each in of(records, "widened")] == [wider.id]
    own = [each["widened"] for each in of(records, "retrieve") if each["question_id"] == wider.id]
    assert own == [False, True]
    assert wider.timings["retrieve"] > of(records, "retrieve")[-1]["seconds"]  # both searches


def test_questions_in_threads_keep_their_ids_apart(gazette, spans, records):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(gazette.ask, [QUESTION, EELS] * 4))
    ids = {answer.id for answer in answers}
    assert len(ids) == 8
    steps = {(line["question_id"], line["msg"]) for line in records()}
    assert steps == {(id, step) for id in ids for step in ("retrieve", "answer", "gazette.ask")}
    traces = {}
    for span in (each for found in spans().values() for each in found):
        question = span.attributes["gazette.question_id"]
        traces.setdefault(span.context.trace_id, set()).add(question)
    assert sorted(map(list, traces.values())) == sorted([id] for id in ids)


def test_a_stream_keeps_its_id_whichever_thread_asks_for_more(with_model, spans, records):
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        both = [one.submit(with_model.stream, question).result() for question in (QUESTION, EELS)]
        answers = {}
        while len(answers) < 2:
            for number, events in enumerate(both):
                for pool in (one, other):
                    event = pool.submit(next, events, None).result()
                    seen = pool.submit(trace.get_current_span).result()
                    assert seen is trace.INVALID_SPAN  # nobody who listens is in our spans
                    if isinstance(event, Answer):
                        answers[number] = event
    ids = [answers[number].id for number in (0, 1)]
    assert {line["question_id"] for line in records()} == set(ids)
    roots = spans()["invoke_workflow gazette.ask"]
    assert {root.attributes["gazette.question_id"] for root in roots} == set(ids)
    for root in roots:
        within = [s for s in spans()["verify"] if s.context.trace_id == root.context.trace_id]
        theirs = {span.attributes["gazette.question_id"] for span in within}
        assert theirs == {root.attributes["gazette.question_id"]}


def test_a_stream_that_nobody_reads_to_its_end_is_ended_and_has_not_failed(
    with_model, spans, records, caplog
):
    closed = with_model.stream(QUESTION)
    next(closed)
    closed.close()
    forgotten = with_model.stream(QUESTION)
    next(forgotten)
    del forgotten
    with_model.stream(QUESTION).close()
    ends = of(records, "gazette.ask")
    assert [(end["stopped"], end["levelname"]) for end in ends] == [(True, "INFO")] * 3
    roots = spans()["invoke_workflow gazette.ask"]
    assert {root.status.status_code for root in roots} == {trace.StatusCode.UNSET}
    assert not [each for each in caplog.records if each.name.startswith("opentelemetry")]


def test_a_question_is_part_of_the_caller_s_trace_and_has_an_id_of_its_own(gazette, spans):
    with trace.get_tracer("caller").start_as_current_span("caller") as caller:
        first, second = gazette.ask(EELS), gazette.ask(EELS)
        assert trace.get_current_span() is caller
    roots = spans()["invoke_workflow gazette.ask"]
    assert {root.parent.span_id for root in roots} == {caller.get_span_context().span_id}
    assert first.id != second.id
    assert first == second  # the id is no part of what was said


def test_retrieve_and_verify_are_told_too(gazette, spans, records):
    gazette.retrieve(EELS, k=3)
    gazette.verify("The Ransey Link Act passed by 58 votes to 43.")
    steps = ["retrieve", "gazette.retrieve", "retrieve", "verify", "gazette.verify"]
    assert [line["msg"] for line in records()] == steps
    assert len({line["question_id"] for line in records()}) == 2
    judged = of(records, "gazette.verify")[0]
    assert (judged["label"], judged["for_it"], judged["against_it"]) == ("contradicted", 0, 1)
    (check,) = spans()["verify"]
    (root,) = spans()["invoke_workflow gazette.verify"]
    assert check.parent.span_id == root.context.span_id


def test_nothing_is_logged_unless_it_is_asked_for(gazette, caplog):
    caplog.set_level(logging.INFO)  # as a program does that wants its own lines
    gazette.ask(EELS)
    with pytest.raises(UsageError):
        gazette.ask(" ")
    assert [each for each in caplog.records if each.name == "gazette"] == []
