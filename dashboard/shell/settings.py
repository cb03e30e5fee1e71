"""The server's required settings, checked before it accepts connections."""

import tomllib
from pathlib import Path

import streamlit as st

from data_access.db import database
from data_access.db.errors import SettingMissing


def require() -> None:
    """Raise SettingMissing for an address or a secrets file that cannot be read."""
    database.require_settings()
    for path in st.get_option("secrets.files"):
        _require_readable(Path(path))


def _require_readable(path: Path) -> None:
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        # The error's text may contain a secret.
        raise SettingMissing(
            f"{path} cannot be read as TOML, so nobody could sign in. Correct or remove it."
        ) from None
