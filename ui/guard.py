"""Who may ask: this machine alone, or from elsewhere whoever has a token.

On loopback nobody needs one, but a page of the web that a browser shows may not ask in its user's
name: what comes by another host's name or from another's page is refused.
"""

from __future__ import annotations

import logging
import secrets
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, urlsplit

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.errors import GazetteError, UsageError
from ui.page import bare_page
from ui.tokens import Tokens

COOKIE, LOGIN, HEALTH = "gazette", "/login", "/health"
_DAYS = 30
"""That a browser stays logged in, while the server runs."""
_MOST_BYTES = 4_000
"""Of what the login page sends: anybody may send it."""
_FORM = """<form method="post" action="/login"><label>Token
<input name="token" type="password" autofocus required autocomplete="current-password"></label>
<button>Log in</button></form><p role="alert">{said}</p>"""
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


logger = logging.getLogger(__name__)


def is_loopback(host: str) -> bool:
    """Whether an address or a name means this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """In front of everything that is served, by ASGI."""

    def __init__(self, app: ASGIApp, host: str, tokens: Tokens) -> None:
        """Raises `UsageError` where others could ask and there is no token."""
        self._app = app
        self._tokens = tokens
        self._logins: dict[str, str] = {}
        """What a browser's cookie holds, and the token that it logged in with."""
        self._is_local = is_loopback(host)
        if not self._is_local and not tokens.created():
            raise UsageError(
                f"at {host} other machines could ask, and there is no token to ask them for; make "
                "one first: gazette token create NAME"
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may be asked, and refuse the rest."""
        refused: Response | None = None
        if scope["type"] in ("http", "websocket"):
            try:
                refused = await self._refused(scope, receive)
            except GazetteError as error:  # the tokens cannot be read: they open nothing
                logger.error("%s", error)
                refused = refusal(503, "who may ask is not known now; see what the server tells")
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refused(scope, receive, send)

    async def _refused(self, scope: Scope, receive: Receive) -> Response | None:
        asked = HTTPConnection(scope)
        if self._is_local:
            return self._foreign(asked)
        if scope["path"] == LOGIN and scope["type"] == "http":
            return await self._login(Request(scope, receive))
        return self._unknown(asked)

    def _foreign(self, asked: HTTPConnection) -> Response | None:
        """On loopback: the refusal of what did not come from here."""
        host = _split(f"//{asked.headers.get('host', '')}").hostname or ""
        if is_loopback(host) and _is_own_page(asked):
            return None
        said = "this server answers its own machine and its own page; see: gazette chat --help"
        return refusal(403, said)

    def _unknown(self, asked: HTTPConnection) -> Response | None:
        """Elsewhere: the refusal of who has no token."""
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        if asked.scope["path"] == HEALTH or (
            kind.lower() == "bearer" and self._tokens.knows(token)
        ):
            return None
        login = self._logins.get(asked.cookies.get(COOKIE, ""))
        if login and self._tokens.knows(login) and _is_own_page(asked):
            return None
        if asked.scope.get("method") == "GET" and "text/html" in asked.headers.get("accept", ""):
            return RedirectResponse(LOGIN, 303)
        said = "send a token (Authorization: Bearer ...), made by: gazette token create NAME"
        return refusal(401, said, {"WWW-Authenticate": "Bearer"}, "invalid_api_key")

    async def _login(self, request: Request) -> Response:
        """The page that asks a browser's user for a token, and what it sends."""
        said = ""
        if request.method == "POST":
            token = await _sent_token(request)
            if self._tokens.knows(token) and _is_own_page(request):
                login = secrets.token_urlsafe(32)
                self._logins[login] = token
                done = RedirectResponse("/", 303)
                done.set_cookie(
                    COOKIE,
                    login,
                    _DAYS * 86_400,
                    secure=request.url.scheme == "https",
                    httponly=True,
                    samesite="strict",
                )
                return done
            said = "This is none of the tokens of this server."
        page = bare_page("Log in to Gazette", "", _FORM.format(said=said))
        return HTMLResponse(page, 401 if said else 200, _HEADERS)


async def _sent_token(request: Request) -> str:
    """What the login page's form sends; nothing where it is another's, or longer than that."""
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST_BYTES:
                return ""
    except ClientDisconnect:
        return ""
    fields = parse_qs(body.decode("ascii", "replace"))
    return fields.get("token", [""])[0].strip()


def _is_own_page(asked: HTTPConnection) -> bool:
    """Whether no page of another server asks, as far as a browser says."""
    origin = asked.headers.get("origin")
    return origin is None or _split(origin).netloc == asked.headers.get("host")


def _split(address: str) -> SplitResult:
    """The parts of an address that somebody sent; empty where it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def refusal(
    status: int, said: str, headers: dict[str, str] | None = None, code: str | None = None
) -> JSONResponse:
    """An error as OpenAI's API has it."""
    kind = "invalid_request_error" if status < 500 else "api_error"
    error = {"message": said, "type": kind, "param": None, "code": code}
    return JSONResponse({"error": error}, status, headers)
