"""Saved views of one person and of all."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from data_access.db.errors import (
    Invalid,
    NameTaken,
    NotAllowed,
    NotFound,
    NotInState,
    RequestReused,
)
from data_access.explore import saved_views
from program.policy.outcomes import Outcome
from program.reports.views import View
from program.review.queue_filters import Filters, Owner
from tests.builders import add_staff
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN

VIEW = Filters(eligibility=(Outcome.MET,), owner=Owner.UNASSIGNED)


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
    return engine


def save(desk: Engine, name: str = "Met", **given: object) -> int:
    form = {"name": name, "view": VIEW, "shared": False, **given}
    return saved_views.save(desk, clicks.command(saved_views.SaveView, **form))


def remove(desk: Engine, view_id: int, **given: object) -> int:
    command = clicks.command(saved_views.RemoveView, view_id=view_id, **given)
    return saved_views.remove(desk, command)


def version(desk: Engine, name: str) -> UUID:
    """Return the version that replacing this view requires, from the refusal to overwrite it."""
    with pytest.raises(NameTaken) as refused:
        save(desk, name, view=Filters())
    return refused.value.version


def seen_by(desk: Engine, viewer: str) -> list[tuple[str, str]]:
    with desk.connect() as conn:
        return [(view.name, view.owner) for view in saved_views.listed(conn, viewer=viewer)]


def test_a_view_is_kept_without_page_and_viewer(desk: Engine) -> None:
    save(desk, view=VIEW.on_page(3).for_viewer(ANA))

    with desk.connect() as conn:
        (view,) = saved_views.listed(conn, viewer=ANA)
    assert view.view == VIEW


def test_colleagues_see_shared_views_after_their_own(desk: Engine) -> None:
    save(desk, "Zebra")
    save(desk, "Private", actor=BEN)
    save(desk, "Common", actor=BEN, shared=True)

    assert seen_by(desk, ANA) == [("Zebra", ANA), ("Common", BEN)]


SPELLINGS = [
    "Overdue BR",
    "OVERDUE br",
    " overdue  br ",
    "Ｏｖｅｒｄｕｅ　BR",
    "ｏverdue\u00a0\u2009br",
]


@pytest.mark.parametrize("screen", [Filters(), View()])
@pytest.mark.parametrize("name", SPELLINGS)
def test_a_name_in_another_spelling_overwrites_nothing(
    desk: Engine, name: str, screen: Filters | View
) -> None:
    save(desk, "Overdue BR", view=screen)
    save(desk, "Overdue BR", actor=BEN)
    save(desk, "Overdue-BR", view=screen)

    with pytest.raises(NameTaken, match="You have a view “Overdue BR” already"):
        save(desk, name, view=screen, shared=True)

    with desk.connect() as conn:
        views = [*saved_views.listed(conn, viewer=ANA)]
        views += saved_views.explored(conn, viewer=ANA, personal=True)  # type: ignore[arg-type]
    assert sorted((view.name, view.shared) for view in views if view.owner == ANA) == [
        ("Overdue BR", False),
        ("Overdue-BR", False),
    ]


def test_a_view_replaced_on_purpose_keeps_its_id(desk: Engine) -> None:
    first = save(desk, "Met", shared=True)
    with pytest.raises(NameTaken, match="Colleagues see it too"):
        save(desk, "MET")

    assert save(desk, "MET", view=Filters(), replacing=version(desk, "met")) == first
    assert seen_by(desk, ANA) == [("MET", ANA)]


def test_a_view_changed_or_removed_meanwhile_is_not_replaced(desk: Engine) -> None:
    view_id = save(desk, "Met")
    replaced = version(desk, "met")
    save(desk, "Met!")
    with pytest.raises(NotInState, match="changed or removed meanwhile"):
        save(desk, "Met!", replacing=replaced)

    save(desk, "Met", shared=True, replacing=replaced)
    with pytest.raises(NotInState):
        save(desk, "met", replacing=replaced)
    current = version(desk, "met")
    remove(desk, view_id)
    with pytest.raises(NotInState):
        save(desk, "met", replacing=current)
    assert seen_by(desk, ANA) == [("Met!", ANA)]


def test_a_repeated_form_saves_once_and_does_not_ask_to_replace_itself(desk: Engine) -> None:
    form = uuid4()
    first = save(desk, request_id=form)
    assert save(desk, request_id=form) == first
    with pytest.raises(RequestReused):
        save(desk, "Another", request_id=form)

    again = uuid4()
    by = {"request_id": again, "replacing": version(desk, "Met")}
    assert save(desk, "MET", **by) == save(desk, "MET", **by) == first


@pytest.mark.parametrize("form", [None, uuid4()])
def test_of_two_forms_at_once_one_saves(desk: Engine, form: UUID | None) -> None:
    def attempt(name: str) -> bool:
        try:
            save(desk, name, request_id=form or uuid4())
        except NameTaken:
            return False
        return True

    names = ["Met", "Met" if form else "MET"]
    with ThreadPoolExecutor(2) as threads:
        saved = list(threads.map(attempt, names))

    assert saved.count(True) == (2 if form else 1)
    assert len(seen_by(desk, ANA)) == 1


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
        remove(desk, view_id, actor=BEN)
    remove(desk, view_id)
    assert seen_by(desk, ANA) == []


def test_fifty_views_are_enough_and_one_of_them_can_still_be_replaced(desk: Engine) -> None:
    for number in range(saved_views.MOST_OF_ONE):
        save(desk, f"View {number}")

    with pytest.raises(Invalid, match="You have 50 saved views"):
        save(desk, "One more")
    save(desk, "view 7", shared=True, replacing=version(desk, "view  7"))
    save(desk, "A colleague's first", actor=BEN)
    assert len(seen_by(desk, ANA)) == 50


@pytest.mark.parametrize("forged", [0, -1, 999_999])
def test_a_forged_number_removes_nothing(desk: Engine, forged: int) -> None:
    save(desk)

    with pytest.raises(NotFound):
        remove(desk, forged)
    assert len(seen_by(desk, ANA)) == 1


def test_strangers_save_nothing(desk: Engine) -> None:
    with pytest.raises(NotAllowed):
        save(desk, actor="nobody@example.com")
