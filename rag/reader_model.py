"""The reader as a module of torch: the embedded MiniLM, an adapter's change to it, and two heads.

Only training and the export to ONNX import this, as it imports torch. The adapter is low-rank (Hu
et al., LoRA, ICLR 2022): of each linear layer of the encoder with weights W it holds A and B, and
W + SCALE B A reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import torch
from safetensors.torch import load
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from rag.graphs import exported
from rag.minilm import DIMENSIONS, model_folder, weights
from rag.pairs import SEP

RANK, SCALE = 16, 2.0
HIDDEN = 128
"""Units of the head that scores."""
MASKED = -3e4
"""Added to what must not count: nothing is left of it after a softmax, in half precision too."""
TYPES = "bert.embeddings.token_type_embeddings.weight"
"""Trained with the adapter, as the embedded model has learnt one type only."""


class ReaderModel(nn.Module):
    """Scores whether a sentence answers, and each of its tokens as start and end of the answer.

    The score is a logit against the same constant 0 that no sentence answers.
    """

    def __init__(self, attention: str = "eager") -> None:
        """With the embedded model's weights; `attention` is one of transformers' kinds."""
        super().__init__()
        settings = json.loads((model_folder() / "config.json").read_text())
        self.bert = BertModel(
            BertConfig(**{**settings, "attn_implementation": attention}), add_pooling_layer=False
        )
        self.score = nn.Sequential(
            nn.Linear(3 * DIMENSIONS, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, 1)
        )
        self.span = nn.Linear(DIMENSIONS, 2)
        states = load(weights())
        kept = self.bert.state_dict().keys()
        self.bert.load_state_dict({name: states[name] for name in kept})

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> tuple[Tensor, Tensor]:
        """From (pairs, length) to the scores, (pairs), and the spans, (pairs, length, 2)."""
        states = self.bert(
            input_ids=ids,
            attention_mask=(1 - mask[:, None, None, :].float()) * MASKED,
            token_type_ids=types,
            position_ids=torch.arange(ids.shape[1], device=ids.device)[None],
        ).last_hidden_state
        own = types[:, :, None].float()
        asked = ((ids == SEP).long().cumsum(1) == 0)[:, :, None].float()
        question, sentence = _mean(states, asked), _mean(states, own)
        score = self.score(torch.cat([question, sentence, question * sentence], dim=1))[:, 0]
        return score, self.span(states) + (1 - own) * MASKED


def _mean(states: Tensor, tokens: Tensor) -> Tensor:
    """Of some tokens' states: what the embedded model was trained to make embeddings of."""
    return (states * tokens).sum(1) / tokens.sum(1).clamp(min=1)


def merged(adapter: Mapping[str, Tensor], attention: str = "eager") -> ReaderModel:
    """The reader that an adapter makes of the embedded model, ready to read."""
    reader = ReaderModel(attention).eval()
    states = reader.state_dict()
    for name, value in adapter.items():
        layer, _, part = name.rpartition(".")
        if part == "A":
            states[f"{layer}.weight"] += SCALE * adapter[f"{layer}.B"].float() @ value.float()
        elif part != "B":
            states[name].copy_(value)
    return reader


def export(adapter: bytes) -> bytes:
    """The ONNX graph of the reader that an adapter's file makes: `ReaderModel.forward`.

    It takes int64 ids, mask and types, (pairs, length).
    """
    axes = {0: "pairs", 1: "length"}
    inputs, outputs = ["ids", "mask", "types"], ["scores", "spans"]
    varying = {**dict.fromkeys(inputs, axes), "scores": {0: "pairs"}, "spans": axes}
    return exported(merged(load(adapter)), inputs, outputs, varying)
