"""The server's routes besides pages: downloads, and the sign-ins without OpenID Connect."""

import asyncio
import secrets
from datetime import UTC, datetime

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard.shell import (
    browsers,
    downloads,
    export_links,
    identity,
    local_sign_in,
    proxied,
    sessions,
    sign_in,
)
from dashboard.shell.downloads import Asker
from dashboard.shell.files import plainly
from dashboard.shell.readiness import NOT_CACHED, Readiness, healthz
from dashboard.shell.screens import way_back
from data_access.db.errors import DatabaseUnavailable, Refusal
from program.review.sign_in import LONGEST

OF_ANOTHER_BROWSER = (
    "This link is too old, was altered or was made for another browser. "
    "Reload the page and export again."
)


async def export(request: Request) -> Response:
    """Stream a file to the person for whom a page created the link."""
    token = request.query_params.get("token", "")
    promise = export_links.redeem_export(
        token, browser=request.cookies.get(browsers.MARK_COOKIE, "")
    )
    if promise is None:
        return plainly(OF_ANOTHER_BROWSER)
    asker = Asker(promise, lambda: identity.person(request))
    try:
        job = await run_in_threadpool(downloads.begin, asker, now=datetime.now(UTC))
    except Refusal as refusal:
        return plainly(str(refusal))
    while not job.can_be_read:
        if await request.is_disconnected():
            job.hang_up()
        await asker.recheck(job)
        await asyncio.sleep(downloads.POLL_EVERY_S)
    if job.ending is not None:
        return plainly(job.sentence)
    return downloads.Download(job, asker, headers=NOT_CACHED)


def sign_in_locally(request: Request) -> Response:
    """Follow a link from the sign-in screen: set the cookie and redirect."""
    refused = _refused_locally(request)
    if refused is not None:
        return refused
    link = local_sign_in.read_link(request.query_params.get("token", ""))
    try:
        if link is None or not sessions.begin_locally(link.email, secret=link.secret):
            # Expired or used: the screen offers a new one.
            return RedirectResponse("/", status_code=303, headers=NOT_CACHED)
        # One person per browser: end the session that was here before.
        sessions.end(local_sign_in.session_key(request.cookies.get(local_sign_in.COOKIE)))
    except DatabaseUnavailable as unavailable:
        return plainly(str(unavailable), status=503)
    cookie = local_sign_in.mint_cookie(link.secret)
    return _signed_in(link.back_to, local_sign_in.COOKIE, cookie)


def _signed_in(to: str, cookie: str, value: str) -> Response:
    response = RedirectResponse(to, status_code=303, headers=NOT_CACHED)
    response.set_cookie(
        cookie, value, max_age=int(LONGEST.total_seconds()), httponly=True, samesite="strict"
    )
    return response


def sign_out_locally(request: Request) -> Response:
    """End the local session."""
    refused = _refused_locally(request)
    if refused is not None:
        return refused
    key = local_sign_in.session_key(request.cookies.get(local_sign_in.COOKIE))
    return _signed_out(key, local_sign_in.COOKIE)


def _signed_out(key: str | None, cookie: str) -> Response:
    try:
        sessions.end(key)
    except DatabaseUnavailable as unavailable:
        return plainly(str(unavailable), status=503)
    response = RedirectResponse("/", status_code=303, headers=NOT_CACHED)
    response.delete_cookie(cookie, httponly=True, samesite="strict")
    return response


def sign_in_by_proxy(request: Request) -> Response:
    """Begin a session of the person whom the proxy names, and go on to their page."""
    refused = _refused_by_proxy(request)
    if refused is not None:
        return refused
    named, secret = proxied.email(request.headers), secrets.token_urlsafe(32)
    back = way_back(request.query_params.get("to", "/"))
    try:
        if named is None or not sessions.begin(
            proxied.identity(named), secret=proxied.session_secret(named, secret)
        ):
            # The page says why.
            return RedirectResponse(back, status_code=303, headers=NOT_CACHED)
        sessions.end(proxied.session_key(request.headers, request.cookies))
    except DatabaseUnavailable as unavailable:
        return plainly(str(unavailable), status=503)
    return _signed_in(back, proxied.COOKIE, secret)


def sign_out_by_proxy(request: Request) -> Response:
    """End the session, which the proxy knows nothing of."""
    refused = _refused_by_proxy(request)
    if refused is not None:
        return refused
    return _signed_out(proxied.session_key(request.headers, request.cookies), proxied.COOKIE)


def _refused_by_proxy(request: Request) -> Response | None:
    if sign_in.uses_openid() or proxied.trusted() is None:
        return plainly("This dashboard does not sign people in by a proxy's header.")
    return _refused_from_elsewhere(request)


def _refused_locally(request: Request) -> Response | None:
    sentence = local_sign_in.obstacle(
        server_address=st.get_option("server.address"), headers=request.headers
    )
    client = request.client.host if request.client else None
    if sentence is None and not local_sign_in.is_loopback(client):
        sentence = "The local sign-in works on this computer only."
    return _refused_from_elsewhere(request) if sentence is None else plainly(sentence)


def _refused_from_elsewhere(request: Request) -> Response | None:
    # Another site may link here, but must not choose who is signed in.
    if request.headers.get("sec-fetch-site", "same-origin") == "same-origin":
        return None
    return plainly("Sign in and out from the dashboard's own page.")


ROUTES = [
    Route("/healthz", healthz),
    Route("/readyz", Readiness().answer),
    Route(f"/{export_links.EXPORT_PATH}/{{name}}", export),
    Route("/local-sign-in", sign_in_locally),
    Route("/local-sign-out", sign_out_locally),
    Route(f"/{sign_in.PROXY_SIGN_IN}", sign_in_by_proxy),
    Route("/proxy-sign-out", sign_out_by_proxy),
]
