"""What serving costs, and what many clients at once of a slow language model get.

    python evals/bench/serving.py [--clients N] [--rounds N]

First some of the sample suite's questions are asked, each in turn by `Gazette.ask()` here and by
`/v1/ask` of a chat in a process of its own. Then a language model writes, a piece every quarter of
a second, and all clients stream from it at once: each tells who it is in the turn before its
question, and the model tells it back. Memory is what the chat's process holds (VmRSS).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from evals.datasets import load_suite, sample_archive
from rag import Gazette

QUESTION = "How many people died in the Tordis disaster?"
PAUSE = 0.25
QUESTIONS, REPEATS = 30, 2
STARTING = 120


@dataclass(frozen=True, slots=True)
class Streamed:
    """What one client got of its stream."""

    is_own: bool
    """Whether the answer is the one to its question, whole."""
    first: float
    """Seconds until the first of its text."""
    gap: float
    """The longest seconds between two pieces of text."""
    whole: float


def main() -> None:
    """Measure both, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    with sample_archive() as archive:
        _overhead(archive)
        with _slow_model() as base_url:
            using = ["--llm", "openai:slow", "--base-url", base_url]
            with _chat(archive, *using) as (address, pid):
                for number in range(1, options.rounds + 1):
                    asyncio.run(_round(number, address, pid, options.clients))


def _overhead(archive: Path) -> None:
    """Print what a question takes here and over HTTP, at the median."""
    asked = [each.question for each in load_suite("sample").questions if not each.history]
    questions = random.Random(1).sample(asked, QUESTIONS)
    direct: list[float] = []
    served: list[float] = []
    with (
        _chat(archive) as (address, _),
        Gazette.open(archive) as gazette,
        httpx.Client(base_url=address, trust_env=False, timeout=STARTING) as client,
    ):
        for repeat in range(REPEATS + 1):
            for question in questions:
                begun = time.perf_counter()
                gazette.ask(question)
                between = time.perf_counter()
                client.post("/v1/ask", json={"question": question}).raise_for_status()
                if repeat:  # the first is to warm both
                    direct.append(between - begun)
                    served.append(time.perf_counter() - between)
    more = median(by_http - here for here, by_http in zip(direct, served, strict=True))
    here, there = median(direct), median(served)
    print(
        f"{len(direct)} questions, medians: Gazette.ask() {here * 1000:.0f} ms, "
        f"/v1/ask {there * 1000:.0f} ms ({there / here:.3f} of it); "
        f"one and the same question {more * 1000:+.1f} ms ({more / here:+.1%})",
        flush=True,
    )


async def _round(number: int, address: str, pid: int, clients: int) -> None:
    """Let all clients stream at once, and print what they got."""
    before = _memory(pid)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=address, trust_env=False, timeout=STARTING, limits=limits
    ) as client:
        health = asyncio.create_task(_health(client))
        got = await asyncio.gather(*(_stream(client, each) for each in range(clients)))
        health.cancel()
        slowest = await health
    first = [each.first for each in got]
    print(
        f"round {number}: {sum(each.is_own for each in got)} of {clients} got their own answer; "
        f"first text after {min(first):.1f} to {max(first):.1f} s, "
        f"longest gap {max(each.gap for each in got):.2f} s, "
        f"last whole after {max(each.whole for each in got):.1f} s; "
        f"/health took {slowest * 1000:.0f} ms at most; "
        f"{before:.0f} MB before, {_memory(pid):.0f} after",
        flush=True,
    )


async def _stream(client: httpx.AsyncClient, number: int) -> Streamed:
    """Ask as one of the clients, and read the answer as it comes."""
    messages = [
        {"role": "user", "content": f"Reader {number}"},
        {"role": "assistant", "content": "Good."},
        {"role": "user", "content": QUESTION},
    ]
    body = {"model": "gazette", "messages": messages, "stream": True}
    begun = time.perf_counter()
    said, times, line = "", [], ""
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        async for line in _events(response):
            for choice in json.loads(line)["choices"] if line != "[DONE]" else ():
                if piece := choice["delta"].get("content"):
                    said += piece
                    times.append(time.perf_counter())
    own = f"You are Reader {number}, I think, and you know it."
    is_own = line == "[DONE]" and said.startswith(own)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return Streamed(is_own, times[0] - begun, max(gaps), time.perf_counter() - begun)


async def _events(response: httpx.Response) -> AsyncIterator[str]:
    async for line in response.aiter_lines():
        if line:
            yield line.removeprefix("data: ")


async def _health(client: httpx.AsyncClient) -> float:
    """Ask for the chat's health until cancelled; gives the longest seconds that it took."""
    slowest = 0.0
    try:
        while True:
            begun = time.perf_counter()
            (await client.get("/health")).raise_for_status()
            slowest = max(slowest, time.perf_counter() - begun)
            await asyncio.sleep(PAUSE)
    except asyncio.CancelledError:
        return slowest


def _memory(pid: int) -> float:
    """Megabytes that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


@contextmanager
def _chat(archive: Path, *options: str) -> Iterator[tuple[str, int]]:
    """A chat in a process of its own: its address and process id."""
    port = str(_free_port())
    command = [sys.executable, "-m", "ui.cli", "chat", "--port", port, "--archive", str(archive)]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            if not server.stdout.readline():
                raise SystemExit("the chat did not start; see above")
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.terminate()


@contextmanager
def _slow_model() -> Iterator[str]:
    """A language model that speaks OpenAI's protocol, slowly: its base URL."""
    port = _free_port()
    app = Starlette(routes=[Route("/v1/chat/completions", _write, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = True
        thread.join()


async def _write(request: Request) -> Response:
    """Tell a client who it is: its name stands in the prompt, as the turn before."""
    prompt = json.dumps(await request.json())
    name = re.search(r"Reader \d+", prompt)
    assert name, prompt

    async def events() -> AsyncIterator[str]:
        for word in f"You are {name[0]}, I think, and you know it.".split(" "):
            yield _event({"content": f"{word} "}, None)
            await asyncio.sleep(PAUSE)
        yield _event({}, "stop")
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


def _event(delta: dict[str, str], finish: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "slow"}
    return f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
