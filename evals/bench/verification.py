"""Measure `rag.verification`, and fit its weights.

    python evals/bench/verification.py ARTICLES.jsonl [...] [--support QAGS.jsonl.gz ...]

ARTICLES hold one JSON object with `text` a line. Their sentences are held against the whole article
as they stand, as they may be retold, and with one thing changed. QAGS (Wang, Cho and Lewis, ACL
2020) holds sentences of machine-made summaries with their article and three people's votes. The
weights that are printed are fitted on both; the figures above them are those of the code.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from rag.language import FUNCTION_WORDS, sentence_spans
from rag.verification import verify

SENTENCES_OF_EACH = 6
NAME = r"[A-Z][a-zà-ÿ’'-]+(?: [A-Z][a-zà-ÿ’'-]+)*"
MID_NAME = re.compile(rf"(?<=[a-z,] ){NAME}")
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?![\w-])")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = (
    "January February March April May June July August September October November December".split()
)
WORDS = "two three four five six seven eight nine ten eleven twelve".split()
SCALES = "thousand million billion trillion".split()
UNITS = (
    ("$", "€", "£"),
    ("%", " points"),
    ("percent", "points"),
    ("per cent", "points"),
    ("miles", "kilometres"),
    ("years", "months"),
    ("hours", "days"),
    ("euros", "pounds"),
)
OPPOSITES = (
    "more less|higher lower|rose fell|up down|increase decrease|increased decreased|before after|"
    "above below|won lost|gained lost|accepted rejected|best worst|first last|largest smallest|"
    "better worse|early late|support oppose|rising falling|over under|most least|north south|"
    "men women|father mother|older younger|public private|left right"
)
PAIRS = [tuple(pair.split()) for pair in OPPOSITES.split("|")]
AUXILIARY = re.compile(
    r"\b(is|are|was|were|will|would|has|had|have|can|could|should|did|does|do|must|may)\b (?!no[tn]?\b|never\b|only\b|just\b|nothing\b)"
)
NOT = re.compile(r" not\b|n[’']t\b| never\b")
Change = Callable[[str, Sequence[str]], "str | None"]


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
    place = random.choice([i for i, c in enumerate(digits) if c.isdigit()])
    digits[place] = random.choice([d for d in "123456789" if d != digits[place]])
    return _swap(text, old, "".join(digits))


def _name(text: str, names: Sequence[str]) -> str | None:
    here = MID_NAME.findall(text)
    if not here:
        return None
    old = random.choice(here)
    others = [name for name in names if not set(name.split()) & set(text.split())]
    return _swap(text, old, random.choice(others)) if others else None


def _half_name(text: str, names: Sequence[str]) -> str | None:
    here = [name for name in MID_NAME.findall(text) if " " in name]
    parts = [part for name in names for part in name.split() if part not in text]
    if not here or not parts:
        return None
    old = random.choice(here)
    pieces = old.split()
    pieces[random.choice([0, -1])] = random.choice(parts)
    return _swap(text, old, " ".join(pieces))


def _exchanged(text: str, names: Sequence[str]) -> str | None:
    found = list(re.finditer(NAME, text))
    found = [m for m in found if not any(p.lower() in FUNCTION_WORDS for p in m.group().split())]
    if len(found) < 2:
        return None
    one, other = found[0], found[-1]
    if set(one.group().split()) & set(other.group().split()):
        return None
    between = text[one.end() : other.start()]
    if re.fullmatch(r",? (?:and|or|,) ", between):
        return None
    return text[: one.start()] + other.group() + between + one.group() + text[other.end() :]


def _denied(text: str, names: Sequence[str]) -> str | None:
    found = list(AUXILIARY.finditer(text))
    if not found:
        return None
    one = random.choice(found)
    return text[: one.end()] + "not " + text[one.end() :]


def _affirmed(text: str, names: Sequence[str]) -> str | None:
    found = list(NOT.finditer(text))
    if not found:
        return None
    one = random.choice(found)
    kept = text[: one.start()] + text[one.end() :]
    return re.sub(
        r"\b([Cc]a|[Ww]o)\b(?= )", lambda m: {"ca": "can", "wo": "will"}[m[1].lower()], kept
    )


def _unit(text: str, names: Sequence[str]) -> str | None:
    for group in UNITS:
        here = [unit for unit in group if unit in text]
        if here:
            old = here[0]
            return text.replace(old, random.choice([u for u in group if u != old]), 1)
    return None


def _opposite(text: str, names: Sequence[str]) -> str | None:
    pairs = random.sample(PAIRS, len(PAIRS))
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
AGAIN = {
    "%": lambda text: text.replace(" percent", "%").replace(" per cent", "%"),
    "percent": lambda text: re.sub(r"(?<=\d)%", " percent", text),
    "money in words": lambda text: re.sub(
        r"\$(\d[\d.,]*\d) (m|b)illion", r"\1 \2illion dollars", text
    ),
    "money in short": lambda text: re.sub(
        r"(\$\d[\d.,]*) (m|b)illion", lambda m: m[1] + {"m": "m", "b": "bn"}[m[2]], text
    ),
    "number in digits": lambda text: re.sub(
        rf"\b({'|'.join(WORDS)})\b", lambda m: str(WORDS.index(m[0]) + 2), text
    ),
    "title dropped": lambda text: re.sub(
        r"\b(?:Mr|Mrs|Ms|Dr|President|Sen|Gov)\.? (?=[A-Z])", "", text
    ),
    "first name dropped": lambda text: re.sub(
        r"(?<=[a-z] )([A-Z][a-z]+) ([A-Z][a-z]+)(?= (?:said|told|was|has|is|had))", r"\2", text
    ),
    "quotes dropped": lambda text: re.sub('[“”"]', "", text),
}


def main() -> None:
    """Print the shares, then the AUCs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("articles", nargs="+", type=Path)
    parser.add_argument("--support", nargs="*", type=Path, default=[])
    parser.add_argument("--show", help="print what was wrongly labelled, of this kind")
    options = parser.parse_args()
    random.seed(1)
    articles = [text for path in options.articles for text in _texts(path)]
    tally: dict[str, list[bool]] = defaultdict(list)
    for kind, claim, article in _claims(articles):
        wanted = kind.startswith("=")
        verdict = verify(claim, [article])
        right = (verdict.label == "supported") == wanted
        tally[kind].append(right)
        if options.show in (kind, "all") and not right:
            shown = article[slice(*verdict.quote[1:])] if verdict.quote else ""
            print(f"{kind}: {verdict.label} {verdict.score:.2f}\n  {claim}\n  {shown}")
    for kind, right in sorted(tally.items()):
        print(f"{kind:22} {np.mean(right):.3f} of {len(right)}")
    changed = [one for kind, right in tally.items() if kind[0] not in "=~" for one in right]
    print(f"changed, not supported {np.mean(changed):.4f} of {len(changed)}")
    for path in options.support:
        rows = [json.loads(line) for line in gzip.open(path, "rt")]
        scores = np.array([verify(row["sentence"], [row["article"]]).score for row in rows])
        _print_auc(path.name, scores, np.array([row["supported"] for row in rows]))


