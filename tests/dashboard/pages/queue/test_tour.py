"""Who is new to the desk is offered a tour, once."""

from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import QUEUE
from program.review.permissions import Role
from program.review.tour import STEPS
from tests.dashboard.pages.screen import PEOPLE, Desk, texts

OFFER = {"Take the tour", "Not now"}


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def let_everybody_be_new(desk: Desk) -> None:
    with desk.engine.begin() as conn:
        conn.execute(text("delete from review.preferences where name = 'tour'"))


def test_the_tour_is_offered_until_it_is_taken_or_put_off(queue: Desk) -> None:
    assert not OFFER & labels(queue.open(QUEUE))
    let_everybody_be_new(queue)

    app, second_tab = queue.open(QUEUE), queue.open(QUEUE)
    assert labels(app) >= OFFER
    assert labels(second_tab) >= OFFER
    app.button(key="tour-later").click().run()

    assert not OFFER & labels(app)
    assert not OFFER & labels(second_tab.run())
    assert not OFFER & labels(queue.open(QUEUE))
    queue.who = PEOPLE[Role.MANAGER]
    assert labels(queue.open(QUEUE)) >= OFFER


def test_the_offer_stands_above_the_list_and_covers_none_of_its_rows(queue: Desk) -> None:
    let_everybody_be_new(queue)

    drawn = [
        "the offer" if getattr(node, "key", None) == "tour-take" else node.type
        for node in queue.open(QUEUE).main
    ]

    assert drawn.index("the offer") < drawn.index("dataframe")


def test_taking_the_tour_shows_its_first_step_and_the_offer_goes(queue: Desk) -> None:
    let_everybody_be_new(queue)
    app = queue.open(QUEUE)

    app.button(key="tour-take").click().run()

    assert f"**1 of {len(STEPS)} · {STEPS[0].title}**" in texts(app)
    assert STEPS[0].words in texts(app)
    assert not OFFER & labels(app)


def test_who_does_not_decide_is_offered_none(queue: Desk) -> None:
    let_everybody_be_new(queue)
    queue.who = PEOPLE[Role.ANALYST]

    assert not OFFER & labels(queue.open(QUEUE))


def test_the_tour_leads_through_every_step_and_back() -> None:
    def script() -> None:
        from dashboard.forms import tour

        tour._steps()

    app = AppTest.from_function(script).run()
    for number, step in enumerate(STEPS, start=1):
        assert app.markdown[0].value == f"**{number} of {len(STEPS)} · {step.title}**"
        assert app.button(key="tour-back").disabled == (number == 1)
        if number < len(STEPS):
            app.button(key="tour-continue").click().run()
    app.button(key="tour-back").click().run()

    assert app.text[0].value == STEPS[-2].words
