"""Applications from an Airtable CSV export."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from data_access import loading
from data_access.loading import Delivery, LoadRefused

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
    delivery = Delivery(
        kind="applications", paths=[path], source_format="airtable", mapping=mapping
    )
    return loading.load(engine, delivery, now=NOW)


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
        ("Mastodon", "Mastodon"),
        ("КОНТАКТ", "КОНТАКТ"),
        ("TIK TOK", "tiktok"),
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
        ('" ","‎"', "account_id", "the row names no account"),
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
        ("2026-04-02T10:00:00.000Z", "is in the future"),
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
        (HEADER.encode() + b"\n1,@\xe9,,,\n", "is not UTF-8; it looks like Windows-1252"),
        (
            HEADER.encode() + "\n1,@é".encode() + b"\xff,,,\n",
            "has damaged bytes that are not UTF-8",
        ),
        (HEADER.encode() + b"\n,@a,,," + AT.encode() + b"\n", "the row names no account"),
        (
            HEADER.encode() + b"\n1,a\0b,,," + AT.encode() + b"\n",
            "has an invisible character (U+0000",
        ),
        (b"<html>", "is a web page"),
        (b"a\0b,c\n1,2\n", "holds NUL bytes in its first line"),
        (HEADER.encode("utf-16")[:-1], "is not UTF-16 text or cut short"),
        (
            f"{HEADER},UID\n1,@a,,,{AT},1\n".encode(),
            "stands above 2 columns, `UID`; rename all but one of them",
        ),
        (
            f"{HEADER},created \n1,@a,,,{AT},{AT}\n".encode(),
            "stands above 2 columns, `Created`; rename all but one of them",
        ),
        (f"{HEADER}\nUID 1,@a,,,{AT}\n".encode(), "is not a whole number; write digits only"),
    ],
)
def test_a_file_that_is_no_export_is_refused(
    accounts: Engine, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(content)

    assert reason in str(refusal(accounts, path))


@pytest.mark.parametrize(
    ("field", "written", "reason"),
    [
        ("UID", "3.0", "choose Integer instead of Decimal"),
        ("UID", "3.00", "choose Integer instead of Decimal"),
        ("UID", '"1,234.0"', "choose Integer instead of Decimal"),
        ("UID", '"1,234"', "is a number with thousands separators; in Airtable"),
        ("Account", "3.0", "choose Integer instead of Decimal"),
        ("Application ID,UID", "7.0,1", "choose Integer instead of Decimal"),
        ("UID", "abc", "is not a whole number"),
    ],
)
def test_a_number_that_airtable_formatted_names_the_fields_format(
    accounts: Engine, tmp_path: Path, field: str, written: str, reason: str
) -> None:
    path = export(tmp_path, f"{written},@a,,,{AT}", header=HEADER.replace("UID", field))

    (problem,) = refusal(accounts, path).problems

    assert reason in problem.reason


@pytest.mark.parametrize(
    ("date_format", "zone", "written", "moment"),
    [
        ("D/M/YYYY h:mma", "UTC", "25/4/2025 3:01pm", "2025-04-25T15:01:00"),
        ("European", "Europe/Istanbul", "4/5/2025 12:30am", "2025-05-03T21:30:00"),
        ("US", "America/New_York", "4/5/2025 6:10pm", "2025-04-05T22:10:00"),
        ("ISO", "+03:00", "2025-04-25 15:01", "2025-04-25T12:01:00"),
        ("friendly", "UTC", "April 25, 2025 3:01 PM", "2025-04-25T15:01:00"),
        ("D.M.YYYY HH:mm", "Europe/Berlin", "25.4.2025 15:01:07", "2025-04-25T13:01:07"),
        ("US", "Asia/Tokyo", "2025-04-25T15:01:00.000Z", "2025-04-25T15:01:00"),
    ],
)
def test_a_map_says_in_which_format_and_zone_dates_are_shown(
    accounts: Engine, tmp_path: Path, date_format: str, zone: str, written: str, moment: str
) -> None:
    mapping = a_map(tmp_path, f'[dates]\nformat = "{date_format}"\nzone = "{zone}"\n')

    load(accounts, export(tmp_path, f'1,@ana,,,"{written}"'), mapping)

    assert stored(accounts)[0][5] == datetime.fromisoformat(moment + "+00:00")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("13/13/2025 10:00", "does not exist in the calendar"),
        ("30/3/2025 2:30", "does not exist in Europe/Berlin"),
        ("26/10/2025 2:30", "was twice in Europe/Berlin"),
        ("25/4/2025", "has no time of day"),
        ("25/4/2025 13:00pm", "does not exist in the calendar"),
        ("25/4/25 10:00", "is not a date as the map says, 25/4/2026"),
        ("soon", "is not a date as the map says, 25/4/2026"),
        ("1/5/2026 10:00", "is in the future"),
        ("1/1/0001 00:00", "lies outside the calendar"),
        ("1/1/1900 00:00", "is before 2010-01-01"),
        ("1 marras 2025 10:00", "does not exist in the calendar"),
        ("1 Mayonnaise 2025 10:00", "does not exist in the calendar"),
        ("45382.5", "is not a date as the map says, 25/4/2026"),
    ],
)
def test_a_date_that_the_maps_format_cannot_read_is_refused(
    accounts: Engine, tmp_path: Path, written: str, reason: str
) -> None:
    mapping = a_map(tmp_path, '[dates]\nformat = "European"\nzone = "Europe/Berlin"\n')

    (problem,) = refusal(accounts, export(tmp_path, f'1,@a,,,"{written}"'), mapping).problems

    assert reason in problem.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('[dates]\nformat = "European"\n', "only one of format and zone"),
        ('[dates]\nformat = "European"\nzone = "Berlin"\n', "names the zone 'Berlin'"),
        ('[dates]\nformat = "European"\nzone = "localtime"\n', "names the zone 'localtime'"),
        ('[dates]\nformat = "European"\nzone = "+03:99"\n', "names the zone '+03:99'"),
        ('[dates]\nformat = "European"\nzone = "+٠٣:٠٠"\n', "names the zone"),
        ('[dates]\nformat = "usual"\nzone = "UTC"\n', "names the date format 'usual'"),
        ('[statuses]\nDone = "done"\n', "has statuses done; those here are pending"),
        ('[file]\nencoding = "ebcdic"\n', "has the encoding 'ebcdic'"),
        ('[file]\nseparator = ";"\n', "names separator"),
    ],
)
def test_a_map_that_means_nothing_is_refused(
    accounts: Engine, tmp_path: Path, content: str, reason: str
) -> None:
    refused = refusal(accounts, export(tmp_path, f"1,@a,,,{AT}"), a_map(tmp_path, content))

    assert reason in refused.problems[0].reason


def test_statuses_are_mapped_and_a_decided_application_keeps_its_own(
    accounts: Engine, tmp_path: Path
) -> None:
    mapping = a_map(
        tmp_path,
        '[fields]\nstatus = "State"\n[statuses]\n"Under review" = "pending"\nOK = "approved"\n',
    )
    header = f"{HEADER},State"
    load(accounts, export(tmp_path, f"1,@a,,,{AT},ok", header=header), mapping)

    load(
        accounts,
        export(tmp_path, f"1,@a,,,{AT},under  review", f"2,@b,,,{AT},Under review", header=header),
        mapping,
    )

    assert [row[6] for row in stored(accounts)] == ["approved", "pending"]


SEVERAL = (
    "Telegram,Email",
    "Telegram; Signal",
    '"Telegram\nEmail"',
    "Telegram/Email",
    "tg and mail",
    "Telegram or Email",
    "Telegram ve E-posta",
    "Telegram y Correo",
    "Телега или почта",
    "Telegram\uff0cEmail",
    "Telegram\u3001微信",
    "Telegram\uff1bEmail",
    "Telegram \u060c Email",
    "Telegram\tEmail",
    "Telegram \u00b7 Email",
    "\u2022 Telegram \u2022 Email",
    "Telegram - E-mail",
    "Telegram \u2013 Email",
    "Phone/WhatsApp",
    "wa + tg",
    "Signal&Viber",
    "Telegram: Email",
    "Telegram Email",
)


@pytest.mark.parametrize("field", ["Contact Platform", "Social Media Platform"])
def test_several_platforms_in_a_cell_are_named_with_their_row(
    accounts: Engine, tmp_path: Path, field: str
) -> None:
    header = HEADER.replace("Contact Platform", field)
    cells = [written if written.startswith('"') else f'"{written}"' for written in SEVERAL]
    rows = [f"1,@a,{cell},,{AT}" for cell in cells]

    problems = refusal(accounts, export(tmp_path, *rows, header=header)).problems

    # A cell may have lines of its own.
    lines = accumulate((1 + cell.count("\n") for cell in cells[:-1]), initial=2)
    named = {one.line for one in problems if "names several platforms" in one.reason}
    assert [cell for cell, line in zip(cells, lines, strict=True) if line not in named] == []
    assert len(problems) == len(cells)


@pytest.mark.parametrize(
    ("written", "platform"),
    [
        ("Telegram, Telegram", "telegram"),
        ("Telegram,", "telegram"),
        ("email/Gmail", "email"),
        ("X, formerly Twitter", "x"),
        ("FB Messenger", "facebook"),
        ("Google Mail", "email"),
        ("E-mail", "email"),
        ("WhatsApp call", "WhatsApp call"),
        ("Our own chat", "Our own chat"),
        ("Anders & Co", "Anders & Co"),
    ],
)
def test_a_cell_that_names_one_platform_is_never_several(
    accounts: Engine, tmp_path: Path, written: str, platform: str
) -> None:
    load(accounts, export(tmp_path, f'1,@a,"{written}",,{AT}'))

    assert stored(accounts)[0][3] == platform


def test_several_platforms_in_a_cell_may_be_mapped_to_one(accounts: Engine, tmp_path: Path) -> None:
    mapping = a_map(tmp_path, '[platforms]\n"Telegram,Email" = "telegram"\n')

    load(accounts, export(tmp_path, f'1,@a,"Telegram,Email",,{AT}'), mapping)

    assert stored(accounts)[0][3] == "telegram"


@pytest.mark.parametrize(
    ("written", "account"),
    [("1", 1), ("505", 5), ("@505", 5), ("ana", 1), ("5", None), ("twin", None), ("99", None)],
)
def test_a_number_is_an_id_or_a_username_and_never_guessed(
    accounts: Engine, tmp_path: Path, written: str, account: int | None
) -> None:
    with accounts.begin() as connection:
        connection.execute(
            text(
                "insert into exchange.accounts (account_id, username, created_at) values (6, '5', now())"
            )
        )
    path = export(tmp_path, f"{written},@a,,,{AT}", header=HEADER.replace("UID", "Account"))
    if account is None:
        (problem,) = refusal(accounts, path).problems
        assert (problem.line, problem.value) == (2, written)
        return

    load(accounts, path)

    assert stored(accounts)[0][0] == account


@pytest.mark.parametrize(
    ("written", "kept", "sentence"),
    [
        (
            "\u202a+1 555\u2011010\u20110199\u202c",
            "+1 555-010-0199",
            "U+202A LEFT-TO-RIGHT EMBEDDING",
        ),
        ("\u2066@ana\u2069", "@ana", "U+2066 LEFT-TO-RIGHT ISOLATE"),
        ("@an\u200da", "@ana", "U+200D ZERO WIDTH JOINER"),
        ("\ufeff@ana\u00a0x", "@ana x", "U+FEFF"),
        ("Mea 👩\u200d💻 @ana", "Mea 👩\u200d💻 @ana", None),
        ("می\u200cخواهم", "می\u200cخواهم", None),
        ("🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f", None, None),
        ("🏴\U000e0067", "🏴", "U+E0067 TAG LATIN SMALL LETTER G"),
    ],
)
def test_meaningless_invisible_characters_are_removed_and_reported(
    accounts: Engine, tmp_path: Path, written: str, kept: str | None, sentence: str | None
) -> None:
    path = export(tmp_path, f"1,@a\u200e,WhatsApp,{written},{AT}", f"2,@b,,,{AT}")

    report = load(accounts, path)

    assert stored(accounts)[0][2] == "@a"
    assert stored(accounts)[0][4] == (kept or written)
    assert [(n.line, n.column) for n in report.notices] == [
        (2, "social_handle"),
        *([(2, "contact_handle")] if sentence else []),
    ]
    assert sentence is None or sentence in str(report.notices[1])
    assert load(accounts, path).rows_updated == 0


def test_a_form_sent_twice_with_its_platform_in_another_case_counts_once(
    accounts: Engine, tmp_path: Path
) -> None:
    first = f"1,@ana,Our own chat,@ana,{AT}"
    load(accounts, export(tmp_path, first, first.replace("Our", "OUR").replace("10:", "11:")))
    load(accounts, export(tmp_path, first.replace("Our", "our").replace("10:", "12:")))

    assert [row[3] for row in stored(accounts)] == ["Our own chat"]


def test_a_form_sent_twice_counts_once_and_is_reported(accounts: Engine, tmp_path: Path) -> None:
    later = "2026-03-01T10:00:04.000Z"
    path = export(
        tmp_path,
        f"1,@a,Telegram,@a,{AT}",
        f"1,@a,Telegram,@a,{later}",
        f"2,@b,,,{AT}",
        f"2,@b,,,{AT}",
    )

    report = load(accounts, path)

    assert [row[0] for row in stored(accounts)] == [1, 2]
    assert [(n.line, n.reason) for n in report.notices] == [
        (5, "is the same row as line 4; it was counted once"),
        (3, "sent the same as line 2; it was counted once"),
    ]
    again = export(tmp_path, "1,@a,Telegram,@a,2026-03-02T10:00:00.000Z", f"3,@c,,,{AT}")
    assert load(accounts, again).rows_inserted == 1
    assert stored(accounts)[0][5] == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_another_content_sent_later_is_reported_with_a_way_on(
    accounts: Engine, tmp_path: Path
) -> None:
    path = export(tmp_path, f"1,@a,,,{AT}", "1,@other,,,2026-03-02T10:00:00.000Z")

    refused = refusal(accounts, path)

    assert [problem.line for problem in refused.problems] == [3]
    assert "--keep-rest" in refused.summary


def test_the_same_form_sent_again_after_a_rejection_is_a_new_application(
    accounts: Engine, tmp_path: Path
) -> None:
    load(accounts, export(tmp_path, f"1,@a,,,{AT}"))
    with accounts.begin() as connection:
        connection.execute(text("update exchange.applications set status = 'rejected'"))

    load(accounts, export(tmp_path, f"1,@a,,,{AT}", "1,@a,,,2026-03-20T10:00:00.000Z"))

    assert [row[6] for row in stored(accounts)] == ["rejected", "pending"]


@pytest.mark.parametrize(
    ("encode", "sentence"),
    [
        (lambda rows: rows.encode("utf-16"), "is UTF-16 text"),
        (lambda rows: b"\xff\xfe\0\0" + rows.encode("utf-32-le"), "is UTF-32 text"),
        (lambda rows: rows.replace(",", ";").encode(), "separated by semicolons"),
        (lambda rows: rows.replace(",", "\t").encode(), "separated by tabs"),
        (lambda rows: b"sep=;\r\n" + rows.replace(",", ";").encode(), "separated by semicolons"),
        (lambda rows: b",,\n\n" + rows.encode() + b",,,,\n", None),
        (lambda rows: rows.replace(HEADER, f"{HEADER},,,").encode(), None),
        (lambda rows: rows.encode("utf-16-le"), "is UTF-16 text"),
        (lambda rows: rows.encode("utf-16-be"), "is UTF-16 text"),
        (lambda rows: "\ufeff\ufeff".encode() + rows.replace("UID", '"UID"').encode(), None),
    ],
)
def test_an_export_is_read_in_its_own_format_which_is_reported(
    accounts: Engine, tmp_path: Path, encode: Callable[[str], bytes], sentence: str | None
) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(encode(f"{HEADER}\n1,@é,Telegram,@a,{AT}\n"))

    report = load(accounts, path)

    assert stored(accounts)[0][2] == "@é"
    assert [sentence in str(notice) for notice in report.notices] == ([True] if sentence else [])


def test_a_title_above_the_table_is_reported_once(accounts: Engine, tmp_path: Path) -> None:
    path = export(tmp_path, HEADER, f"1,@a,,,{AT}", header="Applications export,,,,")

    (problem,) = refusal(accounts, path).problems

    assert "take out what stands above the row of field names" in problem.reason
    assert "(it has Applications export)" in problem.reason


def test_a_likely_encoding_must_be_named_in_the_map(accounts: Engine, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(f"{HEADER}\n1,@é,,,{AT}\n".encode("cp1252"))
    assert "name that encoding in the map" in str(refusal(accounts, path))

    load(accounts, path, a_map(tmp_path, '[file]\nencoding = "windows-1252"\n'))

    assert stored(accounts)[0][2] == "@é"
