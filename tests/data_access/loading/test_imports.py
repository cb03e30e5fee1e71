"""Imports of form exports: valid rows are loaded, the others wait until they are settled."""

import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access.db.errors import Invalid, NotAllowed, NotInState, Outdated, RequestReused
from data_access.loading import LoadRefused, form_map, form_maps, form_reports, imports, kept_rows
from data_access.loading.form_map import FormMap
from data_access.loading.imports import Import, Upload
from data_access.loading.kept_rows import KeptRow
from program.reports import csv_guard
from tests.builders import add_account, add_application, add_staff
from tests.data_access import clicks

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
ANA, BEN, NOOR = "ana@example.com", "ben@example.com", "noor@example.com"
HEADER = "UID,Social Media Account Name,Contact Platform,Contact Information,Created"
AT = "2026-03-01T10:00:00.000Z"
ROWS = (
    f"1,@new,Telegram,@new,{AT}",
    f"2,@changed,,,{AT}",
    f"3,@same,,,{AT}",
    f"1,@new,Telegram,@new,{AT[:-5]}.500Z",
    ",,,,",
    f"4,\u202a@cleaned\u202c,,,{AT}",
    f",@blank,,,{AT}",
    f"99,@unknown,,,{AT}",
    f'5,@two,"Telegram,Email",,{AT}',
    "6,=cmd(),,,soon",
    f"7,@short,,{AT}",
    f"2,@second,,,{AT[:5]}04{AT[7:]}",
)


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        for account_id in range(1, 8):
            add_account(conn, account_id)
        for account_id, handle in ((2, "@old"), (3, "@same")):
            add_application(
                conn,
                account_id,
                account_id=account_id,
                social_handle=handle,
                contact_platform=None,
                contact_handle=None,
                submitted_at=datetime.fromisoformat(AT),
            )
    return engine


def upload(*rows: str, header: str = HEADER, name: str = "grid.csv") -> Upload:
    return Upload(name=name, content="\r\n".join([header, *rows, ""]).encode())


def make(engine: Engine, sent: Upload, **given: Any) -> Import:
    whole = {"upload": sent, "read_by": FormMap(), "now": NOW, **given}
    import_id = imports.make(engine, clicks.command(imports.MakeImport, **whole))
    with engine.connect() as conn:
        made = imports.find(conn, import_id)
    assert made is not None
    return made


def retry(engine: Engine, *rows: KeptRow, **given: Any) -> tuple[int, int]:
    whole = {"row_ids": [row.row_id for row in rows], "now": NOW, **given}
    return kept_rows.retry(engine, clicks.command(kept_rows.RetryRows, **whole))


def dismiss(engine: Engine, row: KeptRow, reason: str, **given: Any) -> int:
    whole = {"row_ids": [row.row_id], "reason": reason, "now": NOW, **given}
    return kept_rows.dismiss(engine, clicks.command(kept_rows.DismissRows, **whole))


def save_map(engine: Engine, name: str, definition: dict[str, Any], **given: Any) -> int:
    whole = {"name": name, "definition": definition, "expected": None, "now": NOW, **given}
    return form_maps.save(engine, clicks.command(form_maps.SaveMap, **whole))


def retire_map(engine: Engine, map_id: int, **given: Any) -> int:
    command = clicks.command(form_maps.RetireMap, map_id=map_id, now=NOW, **given)
    return form_maps.retire(engine, command)


def outcomes(made: Import | imports.Report) -> dict[int, str]:
    report = made.report if isinstance(made, Import) else made
    assert report is not None
    return {row.row: str(row.outcome) for row in report.rows}


def waiting(engine: Engine) -> list[KeptRow]:
    with engine.connect() as conn:
        listed, total = kept_rows.listed(conn)
    assert total == len(listed)
    return listed


def handles(engine: Engine) -> list[str]:
    with engine.connect() as conn:
        return list(
            conn.execute(
                text("select social_handle from exchange.applications order by account_id")
            ).scalars()
        )


