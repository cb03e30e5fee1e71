"""Errors of a page: what it shows, and what is logged."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from dashboard.ui import states
from data_access.db import database
from data_access.db.logs import LOG, named


def report(error: Exception) -> bool:
    """Show that the database is busy or unavailable, or the reference of an unexpected error."""
    if not is_unavailable(error):
        reference = secrets.token_hex(3).upper()
        LOG.error("page failed, reference %s", reference, exc_info=error)
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
