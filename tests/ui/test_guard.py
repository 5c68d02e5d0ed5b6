"""Who may ask: tokens, the login, and what this machine alone may do."""

from __future__ import annotations

import json
import stat
import subprocess
import sys

import httpx
import pytest

from rag.errors import UsageError
from tests.conftest import ROOT, chat
from ui.tokens import Tokens

QUESTION = {"question": "How many people died in the Tordis disaster?"}
GRADIO = "/gradio_api/call/ask"
TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


NOT_THIS_MACHINE = "127.1"
"""It is, but said in a way that is not taken for it: so nobody else reaches what is tested."""


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    return Tokens(tmp_path_factory.mktemp("config") / "new" / "tokens.json")


@pytest.fixture(scope="module")
def token(tokens):
    return tokens.create("desk")


@pytest.fixture(scope="module")
def elsewhere(sample_archive, tokens, token):
    """What is served where others can ask."""
    path = str(tokens.path)
    with (
        chat(sample_archive, host=NOT_THIS_MACHINE, GAZETTE_TOKENS=path) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
    ):
        yield client


@pytest.fixture
def local(served):
    with httpx.Client(base_url=served, trust_env=False) as client:
        yield client


def test_a_token_is_shown_once_and_kept_as_a_hash_that_only_its_owner_reads(tmp_path):
    kept = Tokens(tmp_path / "tokens.json")
    token = kept.create("the desk")
    assert kept.knows(token)
    assert not kept.knows(token[:-1])
    assert token not in (tmp_path / "tokens.json").read_text()
    assert stat.S_IMODE((tmp_path / "tokens.json").stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="revoke"):
        kept.create("the desk")
    assert kept.create("another") != token
    assert list(kept.created()) == ["the desk", "another"]
    kept.revoke("the desk")
    assert not kept.knows(token)
    with pytest.raises(UsageError, match="gazette token list"):
        kept.revoke("the desk")


def test_a_broken_file_of_tokens_is_told_and_opens_nothing(tmp_path):
    (tmp_path / "tokens.json").write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        Tokens(tmp_path / "tokens.json").knows("gz_x")


def test_tokens_are_made_listed_and_revoked_on_the_command_line(tmp_path):
    def gazette(*arguments):
        command = [sys.executable, "-m", "ui.cli", "token", *arguments]
        env = {"PATH": "/usr/bin", "GAZETTE_TOKENS": str(tmp_path / "tokens.json")}
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)

    token = gazette("create", "desk").stdout.strip()
    assert Tokens(tmp_path / "tokens.json").knows(token)
    assert gazette("list").stdout.endswith("  desk\n")
    assert gazette("revoke", "desk").returncode == 0
    again = gazette("revoke", "desk")
    assert (again.returncode, again.stdout, again.stderr.count("\n")) == (2, "", 1)
    assert not Tokens(tmp_path / "tokens.json").knows(token)


def test_without_a_token_an_address_that_others_reach_is_refused(sample_archive, tmp_path):
    command = [sys.executable, "-m", "ui.cli", "chat", "--archive", str(sample_archive)]
    env = {"PATH": "/usr/bin", "GAZETTE_TOKENS": str(tmp_path / "none.json")}
    done = subprocess.run(
        [*command, "--host", "0.0.0.0"], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "gazette token create NAME" in done.stderr


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/ask", QUESTION),
        ("GET", "/v1/models", None),
        ("GET", "/v1/openapi.json", None),
        ("POST", "/mcp", TOOLS),
        ("POST", GRADIO, {"data": [QUESTION["question"]]}),
        ("GET", "/config", None),
        ("GET", "/article/x", None),
    ],
)
def test_elsewhere_all_but_health_wants_a_token(elsewhere, tokens, token, method, path, body):
    accepted = {"Accept": "application/json, text/event-stream"}
    for wrong in ({}, {"Authorization": "Bearer gz_x"}, {"Authorization": f"Basic {token}"}):
        refused = elsewhere.request(method, path, json=body, headers=accepted | wrong)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        error = refused.json()["error"]
        assert error["code"] == "invalid_api_key"
        assert "gazette token create" in error["message"]
    bearer = accepted | {"Authorization": f"Bearer {token}"}
    allowed = elsewhere.request(method, path, json=body, headers=bearer)
    assert allowed.status_code == (404 if path == "/article/x" else 200)
    assert elsewhere.get("/health").json() == {"status": "ok"}


def test_a_browser_logs_in_once_and_out_when_its_token_is_revoked(elsewhere, tokens):
    page = {"Accept": "text/html"}
    token = tokens.create("browser")
    sent = elsewhere.get("/", headers=page)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/login")
    assert 'name="token"' in elsewhere.get("/login").text
    wrong = elsewhere.post("/login", data={"token": "gz_x"})
    assert (wrong.status_code, "none of the tokens" in wrong.text) == (401, True)
    done = elsewhere.post("/login", data={"token": f" {token} "})
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=strict"} <= set(done.headers["Set-Cookie"].split("; "))
    assert elsewhere.get("/", headers=page).status_code == 200
    assert elsewhere.post("/v1/ask", json=QUESTION).status_code == 200
    assert token not in str(done.headers)
    other = {"Origin": "http://evil.example"}
    assert elsewhere.post("/v1/ask", json=QUESTION, headers=other).status_code == 401
    tokens.revoke("browser")
    assert elsewhere.post("/v1/ask", json=QUESTION).status_code == 401
    elsewhere.cookies.clear()


@pytest.mark.parametrize("sent", ["zzz", "token=" + "x" * 5_000, "token=%ed%a0%80%00", "&" * 99])
@pytest.mark.parametrize("kind", ["x-www-form-urlencoded", "octet-stream"])
def test_whatever_is_sent_to_the_login_it_is_no_token(elsewhere, sent, kind):
    headers = {"Content-Type": f"application/{kind}"}
    assert elsewhere.post("/login", content=sent.encode(), headers=headers).status_code == 401


def test_another_servers_page_logs_nobody_in(elsewhere, token):
    other = {"Origin": "http://evil.example"}
    assert elsewhere.post("/login", data={"token": token}, headers=other).status_code == 401


def test_tokens_that_cannot_be_read_open_nothing_and_their_place_is_not_told(
    elsewhere, tokens, token
):
    kept = tokens.path.read_text()
    tokens.path.write_text("{")
    try:
        refused = elsewhere.get("/v1/models", headers={"Authorization": f"Bearer {token}"})
    finally:
        tokens.path.write_text(kept)
    assert refused.status_code == 503
    assert "tokens.json" not in refused.text


@pytest.mark.parametrize("foreign", [{"Host": "["}, {"Host": "a]b"}, {"Origin": "http://["}])
def test_what_is_no_address_is_a_foreign_one(local, foreign):
    assert local.get("v1/models", headers=foreign).status_code == 403


@pytest.mark.parametrize("path", ["v1/models", "mcp", "config", "health", ""])
def test_on_this_machine_a_page_of_the_web_asks_nothing(local, path):
    for foreign in ({"Host": "news.example"}, {"Origin": "https://news.example"}):
        refused = local.get(path, headers=foreign)
        assert refused.status_code == 403
        assert "own machine" in json.loads(refused.text)["error"]["message"]


def test_on_this_machine_its_own_page_and_programs_ask(local, served):
    assert local.get("v1/models").status_code == 200
    assert local.get("v1/models", headers={"Origin": served.rstrip("/")}).status_code == 200