def events(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as conn:
        found = conn.execute(
            text("select kind, actor from review.kept_row_events order by event_id")
        )
        return [(kind, actor) for kind, actor in found]


WHAT_BECOMES = {
    2: "new",
    3: "changed",
    4: "already there",
    5: "counted once",
    7: "new",
    8: "kept for later",
    9: "kept for later",
    10: "kept for later",
    11: "kept for later",
    12: "kept for later",
    13: "kept for later",
}


def test_each_row_is_loaded_counted_once_or_kept_as_the_preview_said(desk: Engine) -> None:
    before = handles(desk)
    preview = imports.preview(desk, upload(*ROWS), FormMap(), now=NOW, actor=ANA)
    assert (outcomes(preview), handles(desk), waiting(desk)) == (WHAT_BECOMES, before, [])

    made = make(desk, upload(*ROWS))

    assert outcomes(made) == WHAT_BECOMES
    assert handles(desk) == ["@new", "@changed", "@same", "@cleaned"]
    assert made.counts == preview.counts
    assert (made.counts["cleaned"], made.counts["blank"]) == (1, 1)
    assert made.report is not None
    with desk.connect() as conn:
        (listed,), total = imports.listed(conn)
    assert (total, listed.imported_by, listed.file_name) == (1, ANA, "grid.csv")


def test_problems_name_the_forms_field_and_what_to_do(desk: Engine) -> None:
    make(desk, upload(*ROWS))

    problems = {
        row.row_number: [(problem.field, problem.remedy) for problem in row.problems]
        for row in waiting(desk)
    }

    assert problems[9] == [("UID", "Load the accounts first")]
    assert [field for field, _ in problems[10]] == ["Contact Platform"]
    assert problems[12][0][1] == "The row is cut short"
    assert "Created" in [field for field, _ in problems[11]]


def test_the_same_request_is_answered_with_the_first_result(desk: Engine) -> None:
    request_id = uuid.uuid4()
    first = make(desk, upload(*ROWS), request_id=request_id)

    again = make(desk, upload(*ROWS), request_id=request_id)

    assert again.import_id == first.import_id
    with pytest.raises(RequestReused):
        make(desk, upload(ROWS[0]), request_id=request_id)


def test_the_same_file_again_loads_nothing_and_keeps_nothing_twice(desk: Engine) -> None:
    make(desk, upload(*ROWS))
    kept = waiting(desk)

    again = make(desk, upload(*ROWS), actor=BEN)

    assert Counter(outcomes(again).values()) == {
        "already there": 4,
        "counted once": 1,
        "already kept": 6,
    }
    assert waiting(desk) == kept


def test_two_people_importing_one_file_at_once_load_and_keep_each_row_once(desk: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(lambda who: make(desk, upload(*ROWS), actor=who), [ANA, BEN, ANA, BEN])
        )

    assert sum(one.counts.get("new", 0) for one in made) == 2
    assert sum(one.counts.get("kept for later", 0) for one in made) == 6
    assert handles(desk) == ["@new", "@changed", "@same", "@cleaned"]
    assert len(waiting(desk)) == 6


def correct(row: KeptRow, **changed: str) -> dict[int, Sequence[str]]:
    cells = dict(zip(row.header, row.cells, strict=True)) | {
        row.columns[column]: value for column, value in changed.items()
    }
    return {row.row_id: list(cells.values())}


def test_a_kept_row_is_corrected_and_loaded_and_a_bad_correction_stays(desk: Engine) -> None:
    make(desk, upload(*ROWS))
    row = next(one for one in waiting(desk) if one.row_number == 11)

    still = correct(row, submitted_at="later")
    assert retry(desk, row, cells=still, actor=BEN) == (0, 1)
    row = next(one for one in waiting(desk) if one.row_number == 11)
    assert row.cells[-1] == "later"

    request_id, mended = uuid.uuid4(), correct(row, submitted_at=AT)
    for _ in range(2):
        done = retry(desk, row, cells=mended, request_id=request_id, actor=BEN)
        assert done == (1, 0)
    with pytest.raises(RequestReused):
        retry(desk, row, cells=still, request_id=request_id, actor=BEN)

    assert handles(desk)[-1] == "=cmd()"
    assert [one.row_number for one in waiting(desk)] == [8, 9, 10, 12, 13]
    assert events(desk) == [("corrected", BEN), ("loaded", BEN)]
    assert outcomes(make(desk, upload(*ROWS)))[11] == "settled earlier"


def test_all_that_wait_are_tried_again_once_their_accounts_are_there(desk: Engine) -> None:
    make(desk, upload(f"98,@a,,,{AT}", f"99,@b,,,{AT}", f",@c,,,{AT}"))
    make(desk, upload(f"97,@d,,,{AT}", header=HEADER.replace("UID", "Account")))
    with desk.begin() as conn:
        for account_id in (97, 98, 99):
            add_account(conn, account_id)

    done = retry(desk, *waiting(desk))

    assert done == (3, 1)
    assert [row.row_number for row in waiting(desk)] == [4]


def test_a_dismissed_row_keeps_its_reason_and_is_not_kept_again(desk: Engine) -> None:
    sent = upload(f"99,@unknown,,,{AT}")
    make(desk, sent)
    (row,) = waiting(desk)
    with pytest.raises(Invalid, match="The reason is empty"):
        dismiss(desk, row, " ")

    dismiss(desk, row, "spam")

    assert waiting(desk) == []
    again = make(desk, sent)
    assert outcomes(again) == {2: "settled earlier"}
    assert again.report is not None
    assert again.report.rows[0].remarks == ("Dismissed by Ana on 1 Apr 2026",)
    with pytest.raises(NotInState, match="already dismissed by Ana"):
        retry(desk, row)


def test_a_kept_row_that_comes_again_under_a_better_map_waits_no_longer(desk: Engine) -> None:
    sent = upload(f'5,@two,"Telegram,Email",,{AT}')
    make(desk, sent)
    better = form_map.parse({"platforms": {"Telegram,Email": "email"}}, "better")

    made = make(desk, sent, read_by=better, actor=BEN)

    assert outcomes(made) == {2: "new"}
    assert (waiting(desk), events(desk)) == ([], [("loaded", BEN)])


def test_only_reviewers_and_managers_import_correct_dismiss_and_keep_maps(desk: Engine) -> None:
    make(desk, upload(f"99,@unknown,,,{AT}"))
    (row,) = waiting(desk)

    for act in (
        lambda: imports.preview(desk, upload(), FormMap(), actor=NOOR, now=NOW),
        lambda: make(desk, upload(*ROWS), actor=NOOR),
        lambda: retry(desk, row, actor=NOOR),
        lambda: dismiss(desk, row, "x", actor=NOOR),
        lambda: save_map(desk, "m", {}, actor=NOOR),
        lambda: retire_map(desk, 1, actor=NOOR),
    ):
        with pytest.raises(NotAllowed, match="may not import applications"):
            act()
    assert waiting(desk) == [row]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04", "is a zip file or an Excel workbook"),
        (b"a,b\n1,2\n", "names none of the form's fields"),
        (HEADER.encode() + b'\n1,"@a,,,\n', "is not CSV from line 2 on"),
    ],
)
def test_a_file_that_is_no_export_is_refused_whole(
    desk: Engine, content: bytes, sentence: str
) -> None:
    with pytest.raises(LoadRefused, match=sentence):
        make(desk, Upload(name="../../grid\u202e.csv", content=content))

    with desk.connect() as conn:
        assert imports.listed(conn) == ([], 0)


