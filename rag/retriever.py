"""Gazette's passages as LangChain documents."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from rag.gazette import Gazette
from rag.types import to_json


class GazetteRetriever(BaseRetriever):
    """A retriever over an open archive; metadata are the fields of `Passage`."""

    gazette: Any
    k: int = 5

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        assert isinstance(self.gazette, Gazette)
        documents = []
        for passage in self.gazette.retrieve(query, k=self.k):
            metadata = to_json(passage)
            documents.append(Document(page_content=metadata.pop("text"), metadata=metadata))
        return documents
