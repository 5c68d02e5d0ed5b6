"""The retriever passes LangChain's own tests, and does in chains and agents what is promised."""

from __future__ import annotations

import pytest
from langchain_tests.integration_tests import RetrieversIntegrationTests

from rag.errors import UsageError
from rag.retriever import GazetteRetriever

QUESTION = "Who wants to buy the yard?"


@pytest.mark.anyio
class TestStandard(RetrieversIntegrationTests):
    retriever_constructor = GazetteRetriever
    retriever_query_example = QUESTION

    @pytest.fixture(autouse=True)
    def over_the_sample_articles(self, gazette):
        self.opened = gazette

    @property
    def retriever_constructor_params(self):
        return {"gazette": self.opened, "k": 2}


@pytest.mark.anyio
async def test_filters_narrow_it_and_what_makes_no_sense_is_told(gazette):
    retriever = gazette.as_retriever(k=3)
    given = {"outlets": ["Kontor"], "before": "2025-01-01"}
    documents = retriever.invoke(QUESTION, **given)
    assert {document.metadata["outlet"] for document in documents} == {"Kontor"}
    assert max(document.metadata["published"] for document in documents) < "2025"
    assert await retriever.ainvoke(QUESTION, **given) == documents
    passages = gazette.retrieve(QUESTION, 3, **given)
    assert [document.page_content for document in documents] == [p.text for p in passages]
    for wrong in ({"k": 0}, {"after": "soon"}, {"llm": "other"}):
        with pytest.raises(UsageError):
            retriever.invoke(QUESTION, **wrong)
