"""What the tests of hostile text plant: a payload in every text column that anybody types into."""

from sqlalchemy import text

from tests.dashboard.pages.planting import plant, plant_elsewhere
from tests.dashboard.pages.planting_records import plant_records, untyped, without_payload
from tests.dashboard.pages.screen import Desk
from tests.data_access.history.test_text_rules import TEXTS, named


def test_every_text_column_holds_a_payload_or_says_why_not(desk: Desk) -> None:
    for planting in (plant, plant_elsewhere, plant_records):
        planting(desk.engine, now=desk.now, numbers=range(1, 11))
    with desk.engine.connect() as conn:
        columns = named(conn, TEXTS)
        empty = without_payload(conn, columns)
        conn.execute(text("alter table review.desk add column nickname text"))
        later = without_payload(conn, named(conn, TEXTS))

    assert empty - untyped() == set(), "Plant a payload there, or say in UNTYPED why nobody can."
    assert untyped() - empty == set(), "These hold a payload, or are gone."
    assert later - untyped() == {("review.desk", "nickname")}
