"""The server's routes besides pages: downloads, and the local sign-in and sign-out."""

import asyncio
from datetime import UTC, datetime

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard.shell import browsers, downloads, export_links, identity, local_sign_in, sessions
from dashboard.shell.downloads import Asker
from dashboard.shell.files import plainly
from dashboard.shell.readiness import NOT_CACHED, Readiness, healthz
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
    response = RedirectResponse(link.back_to, status_code=303, headers=NOT_CACHED)
    response.set_cookie(
        local_sign_in.COOKIE,
        local_sign_in.mint_cookie(link.secret),
        max_age=int(LONGEST.total_seconds()),
        httponly=True,
        samesite="strict",
    )
    return response


def sign_out_locally(request: Request) -> Response:
    """End the local session."""
    refused = _refused_locally(request)
    if refused is not None:
        return refused
    try:
        sessions.end(local_sign_in.session_key(request.cookies.get(local_sign_in.COOKIE)))
    except DatabaseUnavailable as unavailable:
        return plainly(str(unavailable), status=503)
    response = RedirectResponse("/", status_code=303, headers=NOT_CACHED)
    response.delete_cookie(local_sign_in.COOKIE, httponly=True, samesite="strict")
    return response


def _refused_locally(request: Request) -> Response | None:
    sentence = local_sign_in.obstacle(
        server_address=st.get_option("server.address"), headers=request.headers
    )
    client = request.client.host if request.client else None
    if sentence is None and not local_sign_in.is_loopback(client):
        sentence = "The local sign-in works on this computer only."
    # Another site may link here, but must not choose who is signed in.
    if sentence is None and request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        sentence = "Sign in and out from the dashboard's own page."
    return None if sentence is None else plainly(sentence)


ROUTES = [
    Route("/healthz", healthz),
    Route("/readyz", Readiness().answer),
    Route(f"/{export_links.EXPORT_PATH}/{{name}}", export),
    Route("/local-sign-in", sign_in_locally),
    Route("/local-sign-out", sign_out_locally),
]
