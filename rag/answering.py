"""From passages to an answer: every sentence with a verdict, every claim with its quote.

What the extractive answerer chooses is quoted; a language model writes in `rag/writing.py`, and
where nothing that it writes is borne out, the quotes follow. Where the evidence says that no
passage answers, neither is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag.antecedents import with_antecedent
from rag.cross_encoder import CrossEncoder
from rag.draft import Draft, marked_text
from rag.embeddings import Embedder
from rag.extractive import ENOUGH_CONFIDENCE, ENOUGH_READ, Extract, extract
from rag.language_model import EXTRACTIVE, LanguageModel
from rag.overview import Overview, overview
from rag.phrases import day, language_of, say
from rag.retrieval import Retrieved
from rag.signals import Candidate
from rag.types import Event, History, Query, SentenceDone, Token
from rag.writing import write


def answer(
    question: str,
    query: Query,
    history: History,
    retrieved: Retrieved,
    embedder: Embedder,
    model: LanguageModel | None,
    verifier: CrossEncoder | None = None,
    reads: bool = True,
) -> Iterator[Event]:
    """Write the answer, event by event; the last event is the whole `Answer`.

    What a model writes is held against the passages by the verifier, or by signals without one.
    Where it `reads`, our own reader helps to choose what is quoted.
    """
    chosen: Overview | Extract
    if query.kind == "overview":
        chosen = overview(question, query, retrieved.passages, embedder)
    else:
        chosen = extract(question, query, retrieved.passages, embedder, reads)
    name = model.name if model else EXTRACTIVE
    draft = Draft(question, query, retrieved, chosen.confidence, name, verifier)
    if not retrieved.passages:
        reason, given = why_nothing(query, retrieved)
        yield from draft.abstain(reason, **given)
    elif not _answers(chosen, ENOUGH_READ if reads else ENOUGH_CONFIDENCE):
        yield from draft.abstain("no passage answers the question")
    elif model:
        yield from write(draft, history, model)
        if draft.sentences and not draft.borne_out:
            yield from _quotes_after(draft, chosen)
    else:
        yield from _quotes(draft, chosen)
    yield draft.finish()


def why_nothing(query: Query, retrieved: Retrieved) -> tuple[str, dict[str, object]]:
    """Why no passage was found: what is said, and what is put into it."""
    if retrieved.unknown:
        names = ", ".join(repr(name) for name in retrieved.unknown)
        reason = "the archive has no article of {names} (an outlet's whole name, or its domain)"
        return reason, {"names": names}
    if query.outlets or query.after or query.before or query.as_of or query.without:
        left_out = " ({count} undated left out)" if retrieved.undated else ""
        reason = f"no article is left by the outlets and dates asked for{left_out}"
        return reason, {"count": retrieved.undated}
    return "the archive holds no articles", {}


def _answers(chosen: Overview | Extract, enough: float) -> bool:
    """Whether the evidence lets an answer be hoped for."""
    if isinstance(chosen, Overview):
        return bool(chosen.sentences)
    return chosen.confidence >= enough


def _quotes(draft: Draft, chosen: Overview | Extract) -> Iterator[Event]:
    """The answer in the articles' words alone."""
    if isinstance(chosen, Overview):
        yield from _survey(draft, chosen)
    else:
        yield from _quote(draft, chosen)


def _quotes_after(draft: Draft, chosen: Overview | Extract) -> Iterator[Event]:
    """The articles' words after what a model wrote, none of which they bear out."""
    written = list(draft.sentences)
    quotes = list(_quotes(draft, chosen))
    if len(draft.sentences) == len(written):
        return
    own = draft.text or draft.lead + marked_text(draft.sentences[len(written) :])
    lead = say("In the articles’ own words:", language_of(draft.question))
    draft.text = f"{marked_text(written)}\n\n{lead}\n{own}"
    yield Token(f"\n\n{lead}\n")
    yield from quotes


def _quote(draft: Draft, extracted: Extract) -> Iterator[Event]:
    """The extractive answer: the chosen sentences, word for word."""
    quoted = list(filter(None, (_quoted(draft, each) for each in extracted.sentences)))
    quotes = "\n".join(citation.quote for citation in draft.citations)
    if extracted.shorts and all(short in quotes for short in extracted.shorts):
        draft.short = " ".join("; ".join(extracted.shorts).split())
        yield Token(draft.lead)
    for done in quoted:
        yield Token(f"{marked_text([done.sentence])} ")
        yield done


def _quoted(draft: Draft, candidate: Candidate) -> SentenceDone | None:
    """A sentence as it stands, and who its "he" or "she" is; None where no more may be quoted."""
    passage = candidate.passage
    number = draft.cite(passage, candidate.start, candidate.end, candidate.text)
    if number is None:
        return None
    quote = draft.quote(number)
    text = candidate.text if candidate.text in quote else quote  # it may have been cut
    before = passage.text[: candidate.start - passage.start]
    return draft.add(with_antecedent(" ".join(text.split()), before), (number,), "quoted")


def _survey(draft: Draft, chosen: Overview) -> Iterator[Event]:
    """An overview: a line for each sentence, led by its outlet and day, which are not quoted."""
    language = language_of(draft.question)
    lines: list[str] = []
    if chosen.outlets:
        lines.append(say("Outlets: {names}", language, names=", ".join(chosen.outlets)))
        yield Token(f"{lines[0]}\n")
    for candidate in chosen.sentences:
        done = _quoted(draft, candidate)
        if done is None:
            continue
        published = candidate.passage.published
        when = [day(published, language)] if published else []
        lead = ", ".join([*filter(None, [candidate.passage.outlet]), *when])
        lines.append(f"{f'[{lead}] ' if lead else ''}{marked_text([done.sentence])}")
        yield Token(f"{lines[-1]}\n")
        yield done
    if chosen.silent:
        lines.append(say("Nothing on this: {names}", language, names=", ".join(chosen.silent)))
        yield Token(lines[-1])
    draft.text = "\n".join(lines)
