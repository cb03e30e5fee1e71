"""Streamlit's own options from the environment, such as ``STREAMLIT_SERVER_ADDRESS``.

Streamlit's command reads them; an app that is started without it has to read them itself.
"""

import os
import re
from typing import Any

import click
from streamlit import config
from streamlit.config_option import ConfigOption

from data_access.db.errors import SettingMissing


def set_all(**others: Any) -> dict[str, Any]:  # noqa: ANN401 - the values of many options
    """Set what the environment says and then ``others``, by their names with ``_`` for the dot.

    Returns all of them by name. Raises SettingMissing for a value that an option cannot take.
    """
    options = _in_environment() | {
        name.replace("_", "."): value for name, value in others.items() if value is not None
    }
    for name, value in options.items():
        config.set_option(name, value, "environment variable")
    return options


def _in_environment() -> dict[str, Any]:
    # Streamlit reads secret ones itself.
    return {
        name: _value(option, os.environ[option.env_var])
        for name, option in config.get_config_options().items()
        if not option.sensitive and option.env_var in os.environ
    }


def _value(option: ConfigOption, written: str) -> Any:  # noqa: ANN401 - as the option says
    if option.multiple:
        return [one for one in re.split(r"[,\s]+", written) if one]
    try:
        return click.types.convert_type(option.type).convert(written, None, None)
    except click.BadParameter as wrong:
        raise SettingMissing(f"{option.env_var} cannot be used: {wrong.message}") from None
