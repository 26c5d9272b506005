"""What every request must hold before a page sees it, and what every answer says to the browser.

A page on this machine can be asked for by any page that a browser has open. So the host must be one of ours by name and
port (a foreign name that resolves to this machine is refused), what writes must come from our own pages (`Sec-Fetch-
Site`, or else `Origin`), bodies are small, and the content policy lets the browser load nothing but our own files.
Pure ASGI, outermost, so that nothing gets around it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LARGEST_BODY", "Guard", "Refused", "note_fault"]

LOG = logging.getLogger("watchfloor")

LARGEST_BODY = 1_000_000
"""In bytes, of any request but those that hand in a file."""

SLOWEST_BODY = 20.0
"""In seconds, from when a body is first asked for to its last byte."""

LONGEST_ADDRESS = 8_000
METHODS = ("GET", "HEAD", "POST")
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
SAID: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Refused(HTTPException):
    """A request that does not hold; raised while a body is read, it is answered by whoever reads it."""


class Guard:
    """Lets through what holds; answers the rest with a status and one sentence.

    Parameters
    ----------
    app : ASGI application
    hosts : frozenset of str
        Names with ports that a browser may know this server by.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification; connections other than HTTP are closed."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        saying, begun = _saying(send), False

        async def told(message: Message) -> None:
            nonlocal begun
            begun = True
            await saying(message)

        try:
            self._check(scope)
            await self._app(scope, _bounded(receive), told)
        except Refused as refused:
            said = PlainTextResponse(f"{refused.detail}\n", refused.status_code, headers=refused.headers)
            await said(scope, receive, saying)
        except ClientDisconnect:
            return  # whoever asked has gone
        except Exception as error:
            # The server would write all of the error to its log, with texts of whoever sent them.
            note_fault(error)
            if not begun:
                await PlainTextResponse("a fault of this program\n", 500)(scope, receive, saying)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        hosts = [host.lower() for host in headers.getlist("host")]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            raise Refused(400, "this server does not go by that name; use the address it printed")
        if scope["method"] not in METHODS:
            raise Refused(405, "only GET, HEAD and POST are answered here")
        if len(scope["raw_path"] or b"") + len(scope["query_string"]) > LONGEST_ADDRESS:
            raise Refused(414, "the address is too long")
        _check_length(headers)
        if scope["method"] == "POST":
            _check_comes_from_here(headers, hosts[0])
            _check_letters(headers)


def _check_length(headers: Headers) -> None:
    """Raise where the body is too large, or where it ends could be understood in two ways."""
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers and "content-length" in headers:
        raise Refused(400, "the request tells its length in two ways", headers={"connection": "close"})
    if not (length.isascii() and length.isdigit()) or len(length) > 20 or int(length) > LARGEST_BODY:
        raise Refused(413, "the request is larger than 1 MB")


def _check_letters(headers: Headers) -> None:
    """Raise where a form comes in other letters than UTF-8, as no browser sends it: some make no text, or half of one.

    Read as the reader of forms reads it.
    """
    _, said = parse_options_header(headers.get("content-type"))
    if said.get(b"charset", b"utf-8").lower() != b"utf-8":
        raise Refused(415, "a form has to be in UTF-8")


def _check_comes_from_here(headers: Headers, host: str) -> None:
    """Raise where a page of somebody else may have sent this."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    is_ours = site in ("same-origin", "none") if site is not None else origin == f"http://{host}"
    # Browsers send the origin of our own forms as null, as our pages ask for no referrer; then the site has to say it.
    if origin == "null" and site == "same-origin":
        origin = None
    if not is_ours or (origin is not None and origin not in (f"http://{host}", f"https://{host}")):
        raise Refused(403, "this did not come from a page of this server; open the page and try again")


def _bounded(receive: Receive) -> Receive:
    """The same body, refused once it is too large, or does not come."""
    taken, is_whole, until = 0, False, 0.0

    async def bounded() -> Message:
        nonlocal taken, is_whole, until
        if is_whole:
            return await receive()  # what comes after the body is the end of the connection, and may take its time
        until = until or asyncio.get_running_loop().time() + SLOWEST_BODY
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise Refused(408, "the request did not come to its end") from None
        taken += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if taken > LARGEST_BODY:
            raise Refused(413, "the request is larger than 1 MB")
        return message

    return bounded


def note_fault(error: Exception) -> None:
    """Log a fault of this program: its kind and where it happened, and nothing of what anybody wrote."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f"{last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last else ""
    LOG.error("a fault of this program (%s in %s)", type(error).__name__, place)


def _saying(send: Send) -> Send:
    """Answers with the headers of `SAID`, and kept by no browser, unless they say otherwise themselves."""

    async def saying(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SAID.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return saying
