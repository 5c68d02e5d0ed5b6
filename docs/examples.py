"""The examples of README.md and docs/*.md, run: what a page shows is what the program prints.

    python docs/examples.py [PAGE...]    run the examples, write what they print into the pages

That is `make docs`; tests/test_docs.py runs the same and compares. The blocks of a page are run in
order, in one fresh folder in which `evals/` can be reached as in the clone:

- `console`: a line that begins with `$ ` is run by bash, and what follows it is what it prints, on
  stdout and stderr. It must end with 0; where another code is shown, it ends in `; echo $?`.
- `python`: all of a page in one interpreter; a `text` block after it is what it prints.
- `markdown file=notes/a.md`, or another language: written to that file.
- `console slow`: as `console`, but the tests leave it out.
- anything else is not run. A page that says `SAMPLE` begins with the sample archive in ./archive,
  one that says `SERVED` has the chat of it at `ADDRESS`, for which a free port is taken.

What differs between two runs is shown as `…`, see `VOLATILE`; white space at the end of a line is
dropped. A part between `<!-- generated: NAME -->` and `<!-- end -->` is made by `GENERATED`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import fields
from inspect import cleandoc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import typer

import ingest
import rag.types
from evals.datasets import sample_archive
from evals.measures import MEASURES, TABLES
from ui.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SAMPLE = "<!-- begins with the sample archive -->"
ADDRESS = "127.0.0.1:7860"
SERVED = f"<!-- the chat runs at {ADDRESS} -->"
VOLATILE = (
    (re.compile(r"\b[0-9a-f]{16}\b"), "…"),  # an article's id: it depends on where the folder is
    (re.compile(r"\d+\.\d\d s a question"), "… s a question"),
)
TYPES = (
    *(rag.types.Answer, rag.types.Sentence, rag.types.Citation, rag.types.Passage),
    *(rag.types.Scores, rag.types.Query, rag.types.Usage, rag.types.Article),
    *(rag.types.Token, rag.types.SentenceDone, rag.types.Verdict, ingest.IngestReport),
)

_BLOCK = re.compile(r"^```(\w+)( slow| file=\S+)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_INTERPRETER = """
import json, sys
names = {"__name__": "__main__"}
for line in sys.stdin:
    exec(compile(json.loads(line), "<example>", "exec"), names)
    print("\\0", flush=True)
"""


class ExampleError(Exception):
    """An example that failed, or that prints what the page does not show."""


def refreshed(page: str, archive: Path, slow: bool = False) -> str:
    """A page's text with what its examples print now; `archive` holds the sample articles."""
    page = _PART.sub(lambda part: f"{part[1]}{GENERATED[part[2]]()}{part[3]}", page)
    with TemporaryDirectory() as folder:
        (Path(folder) / "evals").symlink_to(ROOT / "evals")
        if SAMPLE in page:
            shutil.copytree(archive, Path(folder) / "archive")
        with (
            _chat(folder) if SERVED in page else nullcontext(ADDRESS) as address,
            _Desk(Path(folder), slow) as desk,
        ):
            page = _BLOCK.sub(desk.block, page.replace(ADDRESS, address))
            desk.check_all_is_shown()
    return page.replace(address, ADDRESS)


@contextmanager
def _chat(folder: str) -> Iterator[str]:
    """The chat of the archive in a folder, while it runs: its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "chat", "--port", port],
        cwd=folder,
        env=_environment(),
        stdout=subprocess.PIPE,
    ) as chat:
        try:
            assert chat.stdout
            if not chat.stdout.readline():
                raise ExampleError("gazette chat did not start")
            yield f"127.0.0.1:{port}"
        finally:
            chat.terminate()


def _environment() -> dict[str, str]:
    """What a reader's programs run in."""
    return {
        **{name: value for name, value in os.environ.items() if name[:8] != "GAZETTE_"},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "127.0.0.1",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }


