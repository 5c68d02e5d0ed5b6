"""The training loop: loss, steps, checkpoints from which it can go on, and the log.

It has three stages. In the first the reader learns to read: paragraphs and articles with questions
about them. In the second, at a lower rate, it reads what a search brings (`searched.py`). In the
third, lower still, it learns near misses from written questions (`written.py`), each read in both
ways, among as many questions of the first two, so that it forgets little.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evals.train.adapter import DEVICE, adaptable_reader, save_adapter, tensors, trained
from evals.train.examples import BATCH, Epochs, Example, parted, squad_examples
from evals.train.measuring import measure
from evals.train.news import news_examples, read_reports
from evals.train.searched import searched_examples
from evals.train.written import QUESTIONS, written_examples
from rag.pairs import Pair
from rag.reader_model import TYPES, ReaderModel

LEARNING_RATES, WARM_UP, DECAY, CLIP = (5e-4, 2.5e-4, 2e-4), 0.06, 0.01, 1.0
"""Of AdamW; the learning rates are the highest of each stage."""
SPAN_WEIGHT = 0.5
"""Of the loss of start and end, against that of the choice among the sentences."""
READ_AT_ONCE = 16 if DEVICE == "cpu" else 128
"""Pairs of like lengths that are padded together."""
WATCHED, WATCH_STEPS, SAVE_STEPS, LOG_STEPS = 500, 250, 50, 10
"""Held questions of which the curve is drawn; and after how many steps what is done."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What is trained on, for how long, and where it goes."""

    squad: Path
    news: Path
    out: Path
    epochs: int
    seed: int
    bf16: bool
    """Reads in bfloat16: faster where the processor has it, much slower where not."""
    questions: Path = QUESTIONS
    """Those written about articles of the news."""

    @property
    def checkpoint(self) -> Path:
        """From which training goes on."""
        return self.out.with_suffix(".checkpoint.pt")

    @property
    def curve(self) -> Path:
        """One line of JSON for each loss and each figure on the way, by step."""
        return self.out.with_suffix(".curve.jsonl")

    def note(self, step: int, **figures: float) -> None:
        """Write figures of a step to the curve, and to the log."""
        line = {"step": step, **{name: round(value, 4) for name, value in figures.items()}}
        with self.curve.open("a", encoding="utf-8") as curve:
            print(json.dumps(line), file=curve)
        logger.info("%s", line)


def train(plan: Plan) -> None:
    """Train the adapter, or go on from its checkpoint; write it, and log what it reaches."""
    torch.manual_seed(plan.seed)
    fit, held = parted(squad_examples(plan.squad))
    reports = read_reports(plan.news)[0]
    watched = random.Random(plan.seed).sample(held, min(WATCHED, len(held)))
    read_first = [*fit, *news_examples(reports, plan.seed)]
    first = Epochs(read_first, plan.seed)
    again = [*fit, *news_examples(reports, plan.seed + 1)]
    second = searched_examples(again, again, plan.seed)
    written = written_examples(reports, path=plan.questions)
    third = _third(written, (read_first, second), again, plan.seed)
    reader = adaptable_reader()
    optimizer = _optimizer(reader)
    done = _resume(plan, reader, optimizer)
    steps = plan.epochs * len(first), len(second) // BATCH, len(third) // BATCH
    logger.info("steps of each stage: %s; %d done", steps, done)
    reader.train()
    clock = _Clock(plan)
    for step, batch in enumerate(_batches(plan, first, (second, third)), start=1):
        if step <= done:
            continue
        torch.manual_seed(plan.seed * 1_000_003 + step)  # dropout's, the same after a stop
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        clock.note(step, _step(reader, optimizer, batch, plan.bf16))
        if step % SAVE_STEPS == 0 or step == sum(steps):
            _save(plan, reader, optimizer, step)
        if step % WATCH_STEPS == 0:
            plan.note(step, **asdict(measure(reader, watched)))
            clock = _Clock(plan)


def _third(
    written: Sequence[Example],
    before: Sequence[Sequence[Example]],
    among: Sequence[Example],
    seed: int,
) -> list[Example]:
    """The written questions in both forms, and as many that were read in each of them before."""
    searched = searched_examples(written, [*among, *written], seed, share_without=1.0)
    chance = random.Random(seed)
    again = [
        chance.sample(examples, min(len(new), len(examples)))
        for new, examples in zip((written, searched), before, strict=True)
    ]
    return [*written, *searched, *again[0], *again[1]]


