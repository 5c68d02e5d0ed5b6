"""What a language model's service may do wrong, on the wire formats of those that are known."""

import logging
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from rag import Gazette
from rag.errors import LanguageModelError
from rag.language_model import LanguageModel

QUESTION = "How many people died in the Tordis disaster?"
MODELS = ("mistralai:mistral-small-latest", "openai:gpt-4o-mini")
SAID = "The disaster killed 14 people [1]."


@pytest.fixture(params=MODELS)
def opened(request, sample_archive, chat_server):
    chat_server.pieces = [SAID]
    with Gazette.open(sample_archive, request.param, chat_server.base_url) as gazette:
        yield gazette


@pytest.mark.parametrize(
    "llm", ["deepseek:deepseek-chat", "anthropic:any-name", "ollama:qwen3:1.7b"]
)
def test_others_are_asked_in_their_own_formats(sample_archive, chat_server, llm):
    chat_server.pieces = ["The disaster ", "killed 14 people [1]."]
    url = chat_server.base_url if llm.startswith("deepseek") else chat_server.site
    with Gazette.open(sample_archive, llm, url) as gazette:
        answer = gazette.ask(QUESTION)
        assert answer.sentences[0].text == "The disaster killed 14 people."
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (900, 30)
        chat_server.cut = True
        with pytest.raises(LanguageModelError, match="broke off"):
            gazette.ask(QUESTION)
        chat_server.status, chat_server.cut = 401, False
        with pytest.raises(LanguageModelError, match="401"):
            gazette.ask(QUESTION)


@pytest.fixture
def waits(monkeypatch):
    """The seconds between the attempts, which are not waited for."""
    waited = []
    monkeypatch.setattr("rag.retries.sleep", waited.append)
    return waited


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529, 0])
def test_what_may_pass_is_tried_again(opened, chat_server, waits, status):
    chat_server.failures = [(status, {}), (status, {})]
    assert not opened.ask(QUESTION).abstained
    assert len(chat_server.requests) == 3
    assert len(waits) == 2
    assert all(0 <= wait <= 2 for wait in waits)


def test_the_waits_grow_and_the_attempts_end(opened, chat_server, waits):
    chat_server.status = 503
    with pytest.raises(LanguageModelError, match="503"):
        opened.ask(QUESTION)
    assert len(chat_server.requests) == 5
    assert len({round(wait, 6) for wait in waits}) == 4  # jitter
    assert all(wait <= 2**n for n, wait in enumerate(waits))


def test_as_long_as_the_service_asks_for_is_waited(opened, chat_server, waits):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    chat_server.failures = [(429, {"Retry-After": "7"}), (503, {"Retry-After": soon})]
    opened.ask(QUESTION)
    assert 7 <= waits[0] <= 8
    assert 25 <= waits[1] <= 32


def test_longer_than_the_budget_is_not_waited(opened, chat_server, waits):
    chat_server.failures = [(429, {"Retry-After": "3600"})]
    with pytest.raises(LanguageModelError, match="asks to wait 3600 s"):
        opened.ask(QUESTION)
    assert waits == []


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_will_not_pass_is_not_tried_again(opened, chat_server, waits, status):
    chat_server.status = status
    with pytest.raises(LanguageModelError, match=str(status)):
        opened.ask(QUESTION)
    assert len(chat_server.requests) == 1


def test_a_server_that_is_not_there_is_told_at_once(sample_archive, waits):
    with (
        Gazette.open(sample_archive, MODELS[0], "http://127.0.0.1:9/v1") as gazette,
        pytest.raises(LanguageModelError, match="--base-url"),
    ):
        gazette.ask(QUESTION)
    assert waits == []


@pytest.mark.parametrize("wrong", ["cut", "malformed"])
def test_half_an_answer_is_none(opened, chat_server, wrong):
    setattr(chat_server, wrong, True)
    with pytest.raises(LanguageModelError):
        opened.ask(QUESTION)


