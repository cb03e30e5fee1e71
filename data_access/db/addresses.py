"""Addresses of databases as people write them, and why a server refuses a connection.

An address may name several hosts, of which the first that responds is used:
``postgresql://user:password@one:5432,two:5432/database?target_session_attrs=read-write``.
Errors never repeat an address, which may contain a password.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from data_access.db.errors import DatabaseRefused, DatabaseUnavailable, SettingMissing

SCHEME = re.compile(r"postgres(?:ql)?(?:\+psycopg[23]?)?://")
BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
PORTS = re.compile(r"[0-9]*(?:,[0-9]*)*")
HOW = "Write it as postgresql://user:password@host:5432/database, or unset it."


def parse(name: str, value: str) -> dict[str, str]:
    """Return the parameters of the address in the setting ``name``. Raises SettingMissing."""
    if value.strip() and value != value.strip():
        raise SettingMissing(
            f"{name} begins or ends with a space or a line break. Remove it: a file of settings "
            "may have added it."
        )
    found = SCHEME.match(value)
    if found is None:
        raise SettingMissing(f"{name} is not a Postgres address. {HOW}")
    address = "postgresql://" + _signs_escaped(value[found.end() :])
    if BAD_PERCENT.search(address):
        raise SettingMissing(
            f"{name} contains a % that is not followed by two hexadecimal digits. Write % as %25."
        )
    parameters = _read(address)
    if parameters is None and _read(address.partition("?")[0]) is not None:
        raise SettingMissing(
            f"{name} contains an option that Postgres does not know. Correct what follows the ?."
        )
    if parameters is None or not PORTS.fullmatch(parameters.get("port", "")):
        raise SettingMissing(f"{name} is not a Postgres address. {HOW}")
    return parameters


def joined(parameters: Mapping[str, str]) -> str:
    """Return the parameters as one text, which `split` reads again."""
    return make_conninfo(**parameters)


def split(text: str) -> dict[str, Any]:
    """Return the parameters of a text that `joined` made, or of an address."""
    return dict(parse("The address", text) if SCHEME.match(text) else conninfo_to_dict(text))


def _signs_escaped(rest: str) -> str:
    """Escape a sign @ within the user or password, which people often leave as it is."""
    authority = re.match(r"[^/?]*", rest)
    assert authority is not None
    login, sign, hosts = authority[0].rpartition("@")
    return login.replace("@", quote("@")) + sign + hosts + rest[authority.end() :]


def _read(address: str) -> dict[str, str] | None:
    try:
        found = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        return None
    return {key: str(value) for key, value in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a server refuses a connection: its words, and what to do, naming the setting.

    In ``words`` three dots stand for a name. It will not go away by itself, so a program that
    starts with it stops.
    """

    words: tuple[str, ...]
    sentence: str

    def matches(self, error: str) -> bool:
        """Whether these are the server's words."""
        return any(
            re.search(".*".join(map(re.escape, one.split("..."))), error) for one in self.words
        )


CAUSES: tuple[Cause, ...] = (
    Cause(
        words=("password authentication failed", "no password supplied"),
        sentence="The database refused the password of the login {user}. Correct it in {setting}.",
    ),
    Cause(
        words=('database "..." does not exist',),
        sentence="The server has no database {dbname}. Create it, or correct the name in "
        "{address}.",
    ),
    Cause(
        words=('role "..." does not exist', 'role "..." is not permitted to log in'),
        sentence="The database has no login {user}. Create it, with `python -m data_access "
        "privileges` for the separate logins, or correct the name in {address}.",
    ),
    Cause(
        words=("certificate verify failed", "root certificate file", "server certificate for"),
        sentence="The certificate of the database's server cannot be verified. Name the "
        "authority's certificate as sslrootcert in {address}, or correct the host.",
    ),
    Cause(
        words=("does not support SSL", "SSL error"),
        sentence="The database and this program do not agree on TLS. Switch it on at the server, "
        "or correct sslmode in {address}.",
    ),
    Cause(
        words=("no pg_hba.conf entry",),
        sentence="The server admits no login {user} from this computer, or only with TLS. Add a "
        "line to its pg_hba.conf, or set sslmode=require in {address}.",
    ),
)
NOT_RESPONDING = (
    "The database is not responding. Check that Postgres is running and {address} is correct. "
    "Confirmed work is safe."
)


def refusal(
    error: psycopg.OperationalError, *, setting: str, address: str, parameters: Mapping[str, Any]
) -> DatabaseUnavailable:
    """Return the refusal for a connection that failed.

    ``setting`` holds the password, ``address`` the rest of the address.
    """
    words = {
        "setting": setting,
        "address": address,
        "user": parameters.get("user", "of this computer's user"),
        "dbname": parameters.get("dbname", "of the login's name"),
    }
    for cause in CAUSES:
        if cause.matches(str(error)):
            return DatabaseRefused(cause.sentence.format(**words))
    return DatabaseUnavailable(NOT_RESPONDING.format(**words))