def _texts(path: Path) -> Iterator[str]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt") as lines:
        yield from (json.loads(line)["text"] for line in lines)


def _names(text: str) -> set[str]:
    """Capitalised words within sentences, but for those that only a headline writes so."""
    found = {re.sub("[’']s$", "", name) for name in MID_NAME.findall(text)}
    return {n for n in found if not any(part.lower() in FUNCTION_WORDS for part in n.split())}


def _claims(articles: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Kind, claim, article; kinds with = should be supported."""
    everywhere = sorted({name for text in articles for name in _names(text)})
    for article in articles:
        spans = [s for s in sentence_spans(article) if 8 <= len(article[slice(*s)].split()) <= 45]
        own = sorted(_names(article))
        for start, end in random.sample(spans, min(SENTENCES_OF_EACH, len(spans))):
            sentence = article[start:end]
            yield "= verbatim", sentence, article
            for kind, change in CHANGES.items():
                names = (
                    own
                    if random.random() < 0.5
                    else random.sample(everywhere, min(50, len(everywhere)))
                )
                claim = change(sentence, names)
                if claim and claim != sentence:
                    yield kind, claim, article
                    if "name" in kind or "number" in kind:
                        yield f"{kind}, lower-cased", claim.lower(), article.lower()
            for kind, again in AGAIN.items():
                claim = again(sentence)
                if claim != sentence:
                    yield f"= {kind}", claim, article
        for one, other in zip(spans, spans[1:], strict=False):
            if random.random() < 0.1:
                first = article[slice(*one)].rstrip(".")
                yield "= two joined", f"{first}, and {article[slice(*other)]}", article


def _print_auc(name: str, scores: NDArray[np.float64], right: NDArray[np.bool_]) -> None:
    rng = np.random.default_rng(1)
    samples = [rng.integers(len(right), size=len(right)) for _ in range(1000)]
    aucs = [roc_auc_score(right[s], scores[s]) for s in samples if 0 < right[s].sum() < len(s)]
    low, high = np.percentile(aucs, [2.5, 97.5])
    print(f"{name}: AUC {roc_auc_score(right, scores):.3f} (95 % {low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
