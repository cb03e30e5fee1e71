"""Logging without secrets and without typed text."""

import logging
import re
import traceback
from collections.abc import Iterator
from types import TracebackType

import psycopg
from sqlalchemy.exc import DBAPIError, StatementError

LOG = logging.getLogger("affiliate_review")
LINE = "%(asctime)s %(levelname)s %(message)s"
SECRETS_IN_TEXT = (
    (re.compile(r"(://[^:/@\s]*):[^@\s]+@"), r"\1:***@"),
    (re.compile(r"(?i)\b(\w*(?:password|passwd|secret|token))(['\"]?\s*[=:]\s*)\S+"), r"\1\2***"),
)


def redacted(line: str) -> str:
    """Return ``line`` with passwords, tokens and secrets replaced."""
    for pattern, replacement in SECRETS_IN_TEXT:
        line = pattern.sub(replacement, line)
    return line


class RedactingFormatter(logging.Formatter):
    """Formats log lines and tracebacks without secrets, and database errors without values."""

    def format(self, record: logging.LogRecord) -> str:
        """Format the line and redact it."""
        return redacted(super().format(record))

    def formatException(  # noqa: N802 - logging's own name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Format the traceback; Postgres puts values into its messages, so codes replace those."""
        error = ei[1]
        if error is None:
            return ""
        parts = [
            "".join(traceback.format_tb(one.__traceback__)) + named(one) for one in _chain(error)
        ]
        return "\n\nThen, because of it:\n".join(reversed(parts))


def set_up(*names: str) -> None:
    """Send the product's log, and other loggers by name, through the formatter."""
    for name in (LOG.name, *names):
        logger = logging.getLogger(name)
        formatted = any(isinstance(h.formatter, RedactingFormatter) for h in logger.handlers)
        if formatted:
            continue
        handler = logging.StreamHandler()
        handler.setFormatter(RedactingFormatter(LINE))
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.INFO)


def named(error: BaseException) -> str:
    """Format an error in a line: a database error without its values, any other with its text."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.Error):
        return f"{kind}: {_codes(error.orig)}"
    if isinstance(error, psycopg.Error):
        return f"{kind}: {_codes(error)}"
    if isinstance(error, StatementError):
        return kind
    return "".join(traceback.format_exception_only(error)).rstrip("\n")


def _codes(error: psycopg.Error) -> str:
    diag = error.diag
    known = {
        "schema": diag.schema_name,
        "table": diag.table_name,
        "column": diag.column_name,
        "constraint": diag.constraint_name,
    }
    places = " ".join(f"{name}={value}" for name, value in known.items() if value)
    return f"{type(error).__name__} {error.sqlstate or 'without a code'} {places}".rstrip()


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
