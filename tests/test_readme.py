"""The README comes to the point, and the wheel works outside the clone; see test_docs too."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def run(arguments, folder, **environment):
    done = subprocess.run(
        arguments,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_answer_comes_before_line_30():
    top = "\n".join(README.splitlines()[:30])
    assert "docs/chat.png" in top
    assert "make chat" in top
    assert (ROOT / "docs" / "chat.png").stat().st_size > 10_000


def test_a_wheel_works_outside_the_clone(archive_copy, tmp_path):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    run(build, ROOT)
    (wheel,) = tmp_path.glob("gazette-*.whl")
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    run([*install, str(site), str(wheel)], tmp_path)
    code = (
        "import sys, rag, evals.runner\n"
        "assert rag.__file__.startswith(sys.argv[1]), rag.__file__\n"
        "from evals.datasets import Suite, load_suite\n"
        "from importlib.resources import files\n"
        "assert (files('rag') / 'prompts' / 'full.txt').is_file()\n"
        "assert (files('ui') / 'chat.css').is_file()\n"
        "assert (files('evals') / 'articles' / 'articles.jsonl').is_file()\n"
        "with rag.Gazette.open(sys.argv[2]) as gazette:\n"
        "    suite = Suite('three', load_suite('sample').questions[:3])\n"
        "    report = evals.runner.run(gazette, suite)\n"
        "print(report.rows[-1].figures['hit@5'] > 0)\n"
    )
    # -P and an empty folder: the clone is out of reach, but for the editable install behind it
    given = [sys.executable, "-P", "-c", code, str(site), str(archive_copy)]
    assert run(given, tmp_path, PYTHONPATH=str(site)) == "True\n"
