"""Finding passages in an archive and answering from them."""

from rag.errors import GazetteError
from rag.gazette import Gazette, ask
from rag.types import (
    Answer,
    Article,
    Attribution,
    Chunk,
    Citation,
    Passage,
    Query,
    Scores,
    Sentence,
    SentenceDone,
    Token,
    Verdict,
)

__all__ = [
    "Answer",
    "Article",
    "Attribution",
    "Chunk",
    "Citation",
    "Gazette",
    "GazetteError",
    "Passage",
    "Query",
    "Scores",
    "Sentence",
    "SentenceDone",
    "Token",
    "Verdict",
    "ask",
]
