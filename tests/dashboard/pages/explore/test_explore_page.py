"""Explore: the view in the address, who sees what, and exports."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import text

from dashboard.pages.explore import table
from dashboard.shell import export_links
from dashboard.shell.screens import EXPLORE
from data_access.explore import saved_views
from data_access.exports import jobs, log
from program.reports import value_words
from program.reports.datasets import APPLICATIONS, DATASETS, MONTHLY, NEAR_MISSES, NUMBERS
from program.reports.export_formats import Ending
from program.reports.views import Bucket, View
from program.review.permissions import Act, Role, may
from tests.builders import add_account, add_application, add_metrics
from tests.dashboard.pages.screen import PEOPLE, Desk, cells, popovers, protos, texts
from tests.data_access import clicks

# The table of columns comes before the rows; grouped rows have none.
ROWS = 1


def buttons(app: Any) -> list[str]:
    return [proto.label for proto in protos(app, "link_button")]


def test_the_address_holds_the_view_and_the_page_shows_the_totals(queue: Desk) -> None:
    app = queue.open(
        EXPLORE,
        columns="application_id,volume_usd,eligibility",
        sort="-volume_usd",
        volume_usd="1..",
    )

    assert opened(app) == [1, 2]
    assert cells(app, "volume_usd", ROWS) == [31234567.89, 19999999.99]
    assert [list(cell) for cell in cells(app, "eligibility", ROWS)] == [["✓ met"], ["− not met"]]
    assert "**2 rows**" in texts(app)
    assert any("Data through" in words and "UTC" in words for words in texts(app))


def opened(app: Any) -> list[int]:
    """The applications that the rows open."""
    addresses = cells(app, "application_id", ROWS)
    return [int(address.removeprefix("/application?id=")) for address in addresses]


def test_the_id_stays_in_sight(queue: Desk) -> None:
    app = queue.open(EXPLORE, columns="username,application_id,volume_usd")

    config = json.loads(app.dataframe[ROWS].proto.columns)
    assert {name for name, one in config.items() if one.get("pinned")} == {"application_id"}


def test_a_filter_of_numbers_says_what_it_takes(queue: Desk) -> None:
    assert set(value_words.NUMBERS_TAKEN) == set(NUMBERS)
    app = queue.open(EXPLORE, columns="application_id,volume_usd", volume_usd="1..")

    found = " ".join(texts(app, ["caption"]))
    assert "USD with a point, such as 20000000 or 1234.50; both ends are included." in found


def test_cells_of_a_column_have_as_many_decimals() -> None:
    """Also where they are text, because one has more digits than a grid shows."""
    column = APPLICATIONS.column("volume_usd")
    assert column is not None
    values = [Decimal("12345678901234567.891"), Decimal("1.5"), None]

    assert table._held(values, column).to_pylist() == [
        "12,345,678,901,234,567.891",
        "1.500",
        None,
    ]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.key)
def test_an_empty_database_has_a_sentence_for_every_dataset(desk: Desk, dataset: Any) -> None:
    desk.who = PEOPLE[Role.MANAGER]

    app = desk.open(EXPLORE, dataset=dataset.key)

    assert any(dataset.empty in words.replace("\\", "") for words in texts(app))
    assert buttons(app) == []
    assert "**0 rows**" in texts(app)


def test_unusable_parts_of_the_address_are_named_and_left_out(queue: Desk) -> None:
    app = queue.open(EXPLORE, volume_usd="[x](http://evil.example)", status="pending", id="7")

    (warning,) = texts(app, ["warning"])
    assert "is not understood" in warning
    assert "](http" not in warning
    assert "**3 rows**" in texts(app)


def test_more_days_than_a_dataset_gives_are_refused_with_the_tools_at_hand(queue: Desk) -> None:
    app = queue.open(EXPLORE, dataset="activity", day="2020-01-01..")

    assert any("at most 366 days at a time" in words for words in texts(app))
    assert "**not counted**" in texts(app)


@pytest.mark.parametrize("role", Role)
def test_contact_is_for_roles_that_may_see_it(queue: Desk, role: Role) -> None:
    queue.who = PEOPLE[role]
    app = queue.open(EXPLORE, columns="application_id,email,contact_handle", email="~user1")

    sees = role in (Role.REVIEWER, Role.MANAGER)
    assert ("email" in app.dataframe[ROWS].value.columns) is sees
    assert len(cells(app, "application_id", ROWS)) == (1 if sees else 3)
    assert bool(texts(app, ["warning"])) is not sees
    assert any(button.label == "Export log" for button in app.button) is (role is Role.MANAGER)


@pytest.mark.parametrize("role", Role)
def test_near_misses_are_for_roles_that_may_see_affiliates(queue: Desk, role: Role) -> None:
    queue.who = PEOPLE[role]
    with queue.engine.begin() as conn:
        add_account(conn, 9, username="uninvited")
        add_metrics(conn, 9, volume=Decimal(20_000_000), active=15, new=5)
    sees = may(role, Act.SEE_AFFILIATES)

    app = queue.open(EXPLORE, dataset=NEAR_MISSES.key, columns="username")

    assert (cells(app, "username", ROWS) == ["uninvited"]) is sees
    warnings = [words.replace("\\", "") for words in texts(app, ["warning"])]
    assert warnings == ([] if sees else ["You may not see the affiliates page. It was left out."])
    assert (NEAR_MISSES.title in str(protos(app, "button_group"))) is sees


def test_each_format_has_a_link_bound_to_the_person_and_the_view(queue: Desk) -> None:
    app = queue.open(EXPLORE, status="pending", group="country_code", page="1")

    commas = "CSV with ; and decimal commas"
    assert buttons(app) == ["CSV", "CSV for Excel", commas, "CSV, compressed", "Excel", "Parquet"]
    for proto, ending in zip(
        protos(app, "link_button"), ("csv", "csv", "csv", "csv.gz", "xlsx", "parquet"), strict=True
    ):
        parts = urlsplit(proto.url)
        promise, _ = export_links._signer(export_links.SECRET_FILE).loads(
            parse_qs(parts.query)["token"][0]
        )
        assert parts.path == f"export/applications.{ending}"
        assert (promise["email"], promise["role"], promise["expected"]) == (
            queue.who,
            "reviewer",
            1,
        )
        assert promise["query"] == {"status": "pending", "group": "country_code"}


def test_more_rows_than_a_sheet_holds_offer_the_other_formats(
    queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("program.reports.export_formats.XLSX_ROWS", 2)

    app = queue.open(EXPLORE)

    assert "Excel" not in buttons(app)
    assert any("export as CSV or Parquet" in words for words in texts(app, ["caption"]))


def test_a_day_that_a_filter_cannot_take_is_named_and_stays_as_it_was_typed(queue: Desk) -> None:
    possible = "days can be from 1900-01-01 to 2199-12-31"
    (warning,) = texts(queue.open(EXPLORE, submitted_at="1850-01-01.."), ["warning"])
    assert possible in warning.replace("\\", "")

    app = queue.open(EXPLORE, submitted_at="2020-01-01..")
    field = next(widget for widget in app.date_input if widget.label == "From")
    field.set_value(date(1850, 1, 1))
    next(b for b in app.button if b.label == "Apply").click().run()

    (refused,) = texts(app, ["error"])
    assert possible in refused.replace("\\", "")
    assert next(w for w in app.date_input if w.label == "From").value == date(1850, 1, 1)
    assert app.query_params["submitted_at"] in ("2020-01-01..", ["2020-01-01.."])


def test_a_filter_is_typed_and_goes_into_the_address(queue: Desk) -> None:
    app = queue.open(EXPLORE, volume_usd="1..")
    field = {widget.label: widget for widget in app.text_input}

    field["At least"].set_value("20,000")
    next(b for b in app.button if b.label == "Apply").click().run()
    (refused,) = texts(app, ["error"])
    assert "has a thousands separator; write \\`20000\\`" in refused
    assert next(w for w in app.text_input if w.label == "At least").value == "20,000"

    next(w for w in app.text_input if w.label == "At least").set_value("\u200b20\u00a0000\u00a0000")
    next(b for b in app.button if b.label == "Apply").click().run()
    assert app.query_params["volume_usd"] in ("20000000..", ["20000000.."])
    assert opened(app) == [1]

    next(w for w in app.text_input if w.label == "At least").set_value("many")
    next(b for b in app.button if b.label == "Apply").click().run()
    assert "“many” is not a number; write it like 1234" in texts(app, ["error"])[0].replace(
        "\\", ""
    )
    assert opened(app) == [1]


def test_groups_are_drawn_as_a_chart_with_a_text_alternative(queue: Desk) -> None:
    app = queue.open(
        EXPLORE, group="eligibility", measures="count,sum:volume_usd", chart="eligibility,count"
    )

    (chart,) = protos(app, "plotly_chart")
    assert chart.alt.startswith("Count by eligibility, all that match Highest: 1")
    assert cells(app, "count") == [1, 1, 1]


def test_a_chart_over_time_draws_days_weeks_and_months_as_such() -> None:
    def chart(column: str, bucket: Bucket | None, *days: date) -> Any:
        across = replace(APPLICATIONS.column("submitted_at") or MONTHLY.columns[0], name=column)
        up = APPLICATIONS.column("active_users")
        assert up is not None
        rows = [{column: day, "active_users": 2} for day in days]
        drawn = table.chart_of(rows, across, up, what="all", bucket=bucket)
        (bars,) = drawn.figure.data
        return [round(width / 86_400_000 / 0.82) for width in bars.width], bars.hovertemplate[:10]

    first = date(2026, 11, 1)
    # The first of a month is a day unless the column holds months.
    assert chart("submitted_at_day", Bucket.DAY, first) == ([1], "%{x|%-d %b")
    assert chart("submitted_at", None, first, date(2026, 11, 9)) == ([1, 1], "%{x|%-d %b")
    assert chart("submitted_at_week", Bucket.WEEK, date(2026, 11, 2)) == ([7], "%{x|%-d %b")
    assert chart("submitted_at_month", Bucket.MONTH, first) == ([30], "%{x|%b %Y}")
    assert chart("month", None, date(2026, 2, 1), first) == ([28, 30], "%{x|%b %Y}")


def test_a_chart_of_rows_draws_all_that_match_and_not_the_page(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        for id_ in range(10, 90):
            add_application(conn, id_, account={"country_code": "BR" if id_ < 50 else "DE"})
            add_metrics(conn, id_, volume=Decimal(id_ * 1_000), active=1, new=0)
        conn.execute(text("update exchange.accounts set country_code = 'BR' where account_id < 10"))

    app = queue.open(
        EXPLORE,
        columns="application_id,country_code,volume_usd",
        chart="country_code,volume_usd",
        volume_usd="..1000000",
    )

    (chart,) = protos(app, "plotly_chart")
    assert "all that match" in chart.alt
    (bars,) = json.loads(chart.spec)["data"]
    assert bars["y"] == [sum(range(50, 90)) * 1_000, sum(range(10, 50)) * 1_000]


def test_groups_say_what_they_come_to_in_all(queue: Desk) -> None:
    app = queue.open(
        EXPLORE, group="eligibility", measures="count,sum:volume_usd,average:new_users"
    )

    (words,) = (line for line in texts(app, ["caption"]) if line.startswith("in all"))
    plain = words.replace("\\", "").replace("\u2060", "")
    assert plain.startswith("in all: ")
    assert " 3, " in plain
    assert "51,234,567.88" in plain
    assert not [
        line for line in texts(queue.open(EXPLORE), ["caption"]) if line.startswith("in all")
    ]


def test_a_chart_of_groups_never_adds_up_averages(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        for id_, status, volume in (
            (11, "pending", 30),
            (12, "rejected", 30),
            (13, "rejected", 90),
        ):
            add_application(conn, id_, status=status, account={"country_code": "DE"})
            add_metrics(conn, id_, volume=Decimal(volume), active=1, new=0)

    app = queue.open(
        EXPLORE,
        group="country_code,status",
        measures="average:volume_usd",
        country_code="DE",
        chart="country_code,average_volume_usd",
    )

    (chart,) = protos(app, "plotly_chart")
    assert json.loads(chart.spec)["data"][0]["y"] == [50]


def test_a_group_by_day_is_drawn_by_day_though_it_is_the_first_of_a_month(queue: Desk) -> None:
    def wide(group: str) -> Any:
        name = group.replace(":", "_")
        app = queue.open(EXPLORE, group=group, measures="count", chart=f"{name},count")
        (chart,) = protos(app, "plotly_chart")
        return {round(w / 86_400_000 / 0.82) for w in json.loads(chart.spec)["data"][0]["width"]}

    with queue.engine.begin() as conn:
        conn.execute(text("update exchange.applications set submitted_at = '2026-11-01T10:00Z'"))
    assert wide("submitted_at:day") == {1}
    assert wide("submitted_at:week") == {7}
    assert wide("submitted_at:month") == {30}


def test_months_are_months_in_tables_and_in_what_they_may_be_grouped_by(queue: Desk) -> None:
    def written(**query: str) -> str:
        app = queue.open(EXPLORE, **query)
        assert not texts(app, ["warning"])
        settings = json.loads(app.dataframe[0].proto.columns)
        return str(settings[app.dataframe[0].value.columns[0]]["type_config"]["format"])

    assert written(group="submitted_at:month") == "MMM YYYY"
    assert written(group="submitted_at:week") == "YYYY-MM-DD"
    plain = View.from_query({"dataset": "monthly"}, personal=False)
    assert plain.months == {"month"}
    grouped = View.from_query({"dataset": "monthly", "group": "month"}, personal=False)
    assert [str(group) for group in grouped.groups] == ["month:month"]
    assert grouped.months == {"month"}
    app = queue.open(EXPLORE, dataset="monthly")
    options = next(w for w in app.multiselect if w.label == "Group by").options
    assert [words for words in options if words.startswith("Month")] == ["Month, by month"]


def test_only_rows_with_metrics_speak_of_their_window(queue: Desk) -> None:
    queue.who = PEOPLE[Role.MANAGER]
    for dataset in DATASETS:
        app = queue.open(EXPLORE, dataset=dataset.key)
        (head,) = (w for w in texts(app, ["caption"]) if w.startswith(dataset.description))
        assert ("the window is" in head) == (dataset.key not in ("decisions", "log")), dataset.key
        assert "imes are UTC." in head


def test_a_view_is_kept_shared_and_led_to(queue: Desk) -> None:
    view = View.from_query({"dataset": "decisions", "outcome": "approved"}, personal=True)
    saved_views.save(
        queue.engine,
        clicks.command(
            saved_views.SaveView,
            name="*Ours*",
            view=view,
            shared=True,
            actor=PEOPLE[Role.MANAGER],
            now=queue.now,
        ),
    )

    app = queue.open(EXPLORE)

    (link,) = protos(app, "page_link")
    assert link.query_string == "dataset=decisions&outcome=approved"
    assert "*" not in link.label.replace("\\*", "")


def test_a_running_export_shows_how_far_it_is_and_can_be_cancelled(
    queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Running:
        job_id, ending, rows, expected, is_written = uuid4(), None, 340_000, 1_000_000, False
        sentence = (
            "The connection to the database was lost, so the file is incomplete. Export again."
        )
        file_name = "applications.csv"

    cancelled: list[Any] = []
    monkeypatch.setattr(jobs, "of", lambda _: [Running])
    monkeypatch.setattr(jobs, "cancel", lambda job_id, *, actor: cancelled.append((job_id, actor)))
    app = queue.open(EXPLORE)

    (bar,) = protos(app, "progress")
    assert (bar.text, bar.value) == ("applications.csv: 340,000 of 1,000,000 rows", 34)
    next(b for b in app.button if b.label == "Cancel").click().run()
    assert cancelled == [(Running.job_id, queue.who)]
    monkeypatch.setattr(Running, "ending", Ending.FAILED)
    assert any("was lost, so the file is incomplete" in words for words in texts(app.run()))


def test_a_manager_reads_who_exported_what(queue: Desk) -> None:
    queue.who = PEOPLE[Role.MANAGER]
    with queue.engine.begin() as conn:
        entry = log.Entry(
            exported_by="noor@example.com",
            dataset=APPLICATIONS.key,
            file_format="csv",
            filters={"status": "pending"},
            columns=["application_id"],
            row_count=1234,
            outcome=Ending.CANCELLED,
        )
        log.record(conn, entry)
    app = queue.open(EXPLORE)

    next(b for b in app.button if b.label == "Export log").click().run()

    table = app.dataframe[-1].value
    assert table["Who"].tolist() == ["Noor"]
    assert (table["Rows"][0], table["Ended"][0], table["Filters and order"][0]) == (
        1234,
        "cancelled",
        "status: pending",
    )


PIVOT = {"group": "country_code,status", "across": "status,count"}


def pivoted(queue: Desk) -> None:
    """Plant applications of two countries and of one that is unknown."""
    planted = [
        (11, "pending", "DE", 30),
        (12, "rejected", "DE", 50),
        (13, "rejected", "DE", None),
        (14, "rejected", None, 20),
    ]
    with queue.engine.begin() as conn:
        conn.execute(text("update exchange.accounts set country_code = 'BR'"))
        for id_, status, country, volume in planted:
            add_application(conn, id_, status=status, account={"country_code": country})
            if volume is not None:
                add_metrics(conn, id_, volume=Decimal(volume), active=1, new=0)


def test_a_group_lies_across_with_totals_of_rows_and_columns(queue: Desk) -> None:
    pivoted(queue)
    app = queue.open(EXPLORE, **PIVOT)

    config = json.loads(app.dataframe[0].proto.columns)
    labels = [config[name]["label"].strip("\u061c\u2066\u2069") for name in app.dataframe[0].value]
    assert labels == ["Country code ↑", "pending", "rejected", "In all"]
    assert app.dataframe[0].value.to_numpy().tolist() == [
        ["BR", "3", "0", "3"],
        ["DE", "1", "2", "3"],
        ["unknown", "0", "1", "1"],
        ["In all", "4", "3", "7"],
    ]
    assert "**3 groups**" in texts(app)
    assert "Count across status" in texts(app, ["caption"])
    # A file has the pairs below each other, and says so.
    promise, *_ = (
        export_links._signer(export_links.SECRET_FILE).loads(
            parse_qs(urlsplit(proto.url).query)["token"][0]
        )[0]
        for proto in protos(app, "link_button")
    )
    assert promise["query"] == PIVOT
    assert promise["expected"] == 4
    assert any("below each other" in words for words in texts(app, ["caption"]))


def test_in_a_pivot_nothing_is_told_from_the_unknown_and_averages_are_not_added(
    queue: Desk,
) -> None:
    pivoted(queue)
    by = {"group": "country_code,status", "application_id": "11..14"}
    volume, followers = "average:volume_usd", "sum:x_followers"
    app = queue.open(
        EXPLORE, **by, measures=volume, across="status,average_volume_usd", country_code="DE"
    )
    nobody_looked = queue.open(EXPLORE, **by, measures=followers, across="status,sum_x_followers")

    assert app.dataframe[0].value.to_numpy().tolist() == [
        ["DE", "30.00", "25.00", "26.67"],
        ["In all", "30.00", "25.00", "26.67"],
    ]
    shown = nobody_looked.dataframe[0].value
    assert shown.fillna("").to_numpy().tolist() == [
        ["DE", "unknown", "unknown", "unknown"],
        ["unknown", "", "unknown", "unknown"],
        ["In all", "unknown", "unknown", "unknown"],
    ]


def test_groups_are_laid_across_by_choice_and_a_heading_sorts_by_the_whole(queue: Desk) -> None:
    pivoted(queue)
    app = queue.open(EXPLORE, group="country_code,status")

    next(w for w in app.selectbox if w.label == "As columns").set_value("status").run()
    assert app.query_params["across"] in ("status,count", ["status,count"])
    assert cells(app, "count")[-1] == "7"

    # Without its group nothing lies across any more.
    next(w for w in app.multiselect if w.label == "Group by").set_value(["country_code"]).run()
    assert not texts(app, ["warning"])
    assert "across" not in app.query_params


def test_a_pivot_is_drawn_as_a_stack_or_as_lines(queue: Desk) -> None:
    pivoted(queue)

    def drawn(**query: str) -> list[dict[str, Any]]:
        app = queue.open(EXPLORE, **query)
        texts(app)
        (chart,) = protos(app, "plotly_chart")
        found: list[dict[str, Any]] = json.loads(chart.spec)["data"]
        return found

    bars = drawn(**PIVOT, chart="country_code,count")
    assert [(one["name"], one["type"], one["orientation"]) for one in bars] == [
        ("pending", "bar", "h"),
        ("rejected", "bar", "h"),
    ]
    assert bars[0]["x"] == [3, 1, 0]
    in_time = drawn(
        group="submitted_at:month,status", across="status,count", chart="submitted_at_month,count"
    )
    assert [(one["name"], one["type"]) for one in in_time] == [
        ("pending", "bar"),
        ("rejected", "bar"),
    ]
    assert sum(sum(one["y"]) for one in in_time) == 7
    lines = drawn(
        group="submitted_at:month,status",
        measures="median:volume_usd",
        across="status,median_volume_usd",
        chart="submitted_at_month,median_volume_usd",
    )
    assert {one["type"] for one in lines} == {"scatter"}


def choose_cell(app: Any, row: int, name: str) -> None:
    """Select a cell of the table as a click does."""
    _, _, key = app.dataframe[-1].proto.id.split("-", 2)
    app.session_state[key] = {"selection": {"cells": [(row, name)]}}
    app.run()


def offered(app: Any) -> list[str]:
    return [
        button.label.replace("\\", "")
        for button in app.button
        if str(button.key).startswith("explore-cell-")
    ]


def press_offer(app: Any, label: str) -> None:
    next(b for b in app.button if b.label.replace("\\", "") == label).click().run()


def test_a_cell_offers_its_value_as_a_filter_and_nothing_happens_unasked(queue: Desk) -> None:
    app = queue.open(EXPLORE, columns="application_id,eligibility,volume_usd,username")
    before = dict(app.query_params)
    assert offered(app) == []

    choose_cell(app, 0, "eligibility")
    assert dict(app.query_params) == before
    (only, without) = offered(app)
    assert (only[:5], without[:8]) == ("Only ", "Without ")
    word = only.removeprefix("Only ").replace(" ", "_")
    press_offer(app, without)
    assert app.query_params["eligibility"] in (f"!{word}", [f"!{word}"])
    assert len(opened(app)) == 2
    assert offered(app) == []

    choose_cell(app, 0, "volume_usd")
    assert [words.split(" ")[0] for words in offered(app)] == ["Only", "At", "At"]
    press_offer(app, offered(app)[0])
    assert len(opened(app)) == 1


def test_typed_text_in_an_offer_is_no_markup(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(text("update exchange.accounts set username = '[x](http://evil.example)'"))
    app = queue.open(EXPLORE, columns="application_id,username")

    choose_cell(app, 0, "username")

    (only, _) = (b for b in app.button if str(b.key).startswith("explore-cell-"))
    assert "](" not in only.label
    only.click().run()
    assert len(opened(app)) == 3
    assert not texts(app, ["warning"])


def test_groups_offer_their_values_and_measures_do_not(queue: Desk) -> None:
    pivoted(queue)
    app = queue.open(EXPLORE, group="country_code,status", sort="-count")
    choose_cell(app, 0, "count")
    assert offered(app) == []
    choose_cell(app, 0, "country_code")
    assert offered(app) == ["Only BR", "Without BR"]

    pivot = queue.open(EXPLORE, **PIVOT)
    choose_cell(pivot, 2, "country_code")
    assert offered(pivot) == ["Only unknown", "Without unknown"]
    # The row of totals is of no value.
    choose_cell(pivot, 3, "country_code")
    assert offered(pivot) == []


def test_a_filter_says_its_values_in_words_and_can_leave_some_out(queue: Desk) -> None:
    pivoted(queue)
    app = queue.open(EXPLORE, columns="application_id,track,country_code", country_code="DE")
    assert any("Two capital letters" in words for words in texts(app, ["caption"]))

    which = next(w for w in app.get("button_group") if w.label == "Which values")
    which.set_value("none of")
    next(b for b in app.button if b.label == "Apply").click().run()
    assert app.query_params["country_code"] in ("!DE", ["!DE"])
    assert cells(app, "country_code", ROWS) == ["BR", "BR", "BR"]

    shown = queue.open(EXPLORE, columns="application_id,track", track="on_exchange,external")
    assert cells(shown, "track", ROWS) == ["on-exchange"]
    labels = [popover.label.replace("\\", "") for popover in popovers(shown)]
    assert "Track: on-exchange or external" in labels
    found = " ".join(texts(shown, ["caption"]))
    assert "on_exchange (on-exchange), external or both" in found
