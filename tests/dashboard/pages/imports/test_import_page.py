"""The import page: a file, the preview of its rows, kept rows, and past imports."""

from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import IMPORT
from program.review.permissions import Act, Role, may
from tests.builders import add_account, scalar
from tests.dashboard.pages.screen import PEOPLE, Desk, cells, texts

HEADER = "UID,Social Media Account Name,Contact Platform,Contact Information,Created"
AT = "2026-03-01T10:00:00.000Z"
ROWS = (
    f"1,@one,Telegram,@one,{AT}",
    f"2,@two,Discord,@two,{AT}",
    ",,,,",
    f"99,@unknown,,,{AT}",
    f",@blank,,,{AT}",
)
BEFORE_AND_AFTER = ("new", "new", "kept for later", "kept for later")


@pytest.fixture
def importing(desk: Desk) -> Desk:
    """Add three accounts without an application."""
    with desk.engine.begin() as conn:
        for account_id in (1, 2, 3):
            add_account(conn, account_id)
    return desk


def uploaded(app: AppTest, *rows: str, header: str = HEADER, name: str = "grid.csv") -> AppTest:
    content = "\r\n".join([header, *rows, ""]).encode()
    return app.file_uploader[0].set_value((name, content, "text/csv")).run()


def press(app: AppTest, label: str) -> AppTest:
    found = [button for button in app.button if button.label.startswith(label)]
    assert found, [button.label for button in app.button]
    return found[0].click().run()


def pick(app: AppTest, label: str, value: str) -> AppTest:
    return next(box for box in app.selectbox if box.label == label).set_value(value).run()


def count(desk: Desk, table: str) -> Any:
    with desk.engine.connect() as conn:
        return scalar(conn, f"select count(*) from {table}")


def report_of(app: AppTest) -> list[str]:
    tables = [table.value for table in app.dataframe if "outcome" in table.value]
    return [word.partition(" ")[2] for word in tables[-1]["outcome"]]


@pytest.mark.parametrize("role", Role)
def test_people_who_may_not_import_get_an_explanation_instead_of_the_form(
    importing: Desk, role: Role
) -> None:
    importing.who = PEOPLE[role]

    app = importing.open(IMPORT)

    assert not app.exception
    assert bool(app.file_uploader) is may(role, Act.IMPORT)
    assert ("Import" in texts(app, ["subheader"])) is may(role, Act.IMPORT)


def test_a_form_left_open_loads_nothing_after_its_person_loses_the_role(importing: Desk) -> None:
    app = uploaded(importing.open(IMPORT), *ROWS)
    with importing.engine.begin() as conn:
        conn.execute(text("update review.staff set role = 'analyst'"))

    press(app, "Load 2 rows")

    assert count(importing, "exchange.applications") == 0
    assert count(importing, "review.form_imports") == 0


def test_every_row_is_reported_before_it_is_loaded_and_after(importing: Desk) -> None:
    app = uploaded(importing.open(IMPORT), *ROWS)

    assert "##### Preview of the import" in texts(app)
    assert report_of(app) == list(BEFORE_AND_AFTER)
    (table,) = (one.value for one in app.dataframe if "outcome" in one.value)
    assert list(table["row"]) == [2, 3, 5, 6]
    assert "is not a known account" in table["wrong"][2]
    assert table["remedy"][2] == "Load the accounts first"
    assert any("1 blank, skipped" in words for words in texts(app, ["markdown"]))
    assert count(importing, "exchange.applications") == 0

    press(app, "Load 2 rows and keep 2 for later")

    assert app.query_params["show"] in ("history", ["history"])
    assert report_of(app) == list(BEFORE_AND_AFTER)
    assert count(importing, "exchange.applications") == 2
    assert any(words.startswith("##### Import 1: grid") for words in texts(app))


def test_a_file_of_another_type_is_refused_with_its_remedy(importing: Desk) -> None:
    app = importing.open(IMPORT)
    app.file_uploader[0].set_value(("grid.csv", b"PK\x03\x04" + bytes(60), "text/csv")).run()

    (refused,) = texts(app, ["error"])
    assert "is a zip file or an Excel workbook" in refused
    assert not [button for button in app.button if button.label.startswith("Load")]


