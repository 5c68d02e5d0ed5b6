"""One writer and many readers, crashes, damage, and what a newer or older archive gets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest import ingest, remove
from rag import Gazette, archive
from rag.archive import Archive
from rag.errors import ArchiveError, ArchiveLockedError, EmbeddingError
from rag.vectors import ChromaVectors
from tests.conftest import ARTICLES, SAMPLE

NEWS = {
    "title": "Giant squid beached at Dallum",
    "text": "A giant squid of 9 metres was washed ashore at Dallum on Sunday, the harbour said.",
}
QUESTION = "How long was the giant squid washed ashore at Dallum?"


def in_another_process(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )


def whole(path):
    """Whether ledger and Chroma agree to the last chunk."""
    with Archive(path) as opened:
        assert not opened.ledger.unfinished()
        ids = {row[0] for row in opened.ledger._db.execute("SELECT id FROM chunks")}
        return set(opened._chroma._open().get(include=[])["ids"]) == ids and bool(ids)


@pytest.fixture(params=["exact", "chroma"])
def searching(request, monkeypatch):
    """Both ways of searching: over the ledger's vectors, and in Chroma."""
    if request.param == "chroma":
        monkeypatch.setattr(archive, "EXACT_LIMIT", 0)


def test_an_open_reader_answers_from_what_another_process_wrote(archive_copy, tmp_path, searching):
    source = tmp_path / "squid.json"
    source.write_text(json.dumps(NEWS))
    write = "import sys; from ingest import ingest; ingest(sys.argv[1], sys.argv[2])"
    delete = "import sys; from ingest import remove; remove([sys.argv[1]], sys.argv[2])"
    with Gazette.open(archive_copy) as gazette:
        assert "squid" not in gazette.retrieve(QUESTION)[0].text
        in_another_process(write, source, archive_copy)
        assert gazette.ask(QUESTION).citations[0].quote == NEWS["text"]
        in_another_process(delete, source, archive_copy)
        assert all("squid" not in passage.text for passage in gazette.retrieve(QUESTION, k=50))


def test_a_second_reader_in_the_process_sees_the_writes_of_the_first(archive_copy, tmp_path):
    source = tmp_path / "squid.json"
    source.write_text(json.dumps(NEWS))
    with Gazette.open(archive_copy) as one, Gazette.open(archive_copy) as two:
        one.retrieve(QUESTION), two.retrieve(QUESTION)
        ingest(source, archive_copy)
        assert one.retrieve(QUESTION)[0].text == two.retrieve(QUESTION)[0].text == NEWS["text"]


def test_chroma_and_exact_search_agree(archive_copy, monkeypatch):
    with Gazette.open(archive_copy) as gazette:
        exact = [passage.text for passage in gazette.retrieve("Who buys the yard?", k=8)]
        monkeypatch.setattr(archive, "EXACT_LIMIT", 0)
        assert [passage.text for passage in gazette.retrieve("Who buys the yard?", k=8)] == exact
        kontor = gazette.retrieve("Who buys the yard?", k=8, outlets=["kontor"])
        assert {passage.outlet for passage in kontor} == {"Kontor"}