def _batches(
    plan: Plan, first: Epochs, later: Sequence[Sequence[Example]]
) -> Iterator[list[Example]]:
    """All of the training: some epochs of the first stage, and one of each later stage."""
    for epoch in range(plan.epochs):
        yield from first.batches(epoch)
    for examples in later:
        drawn = random.Random(plan.seed).sample(examples, len(examples) // BATCH * BATCH)
        for start in range(0, len(drawn), BATCH):
            yield drawn[start : start + BATCH]


class _Clock:
    """Notes the mean losses, and the seconds a step takes."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._restart()

    def _restart(self) -> None:
        self._seen: list[tuple[float, float]] = []
        self._began = time.monotonic()

    def note(self, step: int, lost: tuple[float, float]) -> None:
        """Take the losses of a step; every `LOG_STEPS` write them."""
        self._seen.append(lost)
        if step % LOG_STEPS == 0:
            choice, span = (sum(each) / len(self._seen) for each in zip(*self._seen, strict=True))
            pace = (time.monotonic() - self._began) / len(self._seen)
            self._plan.note(step, loss=choice, span_loss=span, seconds=pace)
            self._restart()


def _optimizer(reader: ReaderModel) -> torch.optim.AdamW:
    """AdamW, which draws towards nothing only what begins as nothing."""
    parts = trained(reader)
    still = [value for name, value in parts.items() if name == TYPES or name.endswith(".bias")]
    drawn = [value for name, value in parts.items() if all(value is not other for other in still)]
    groups: list[dict[str, Any]] = [
        {"params": drawn, "weight_decay": DECAY},
        {"params": still, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=LEARNING_RATES[0])


def rate(step: int, steps: Sequence[int]) -> float:
    """The learning rate at a step, from 1: in each stage a linear warm-up, then a cosine to 0."""
    stage = 0
    while step > steps[stage]:
        step, stage = step - steps[stage], stage + 1
    whole = steps[stage]
    warm = WARM_UP * whole
    if step < warm:
        return LEARNING_RATES[stage] * step / warm
    return LEARNING_RATES[stage] * 0.5 * (1 + math.cos(math.pi * (step - warm) / (whole - warm)))


def _step(
    reader: ReaderModel, optimizer: torch.optim.AdamW, batch: list[Example], bf16: bool
) -> tuple[float, float]:
    """One step of training; the losses of the choice and of the span."""
    with torch.autocast(DEVICE, torch.bfloat16, enabled=bf16):
        scores, spans = read(reader, [pair for example in batch for pair in example.pairs])
    choice, span = losses(batch, scores, spans)
    optimizer.zero_grad()
    (choice + SPAN_WEIGHT * span).backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(trained(reader).values(), CLIP)
    optimizer.step()
    return choice.item(), span.item()


def read(reader: ReaderModel, pairs: list[Pair]) -> tuple[Tensor, list[Tensor]]:
    """The scores of some pairs, and each one's span logits, read in groups of like lengths."""
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].ids))
    scores: list[Tensor] = []
    spans: list[Tensor] = [torch.empty(0)] * len(pairs)
    for begin in range(0, len(order), READ_AT_ONCE):
        some = order[begin : begin + READ_AT_ONCE]
        score, logits = reader(*tensors([pairs[i] for i in some]))
        scores.append(score.float())
        for i, each in zip(some, logits.float(), strict=True):
            spans[i] = each
    return torch.cat(scores)[torch.tensor(order, device=DEVICE).argsort()], spans


def losses(batch: list[Example], scores: Tensor, spans: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The mean losses of the choice of a sentence, or of none, and of the answer's place in it.

    The choice is a listwise softmax (Cao et al., ICML 2007) over the sentences and a logit 0 for
    none of them; where several sentences are right, any of them may be chosen.
    """
    choices, places = [], []
    first = 0
    for example in batch:
        own = scores[first : first + len(example.sentences)]
        whole = torch.cat([own, own.new_zeros(1)]).logsumexp(0)
        right = own[list(example.spans)].logsumexp(0) if example.spans else own.new_zeros(())
        choices.append(whole - right)
        for number, (start, end) in example.spans.items():
            pair, logits = example.pairs[number], spans[first + number]
            tokens = [
                pair.first + i for i, (a, b) in enumerate(pair.offsets) if a < end and b > start
            ]
            if tokens and pair.offsets[-1][1] >= end:  # else it stands in what was cut off
                target = torch.tensor([tokens[0], tokens[-1]], device=DEVICE)
                places.append(torch.nn.functional.cross_entropy(logits.T, target))
        first += len(example.sentences)
    place = torch.stack(places).mean() if places else scores.new_zeros(())
    return torch.stack(choices).mean(), place


def _save(plan: Plan, reader: ReaderModel, optimizer: torch.optim.AdamW, step: int) -> None:
    """Write the adapter as it is, and what it takes to go on."""
    about = {
        "step": str(step),
        "epochs": str(plan.epochs),
        "seed": str(plan.seed),
        **{
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (plan.squad, plan.news, plan.questions)
        },
    }
    save_adapter(reader, plan.out, about)
    state = {
        "step": step,
        "adapter": {name: value.detach() for name, value in trained(reader).items()},
        "optimizer": optimizer.state_dict(),
    }
    part = plan.checkpoint.with_suffix(".part")
    torch.save(state, part)
    part.replace(plan.checkpoint)


def _resume(plan: Plan, reader: ReaderModel, optimizer: torch.optim.AdamW) -> int:
    """Take up the checkpoint, if there is one; how many steps are done."""
    if not plan.checkpoint.exists():
        return 0
    state = torch.load(plan.checkpoint, map_location=DEVICE)
    reader.load_state_dict(state["adapter"], strict=False)
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
