"""Messages that wait to be sent when a click begins another run."""

import asyncio

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session, state
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.state import SessionState

import serve
from dashboard.shell import settings
from dashboard.shell.past_widgets import Forgetful
from dashboard.shell.unsent import Unsent
from data_access.exports import jobs

LIST, TABLE = "list", "table"


def drawn(*path: int, by: str, words: str = "") -> ForwardMsg:
    """Return the message of a container, or of ``words``, drawn by a fragment."""
    message = ForwardMsg()
    message.metadata.delta_path.extend(path)
    message.delta.fragment_id = by
    if words:
        message.delta.new_element.text.body = words
    else:
        message.delta.add_block.allow_empty = True
    return message


def ended(how: int) -> ForwardMsg:
    message = ForwardMsg()
    message.script_finished = how
    return message


def places(waiting: ForwardMsgQueue) -> list[list[int]]:
    return [list(message.metadata.delta_path) for message in waiting._queue]


def first_run(waiting: ForwardMsgQueue) -> None:
    """Draw the list, and within it the table, which is a fragment of its own."""
    waiting.enqueue(drawn(0, 1, by=LIST))
    waiting.enqueue(drawn(0, 1, 0, by=LIST, words="12 applications"))
    waiting.enqueue(drawn(0, 1, 1, by=TABLE))
    waiting.enqueue(drawn(0, 1, 1, 0, by=TABLE, words="rows"))
    waiting.enqueue(ended(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY))


@pytest.mark.parametrize("clicked", [LIST, TABLE])
def test_nothing_is_sent_without_the_container_it_is_in(clicked: str) -> None:
    waiting = Unsent()
    first_run(waiting)

    waiting.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=[clicked])

    assert places(waiting) == [[0, 1], [0, 1, 0], [0, 1, 1], [0, 1, 1, 0], []]
    assert waiting._queue[-1].script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY


def test_what_the_next_run_draws_comes_after_what_it_is_in() -> None:
    waiting = Unsent()
    first_run(waiting)
    waiting.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=[LIST])

    waiting.enqueue(drawn(0, 1, by=LIST))
    waiting.enqueue(drawn(0, 1, 0, by=LIST, words="3 applications"))

    assert places(waiting)[-2:] == [[0, 1], [0, 1, 0]]
    assert waiting._queue[1].delta.new_element.text.body == "12 applications"


def test_the_server_keeps_it_for_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_session, "ForwardMsgQueue", ForwardMsgQueue)
    monkeypatch.setattr(state, "SessionState", SessionState)
    monkeypatch.setattr(settings, "require", lambda: None)
    for name in ("prepare", "clear"):
        monkeypatch.setattr(jobs, name, lambda: None)
    monkeypatch.setattr(serve, "import_ahead", lambda: None)

    async def started() -> None:
        async with serve._life(serve.app):
            assert app_session.ForwardMsgQueue is Unsent
            assert state.SessionState is Forgetful

    asyncio.run(started())


def test_a_run_of_the_whole_page_replaces_what_was_not_sent() -> None:
    waiting = Unsent()
    first_run(waiting)

    waiting.clear(retain_lifecycle_msgs=True)

    assert places(waiting) == [[]]
    assert waiting._queue[-1].script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