class _Desk:
    """A reader's folder and open interpreter."""

    def __init__(self, folder: Path, slow: bool) -> None:
        self._folder = folder
        self._slow = slow
        self._printed = ""
        """By the last Python block, and not yet shown."""
        self._environment = _environment()
        self._python: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._python:
            self._python.communicate()

    def block(self, match: re.Match[str]) -> str:
        """A block as it should be."""
        language, option, text = match[1], (match[2] or "").strip(), match[3]
        if language == "text" and self._printed:
            text, self._printed = self._printed, ""
        self.check_all_is_shown()
        if option.startswith("file="):
            path = self._folder / option.removeprefix("file=")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif language == "python":
            self._printed = _stable(self._run_python(text))
        elif language == "console" and (self._slow or option != "slow"):
            commands = re.findall(r"^\$ (.*)$", text, re.MULTILINE)
            text = "".join(f"$ {command}\n{_stable(self._run(command))}" for command in commands)
        return f"```{language}{match[2] or ''}\n{text}```"

    def check_all_is_shown(self) -> None:
        """Raise `ExampleError` where a Python block printed what no text block shows."""
        if self._printed:
            raise ExampleError(f"no text block shows what was printed:\n{self._printed}")

    def _run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        if done.returncode:
            raise ExampleError(f"{command!r} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def _run_python(self, code: str) -> str:
        if self._python is None:
            self._python = subprocess.Popen(
                [sys.executable, "-c", _INTERPRETER],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
            )
        assert self._python.stdin
        assert self._python.stdout
        self._python.stdin.write(f"{json.dumps(code)}\n")
        self._python.stdin.flush()
        printed = ""
        for line in self._python.stdout:
            printed += line
            if printed.endswith("\0\n"):
                return printed[:-2]
        raise ExampleError(f"the example broke off:\n{code}\n{printed}")


def _stable(printed: str) -> str:
    """What was printed, as any other run prints it."""
    for pattern, placeholder in VOLATILE:
        printed = pattern.sub(placeholder, printed)
    return "".join(f"{line.rstrip()}\n" for line in printed.splitlines())


def commands() -> str:
    """What `--help` says of every command."""
    return "".join(_described(typer.main.get_command(app), "gazette"))


def _described(command: Any, name: str) -> Iterator[str]:
    within = getattr(command, "commands", {})
    parameters = [parameter for parameter in command.params if not parameter.hidden]
    words = [name, *(_written(p) for p in parameters if _is_argument(p))]
    yield f"\n## `{' '.join(words)}`\n"
    if command.help:
        yield f"\n{cleandoc(command.help)}\n"
    if parameters:
        yield "\n| | |\n|---|---|\n"
        yield from (f"| `{_written(p)}` | {_explained(p)} |\n" for p in parameters)
    if command.epilog:
        _, first, *examples = command.epilog.split("\n")
        lines = "\n".join(example.strip() for example in examples)
        yield f"\n{first}\n\n```\n{lines}\n```\n"
    for below in within:
        yield from _described(within[below], f"{name} {below}")


def _is_argument(parameter: Any) -> bool:
    return not parameter.opts[0].startswith("-")


def _written(parameter: Any) -> str:
    """A parameter as one types it: `SOURCES...`, `--port NUMBER`, `--json`."""
    if _is_argument(parameter):
        return str(parameter.name).upper() + "..." * bool(parameter.nargs == -1)
    value = "NUMBER" if parameter.type_descriptor.annotation is int else "TEXT"
    return ", ".join(parameter.opts) + f" {value}" * (not parameter.is_flag)


def _explained(parameter: Any) -> str:
    said = [parameter.help or ""]
    if isinstance(parameter.show_default, str):
        said.append(f"Default: {parameter.show_default}.")
    elif parameter.show_default and parameter.default not in (None, False):
        said.append(f"Default: {parameter.default}.")
    if parameter.multiple:
        said.append("May be given more than once.")
    return " ".join(said).replace("|", "\\|")


def types() -> str:
    """The fields of what the Python interface gives."""
    rows = []
    for each in TYPES:
        names = ", ".join(f"`{field.name}`" for field in fields(each))
        said = cleandoc(each.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        rows.append(f"| `{each.__name__}` | {said} | {names} |\n")
    return f"\n| type | what it is | fields |\n|---|---|---|\n{''.join(rows)}\n"


def measures() -> str:
    """What `gazette eval` measures, table by table."""
    parts = []
    for title in TABLES:
        told = [f"| `{m.name}` | {m.said}. |\n" for m in MEASURES.values() if m.table == title]
        parts.append(f"\n| {title} | what it is |\n|---|---|\n{''.join(told)}")
    return "".join(parts) + "\n"


GENERATED = {"commands": commands, "types": types, "measures": measures}


def main() -> None:
    """Write every page anew, or those that are named."""
    pages = [Path(name) for name in sys.argv[1:]] or PAGES
    with sample_archive() as archive:
        for page in pages:
            before = page.read_text(encoding="utf-8")
            after = refreshed(before, archive, slow=True)
            page.write_text(after, encoding="utf-8")
            typer.echo(f"{page.name}: {'as it was' if after == before else 'written anew'}")


if __name__ == "__main__":
    main()
