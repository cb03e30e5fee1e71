"""Logging without secrets and without typed text, as JSON or for people."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from urllib.parse import unquote

import psycopg
from sqlalchemy.exc import DBAPIError, StatementError

from data_access.db import environment
from data_access.db.errors import SettingMissing

LOG = logging.getLogger("affiliate_review")
LINE = "%(asctime)s %(levelname)s %(message)s"
FORMAT_SETTING = "LOG_FORMAT"
# A shorter one would take ordinary words out of lines.
SHORTEST_SECRET = 6
SECRETS_IN_TEXT = (
    (re.compile(r"(://[^:/@\s]*):[^@\s]+@"), r"\1:***@"),
    (re.compile(r"(?i)\b(\w*(?:password|passwd|secret|token))(['\"]?\s*[=:]\s*)\S+"), r"\1\2***"),
    (re.compile(r"(?i)\b(authorization|cookie)(['\"]?\s*[=:]\s*)[^\r\n]+"), r"\1\2***"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w+/=.~-]{8,}"), r"\1 ***"),
)
MAIL_ADDRESS = re.compile(r"(?<![/\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}

# The path that is being answered, for the lines that are logged meanwhile.
path_asked: ContextVar[str] = ContextVar("path_asked", default="")
_hidden: set[str] = set()


def hide(*secrets: str) -> None:
    """Replace these values, as they are and as in an address, in all later lines."""
    for secret in secrets:
        _hidden.update(s for s in (secret, unquote(secret)) if len(s) >= SHORTEST_SECRET)


def hide_settings() -> None:
    """Hide the secrets in the environment.

    Of addresses: their passwords, and whatever a webhook's holds besides its host.
    """
    hide(*environment.secrets())
    for address in environment.addresses():
        hide(*_passwords(address))
    webhook = environment.get("NOTIFY_WEBHOOK_URL")
    beyond_host = re.search(r"://[^/?#]*([^\s]*)", webhook)
    if beyond_host:
        hide(
            *(
                part
                for part in re.split(r"[/?#&=]", beyond_host[1])
                if len(part) > 2 * SHORTEST_SECRET
            )
        )


def _passwords(address: str) -> Iterator[str]:
    """Yield what may be an address's password; a sign such as @ may stand in it unescaped."""
    # Parsers refuse some addresses, and their errors would repeat them.
    for part in (address, address.partition("?")[0]):
        for pattern in (r"://[^/]*?:(.*)@", r"://[^/]*?:(.*?)@"):
            found = re.search(pattern, part)
            if found:
                yield found[1]


def without_secrets(text: str) -> str:
    """Return ``text`` with passwords, tokens and secrets replaced."""
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, "***")
    for pattern, replacement in SECRETS_IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def redacted(line: str) -> str:
    """Return ``line`` without secrets and without e-mail addresses."""
    return MAIL_ADDRESS.sub("(an address)", without_secrets(line))


class RedactingFormatter(logging.Formatter):
    """Formats log lines and tracebacks without secrets, and database errors without values."""

    def format(self, record: logging.LogRecord) -> str:
        """Format the line and redact it."""
        return redacted(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """Format the message on one line, whatever signs it has."""
        return super().formatMessage(record).translate(CONTROLS)

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


class JsonFormatter(RedactingFormatter):
    """Formats a record as one JSON object on one line, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """Format the record: its time, level, logger and message, and what else is known."""
        written = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "reference": getattr(record, "reference", ""),
            "path": getattr(record, "path", "") or path_asked.get(),
            "error": self.formatException(record.exc_info) if record.exc_info else "",
        }
        # Escaped, so that no sign of a message can break the line or move a terminal's cursor.
        return json.dumps({name: redacted(value) for name, value in written.items() if value})


def formatter() -> RedactingFormatter:
    """Return the formatter of LOG_FORMAT: for people on a terminal, and JSON elsewhere.

    Raises SettingMissing for any other value.
    """
    wanted = environment.get(FORMAT_SETTING).strip().lower()
    if wanted not in ("", "json", "text"):
        raise SettingMissing(f"{FORMAT_SETTING} is json or text. Correct it, or unset it.")
    as_text = wanted == "text" or (not wanted and sys.stderr.isatty())
    return RedactingFormatter(LINE) if as_text else JsonFormatter()


def handler() -> logging.Handler:
    """Return a handler that writes to stderr what the formatter makes."""
    made = logging.StreamHandler()
    made.setFormatter(formatter())
    return made


def set_up(*names: str) -> None:
    """Send the product's log, warnings, and other loggers by name, through the formatter."""
    hide_settings()
    logging.captureWarnings(capture=True)
    for name in (LOG.name, "py.warnings", *names):
        logger = logging.getLogger(name)
        if any(isinstance(h.formatter, RedactingFormatter) for h in logger.handlers):
            continue
        logger.handlers = [handler()]
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
