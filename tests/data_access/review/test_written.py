"""Everything that was written about an application is read at once as it is read one by one."""

from sqlalchemy import Engine

from data_access.db import records, tables
from data_access.review import presence, written
from tests.builders import NOW, add_application, add_refresh, add_staff, pass_checks
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN, MIRA

ID = 1


def test_what_is_read_at_once_is_what_is_read_one_by_one(engine: Engine) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        for id_ in (ID, ID + 1):
            add_application(conn, id_)
            pass_checks(conn, id_)
    for id_ in (ID, ID + 1):
        clicks.note(engine, id_)
        clicks.record_evidence(engine, id_, actor=BEN)
        clicks.ask_applicant(engine, id_)
        clicks.record_answer(engine, id_)
        clicks.ask_second(engine, id_)
        clicks.decline(engine, id_)
        clicks.ask_second(engine, id_)
        clicks.confirm(engine, id_)

    with engine.connect() as conn:
        found = clicks.all_written(conn, ID)
        for name in written.PARTS:
            table = tables.metadata.tables[f"review.{name}"]
            assert getattr(found, name) == [dict(row) for row in records.read(conn, table, ID)]
            assert len(getattr(found, name)) >= 1
        for viewer in (ANA, BEN, MIRA):
            glance = presence.glance(conn, ID, viewer=viewer, now=NOW)
            assert written.by_others(found, viewer=viewer) == glance.others_wrote
