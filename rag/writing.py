"""Answers that a language model writes.

Its text is cut into sentences, its marks become citations, and each sentence is held against the
passages it marks; against all where it marks none, as small models do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag import tracing
from rag.draft import Draft, marked_text
from rag.errors import ContextTooSmallError
from rag.language import sentence_spans
from rag.language_model import LanguageModel, Reply
from rag.markup import without_markup
from rag.prompting import NOT_IN_THE_ARTICLES, Prompt, load_prompt
from rag.types import Event, History, Passage, SentenceDone, Token, VerdictOfSentence
from rag.verification import verify

MOST_SENTENCES = 6
"""Of an answer; what a model goes on to say is not read."""
# [1], [1, 2], [1-3], [Passage 1], [^1], 【1】
_MARK = r"[\[【]\s*\^?(?:passages?\s+)?(\d+(?:\s*(?:[,;–-]|and)\s*\d+)*)\s*[\]】]"
_MARKS = re.compile(rf"\s*{_MARK}", re.IGNORECASE)
_MARKS_AFTER_STOP = re.compile(rf"([.!?][\"”’']?)((?:\s*{_MARK})+)", re.IGNORECASE)
_LIST_ITEM = re.compile(r"^(?:[-*•#>]+|\d{1,2}[.)])\s+|\*\*|__")

# The end of a text that is still arriving, which may turn out a mark or the begin of an item.
_UNSURE = re.compile(r"\s*(?:[\[【][^\]】]*|[*_]+|^\s*(?:[-•#>]+|\d{1,2}[.)]?))\s*$")


def write(draft: Draft, history: History, model: LanguageModel) -> Iterator[Event]:
    """A language model's answer, checked sentence by sentence while it is written.

    What is streamed is the answer's text: the marks that the model wrote are not, the citations'
    numbers follow each sentence. But a sentence that repeats the prompt is seen until it is whole.
    A model that cannot read all the passages is asked again with half as many. Raises
    `LanguageModelError` where it fails, or cannot read even one.
    """
    prompt = load_prompt("short" if model.is_small else "full")
    draft.prompt = prompt.name
    passages = draft.retrieved.passages[: prompt.passages]
    while True:
        reply = model.reply(*prompt.messages(draft.question, history, passages))
        try:
            yield from _read(draft, reply, prompt, passages)
            break
        except ContextTooSmallError:
            if len(passages) < 2 or draft.sentences:
                raise
            passages = passages[: len(passages) // 2]
            tracing.happened("fewer_passages", passages=len(passages))
    draft.usage = reply.usage
    if not draft.sentences:
        yield from draft.abstain("the language model found no answer in the passages")


def _read(
    draft: Draft, reply: Reply, prompt: Prompt, passages: Sequence[Passage]
) -> Iterator[Event]:
    """What the model says of these passages, sentence by sentence."""
    unread = shown = ""
    for piece in without_markup(reply):
        unread += piece
        if not draft.sentences and _refuses(unread):
            continue
        *done, unread = _marked_sentences(unread)
        for sentence in done:
            yield from _finish(draft, sentence, shown, prompt, passages)
            shown = ""
        if len(draft.sentences) >= MOST_SENTENCES:
            return
        grown = _plain(_UNSURE.sub("", unread))
        if len(grown) > len(shown) and grown.startswith(shown):
            yield Token(_spaced(draft, shown, grown))
            shown = grown
    if reply.ran_out and draft.sentences:  # the last one is cut off
        return
    if draft.sentences or not unread.strip().upper().startswith(NOT_IN_THE_ARTICLES):
        yield from _finish(draft, unread, shown, prompt, passages)


def _finish(
    draft: Draft, marked: str, shown: str, prompt: Prompt, passages: Sequence[Passage]
) -> Iterator[Event]:
    """A whole sentence: what is not shown of it yet, its marks, and what it is worth."""
    text = _plain(marked)
    if prompt.is_told_by(marked) or not re.search(r"[^\W\d_]", text):
        return
    if text.startswith(shown) and text != shown:
        yield Token(_spaced(draft, shown, text))
    with tracing.step("verify") as step:
        done = _checked(draft, marked, text, passages)
        step.note(verdict=done.sentence.verdict)
    if done.sentence.citations:
        yield Token(marked_text([done.sentence]).removeprefix(text))
    yield done


def _spaced(draft: Draft, shown: str, text: str) -> str:
    """What is new of a sentence, which a space parts from the one before."""
    return f"{' ' if draft.sentences and not shown else ''}{text[len(shown) :]}"


def _plain(marked: str) -> str:
    """A sentence without its marks, and without what makes it an item of a list."""
    return _LIST_ITEM.sub("", " ".join(_MARKS.sub("", marked).split()))


def _refuses(text: str) -> bool:
    """Whether a text says, or may yet come to say, that the articles do not answer."""
    start = text.strip(" \n\"'*").upper()[: len(NOT_IN_THE_ARTICLES)]
    return bool(start) and NOT_IN_THE_ARTICLES.startswith(start)


def _marked_sentences(text: str) -> list[str]:
    """The sentences with their [n] marks inside; the last may be incomplete."""
    text = _MARKS_AFTER_STOP.sub(r"\2\1", text)
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    if len(sentences) > 1 and sentences[-1].startswith(("[", "【")):  # a mark still arriving
        last = sentences.pop()
        sentences[-1] += f" {last}"
    if sentences and text[-1:].isspace():
        sentences[-1] += " "
    return sentences or [text]


def _checked(draft: Draft, marked: str, text: str, passages: Sequence[Passage]) -> SentenceDone:
    """Hold a model's sentence against the passages it marks, or against all if it marks none."""
    cited = [passages[n - 1] for n in _marks(marked) if 1 <= n <= len(passages)]
    pool = cited or list(passages)
    best = verify(text, [passage.text for passage in pool], draft.verifier)
    if len(cited) > 1 and best.label != "supported":  # perhaps it joins what each of them says
        found = [(p, verify(text, [p.text], draft.verifier).quote) for p in cited]
    else:
        shown = best.quote if cited or best.label != "unsupported" else None
        found = [(pool[shown[0]], shown)] if shown else []
    numbers = [
        draft.cite(passage, passage.start + quote[1], passage.start + quote[2], text)
        for passage, quote in found
        if quote
    ]
    kept = [number for number in dict.fromkeys(numbers) if number]
    # A claim without a quote to open is not shown as checked: its label comes from the quotes.
    return draft.add(text, kept, _label(draft, text, [draft.quote(number) for number in kept]))


def _marks(marked: str) -> list[int]:
    """The passage numbers that a sentence marks, each once; [1-3] is three of them."""
    found: dict[int, None] = {}
    for group in _MARKS.findall(marked):
        for first, last in re.findall(r"(\d+)(?:\s*[–-]\s*(\d+))?", group):
            ending = int(last or first)
            found |= dict.fromkeys(range(int(first), min(ending, int(first) + 20) + 1))
    return list(found)


def _label(draft: Draft, text: str, quotes: Sequence[str]) -> VerdictOfSentence:
    """What a sentence is worth by the quotes that are shown under it, alone or together."""
    verdict = verify(text, quotes, draft.verifier)
    if verdict.label != "supported" and len(quotes) > 1:
        return verify(text, ["\n".join(quotes)], draft.verifier).label
    return "quoted" if verdict.score == 1.0 else verdict.label
