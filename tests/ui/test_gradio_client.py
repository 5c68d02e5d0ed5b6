"""The chat's endpoint for other programs, called by Gradio's own client."""

from __future__ import annotations

import json

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from rag.types import to_json
from tests.conftest import ITS_OWN

QUESTION = "What will the Ransey bridge cost?"
HISTORY = [["When does the bridge to Ransey open?", "In the middle of 2034."]]


@pytest.fixture(scope="module")
def client(served):
    client = Client(served, verbose=False)
    yield client
    client.close()


def test_one_endpoint_is_offered_and_gives_what_json_gives(client, gazette):
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/ask"]
    answer = client.predict(QUESTION, api_name="/ask")
    same = json.loads(json.dumps(to_json(gazette.ask(QUESTION))))
    assert answer | ITS_OWN == same | ITS_OWN
    citation = answer["citations"][0]
    text = gazette.article(citation["article_id"]).text
    assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_history_and_filters_are_heeded(client, gazette):
    filters = {"outlets": ["The Lindholt Courier"], "before": "2025-01-01"}
    given = client.predict("And what will it cost?", HISTORY, **filters, api_name="/ask")
    assert {passage["outlet"] for passage in given["passages"]} == {"The Lindholt Courier"}
    assert "Ransey" in given["query"]["text"]
    assert given["query"]["before"] == "2025-01-01"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"question": " "}, "empty"),
        ({"question": QUESTION, "after": "soon"}, "year-month-day"),
        ({"question": QUESTION, "history": [["alone"]]}, "pairs"),
    ],
)
def test_what_makes_no_sense_is_told(client, given, says):
    with pytest.raises(AppError, match=says):
        client.predict(**given, api_name="/ask")
