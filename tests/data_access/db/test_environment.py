"""The table of settings: what is misspelled is named, and every secret is known to the log."""

import pytest

from data_access.db import environment, logs
from data_access.db.environment import SETTINGS, Setting


def test_a_misspelled_setting_is_named_with_the_one_that_is_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_REPLICA", "postgresql://replica/review")
    monkeypatch.setenv("NOTIFY_COLOUR", "green")

    assert environment.unknown() == [
        "DATABASE_REPLICA is not a setting; is DATABASE_REPLICA_URL meant?",
        "NOTIFY_COLOUR is not a setting",
    ]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_no_secret_of_a_setting_appears_in_the_log(
    monkeypatch: pytest.MonkeyPatch, setting: Setting
) -> None:
    monkeypatch.setattr(logs, "_hidden", set())
    secret = "wunderbar-1234"
    value = f"postgresql://ana:{secret}@db/review" if setting.address else secret
    monkeypatch.setenv(setting.name, value)

    logs.hide_settings()

    hidden = setting.secret or setting.address
    assert (secret in logs.without_secrets(f"it is {secret}")) is not hidden