def test_kept_rows_are_corrected_dismissed_with_a_reason_and_counted(importing: Desk) -> None:
    press(uploaded(importing.open(IMPORT), *ROWS), "Load 2 rows")
    app = importing.open(IMPORT, show="kept")
    assert "2 of 2 rows that could not be loaded, the oldest first." in "".join(texts(app))

    next(field for field in app.text_input if field.value == "99").set_value("3")
    press(app, "Correct and load")
    assert any("Row 5 is loaded" in words for words in texts(app, ["success"]))
    assert count(importing, "exchange.applications") == 3

    press(app, "Dismiss")
    assert texts(app, ["error"])
    assert count(importing, "review.kept_row_events") == 1
    reason = next(field for field in app.text_input if field.label.startswith("Reason"))
    reason.set_value("Nobody knows whose it is")
    press(app, "Dismiss")
    assert any("Row 6 is dismissed" in words for words in texts(app, ["success"]))
    assert any(words.startswith("No rows are waiting") for words in texts(app))


def test_a_row_that_still_cannot_be_loaded_stays_as_corrected(importing: Desk) -> None:
    press(uploaded(importing.open(IMPORT), *ROWS[3:4]), "Nothing new to load and keep 1")
    app = importing.open(IMPORT, show="kept")

    next(field for field in app.text_input if field.value == "99").set_value("98")
    press(app, "Correct and load")

    assert "still cannot be loaded" in texts(app, ["error"])[0]
    assert [field.value for field in app.text_input if field.value in ("98", "99")] == ["98"]


def test_the_history_lists_every_import_and_refuses_an_unknown_one(importing: Desk) -> None:
    assert any(
        "There are no imports yet" in w for w in texts(importing.open(IMPORT, show="history"))
    )
    press(uploaded(importing.open(IMPORT), *ROWS[:1]), "Load 1 row")
    press(uploaded(importing.open(IMPORT), *ROWS[1:2], name="more.csv"), "Load 1 row")

    app = importing.open(IMPORT, show="history")

    assert cells(app, "file") == ["more.csv", "grid.csv"]
    assert cells(app, "who") == ["Ana"] * 2
    app = importing.open(IMPORT, show="history", **{"import": "77"})
    assert any("This import does not exist" in words for words in texts(app))


def test_a_form_sent_twice_is_one_application_and_a_file_sent_twice_changes_nothing(
    importing: Desk,
) -> None:
    again = ROWS[0].replace("10:00:00", "10:00:04")
    app = uploaded(importing.open(IMPORT), ROWS[0], again)
    assert report_of(app) == ["new", "counted once"]
    press(app, "Load 1 row")
    assert count(importing, "exchange.applications") == 1

    app = uploaded(importing.open(IMPORT), ROWS[0], again)

    assert report_of(app) == ["already there", "counted once"]
    (load,) = (button for button in app.button if button.label.startswith("Nothing new to load"))
    assert load.disabled


def test_a_map_is_saved_chosen_replaced_and_offered_no_longer(importing: Desk) -> None:
    header = HEADER.replace("UID", "Their number")
    app = uploaded(importing.open(IMPORT), *ROWS[:1], header=header)
    assert "is no field" in "".join(texts(app, ["error"]))
    pick(app, "Account ID", "Their number")
    assert report_of(app) == ["new"]
    next(field for field in app.text_input if field.label == "Name of the map").set_value("Own")
    press(app, "Save as")
    assert any("The map Own is saved" in words for words in texts(app, ["success"]))

    app = uploaded(importing.open(IMPORT), *ROWS[:1], header=header)
    pick(app, "Read with the map", "Own")
    assert report_of(app) == ["new"]
    press(app, "Load 1 row")
    assert cells(importing.open(IMPORT, show="history"), "map") == ["Own"]

    app = uploaded(importing.open(IMPORT), *ROWS[1:2], header=header)
    pick(app, "Read with the map", "Own")
    press(app, "Retire this map")
    boxes = [box for box in importing.open(IMPORT).selectbox if box.label == "Read with the map"]
    assert all("Own" not in box.options for box in boxes)