def test_a_service_that_goes_silent_is_not_waited_for(sample_archive, chat_server, monkeypatch):
    monkeypatch.setattr("rag.providers.TIMEOUT_SECONDS", 1)
    chat_server.pause = 1.5
    for model in MODELS:
        with Gazette.open(sample_archive, model, chat_server.base_url) as gazette:
            chat_server.pieces = [SAID]
            with pytest.raises(LanguageModelError, match=r"[Tt]ime"):
                gazette.ask(QUESTION)


def test_a_service_that_drips_is_cut_off_at_the_end_of_the_budget(opened, chat_server, monkeypatch):
    monkeypatch.setattr("rag.language_model.BUDGET_SECONDS", 0.5)
    chat_server.pieces, chat_server.pause = ["drop "] * 100, 0.02
    with pytest.raises(LanguageModelError, match="no end after"):
        opened.ask(QUESTION)


def test_too_small_a_context_gets_fewer_passages(opened, chat_server):
    chat_server.most_passages = 1
    assert opened.ask(QUESTION).sentences[0].text == "The disaster killed 14 people."
    prompts = [request["messages"][-1]["content"] for request in chat_server.requests]
    assert [prompt.count("<passage ") for prompt in prompts] == [5, 2, 1]
    chat_server.most_passages = 0
    with pytest.raises(LanguageModelError, match="context"):
        opened.ask(QUESTION)


def test_the_sentence_that_the_limit_cuts_is_left_out(opened, chat_server):
    chat_server.pieces, chat_server.finish = [SAID, " Nobody knows wh"], "length"
    assert [s.text for s in opened.ask(QUESTION).sentences] == ["The disaster killed 14 people."]


def test_a_model_that_goes_on_and_on_is_not_read_to_its_end(opened, chat_server):
    chat_server.pieces = [f"{SAID} "] * 40
    assert len(opened.ask(QUESTION).sentences) == 6


def test_a_model_that_will_have_no_temperature_gets_none(opened, chat_server):
    chat_server.failures = [(400, {})]
    chat_server.error = "Unsupported value: 'temperature' does not support 0 with this model."
    opened.ask(QUESTION)
    assert ["temperature" in request for request in chat_server.requests] == [True, False]
    opened.ask(QUESTION)
    assert len(chat_server.requests) == 3  # it is remembered


def test_a_key_is_shown_nowhere(sample_archive, chat_server, monkeypatch, caplog):
    key = "secret-key-4711"
    for variable in ("MISTRAL_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(variable, key)
    caplog.set_level(logging.DEBUG)
    chat_server.status, chat_server.error = 401, f"Incorrect API key provided: {key}"
    for model in MODELS:
        with Gazette.open(sample_archive, model, chat_server.base_url) as gazette:
            with pytest.raises(LanguageModelError, match=r"401.*\*\*\*") as caught:
                gazette.ask(QUESTION)
            assert key not in "".join(traceback.format_exception(caught.value))
            assert key not in repr(gazette.settings)
    assert chat_server.authorizations == [f"Bearer {key}"] * 2
    assert key not in caplog.text


def test_where_the_evidence_has_no_answer_the_model_is_not_asked(opened, chat_server):
    assert opened.ask("Who won the chess olympiad in Budapest?").abstained
    assert chat_server.requests == []


def test_prices_give_the_cost(sample_archive, chat_server, monkeypatch):
    monkeypatch.setenv("GAZETTE_INPUT_PRICE", "2")
    monkeypatch.setenv("GAZETTE_OUTPUT_PRICE", "10")
    chat_server.pieces = [SAID]
    with Gazette.open(sample_archive, MODELS[0], chat_server.base_url) as gazette:
        usage = gazette.ask(QUESTION).usage
    assert usage.cost == pytest.approx((900 * 2 + 30 * 10) / 1e6)


@pytest.mark.parametrize(
    ("name", "is_small"),
    [
        ("ollama:qwen3:1.7b", True),
        ("openai:SmolLM2-135M-Instruct", True),
        ("ollama:llama3.2:3b-instruct-q4_K_M", True),
        ("ollama:mixtral:8x7b", False),
        ("openai:Qwen3-30B-A3B", False),
        ("mistralai:mistral-small-latest", False),
    ],
)
def test_small_models_are_known_by_their_names(name, is_small):
    assert LanguageModel(None, name).is_small is is_small
