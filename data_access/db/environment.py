"""Every setting in the environment, as one table. Code, log, ``doctor`` and documents read it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from data_access.db.roles import Login, variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. ``default`` is what holds without it, in words.

    An ``address`` may contain a password; a ``secret`` is one. Neither is shown or logged.
    """

    name: str
    meaning: str
    default: str
    secret: bool = False
    address: bool = False


def _password(login: Login, what: str) -> Setting:
    return Setting(
        name=variable(login),
        meaning=f"Password of the login `{login}`, for {what}; empty: sign in without one",
        default="the login in `DATABASE_URL`",
        secret=True,
    )


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="DATABASE_URL",
        meaning="Postgres 15 to 18: `postgresql://user:password@host:5432/database`; several hosts "
        "by commas",
        default="the embedded Postgres under `.data/`",
        address=True,
    ),
    Setting(
        name="DATABASE_DIRECT_URL",
        meaning="The server itself, if `DATABASE_URL` leads to a pooler in transaction mode",
        default="no pooler",
        address=True,
    ),
    Setting(
        name="DATABASE_REPLICA_URL",
        meaning="A replica, which figures and exports read",
        default="the database itself",
        address=True,
    ),
    _password(Login.WRITER, "acts"),
    _password(Login.READER, "screens, exports and the weekly report"),
    _password(Login.LOADER, "loads and refreshes"),
    _password(Login.DELIVERER, "the worker"),
    _password(Login.ANALYST, "BI tools; only `privileges` reads it"),
    Setting(
        name="SMTP_URL",
        meaning="Mail server for messages to applicants and for mail to staff",
        default="no mail",
        address=True,
    ),
    Setting(
        name="NOTIFY_WEBHOOK_URL",
        meaning="Address of your backend that takes messages",
        default="no webhook",
        address=True,
    ),
    Setting(
        name="NOTIFY_WEBHOOK_SECRET",
        meaning="Signs what is sent there",
        default="required with the webhook",
        secret=True,
    ),
    Setting(
        name="NOTIFY_WEBHOOK_HOSTS",
        meaning="Hosts that the webhook may use, by commas",
        default="the host of its address",
    ),
    Setting(
        name="HISTORY_KEY_FILE",
        meaning="File with the Ed25519 key that signs the history's head",
        default="`history head` cannot sign",
    ),
    Setting(
        name="LOG_FORMAT",
        meaning="`json` or `text`",
        default="text on a terminal, JSON elsewhere",
    ),
    Setting(
        name="METRICS_PORT",
        meaning="Port of this computer on which a process of the dashboard shows its metrics to "
        "Prometheus",
        default="no metrics",
    ),
    Setting(
        name="AFFILIATE_REVIEW_HOME",
        meaning="Folder of the embedded Postgres, local secrets, files that are being exported, "
        "and months of `archive`, unless its `--to` names another folder: keep copies of those",
        default="`.data/`",
    ),
    Setting(
        name="FORWARDED_ALLOW_IPS",
        meaning="Addresses of proxies whose X-Forwarded-Proto is believed, by commas",
        default="this computer",
    ),
    Setting(
        name="SIGN_IN_HEADER",
        meaning="Header with the e-mail address of whom a proxy has signed in, "
        "such as `X-Auth-Email`; see [sign-in.md](sign-in.md)",
        default="no sign-in by a header",
    ),
    Setting(
        name="SIGN_IN_HEADER_FROM",
        meaning="Addresses or networks that this proxy connects from, by commas; both or neither",
        default="no sign-in by a header",
    ),
    Setting(
        name="SSL_CERT_FILE",
        meaning="Certificates to trust for mail and webhook",
        default="the system's",
    ),
    Setting(
        name="PGPASSWORD",
        meaning="Postgres's own setting, for an address without a password",
        default="none",
        secret=True,
    ),
)
BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
# Others of Streamlit and Postgres begin otherwise.
OWN = ("DATABASE_", "NOTIFY_", "HISTORY_", "SMTP_", "SIGN_IN_")


def get(name: str) -> str:
    """Return a setting's value; empty if it is unset."""
    return os.environ.get(BY_NAME[name].name, "")


def secrets() -> Iterator[str]:
    """Yield the secrets that are set."""
    yield from (get(setting.name) for setting in SETTINGS if setting.secret)


def addresses() -> Iterator[str]:
    """Yield the addresses that are set, which may contain passwords."""
    yield from (get(setting.name) for setting in SETTINGS if setting.address)


def unknown() -> list[str]:
    """Return variables that look like settings of this program and are none, in words."""
    found = [name for name in os.environ if name.startswith(OWN) and name not in BY_NAME]
    return [_in_words(name) for name in sorted(found)]


def _in_words(name: str) -> str:
    meant = get_close_matches(name, BY_NAME, n=1, cutoff=0.8)
    return f"{name} is not a setting" + (f"; is {meant[0]} meant?" if meant else "")