def test_a_second_writer_is_told_who_holds_the_lock(archive_copy):
    hold = (
        "import sys; from rag.archive import Archive\n"
        "with Archive(sys.argv[1]).writing(): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(archive_copy)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ArchiveLockedError, match=rf"process {holder.pid} .*since"):
            ingest(SAMPLE, archive_copy)
        with Gazette.open(archive_copy) as gazette:  # readers go on
            assert gazette.retrieve("Why did the ferry sink?")
        holder.stdin.close()
    assert ingest(SAMPLE, archive_copy).unchanged == ARTICLES


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_killed_ingest_is_repaired_and_finished_by_the_next(tmp_path, batches):
    """The process dies between ledger and Chroma, after so many whole batches."""
    path, source = tmp_path / "archive", tmp_path / "some.jsonl"
    source.write_text("\n".join(SAMPLE.read_text().splitlines()[:16]))
    kill = (
        "import os, signal, sys\n"
        "from ingest import ingest, pipeline\n"
        "from rag.vectors import ChromaVectors\n"
        "pipeline.BATCH_CHUNKS = 20\n"
        "upsert, left = ChromaVectors.upsert, [int(sys.argv[3])]\n"
        "def dying(self, ids, articles, vectors):\n"
        "    if not left[0]:\n"
        "        upsert(self, ids[:5], articles[:5], vectors[:5])\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    left[0] -= 1\n"
        "    upsert(self, ids, articles, vectors)\n"
        "ChromaVectors.upsert = dying\n"
        "ingest(sys.argv[1], sys.argv[2])\n"
    )
    arguments = [sys.executable, "-c", kill, str(source), str(path), str(batches)]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    report = ingest(source, path)
    assert report.added + report.unchanged == 16
    assert report.unchanged > 0
    assert whole(path)


def test_damage_to_chroma_is_repaired_without_embedding(archive_copy, tmp_path, monkeypatch):
    from rag.embeddings import EmbeddedMiniLM

    def refuse(*arguments):
        raise AssertionError("nothing needs embedding")

    shutil.rmtree(archive_copy / "chroma")
    monkeypatch.setattr(EmbeddedMiniLM, "encode", refuse)
    assert whole(archive_copy)
    (archive_copy / "chroma" / "chroma.sqlite3").write_bytes(b"no database")
    with Archive(archive_copy) as opened:
        (first, *_) = opened.ledger.articles(opened.ledger.index.choose(everything()))
    assert remove([first.id], archive_copy) == 1
    assert whole(archive_copy)


def everything():
    from rag import Query

    return Query("")


def test_what_was_read_of_a_write_that_is_taken_back_is_not_remembered(archive_copy):
    with Archive(archive_copy) as opened:
        index, ledger = opened.ledger.index, opened.ledger
        chunks = index.choose(everything()).chunks
        article = next(ledger.articles(index.choose(everything())))
        with pytest.raises(KeyError), ledger.transaction():
            ledger.remove(article.id)
            assert index.choose(everything()).chunks < chunks
            raise KeyError
        assert index.choose(everything()).chunks == chunks


def test_a_reader_whose_chroma_is_damaged_still_finds(archive_copy, monkeypatch):
    monkeypatch.setattr(archive, "EXACT_LIMIT", 0)
    (archive_copy / "chroma" / "chroma.sqlite3").write_bytes(b"no database")
    with Gazette.open(archive_copy) as gazette:
        assert "Tordis" in gazette.retrieve("Why did the Tordis sink?")[0].text
    assert whole(archive_copy)


def test_a_reader_is_told_of_a_reindex(archive_copy, monkeypatch):
    with Gazette.open(archive_copy) as gazette:
        gazette._archive.ledger.set_meta("embedding_model", "another")
        with pytest.raises(EmbeddingError, match="another"):
            gazette.retrieve(QUESTION)


def test_what_chroma_lacks_is_not_shown_to_readers(archive_copy, tmp_path, monkeypatch):
    source = tmp_path / "squid.json"
    source.write_text(json.dumps(NEWS))

    def full(*arguments):
        raise OSError("no space left on device")

    with Gazette.open(archive_copy) as gazette:
        monkeypatch.setattr(ChromaVectors, "upsert", full)
        with pytest.raises(ArchiveError, match=r"no space left.*run the same command again"):
            ingest(source, archive_copy)
        assert gazette.count() == len(list(gazette.articles())) == ARTICLES
        assert all("squid" not in passage.text for passage in gazette.retrieve(QUESTION, k=50))
        with pytest.raises(ArchiveError, match="no article"):
            gazette.article(pending(archive_copy))
        monkeypatch.undo()
        assert ingest(source, archive_copy).unchanged == 1
        assert gazette.ask(QUESTION).citations[0].quote == NEWS["text"]
    assert whole(archive_copy)


def pending(path):
    """The id of the article that only the ledger holds."""
    with sqlite3.connect(path / "ledger.sqlite") as ledger:
        (article_id,) = ledger.execute("SELECT id FROM articles WHERE NOT ready").fetchone()
    ledger.close()
    return article_id


def test_a_newer_schema_is_refused(archive_copy):
    with sqlite3.connect(archive_copy / "ledger.sqlite") as ledger:
        ledger.execute("PRAGMA user_version = 99")
    ledger.close()
    with pytest.raises(ArchiveError, match=r"schema version 99.*upgrade Gazette"):
        Gazette.open(archive_copy)


def test_a_ledger_that_is_none_is_told(tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ArchiveError, match="cannot be opened"):
        Gazette.open(tmp_path)


def test_where_there_is_no_archive_the_next_command_is_named(tmp_path):
    with pytest.raises(ArchiveError, match="gazette ingest"):
        Gazette.open(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_replaced_text_is_kept_as_a_version(tmp_path):
    source, path = tmp_path / "a.json", tmp_path / "archive"
    for length in (9, 10, 11):
        source.write_text(json.dumps({**NEWS, "text": f"The squid has {length} metres."}))
        os.utime(source, (length, length))
        ingest(source, path)
    with Archive(path) as opened:
        kept = opened.ledger._db.execute("SELECT version, text FROM versions ORDER BY version")
        assert [tuple(row) for row in kept] == [
            (1, "The squid has 9 metres."),
            (2, "The squid has 10 metres."),
        ]


def test_many_archives_are_opened_in_turn(archive_copy, monkeypatch):
    monkeypatch.setattr(archive, "EXACT_LIMIT", 0)
    files = []
    for _ in range(12):
        with Gazette.open(archive_copy) as gazette:
            gazette.retrieve(QUESTION)
        time.sleep(0.05)
        files.append(len(list(Path("/proc/self/fd").iterdir())))
    assert files[-1] <= files[2]
