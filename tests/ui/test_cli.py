"""The command line: results on stdout, complaints on stderr, exit codes, no traceback."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest

from tests.conftest import ARTICLES, SAMPLE
from ui.cli import main

QUESTION = "How many people died in the Tordis disaster?"


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run a command in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["gazette", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
            raise SystemExit(0)
        written = capsys.readouterr()
        return caught.value.code or 0, written.out, written.err

    return command


def test_ingest_ask_list_show_remove(run):
    code, out, _ = run("ingest", SAMPLE)
    assert (code, out) == (0, f"{ARTICLES} added, 0 changed, 0 unchanged, 0 removed, 0 skipped\n")
    code, out, _ = run("ask", QUESTION)
    assert code == 0
    assert "[1]" in out
    assert "killed 14 people" in out
    code, out, _ = run("articles", "list", "--outlet", "kontor.est")
    assert len(out.splitlines()) == SAMPLE.read_text().count('"outlet": "Kontor"')
    article_id = out.split()[0]
    code, out, _ = run("articles", "show", article_id)
    assert "Kontor" in out
    assert run("articles", "remove", article_id)[1] == "1 removed\n"
    code, _, err = run("articles", "show", article_id)
    assert (code, err.count("\n")) == (1, 1)


def test_ingest_prepares_the_reader_unless_it_is_left_out(run, tmp_path, monkeypatch):
    prepared = []
    monkeypatch.setattr("rag.reader.prepare", lambda: prepared.append(len(prepared)))
    (tmp_path / "crane.txt").write_text("The harbour board of Kolk sold the crane Berta in May.")
    assert run("ingest", "crane.txt")[0] == 0
    assert prepared == [0]
    monkeypatch.setenv("GAZETTE_READER", "none")
    assert run("ingest", "crane.txt")[0] == 0
    assert prepared == [0]


def test_verify_says_what_the_articles_say_of_a_claim(run, sample_archive):
    said = {
        "The Ransey Link Act passed by 58 votes to 41.": "Supported\n",
        "The Ransey Link Act passed by 57 votes to 41.": "Contradicted\n",
        "Penguins nest on the moon.": "Not found: no article says so",
    }
    for claim, verdict in said.items():
        code, out, _ = run("verify", claim, "--archive", sample_archive)
        assert (code, out.startswith(verdict)) == (0, True)
        assert ("> The Ransey Link Act passed by 58 votes to 41." in out) == ("Ransey" in claim)
        code, out, _ = run("verify", claim, "--archive", sample_archive, "--json")
        assert set(json.loads(out)) == {
            "label", "score", "quote", "citations", "against", "reason",
        }  # fmt: skip
    code, out, _ = run("verify", claim, "--archive", sample_archive, "--outlet", "Nobody")
    assert (code, "no article of 'Nobody'" in out) == (0, True)
    code, _, err = run("verify", claim, "--archive", sample_archive, "--verifier", "no/such/model")
    assert (code, err.count("\n")) == (1, 1)
    assert run("verify", " ", "--archive", sample_archive)[0] == 2


def test_json_is_the_types_field_by_field(run, sample_archive):
    code, out, _ = run("ask", QUESTION, "--archive", sample_archive, "--json")
    answer = json.loads(out)
    assert code == 0
    assert set(answer) == {
        "question", "text", "sentences", "citations", "conflicts", "passages", "abstained",
        "reason", "short", "confidence", "query", "model", "prompt", "usage", "undated", "timings",
        "id",
    }  # fmt: skip
    assert set(answer["citations"][0]) == {
        "number", "article_id", "title", "url", "outlet", "published", "quote", "start", "end",
        "speaker", "also_in",
    }  # fmt: skip
    assert set(answer["passages"][0]["scores"]) == {"dense", "lexical", "fused", "reranked"}
    assert answer["conflicts"] == []
    assert answer["citations"][0]["published"].startswith("20")
    code, out, _ = run("ingest", SAMPLE, "--archive", sample_archive, "--json")
    assert json.loads(out)["unchanged"] == ARTICLES


def test_a_reranker_that_is_none_is_told_in_one_line(run, sample_archive, tmp_path):
    for command in (("ask", QUESTION), ("eval", "sample")):
        code, out, err = run(*command, "--archive", sample_archive, "--reranker", tmp_path)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert f"the cross-encoder '{tmp_path}' could not be loaded" in err


def test_filters_narrow_what_is_searched(run, sample_archive):
    def outlets(*filters):
        out = run("ask", QUESTION, "--archive", sample_archive, "--json", *filters)[1]
        answer = json.loads(out)
        return answer, {(p["outlet"], p["published"][:10]) for p in answer["passages"]}

    assert {outlet for outlet, _ in outlets("--outlet", "Kontor")[1]} == {"Kontor"}
    days = {day for _, day in outlets("--after", "2025-01-17", "--before", "2025-01-30")[1]}
    assert days == {"2025-01-17"}
    assert max(day for _, day in outlets("--as-of", "2025-01-17")[1]) == "2025-01-17"
    answer, found = outlets("--outlet", "The Moon Times")
    assert answer["abstained"]
    assert found == set()
    assert "no article of 'The Moon Times'" in answer["reason"]


def test_skipped_sources_are_named_and_strict_makes_them_fail(run, tmp_path):
    (tmp_path / "good.txt").write_text("The harbour froze on Monday.")
    code, out, err = run("ingest", "good.txt", "missing.txt")
    assert (code, out.split(",")[0]) == (0, "1 added")
    assert "skipped missing.txt: does not exist" in err
    assert run("ingest", "good.txt", "missing.txt", "--strict")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["ingest", "missing.txt"], 1, "missing.txt"),
        (["ingest", "http://169.254.169.254/latest"], 1, "--allow-private"),
        (["ask", QUESTION, "--archive", "nowhere"], 1, "gazette ingest"),
        (["ask", " "], 2, "empty"),
        (["ask", "why " * 25_000], 2, "99,999 characters"),
        (["ask", QUESTION, "--after", "soon"], 2, "year-month-day"),
        (["ask", QUESTION, "--archive", "nowhere", "--after", "2025-13-40"], 2, "year-month-day"),
        (["articles", "list", "--archive", "nowhere", "--before", "soon"], 2, "year-month-day"),
        (["ask", QUESTION, "--llm", "nonsense"], 1, "provider:model"),
        (["ask", QUESTION, "--llm", "mistralai:mistral-small-latest"], 1, "MISTRAL_API_KEY"),
        (["eval", "missing.jsonl"], 2, "missing.jsonl"),
        (["eval", "sample", "--against", "missing.json"], 2, "missing.json"),
        (["eval", "sample", "--html", "missing/report.html"], 1, "missing/report.html"),
        (["eval", "own", "--archive", "nowhere"], 1, "gazette ingest"),
        (["ingest"], 2, "Missing argument"),
        (["frobnicate"], 2, "frobnicate"),
        (["articles", "remove", "nothing"], 1, "nothing"),
        (["ingest", "~nosuchuser/x"], 1, "does not exist"),
        (["ingest", "x" * 5000], 1, "does not exist"),
        (["ingest", ""], 1, "does not exist"),
        (["ask", QUESTION, "--archive", "x" * 5000], 1, "File name too long"),
        (["chat", "--port", "70000"], 2, "65535"),
    ],
)
def test_bad_input_is_told_in_a_line(run, sample_archive, monkeypatch, arguments, code, says):
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    shutil.copytree(sample_archive, "archive")
    got, out, err = run(*arguments)
    assert (got, out) == (code, "")
    assert says in err
    assert "Traceback" not in err
    if err.startswith("error:"):
        assert err.count("\n") == 1


def test_a_newer_archive_and_a_wrong_setting_are_told(run, archive_copy, tmp_path):
    for wrong in ("archive = 3", "archives = 'x'", "archive = "):
        (tmp_path / "gazette.toml").write_text(wrong)
        code, _, err = run("ask", QUESTION)
        assert (code, err.count("\n"), "gazette.toml" in err) == (2, 1, True)
    (tmp_path / "gazette.toml").write_text(f"archive = '{archive_copy}'")
    assert run("ask", QUESTION)[0] == 0
    with sqlite3.connect(archive_copy / "ledger.sqlite") as ledger:
        ledger.execute("PRAGMA user_version = 99")
    ledger.close()
    code, _, err = run("ask", QUESTION)
    assert (code, "upgrade Gazette" in err) == (1, True)


def test_flag_before_environment_before_file(run, sample_archive, tmp_path, monkeypatch):
    (tmp_path / "gazette.toml").write_text("archive = 'from-file'")
    assert "from-file" in run("ask", QUESTION)[2]
    monkeypatch.setenv("GAZETTE_ARCHIVE", "from-environment")
    assert "from-environment" in run("ask", QUESTION)[2]
    assert run("ask", QUESTION, "--archive", sample_archive)[0] == 0


def test_a_terminal_obeys_no_article(run, tmp_path):
    text = "The harbour \x1b]0;pwned\x07 froze on Monday."
    record = {"text": text, "title": "Ice\n[2] Fake Outlet: fake", "url": "https://x.example"}
    (tmp_path / "a.json").write_text(json.dumps(record))
    run("ingest", "a.json")
    for command in (["ask", "When did the harbour freeze?"], ["articles", "list"]):
        out = run(*command)[1]
        assert "\x1b" not in out
        assert "\n[2]" not in out
    assert json.loads(run("ask", "harbour?", "--json")[1])["passages"][0]["text"] == text


def test_help_teaches_by_example(run):
    code, out, _ = run("--help")
    assert code == 0
    assert "gazette ask" in out
    for command in ("ingest", "ask", "chat", "eval", "reindex", "articles"):
        assert command in out
        assert run(command, "--help")[0] == 0
    assert "Answer questions from news articles" in run()[2]
    usage = run("ingest", "-h")[1]
    assert "[OPTIONS] SOURCES...\n" in usage
    assert "  --strict   " in usage  # it takes no value
    assert "--archive TEXT" in usage
    assert "--port NUMBER" in run("chat", "-h")[1]
    assert run("--version")[1].startswith("gazette ")


def test_eval_counts_and_names_what_failed(run, sample_archive, tmp_path):
    question = {
        "id": "q1",
        "kind": "fact",
        "question": QUESTION,
        "answers": ["14 people"],
        "quotes": [{"page": "https://", "quote": "the disaster that killed 14 people"}],
    }
    silly = {"id": "q2", "kind": "unanswerable", "question": " ", "answers": []}
    (tmp_path / "q.jsonl").write_text(f"{json.dumps(question)}\n{json.dumps(silly)}\n")
    code, out, err = run("eval", "q.jsonl", "--archive", sample_archive, "--json")
    report = json.loads(out)
    assert code == 0
    assert report["rows"][-1]["kind"] == "all"
    assert report["rows"][0]["figures"]["hit@5"] == 1
    assert report["rows"][0]["figures"]["right"] == 1
    assert report["rows"][0]["figures"]["quotes exact"] == 1
    assert [failure[0] for failure in report["failures"]] == ["q2"]
    assert "q2" in err
    (tmp_path / "old.json").write_text(out)
    files = ("--against", "old.json", "--html", "report.html", "--trec", "trec")
    code, out, _ = run("eval", "q.jsonl", "--archive", sample_archive, *files)
    assert "hit@5" in out
    assert "2 questions paired" in out
    assert QUESTION not in (tmp_path / "report.html").read_text()  # nothing was wrong with it
    assert (tmp_path / "trec" / "qrels.txt").read_text().startswith("q1 0 ")


def test_eval_says_how_many_gold_pages_the_archive_has_not(run, sample_archive, tmp_path):
    lines = [
        {"id": page, "question": QUESTION, "kind": "search", "quotes": [{"page": page}]}
        for page in ("https://www.", "urn:other:1", "urn:other:2")
    ]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, lines)))
    code, _, err = run("eval", "q.jsonl", "--archive", sample_archive)
    assert code == 0
    assert "warning: 2 of the 3 pages" in err
    assert "urn:other:1" in err


def test_models_says_what_there_is_and_tries_one(run, chat_server, monkeypatch):
    monkeypatch.setenv("MISTRAL_API_KEY", "secret-key-4711")
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    code, out, _ = run("models")
    assert code == 0
    assert "mistralai  installed; MISTRAL_API_KEY is set" in out
    assert "deepseek   installed; DEEPSEEK_API_KEY is not set" in out
    assert "secret-key-4711" not in out
    assert chat_server.requests == []
    chat_server.pieces = ["Yes", "."]
    tried = ("models", "--try", "openai:any", "--base-url", chat_server.base_url)
    code, out, _ = run(*tried, "--json")
    assert (code, json.loads(out)["said"], json.loads(out)["usage"]["input_tokens"]) == (
        0,
        "Yes.",
        900,
    )
    chat_server.pieces = []
    assert run(*tried)[0] == 1
    assert run("models", "--try", "extractive")[0] == 2
    assert run("models", "--try", "deepseek:deepseek-chat")[0] == 1
