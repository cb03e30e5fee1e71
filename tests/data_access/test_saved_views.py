"""Views under a name, columns and holidays: what people set for themselves and for all."""

import pytest
from sqlalchemy import Engine

from data_access import preferences, saved_views
from data_access.refusals import Invalid, NotAllowed, NotFound
from program.outcomes import Outcome
from program.queue import Filters, Owner
from tests.builders import NOW, add_staff
from tests.data_access.clicks import ANA, BEN

VIEW = Filters(eligibility=(Outcome.MET,), owner=Owner.UNASSIGNED)


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
    return engine


def save(desk: Engine, name: str = "Met", actor: str = ANA, **given: object) -> int:
    return saved_views.save(
        desk,
        **{"name": name, "filters": VIEW, "shared": False, "actor": actor, "now": NOW, **given},  # type: ignore[arg-type]
    )


def seen_by(desk: Engine, viewer: str) -> list[tuple[str, str]]:
    with desk.connect() as conn:
        return [(view.name, view.owner) for view in saved_views.listed(conn, viewer=viewer)]


def test_a_view_is_kept_without_page_and_viewer(desk: Engine) -> None:
    save(desk, filters=VIEW.on_page(3).seen_by(ANA))

    with desk.connect() as conn:
        (view,) = saved_views.listed(conn, viewer=ANA)
    assert view.filters == VIEW


def test_colleagues_see_what_is_shared_and_ones_own_come_first(desk: Engine) -> None:
    save(desk, "Zebra")
    save(desk, "Private", actor=BEN)
    save(desk, "Common", actor=BEN, shared=True)

    assert seen_by(desk, ANA) == [("Zebra", ANA), ("Common", BEN)]


def test_the_same_name_in_any_case_replaces_ones_own_alone(desk: Engine) -> None:
    first = save(desk, "Met")
    save(desk, "Met", actor=BEN)

    assert save(desk, "MET", filters=Filters()) == first
    assert seen_by(desk, ANA) == [("MET", ANA)]


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\nb", "a\0b"])
def test_a_name_that_cannot_be_shown_is_refused(desk: Engine, name: str) -> None:
    with pytest.raises(Invalid):
        save(desk, name)


def test_markup_in_a_name_is_kept_as_typed(desk: Engine) -> None:
    save(desk, "<b>**bold**</b>")

    assert seen_by(desk, ANA) == [("<b>**bold**</b>", ANA)]


def test_only_ones_own_is_removed(desk: Engine) -> None:
    view_id = save(desk, shared=True)

    with pytest.raises(NotFound):
        saved_views.remove(desk, view_id=view_id, actor=BEN)
    saved_views.remove(desk, view_id=view_id, actor=ANA)
    assert seen_by(desk, ANA) == []


def test_fifty_views_are_enough_and_one_of_them_can_still_be_replaced(desk: Engine) -> None:
    for number in range(saved_views.MOST_OF_ONE):
        save(desk, f"View {number}")

    with pytest.raises(Invalid, match="You have 50 saved views"):
        save(desk, "One more")
    save(desk, "view 7", shared=True)
    save(desk, "A colleague's first", actor=BEN)
    assert len(seen_by(desk, ANA)) == 50


@pytest.mark.parametrize("forged", [0, -1, 999_999])
def test_a_forged_number_removes_nothing(desk: Engine, forged: int) -> None:
    save(desk)

    with pytest.raises(NotFound):
        saved_views.remove(desk, view_id=forged, actor=ANA)
    assert len(seen_by(desk, ANA)) == 1


def test_strangers_save_nothing(desk: Engine) -> None:
    with pytest.raises(NotAllowed):
        save(desk, actor="nobody@example.com")


def test_a_preference_is_each_persons_own(desk: Engine) -> None:
    preferences.put(desk, name="queue_columns", value=["due"], actor=ANA)
    preferences.put(desk, name="queue_columns", value=["due", "owner"], actor=ANA)

    with desk.connect() as conn:
        assert preferences.read(conn, email=ANA, name="queue_columns") == ["due", "owner"]
        assert preferences.read(conn, email=BEN, name="queue_columns") is None
