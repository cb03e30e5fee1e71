"""Applications from an Airtable CSV export."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from data_access import loading
from data_access.loading import LoadRefused

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
HEADER = "UID,Social Media Account Name,Contact Platform,Contact Information,Created"
AT = "2026-03-01T10:00:00.000Z"


@pytest.fixture
def accounts(engine: Engine) -> Engine:
    names = {1: "ana", 2: "bob", 3: "twin", 4: "twin", 5: "505"}
    with engine.begin() as connection:
        for account_id, username in names.items():
            connection.execute(
                text(
                    "insert into exchange.accounts (account_id, username, created_at) values (:i, :n, now())"
                ),
                {"i": account_id, "n": username},
            )
    return engine


def export(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "Applications-Grid view.csv"
    path.write_text("\ufeff" + "\r\n".join([header, *rows]) + "\r\n", "utf-8")
    return path


def load(engine: Engine, path: Path, mapping: Path | None = None) -> loading.LoadReport:
    return loading.load(
        engine, "applications", [path], now=NOW, source_format="airtable", mapping=mapping
    )


def refusal(engine: Engine, path: Path, mapping: Path | None = None) -> LoadRefused:
    with pytest.raises(LoadRefused) as caught:
        load(engine, path, mapping)
    assert stored(engine) == []
    return caught.value


def stored(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "select account_id, social_platform, social_handle, contact_platform, contact_handle, "
                "submitted_at, status from exchange.applications order by 1"
            )
        )
        return [tuple(row) for row in found]


def a_map(folder: Path, content: str) -> Path:
    path = folder / "map.toml"
    path.write_text(content)
    return path


def test_an_export_with_common_field_names_needs_no_map(accounts: Engine, tmp_path: Path) -> None:
    path = export(tmp_path, f'1,@ana,Telegram,"@ana, or\nmail  me ",{AT}', f"2,@bob,,,{AT}")

    assert load(accounts, path).rows_inserted == 2
    moment = datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert stored(accounts) == [
        (1, "x", "@ana", "telegram", "@ana, or mail me", moment, "pending"),
        (2, "x", "@bob", None, None, moment, "pending"),
    ]


def test_the_same_export_again_changes_nothing(accounts: Engine, tmp_path: Path) -> None:
    path = export(tmp_path, f"1,@ana,Telegram,@ana,{AT}")
    load(accounts, path)

    again = load(accounts, path)

    assert (again.rows_inserted, again.rows_updated) == (0, 0)


@pytest.mark.parametrize(
    ("word", "platform"),
    [
        ("X", "x"),
        ("Twitter", "x"),
        ("X (Twitter)", "x"),
        ("TELEGRAM", "telegram"),
        ("E-mail", "email"),
        ("Mastodon", "mastodon"),
        ("", "x"),
    ],
)
def test_platform_words_are_taken_in_any_case(
    accounts: Engine, tmp_path: Path, word: str, platform: str
) -> None:
    header = HEADER.replace("Contact Platform", "Social Media Platform")
    load(accounts, export(tmp_path, f"1,@ana,{word},@ana,{AT}", header=header))

    assert stored(accounts)[0][1] == platform


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Username", "bob"),
        ("Username", "@bob"),
        ("Account", "2"),
        ("Account", "bob"),
        ("account id", "2"),
    ],
)
def test_an_account_is_named_by_id_or_username(
    accounts: Engine, tmp_path: Path, field: str, value: str
) -> None:
    header = HEADER.replace("UID", field)
    load(accounts, export(tmp_path, f"{value},@bob,,,{AT}", header=header))

    assert stored(accounts)[0][0] == 2


@pytest.mark.parametrize(
    ("who", "column", "reason"),
    [
        ("9,", "account_id", "is not a known account"),
        (",nobody", "username", "is not the username of a known account"),
        (",Bob", "username", "is not the username of a known account"),
        (",twin", "username", "is several accounts' username"),
        ("1,bob", "username", "is not the username of the account that the row's id names"),
        (",", "account_id", "the row names no account"),
        ("x,", "account_id", "is not a whole number"),
    ],
)
def test_a_row_that_names_no_known_account_is_reported_not_guessed(
    accounts: Engine, tmp_path: Path, who: str, column: str, reason: str
) -> None:
    header = HEADER.replace("UID", "UID,Username")
    path = export(tmp_path, f'1,ana,@a,,"two\nlines",{AT}', f"{who},@x,,,{AT}", header=header)

    (problem,) = refusal(accounts, path).problems

    assert (problem.line, problem.column) == (4, column)
    assert reason in problem.reason


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("3/1/2026 10:00am", "in Airtable add a formula field"),
        ("2026-03-01 10:00", "in Airtable add a formula field"),
        ("2026-03-01", "in Airtable add a formula field"),
        ("March 1, 2026", "in Airtable add a formula field"),
        ("2026-04-02T10:00:00.000Z", "lies in the future"),
        ("", "is empty"),
    ],
)
def test_a_date_that_is_not_a_moment_is_refused_with_airtables_remedy(
    accounts: Engine, tmp_path: Path, written: str, reason: str
) -> None:
    (problem,) = refusal(accounts, export(tmp_path, f'1,@a,,,"{written}"')).problems

    assert (problem.line, problem.column) == (2, "submitted_at")
    assert reason in problem.reason


def test_fields_that_are_no_columns_are_passed_over(accounts: Engine, tmp_path: Path) -> None:
    path = export(
        tmp_path, f'1,@ana,,,{AT},"anything\nat ""all"""', header=HEADER + ",Notes to self"
    )

    assert load(accounts, path).rows_inserted == 1


