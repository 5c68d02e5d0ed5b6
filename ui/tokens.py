"""Tokens, by which other machines and their users may ask: `gazette token create|list|revoke`.

A token is shown once. What is kept is its SHA-256: it has 256 random bits, so nothing slower is
needed against guessing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from filelock import FileLock

from rag.errors import UsageError
from rag.settings import Settings

PREFIX = "gz_"
"""By which a token is known, in a file that it should not be in."""

token_app = typer.Typer(
    no_args_is_help=True,
    help="Tokens that let other machines ask a chat served with --host.",
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(help="Whom or what it is for.")]


class Tokens:
    """The tokens in a file, read anew each time: one that is revoked opens nothing more."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, name: str) -> str:
        """A new token of this name, which cannot be had again. `UsageError` if there is one."""
        token = PREFIX + secrets.token_urlsafe(32)
        with self._changed() as kept:
            if not name.strip() or not name.isprintable():
                raise UsageError(f"{name!r} is no name for a token; use one that can be printed")
            if name in kept:
                raise UsageError(
                    f"there is a token {name!r}; choose another name, or first: "
                    f"gazette token revoke {name}"
                )
            kept[name] = {"sha256": _digest(token), "created": f"{datetime.now(UTC):%Y-%m-%d}"}
        return token

    def revoke(self, name: str) -> None:
        """From now on it opens nothing. `UsageError` if there is none of this name."""
        with self._changed() as kept:
            if name not in kept:
                raise UsageError(f"there is no token {name!r}; see: gazette token list")
            del kept[name]

    def created(self) -> dict[str, str]:
        """Name to the day on which it was made, oldest first."""
        return {name: one["created"] for name, one in self._read().items()}

    def knows(self, token: str) -> bool:
        """Whether a token is one of these."""
        given = _digest(token)
        return any([hmac.compare_digest(one["sha256"], given) for one in self._read().values()])

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            kept: dict[str, dict[str, str]] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise UsageError(f"the tokens in {self.path} cannot be read ({error})") from error
        return kept

    @contextmanager
    def _changed(self) -> Iterator[dict[str, dict[str, str]]]:
        """What is kept, to be changed, then written whole; only its owner may read it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock")):
                kept = self._read()
                yield kept
                part = self.path.with_suffix(".part")
                part.unlink(missing_ok=True)
                with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                    json.dump(kept, file, indent=2)
                part.replace(self.path)
        except OSError as error:
            raise UsageError(
                f"the tokens in {self.path} cannot be written ({error}); name another file by "
                "GAZETTE_TOKENS"
            ) from error


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def kept_tokens() -> Tokens:
    """Those of the settings."""
    return Tokens(Settings.given().tokens)


@token_app.command()
def create(name: Name) -> None:
    """Make a token and print it: once, as only its hash is kept."""
    typer.echo(kept_tokens().create(name))


@token_app.command("list")
def list_() -> None:
    """Name the tokens there are, and when each was made."""
    for name, created in kept_tokens().created().items():
        typer.echo(f"{created}  {name}")


@token_app.command()
def revoke(name: Name) -> None:
    """Let a token open nothing from now on, also where the chat runs already."""
    kept_tokens().revoke(name)
