"""The tools of `gazette mcp`, called by the protocol's official client over both transports."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters
from starlette.applications import Starlette
from starlette.testclient import TestClient

from rag.types import to_json
from tests.conftest import ITS_OWN, ROOT
from ui.desk import Desk
from ui.mcp_server import http_app

COMMAND = ["-m", "ui.cli", "mcp", "--archive"]
QUESTION = "How many people died in the Tordis disaster?"
FRENCH = "Qu’est-ce que la société a annoncé à Brakhaven ?"


@contextmanager
def over_http(archive):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, *COMMAND, str(archive), "--http", "--port", port]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().split()[4]
            assert address == f"http://127.0.0.1:{port}/mcp"
            yield address
        finally:
            server.terminate()


@pytest.fixture(scope="module", params=["stdio", "http", "chat"])
def client(request, sample_archive):
    """Calls a method of the client, whose server is a process of its own."""
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        arguments = [*COMMAND, str(sample_archive)]
        at = StdioServerParameters(command=sys.executable, args=arguments, cwd=ROOT)
        if request.param == "http":
            at = stack.enter_context(over_http(sample_archive))
        if request.param == "chat":
            at = f"{request.getfixturevalue('served')}mcp"
        opened = stack.enter_context(portal.wrap_async_context_manager(Client(at)))
        yield lambda name, *given: portal.call(getattr(opened, name), *given)


def test_every_tool_tells_when_to_use_it_and_only_reads(client):
    tools = {tool.name: tool for tool in client("list_tools").tools}
    assert set(tools) == {"ask", "retrieve", "read_article", "verify"}
    for tool in tools.values():
        assert "Use it " in tool.description
        assert "instruction" in tool.description
        assert tool.annotations.read_only_hint
        assert "self" not in tool.input_schema["properties"]
        assert tool.output_schema["type"] == "object"
    fields = tools["ask"].output_schema["properties"]
    assert {"text", "sentences", "citations", "abstained"} <= set(fields)


def test_an_answer_is_what_json_gives_and_its_quotes_open(client, gazette):
    result = client("call_tool", "ask", {"question": QUESTION})
    given = result.structured_content
    same = json.loads(json.dumps(to_json(gazette.ask(QUESTION))))
    assert given | ITS_OWN == same | ITS_OWN
    (citation,) = given["citations"]
    assert f"> {' '.join(citation['quote'].split())}" in result.content[0].text
    read = client("call_tool", "read_article", {"article": citation["article_id"]})
    article = read.structured_content
    assert article["text"][citation["start"] : citation["end"]] == citation["quote"]
    assert article["text"] in read.content[0].text


def test_filters_narrow_and_claims_are_judged(client):
    given = {"question": QUESTION, "k": 3, "outlets": ["Kontor"], "after": "2025-01-01"}
    found = client("call_tool", "retrieve", given)
    passages = found.structured_content["passages"]
    assert len(passages) == 3
    assert {passage["outlet"] for passage in passages} == {"Kontor"}
    assert all(passage["text"] in found.content[0].text for passage in passages)
    claim = "The Ransey Link Act passed by 57 votes to 41."
    judged = client("call_tool", "verify", {"claim": claim})
    assert judged.structured_content["label"] == "contradicted"
    assert "58 votes to 41" in judged.content[0].text
    claim = {"claim": claim, "outlets": ["Nobody"]}
    assert "Not found" in client("call_tool", "verify", claim).content[0].text


def test_letters_of_every_kind_come_through(client, gazette):
    answer = client("call_tool", "ask", {"question": FRENCH}).structured_content
    assert answer["question"] == FRENCH
    article = next(a for a in gazette.articles() if not a.text.isascii() and "’" in a.title)
    read = client("call_tool", "read_article", {"article": article.url})
    assert read.structured_content == json.loads(json.dumps(to_json(article)))


@pytest.mark.parametrize(
    ("tool", "given", "says"),
    [
        ("ask", {"question": " "}, "empty"),
        ("ask", {"question": QUESTION, "after": "soon"}, "year-month-day"),
        ("retrieve", {"question": QUESTION, "k": 0}, "greater than or equal to 1"),
        ("read_article", {"article": "no-such-article"}, "gazette articles list"),
        ("verify", {}, "claim"),
        ("remove", {}, "remove"),
    ],
)
def test_what_makes_no_sense_is_told_as_a_tools_error(client, tool, given, says):
    result = client("call_tool", tool, given)
    assert result.is_error
    assert says in result.content[0].text
    assert "Traceback" not in result.content[0].text


def test_an_archive_that_is_not_there_is_told_and_a_taken_port_too(tmp_path):
    missing = [*COMMAND, str(tmp_path / "nowhere")]

    async def asked():
        at = StdioServerParameters(command=sys.executable, args=missing, cwd=ROOT)
        async with Client(at) as client:
            return await client.call_tool("ask", {"question": QUESTION})

    with start_blocking_portal() as portal:
        result = portal.call(asked)
    assert result.is_error
    assert "gazette ingest SOURCE" in result.content[0].text
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, *missing, "--http", "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"port {port}" in done.stderr


def test_another_server_takes_the_tools_over_and_strangers_are_refused(sample_archive):
    tools = http_app(Desk(str(sample_archive), None, None))
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accepted = {"Accept": "application/json, text/event-stream"}
    server = Starlette(routes=[*tools.routes], lifespan=tools.router.lifespan_context)
    with TestClient(server, "http://127.0.0.1:7860", headers=accepted) as browser:
        assert "read_article" in browser.post("/mcp", json=asked).text
        for stranger in ({"Host": "news.example"}, {"Origin": "https://news.example"}):
            assert browser.post("/mcp", json=asked, headers=stranger).status_code in (403, 421)
