"""Errors of a page: what it shows, and what is logged."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import streamlit as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.shell.files import plainly
from dashboard.ui import states
from data_access.db import database
from data_access.db.logs import LOG, named, path_asked

LONGEST_PATH = 200


def report(error: Exception) -> bool:
    """Show that the database is busy or unavailable, or the reference of an unexpected error."""
    if not is_unavailable(error):
        reference = new_reference()
        path = urlsplit(st.context.url or "").path
        known = {"reference": reference, "path": path}
        LOG.error("page failed, reference %s", reference, exc_info=error, extra=known)
        states.broken(reference)
    return True


@contextmanager
def unavailable_is_shown() -> Iterator[None]:
    """Show that the database is unavailable instead of the rest of what is drawn here."""
    try:
        yield
    except Exception as error:
        if not is_unavailable(error):
            raise


def is_unavailable(error: Exception) -> bool:
    """Show that the database is unavailable instead of the page; ``False`` for other errors."""
    refusal = database.refusal_for(error)
    if refusal is None:
        return False
    cause = error.__cause__ or error
    LOG.warning("page not drawn: %s (%s)", refusal, named(getattr(cause, "orig", None) or cause))
    states.unavailable(str(refusal))
    return True


def new_reference() -> str:
    """Return a reference that a person can read out, and an administrator finds in the log."""
    return secrets.token_hex(3).upper()


class LoggedRequests:
    """Names the path in every line of a request, and gives its unexpected errors a reference."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; answer an error in a sentence if nothing was answered yet."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        # It is not reset: the server logs errors after this returns, in the request's own task.
        path_asked.set(scope["path"][:LONGEST_PATH])
        answers = False

        async def send_noted(message: Message) -> None:
            nonlocal answers
            answers = True
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        except Exception as error:
            if answers or scope["type"] != "http":
                raise
            reference = new_reference()
            LOG.error(
                *("request failed, reference %s", reference),
                exc_info=error,
                extra={"reference": reference},
            )
            await plainly(states.failed(reference), status=500)(scope, receive, send)