def test_hostile_cells_are_kept_as_text(desk: Engine) -> None:
    rows = [f"99,a\0b,<script>,$$;drop table x,{AT}", "98," + "x" * 600 + f",,,{AT}"]
    made = make(
        desk,
        Upload(
            name="g\0rid.csv", content="\n".join([HEADER, *rows]).encode() + b"\n\xc3\xa9\xff,,,,\n"
        ),
    )

    assert set(outcomes(made).values()) == {"kept for later"}
    assert waiting(desk)[0].cells[1] == "a\ufffdb"


def test_the_report_as_a_file_has_a_line_for_everything_and_runs_nothing(desk: Engine) -> None:
    made = make(desk, upload(*ROWS, '7,"=HYPERLINK(""x"")",,,-1'))
    assert made.report is not None

    lines = form_reports.as_csv(made.report).decode("utf-8-sig").splitlines()

    assert len(lines) == 1 + sum(max(1, len(row.problems)) for row in made.report.rows)
    assert not any(
        csv_guard.is_dangerous(cell) and not cell.startswith("'")
        for line in lines
        for cell in line.split(",")
    )


CONTENT = {"fields": {"account_id": "Your UID"}, "dates": {"format": "European", "zone": "UTC"}}


def test_a_map_is_kept_under_a_name_replaced_knowingly_and_retired(desk: Engine) -> None:
    first = save_map(desk, "Main form", CONTENT)
    assert save_map(desk, "main FORM", CONTENT) == first
    with pytest.raises(Invalid, match="There is a map Main form already"):
        save_map(desk, "MAIN form", {})
    second = save_map(desk, "Main form", {}, expected=first)
    with pytest.raises(Outdated):
        save_map(desk, "Main form", CONTENT, expected=first)
    assert form_maps.chosen(lambda: desk, "main form").content == {}

    retire_map(desk, second)

    with desk.connect() as conn:
        assert form_maps.listed(conn) == []
    with pytest.raises(Outdated):
        retire_map(desk, second)


@pytest.mark.parametrize(
    "content",
    [{"fields": {"x": "y"}}, {"dates": {"format": "European"}}, {"platforms": {"a\0": "x"}}],
)
def test_a_map_that_means_nothing_is_not_kept(desk: Engine, content: dict[str, Any]) -> None:
    with pytest.raises(LoadRefused):
        save_map(desk, "m", content)
