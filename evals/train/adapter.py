"""The adapter while it is trained, and its file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertSelfAttention

from rag.pairs import Pair, padded
from rag.reader_model import RANK, SCALE, TYPES, ReaderModel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
"""Where is trained and measured."""


class Adapted(nn.Module):
    """A frozen linear layer and the low-rank change to it, which begins as none."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.empty(RANK, base.in_features))
        self.B = nn.Parameter(torch.zeros(base.out_features, RANK))
        nn.init.kaiming_uniform_(self.A, a=5**0.5)  # as LoRA's authors do

    def forward(self, states: Tensor) -> Tensor:
        """What the merged layer would give, without a gradient for the frozen weights."""
        change = nn.functional.linear(nn.functional.linear(states, self.A), self.B)
        whole: Tensor = self.base(states) + SCALE * change
        return whole


def adaptable_reader() -> ReaderModel:
    """A reader of which the adapter and the heads alone are trained."""
    reader = ReaderModel("sdpa")
    reader.bert.requires_grad_(False)
    reader.get_parameter(TYPES).requires_grad_(True)
    for module in list(reader.bert.encoder.modules()):
        if isinstance(module, BertSelfAttention):
            module.dropout.p = 0.0  # without dropout attention takes the fast way
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Linear):
                setattr(module, name, Adapted(child))
    return reader.to(DEVICE)


def tensors(pairs: Sequence[Pair]) -> list[Tensor]:
    """What `ReaderModel.forward` takes of some pairs."""
    return [torch.from_numpy(each).to(DEVICE) for each in padded(pairs)]


def trained(reader: ReaderModel) -> dict[str, nn.Parameter]:
    """By name, what is trained and kept."""
    return {name: value for name, value in reader.named_parameters() if value.requires_grad}


def save_adapter(reader: ReaderModel, path: Path, about: dict[str, str]) -> None:
    """Write the adapter and the heads in half precision, with what is to be known about them."""
    states = {name: value.detach().half().cpu() for name, value in trained(reader).items()}
    part = path.with_suffix(".part")
    save_file(states, part, about)
    part.replace(path)  # a stop in the middle of writing leaves the file before


def load_adapter(path: Path) -> dict[str, Tensor]:
    """What `evals.train.model.merged` takes."""
    states: dict[str, Tensor] = load_file(path)
    return states
