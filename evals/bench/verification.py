"""Measure `rag.verification`, and fit its weights.

    python evals/bench/verification.py ARTICLES.jsonl [...] [--support QAGS.jsonl.gz ...]

ARTICLES hold one JSON object with `text` a line. Their sentences are held against the whole article
as they stand, as they may be retold, and with one thing changed. QAGS (Wang, Cho and Lewis, ACL
2020) holds sentences of machine-made summaries with their article and three people's votes. What is
printed of it last are weights that are fitted on it anew, and their AUC before a sentence that is
little covered is marked down; all other figures are those of the code.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from rag.alignment import align
from rag.language import FUNCTION_WORDS, sentence_spans
from rag.verification import signals, verify, wrong

SENTENCES_OF_EACH = 6
SHRINKAGE = 0.01
"""Strong: there are 500 sentences, and the signals say much the same."""
NAME = r"[A-Z][a-zà-ÿ’'-]+(?: [A-Z][a-zà-ÿ’'-]+)*"
MID_NAME = re.compile(rf"(?<=[a-z,] ){NAME}")
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?![\w-])")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = (
    "January February March April May June July August September October November December".split()
)
WORDS = "two three four five six seven eight nine ten eleven twelve".split()
SCALES = "thousand million billion trillion".split()
UNITS = [
    group.split("/")
    for group in (
        "$/€/£",
        "%/ points",
        " percent/ points",
        " per cent/ points",
        " miles/ kilometres",
        " years/ months",
        " hours/ days",
        " euros/ pounds",
    )
]
OPPOSITES = [
    pair.split()
    for pair in (
        "more less|higher lower|rose fell|up down|increase decrease|increased decreased|"
        "before after|above below|won lost|accepted rejected|best worst|first last|"
        "largest smallest|better worse|early late|support oppose|rising falling|over under|"
        "most least|north south|men women|father mother|older younger|public private"
    ).split("|")
]
AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|will|would|has|had|have|can|could|should|did|does|do|must|may)\b "
    r"(?!no[tn]?\b|never\b|only\b|just\b|nothing\b)"
)
NOT = re.compile(r" not\b|n[’']t\b| never\b")
Change = Callable[[str, Sequence[str]], str | None]


def _swap(text: str, old: str, new: str) -> str | None:
    """One whole word for another."""
    found = re.search(rf"(?<!\w){re.escape(old)}(?!\w)", text)
    return text[: found.start()] + new + text[found.end() :] if found else None


def _one_of(text: str, group: Sequence[str]) -> str | None:
    here = [word for word in group if re.search(rf"\b{word}\b", text)]
    if not here:
        return None
    old = random.choice(here)
    return _swap(text, old, random.choice([word for word in group if word != old]))


def _number(text: str, names: Sequence[str]) -> str | None:
    here = NUMBER.findall(text)
    if not here:
        return None
    old = random.choice(here)
    digits = list(old)
    place = random.choice([i for i, character in enumerate(digits) if character.isdigit()])
    digits[place] = random.choice([digit for digit in "123456789" if digit != digits[place]])
    return _swap(text, old, "".join(digits))


def _name(text: str, names: Sequence[str]) -> str | None:
    here = sorted(_names(text))
    others = [name for name in names if not set(name.split()) & set(text.split())]
    return _swap(text, random.choice(here), random.choice(others)) if here and others else None


def _half_name(text: str, names: Sequence[str]) -> str | None:
    here = sorted(name for name in _names(text) if " " in name)
    parts = [part for name in names for part in name.split() if part not in text]
    if not here or not parts:
        return None
    old = random.choice(here)
    pieces = old.split()
    pieces[random.choice([0, -1])] = random.choice(parts)
    return _swap(text, old, " ".join(pieces))


def _exchanged(text: str, names: Sequence[str]) -> str | None:
    found = [match for match in re.finditer(NAME, text) if _is_name(match.group())]
    if len(found) < 2:
        return None
    one, other = found[0], found[-1]
    between = text[one.end() : other.start()]
    if set(one.group().split()) & set(other.group().split()) or between in (" and ", " or ", ", "):
        return None
    return text[: one.start()] + other.group() + between + one.group() + text[other.end() :]


def _denied(text: str, names: Sequence[str]) -> str | None:
    found = list(AUXILIARY.finditer(text))
    if not found:
        return None
    end = random.choice(found).end()
    return f"{text[:end]}not {text[end:]}"


def _affirmed(text: str, names: Sequence[str]) -> str | None:
    found = list(NOT.finditer(text))
    if not found:
        return None
    one = random.choice(found)
    kept = text[: one.start()] + text[one.end() :]
    return re.sub(r"\bca(?= )", "can", re.sub(r"\bwo(?= )", "will", kept))


def _unit(text: str, names: Sequence[str]) -> str | None:
    for group in UNITS:
        here = [unit for unit in group if re.search(rf"{re.escape(unit)}(?![a-z])", text)]
        if here:
            return text.replace(
                here[0], random.choice([unit for unit in group if unit != here[0]]), 1
            )
    return None


def _opposite(text: str, names: Sequence[str]) -> str | None:
    pairs = random.sample(OPPOSITES, len(OPPOSITES))
    return next(filter(None, (_one_of(text, pair) for pair in pairs)), None)


CHANGES: dict[str, Change] = {
    "number": _number,
    "number word": lambda text, names: _one_of(text, WORDS),
    "magnitude": lambda text, names: _one_of(text, SCALES),
    "unit": _unit,
    "weekday": lambda text, names: _one_of(text, DAYS),
    "month": lambda text, names: _one_of(text, MONTHS),
    "name": _name,
    "half of a name": _half_name,
    "names exchanged": _exchanged,
    "negation put in": _denied,
    "negation taken out": _affirmed,
    "direction": _opposite,
}
LOWER_CASED = ("number", "name", "half of a name", "names exchanged")
RETOLD: dict[str, tuple[str, Any]] = {
    "% for percent": (r" per ?cent\b", "%"),
    "percent for %": (r"(?<=\d)%", " percent"),
    "money in words": (r"\$(\d[\d.,]*\d) (m|b)illion", r"\1 \2illion dollars"),
    "money in short": (r"(\$\d[\d.,]*) ([mb])illion", lambda m: m[1] + m[2].replace("b", "bn")),
    "number in digits": (rf"\b({'|'.join(WORDS)})\b", lambda m: str(WORDS.index(m[0]) + 2)),
    "title dropped": (r"\b(?:Mr|Mrs|Ms|Dr|President|Sen|Gov)\.? (?=[A-Z])", ""),
    "first name dropped": (
        r"(?<=[a-z] )[A-Z][a-z]+ ([A-Z][a-z]+)(?= (?:said|told|was|has|is|had))",
        r"\1",
    ),
    "quote marks dropped": ('[“”"]', ""),
}


def main() -> None:
    """Print the shares, then the AUCs and the weights."""
    parser = argparse.ArgumentParser()
    parser.add_argument("articles", nargs="+", type=Path)
    parser.add_argument("--support", nargs="*", type=Path, default=[])
    parser.add_argument("--show", help="print what of this kind got the wrong label, or all")
    options = parser.parse_args()
    random.seed(1)
    articles = [row["text"] for path in options.articles for row in _rows(path)]
    tally: dict[str, list[bool]] = defaultdict(list)
    for kind, claim, article in _claims(articles):
        verdict = verify(claim, [article])
        right = (verdict.label == "supported") == kind.startswith("=")
        tally[kind].append(right)
        if options.show in (kind, "all") and not right:
            shown = article[slice(*verdict.quote[1:])] if verdict.quote else ""
            print(f"{kind}: {verdict.label} {verdict.score:.2f}\n  {claim}\n  {shown}")
    for kind, labels in sorted(tally.items()):
        print(f"{kind:30} {np.mean(labels):.3f} of {len(labels)}")
    for group in ("", "lower-cased"):
        every = [r for kind, found in tally.items() if _group(kind) == group for r in found]
        print(f"changed, not supported {group}: {np.mean(every):.4f} of {len(every)}")
    if options.support:
        _support(options.support)


def _group(kind: str) -> str:
    return "=" if kind.startswith("=") else "lower-cased" if kind.endswith("lower-cased") else ""


def _rows(path: Path) -> list[dict[str, Any]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in text.decode().splitlines()]


def _is_name(name: str) -> bool:
    return not any(re.sub("[’'].*", "", p).lower() in FUNCTION_WORDS for p in name.split())


def _names(text: str) -> set[str]:
    """Capitalised words within sentences."""
    found = {re.sub("[’']s$", "", name) for name in MID_NAME.findall(text)}
    return {name for name in found if _is_name(name)}


def _claims(articles: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Kind, claim, article; what should be supported has a kind that begins with =."""
    everywhere = sorted({name for text in articles for name in _names(text)})
    for article in articles:
        spans = [s for s in sentence_spans(article) if 8 <= len(article[slice(*s)].split()) <= 45]
        own = sorted(_names(article))
        for start, end in random.sample(spans, min(SENTENCES_OF_EACH, len(spans))):
            sentence = article[start:end]
            yield "= verbatim", sentence, article
            for kind, change in CHANGES.items():
                others = random.sample(everywhere, min(50, len(everywhere)))
                claim = change(sentence, random.choice([own, others]))
                if claim and claim != sentence:
                    yield kind, claim, article
                    if kind in LOWER_CASED:
                        yield f"{kind}, lower-cased", claim.lower(), article.lower()
            for kind, (pattern, put) in RETOLD.items():
                claim = re.sub(pattern, put, sentence)
                if claim != sentence:
                    yield f"= {kind}", claim, article
        for one, other in pairwise(spans):
            if random.random() < 0.1:
                first = article[slice(*one)].rstrip(".")
                yield "= two joined", f"{first}, and {article[slice(*other)]}", article