def test_a_map_names_the_fields_and_the_words(accounts: Engine, tmp_path: Path) -> None:
    mapping = a_map(
        tmp_path,
        '[fields]\nusername = "Who"\nsocial_handle = "Handle"\nsubmitted_at = "When"\n'
        'social_platform = "Where"\nstatus = "State"\n[platforms]\n"Bird site" = "x"\n',
    )
    path = export(
        tmp_path, f"9,bob,@bob,Bird Site,{AT},Withdrawn", header="UID,Who,Handle,Where,When,State"
    )

    load(accounts, path, mapping)

    assert [(row[0], row[1], row[6]) for row in stored(accounts)] == [(2, "x", "withdrawn")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('[fields]\nfollowers = "Followers"\n', "names followers; under"),
        ('[field]\nusername = "Who"\n', "names field; under"),
        ("[fields\n", "is not TOML"),
        ("fields = 3\n", "has fields that are no table"),
        ('[fields]\nusername = "Who"\n', "or `username` is no field"),
        ('[fields]\nsubmitted_at = "When"\n', "is none of the export's fields"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(
    accounts: Engine, tmp_path: Path, content: str, reason: str
) -> None:
    refused = refusal(accounts, export(tmp_path, f"1,@a,,,{AT}"), a_map(tmp_path, content))

    assert reason in refused.problems[0].reason


def test_two_fields_for_one_column_are_not_chosen_between(accounts: Engine, tmp_path: Path) -> None:
    path = export(tmp_path, f"1,1,@a,,,{AT}", header="Account ID," + HEADER)

    assert "could be `Account ID` and `UID`; say which with --map" in str(refusal(accounts, path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (HEADER.encode() + b"\n", "has a header and no rows"),
        (HEADER.encode() + b"\n1,@a\n", "has 2 columns instead of 5"),
        (HEADER.encode() + b'\n1,"@a,,,\n', "is not CSV from line"),
        (HEADER.encode() + b"\n1,@\xe9,,,\n", "is not UTF-8"),
        (
            HEADER.encode() + b"\n1,a\0b,,," + AT.encode() + b"\n",
            "has an invisible character (U+0000",
        ),
        (b"<html>", "is a web page"),
    ],
)
def test_a_file_that_is_no_export_is_refused(
    accounts: Engine, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(content)

    assert reason in str(refusal(accounts, path))
