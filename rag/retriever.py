"""Gazette's passages as LangChain documents."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Unpack

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from rag.gazette import PASSAGES, Gazette
from rag.question import Filters
from rag.types import to_json


class GazetteRetriever(BaseRetriever):
    """A retriever over an open archive; metadata are the fields of `Passage`.

    `invoke` and `ainvoke` take another `k`, and the filters that `Gazette.retrieve` takes.
    """

    gazette: Any
    k: int = PASSAGES

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun | None = None,
        k: int | None = None,
        **filters: Unpack[Filters],
    ) -> list[Document]:
        assert isinstance(self.gazette, Gazette)
        documents = []
        for passage in self.gazette.retrieve(query, self.k if k is None else k, **filters):
            metadata = to_json(passage)
            documents.append(Document(page_content=metadata.pop("text"), metadata=metadata))
        return documents

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        k: int | None = None,
        **filters: Unpack[Filters],
    ) -> list[Document]:
        return await asyncio.to_thread(partial(self._get_relevant_documents, query, k=k, **filters))
