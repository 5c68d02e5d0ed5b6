"""Who may ask: this machine alone, or from elsewhere whoever has a token.

On loopback nobody needs one, but a page of the web that a browser shows may not ask in its user's
name: what comes by another host's name or from another's page is refused.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.errors import UsageError
from ui.page import bare_page
from ui.tokens import Tokens

COOKIE, LOGIN, HEALTH = "gazette", "/login", "/health"
_DAYS = 30
"""That a browser stays logged in."""
_FORM = """<form method="post" action="/login"><p><label>Token
<input name="token" type="password" autofocus required autocomplete="current-password"></label>
<button>Log in</button></p></form><p>{said}</p>"""
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


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
            asked = HTTPConnection(scope)
            refused = self._foreign(asked) if self._is_local else self._unknown(asked)
            if scope["path"] == LOGIN and not self._is_local and scope["type"] == "http":
                refused = await self._login(Request(scope, receive))
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refused(scope, receive, send)

    def _foreign(self, asked: HTTPConnection) -> Response | None:
        """On loopback: the refusal of what did not come from here."""
        host = urlsplit(f"//{asked.headers.get('host', '')}").hostname or ""
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
        cookie = asked.cookies.get(COOKIE)
        if cookie and self._tokens.knows(cookie) and _is_own_page(asked):
            return None
        if asked.scope.get("method") == "GET" and "text/html" in asked.headers.get("accept", ""):
            return RedirectResponse(LOGIN, 303)
        said = "send a token (Authorization: Bearer ...), made by: gazette token create NAME"
        return refusal(401, said, {"WWW-Authenticate": "Bearer"})

    async def _login(self, request: Request) -> Response:
        """The page that asks a browser's user for a token, and what it sends."""
        said = ""
        if request.method == "POST":
            token = str((await request.form()).get("token", "")).strip()
            if self._tokens.knows(token):
                done = RedirectResponse("/", 303)
                done.set_cookie(
                    COOKIE,
                    token,
                    _DAYS * 86_400,
                    secure=request.url.scheme == "https",
                    httponly=True,
                    samesite="strict",
                )
                return done
            said = "This is none of the tokens of this server."
        page = bare_page("Log in to Gazette", "", _FORM.format(said=said))
        return HTMLResponse(page, 401 if said else 200, _HEADERS)


def _is_own_page(asked: HTTPConnection) -> bool:
    """Whether no page of another server asks, as far as a browser says."""
    origin = asked.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == asked.headers.get("host")


def refusal(status: int, said: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error as OpenAI's API has it."""
    kind = "invalid_request_error" if status < 500 else "api_error"
    error = {"message": said, "type": kind, "param": None, "code": None}
    return JSONResponse({"error": error}, status, headers)
