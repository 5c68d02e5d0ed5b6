"""What is served under /v1, asked by OpenAI's own client, LangChain's, curl and schemathesis."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product, repeat

import httpx
import openai
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from langchain_openai import ChatOpenAI
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance

from rag.types import Token, to_json
from tests.conftest import ITS_OWN, ChatServer, chat, using
from ui.openai_api import OnItsWay

QUESTION = "How many people died in the Tordis disaster?"
HISTORY = [["When does the bridge to Ransey open?", "In the middle of 2034."]]
CLIENTS = 20


@pytest.fixture(scope="module")
def http(served):
    with httpx.Client(base_url=served, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def client(served):
    return openai.OpenAI(base_url=f"{served}v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def model():
    server = ChatServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def with_model(sample_archive, model):
    """The address of a chat that a language model writes."""
    with chat(sample_archive, *using(model)) as address:
        yield address


@pytest.fixture
def writer(with_model):
    return openai.OpenAI(base_url=f"{with_model}v1", api_key="none", max_retries=0)


def asked(text=QUESTION, *before):
    return {"model": "gazette", "messages": [*before, {"role": "user", "content": text}]}


def plain(answer):
    return json.loads(json.dumps(to_json(answer))) | ITS_OWN


def test_ask_and_retrieve_give_what_json_gives(http, gazette):
    given = http.post("v1/ask", json={"question": QUESTION}).json()
    assert given | ITS_OWN == plain(gazette.ask(QUESTION))
    found = http.post("v1/retrieve", json={"question": QUESTION, "k": 7}).json()
    assert found == json.loads(json.dumps({"passages": to_json(gazette.retrieve(QUESTION, k=7))}))


def test_history_and_filters_are_heeded(http):
    given = {"question": "And what will it cost?", "history": HISTORY, "before": "2025-01-01"}
    answer = http.post("v1/ask", json=given | {"outlets": ["The Lindholt Courier"]}).json()
    assert {passage["outlet"] for passage in answer["passages"]} == {"The Lindholt Courier"}
    assert "Ransey" in answer["query"]["text"]
    assert answer["query"]["before"] == "2025-01-01"


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("ask", '{"question": " "}', 400, "empty"),
        ("ask", '{"question": "Why?", "after": "soon"}', 400, "year-month-day"),
        ("ask", '{"question": 7}', 422, "question: "),
        ("ask", '{"question": "Why?", "until": "2025-01-01"}', 422, "until: "),
        ("ask", '{"question": "Why \\ud800?"}', 422, "surrogate"),
        ("ask", '{"question": "Why?", "history": [["alone"]]}', 422, "history.0"),
        ("ask", "[" * 100_000, 400, ""),
        ("ask", '{"question": "' + "why " * 300_000 + '"}', 413, "1,000,000 bytes"),
        ("retrieve", '{"question": "Why?", "k": 0}', 422, "k: "),
        ("chat/completions", json.dumps(asked() | {"model": "gpt-5"}), 404, "'gazette'"),
        ("chat/completions", '{"model": "gazette", "messages": []}', 422, "messages"),
        ("chat/completions", json.dumps(asked(" ")), 400, "no question"),
        ("chat/completions", json.dumps(asked("why " * 3000)), 400, "8,000"),
        ("nothing", "{}", 404, "/v1/docs"),
    ],
)
def test_what_makes_no_sense_is_told_as_openai_tells_it(http, path, body, status, says):
    headers = {"Content-Type": "application/json"}
    response = http.post(f"v1/{path}", content=body.encode(), headers=headers)
    assert response.status_code == status
    error = response.json()["error"]
    assert says in error["message"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] == ("model_not_found" if "gpt-5" in body else None)
    assert "Traceback" not in response.text


def test_a_completion_has_its_citations_as_footnotes_and_as_annotations(client, gazette):
    answer = gazette.ask(QUESTION)
    done = client.chat.completions.create(**asked())
    (choice,) = done.choices
    content = choice.message.content
    assert choice.finish_reason == "stop"
    assert content.startswith(answer.text)
    (cited,) = answer.citations
    assert f"[1] {cited.outlet}" in content.removeprefix(answer.text)
    assert f"“{' '.join(cited.quote.split())}” {cited.url}" in content
    (note,) = choice.message.annotations
    assert (note.type, note.url_citation.url) == ("url_citation", cited.url)
    span = content[note.url_citation.start_index : note.url_citation.end_index]
    assert span == answer.sentences[0].text
    assert done.model_extra["gazette"] | ITS_OWN == plain(answer)
    assert (done.usage.prompt_tokens, done.usage.total_tokens) == (0, 0)


def test_what_an_article_says_makes_no_picture_or_link_where_markdown_is_shown(gazette):
    answer = gazette.ask(QUESTION)
    hostile = "![map](http://127.0.0.1:9/?q=Tordis) and [this](javascript:alert(1)) <img src=x>"
    cited = replace(answer.citations[0], quote=hostile, title=hostile, url=None)
    answer = replace(answer, text=f"{hostile} [1]", citations=(cited,))
    whole = OnItsWay("http://here").whole(answer)["choices"][0]["message"]["content"]
    streamed = "".join(
        chunk["choices"][0]["delta"].get("content", "")
        for event in (Token(answer.text), answer)
        for chunk in OnItsWay("http://here").chunks(event)
    )
    for text in (whole, streamed):
        assert text.count("q=Tordis") == 3
        assert not re.search(r"!\[|\]\(|<img", text)


def test_an_article_without_an_address_is_cited_by_its_page_here(gazette):
    answer = gazette.ask(QUESTION)
    answer = replace(answer, citations=(replace(answer.citations[0], url=None),))
    (note,) = OnItsWay("http://here").whole(answer)["choices"][0]["message"]["annotations"]
    page = f"http://here/article/{answer.citations[0].article_id}?start="
    assert note["url_citation"]["url"].startswith(page)


def test_earlier_messages_are_the_history_and_footnotes_no_part_of_it(client):
    first = client.chat.completions.create(**asked("When does the bridge to Ransey open?"))
    before = [
        {"role": "system", "content": "Sing."},
        {"role": "user", "content": [{"type": "text", "text": "When does it open?"}]},
        {"role": "assistant", "content": first.choices[0].message.content},
    ]
    before[1]["content"][0]["text"] = "When does the bridge to Ransey open?"
    done = client.chat.completions.create(**asked("And what will it cost?", *before))
    assert "Ransey" in done.model_extra["gazette"]["query"]["text"]
    assert "billion" in done.choices[0].message.content


def test_a_silent_answer_comes_as_text_too(client):
    done = client.chat.completions.create(**asked("Who won the chess title in Oslo?"))
    assert done.model_extra["gazette"]["abstained"]
    assert "articles do not say" in done.choices[0].message.content
    assert done.choices[0].message.annotations == []


def test_a_stream_adds_up_to_the_completion_with_verdicts_and_usage(client):
    whole = client.chat.completions.create(**asked())
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(client.chat.completions.create(**asked(), **options))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    written = "".join(delta.content or "" for delta in deltas)
    assert written.split() == whole.choices[0].message.content.split()
    assert deltas[0].role == "assistant"
    told = [chunk.model_extra["gazette"] for chunk in chunks if "gazette" in chunk.model_extra]
    assert [each["sentence"]["verdict"] for each in told[:-1]] == ["quoted"]
    assert told[-1]["citations"] == told[0]["citations"]
    notes = deltas[-1].model_extra["annotations"]
    assert [note["url_citation"]["title"] for note in notes] == [told[-1]["citations"][0]["title"]]
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage.total_tokens == 0
    assert chunks[-1].choices == []


def test_langchain_asks_it_as_any_model(served):
    model = ChatOpenAI(model="gazette", base_url=f"{served}v1", api_key="none")
    said = model.invoke(QUESTION)
    assert said.text.startswith("**14.** ")
    assert said.response_metadata["finish_reason"] == "stop"
    assert "".join(chunk.text for chunk in model.stream(QUESTION)).split() == said.text.split()


def test_curl_reads_the_stream_and_the_pages(served):
    command = ["curl", "--silent", "--no-buffer", "--noproxy", "*", "--json"]
    body = json.dumps(asked() | {"stream": True})
    done = subprocess.run(
        [*command, body, f"{served}v1/chat/completions"], capture_output=True, text=True, check=True
    )
    *events, last = done.stdout.strip().split("\n\n")
    assert last == "data: [DONE]"
    assert all(json.loads(event.removeprefix("data: "))["id"] for event in events)


def test_the_docs_page_loads_nothing_from_elsewhere(http):
    page = http.get("v1/docs").text
    assert "https://" not in page and "http://" not in page
    assert http.get("v1/static-offline-docs/swagger-ui-bundle.js").status_code == 200
    assert set(http.get("v1/openapi.json").json()["paths"]) == {
        *("/ask", "/retrieve", "/chat/completions", "/models", "/models/{model}")
    }
    assert http.get("health").json() == {"status": "ok"}


def test_text_comes_as_it_is_written_and_usage_is_the_models(writer, model):
    go = threading.Event()

    def pieces(_):
        yield "Fourteen people "
        assert go.wait(30)
        yield "died [1]."

    model.pieces, model.status = pieces, 200
    stream = writer.chat.completions.create(
        **asked(), stream=True, stream_options={"include_usage": True}
    )
    said = ""
    for chunk in stream:
        said += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        if "people" in said:  # though the model has not said all
            go.set()
    assert said.startswith("Fourteen people died.")
    assert chunk.usage.total_tokens == 930


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_fails_is_told_and_ends_no_stream_as_done(writer, model, stream):
    model.pieces, model.status, model.cut = ["The ferry sank"], 200, True
    try:
        with pytest.raises(openai.APIError, match="broke off"):
            list(writer.chat.completions.create(**asked(), stream=stream))
    finally:
        model.cut = False


def test_a_model_writes_no_more_for_who_reads_no_more(writer, model):
    ended = threading.Event()

    def pieces(_):
        try:
            yield from repeat("and ")
        finally:
            ended.set()

    model.pieces, model.status, model.pause = pieces, 200, 0.05
    try:
        with writer.chat.completions.create(**asked(), stream=True) as stream:
            assert any(chunk.choices[0].delta.content for chunk in stream)
            assert not ended.is_set()
        assert ended.wait(30)
    finally:
        model.pause = 0.0


def test_many_at_once_get_their_own_answers_from_a_slow_model(writer, model):
    def pieces(prompt):
        asked_before = re.search("Earlier question: (.*)", prompt)
        return ["You ", "are ", asked_before[1], ", I ", "think."]

    model.pieces, model.status, model.pause = pieces, 200, 0.1
    waiting = threading.Barrier(CLIENTS)

    def ask(number):
        name = {"role": "user", "content": f"Reader {number}"}
        waiting.wait(60)
        messages = asked(QUESTION, name, {"role": "assistant", "content": "Good."})
        stream = writer.chat.completions.create(**messages, stream=True)
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            said = list(pool.map(ask, range(CLIENTS)))
    finally:
        model.pause = 0.0
    own = [text.partition(",")[0] for text in said]
    assert own == [f"You are Reader {number}" for number in range(CLIENTS)]


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        *product(["/ask", "/retrieve", "/chat/completions"], GenerationMode),
        ("/models/{model}", GenerationMode.POSITIVE),  # every name is allowed
    ],
)
def test_nothing_that_the_description_allows_or_forbids_breaks_it(served, path, mode):
    described = schemathesis.openapi.from_url(f"{served}v1/openapi.json")
    operation = described[path]["GET" if "models" in path else "POST"]

    @settings(
        max_examples=25,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case):
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    holds()
