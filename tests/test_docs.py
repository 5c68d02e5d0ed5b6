"""What README.md and docs/ show is what the program prints, and they leave nothing out."""

from __future__ import annotations

import re
import runpy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest

from evals.datasets import Kind, Question, Rules
from evals.measures import JUDGED, MEASURES
from tests.conftest import ROOT

examples = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "examples.py")))
TEXTS = {page.relative_to(ROOT): page.read_text(encoding="utf-8") for page in examples.PAGES}
EVALUATION = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def fresh(sample_archive):
    """The pages anew, two at a time: most of that is programs that start."""
    with ThreadPoolExecutor(2) as pool:
        yield {page: pool.submit(examples.refreshed, TEXTS[page], sample_archive) for page in TEXTS}


@pytest.mark.parametrize("page", TEXTS, ids=str)
def test_a_page_shows_what_its_examples_print(page, fresh):
    assert TEXTS[page] == fresh[page].result(), f"{page} is out of date; run: make docs"


@pytest.mark.parametrize("page", TEXTS, ids=str)
def test_links_lead_to_files_and_headings(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page]):
        if "://" in target or target.endswith(".png"):  # `make screenshots` makes the pictures
            continue
        path, _, heading = target.partition("#")
        file = (ROOT / page.parent / path) if path else ROOT / page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert not heading or heading in [each.lower().replace(" ", "-") for each in headings]


def test_the_readme_leads_to_every_page():
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in TEXTS[Path("README.md")]


def test_a_file_that_a_page_asks_to_write_is_named_before_it():
    for page, text in TEXTS.items():
        for block in re.finditer(r"^```\w+ file=(\S+)$", text, re.MULTILINE):
            assert f"`{block[1]}`" in text[: block.start()], f"{page}: {block[1]}"


def test_the_evaluation_page_tells_of_every_field_kind_and_measure():
    names = [*get_args(Kind), *MEASURES]
    names += [field.name for type_ in (Question, Rules) for field in fields(type_)]
    assert [name for name in names if f"`{name}`" not in EVALUATION] == []


def test_the_table_of_the_sample_suite_has_a_row_for_each_kind_and_every_measure():
    table = re.findall(r"^```console slow\n(.*?)^```$", EVALUATION, re.DOTALL | re.MULTILINE)[0]
    assert table.startswith("$ gazette eval sample\nsample · extractive\n")
    for kind in {*get_args(Kind), "all"} - {"search"}:
        assert len(re.findall(rf"^ {kind} +\d+( +[\d.–]+)+$", table, re.MULTILINE)) == 4, kind
    words = " ".join(table.split())
    for measure in (name for name, each in MEASURES.items() if each.table != JUDGED):
        assert all(word in words for word in measure.split()), measure


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ("```console\n$ exit 3\n```", "ended with 3"),
        ("```python\n1 / 0\n```\n```text\n```", r"broke off:\s+1 / 0\s+Traceback"),
        ("```python\nprint(1)\n```", "no text block"),
    ],
)
def test_an_example_that_fails_is_no_example(block, what, tmp_path):
    with pytest.raises(examples.ExampleError, match=what):
        examples.refreshed(block, tmp_path)


def test_what_is_out_of_date_is_written_anew(tmp_path):
    page = (
        "```markdown file=a/b.md\nText.\n```\n"
        "```console\n$ cat a/b.md\nOld.\n"
        "$ echo 0123456789abcdef 1.25 s a question; false; echo $?\n```\n"
        "```python\nx = 2\n```\n```python\nprint(x)\n```\n```text\n1\n```\n"
        "```console slow\n$ exit 1\nOld.\n```\n"
    )
    fresh = page.replace("$ cat a/b.md\nOld.", "$ cat a/b.md\nText.").replace("\n1\n", "\n2\n")
    fresh = fresh.replace("echo $?\n", "echo $?\n… … s a question\n1\n")
    assert examples.refreshed(page, tmp_path) == fresh