def _support(paths: Sequence[Path]) -> None:
    """The AUC on each set, with 95 % bootstrap intervals, and what a new fit gives."""
    x, y, at_fault, verbatim, group = [], [], [], [], []
    for number, path in enumerate(paths):
        scores, right = [], []
        for row in _rows(path):
            found = align(row["sentence"], row["article"])
            faults = len(wrong(found))
            scores.append(verify(row["sentence"], [row["article"]]).score)
            right.append(row["supported"])
            x.append(signals(found, faults))
            at_fault.append(faults > 0)
            verbatim.append(scores[-1] == 1.0)
            group.append(number)
        y += right
        _print_auc(path.name, np.array(scores), np.array(right))
    signal, label, of = np.array(x), np.array(y), np.array(group)
    weight = 1 / np.bincount(of)[of]  # each set counts the same
    for number, path in enumerate(paths):
        aucs = []
        for seed in range(5):
            p = np.zeros(len(label))
            folds = StratifiedKFold(5, shuffle=True, random_state=seed)
            for train, test in folds.split(signal, label + 2 * of):
                weights, bias = _fit(signal[train], label[train], weight[train])
                p[test] = 1 / (1 + np.exp(-(signal[test] @ weights + bias)))
            p = np.where(verbatim, 1, np.where(at_fault, p / (1 + p), p))
            aucs.append(roc_auc_score(label[of == number], p[of == number]))
        print(f"{path.name}: fitted anew, cross-validated AUC {np.mean(aucs):.3f}")
    weights, bias = _fit(signal, label, weight)
    print("BIAS =", round(bias, 2))
    print("WEIGHTS =", tuple(round(float(each), 2) for each in weights))


def _fit(
    x: NDArray[np.float64], y: NDArray[np.bool_], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Weights that are shrunk toward each other, then one scale for all and the bias."""
    deviation = x.std(0)
    scaled = (x - x.mean(0)) / deviation
    each = weight * len(y) / weight.sum()
    first = LogisticRegression(C=SHRINKAGE).fit(scaled, y, sample_weight=each)
    direction = first.coef_[0] / deviation
    second = LogisticRegression(C=100).fit((x @ direction)[:, None], y, sample_weight=each)
    return direction * second.coef_[0][0], float(second.intercept_[0])


def _print_auc(name: str, scores: NDArray[np.float64], right: NDArray[np.bool_]) -> None:
    rng = np.random.default_rng(1)
    samples = [rng.integers(len(right), size=len(right)) for _ in range(1000)]
    aucs = [roc_auc_score(right[some], scores[some]) for some in samples]
    low, high = np.percentile(aucs, [2.5, 97.5])
    print(f"{name}: AUC {roc_auc_score(right, scores):.3f} (95 % {low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
