"""What is tried again when a model's service fails, after how long, and when to give up.

The same for all providers: their packages differ in what they try again, and some try nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import sleep
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from rag import tracing

ATTEMPTS = 5
LONGEST_WAIT = 20.0
"""Seconds between two attempts, where the service does not ask for more."""
_PASSING = {429, 500, 502, 503, 504, 529}
"""HTTP statuses of a service that is busy or being mended (RFC 9110, RFC 6585; 529 is Anthropic's
for overload)."""
_BROKEN = {"ReadError", "WriteError", "RemoteProtocolError", "ConnectionResetError"}
"""Exceptions of a connection that was lost. By name: providers bring different HTTP clients."""
_TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|prompt is too long|too many (?:input )?tokens"
    r"|(?:prompt|input|request).{0,60}(?:too (?:long|large)|exceeds?\b.{0,40}token)",
    re.IGNORECASE,
)
_jittered = wait_random_exponential(multiplier=1, max=LONGEST_WAIT)
_Done = TypeVar("_Done")


def persistently(step: Callable[[], _Done], seconds: float) -> _Done:
    """What a step gives, tried again while what fails may pass and some of the seconds are left.

    Waits as long as the service asks for (Retry-After), else by exponential backoff with full
    jitter (Brooker, "Exponential Backoff And Jitter", 2015). Raises the last attempt's error.
    """
    retrying = Retrying(
        retry=retry_if_exception(_may_pass),
        wait=_wait,
        stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(seconds),
        sleep=sleep,
        before_sleep=_told,
        reraise=True,
    )
    return retrying(step)


def name_of(error: BaseException) -> str:
    """What went wrong, in a word that quotes nothing: the HTTP status, or the exception's name."""
    return str(status(error) or type(error).__name__)


def retry_after(error: BaseException | None) -> float:
    """The seconds that a service asks to wait before the next attempt; 0 if it does not say."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    said = str(headers.get("retry-after", ""))
    with suppress(ValueError):
        return max(0.0, float(said))
    with suppress(ValueError):
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    return 0.0


def is_too_long(error: BaseException) -> bool:
    """Whether a service refused a prompt because its context is too small for it.

    There is no common status or code: OpenAI and llama.cpp say 400, others 413, 422 or 500, and
    some send the refusal as an event of a stream.
    """
    return status(error) not in {401, 403, 404, 429} and bool(_TOO_LONG.search(str(error)))


def status(error: BaseException) -> int | None:
    """The HTTP status that an error of a provider's package carries."""
    for holder in (error, getattr(error, "response", None)):
        if isinstance(found := getattr(holder, "status_code", None), int):
            return found
    return None


def _may_pass(error: BaseException) -> bool:
    if is_too_long(error):
        return False
    return status(error) in _PASSING or any(
        kind.__name__ in _BROKEN for each in _chain(error) for kind in type(each).__mro__
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _told(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    if error:
        facts = {"attempt": state.attempt_number, "wait": round(wait, 3)}
        tracing.happened("retry", error_type=name_of(error), **facts)


def _wait(state: RetryCallState) -> float:
    asked = retry_after(state.outcome.exception() if state.outcome else None)
    return asked + _jittered(state)
