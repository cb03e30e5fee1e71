"""Sessions of people without a browser: Streamlit's websocket, spoken as its own page does."""

import re
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 60
# A run that did not end, or that failed.
LOST = (TimeoutError, ConnectionClosed, AssertionError)
ENDED = {
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
}
AGAIN = (ForwardMsg.FINISHED_EARLY_FOR_RERUN, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass(frozen=True)
class Run:
    """One run of the script: milliseconds until it has finished, and its messages as sent."""

    ms: float
    frames: tuple[bytes, ...]

    @property
    def messages(self) -> int:
        """How many messages the browser would have received."""
        return len(self.frames)

    @property
    def size(self) -> int:
        """Their bytes, before compression."""
        return sum(map(len, self.frames))

    def shows(self, words: str) -> bool:
        """Whether a text, or the key of an element, is among what it sent."""
        return any(words.encode() in frame for frame in self.frames)


class Session:
    """An open page of somebody."""

    def __init__(self, socket: ClientConnection, address: str) -> None:
        self.socket, self.address = socket, address
        self.kept: set[str] = set()
        self.fragment = ""
        self.place = ("", "")
        self.buttons: dict[str, tuple[str, str]] = {}

    def run(self, path: str = "", query: str = "") -> Run:
        """Run the page at ``path`` with this query, as an address does, to its end."""
        self.fragment = ""
        self.buttons.clear()
        return self._run(self._state(path, query), {ForwardMsg.FINISHED_SUCCESSFULLY})

    def click(self, path: str = "", query: str = "") -> Run:
        """Run what a click runs that leads to this query: the page's own fragment, if it is one."""
        finished = ForwardMsg.FINISHED_SUCCESSFULLY
        if self.fragment:
            finished = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
        return self._run(self._state(path, query), {finished})

    def press(self, key: str) -> Run:
        """Press the button with this key, which a run before this one drew."""
        id_, fragment = self.buttons[key]
        state = self._state(*self.place)
        state.fragment_id = fragment
        pressed = state.widget_states.widgets.add()
        pressed.id, pressed.trigger_value = id_, True
        return self._run(state, ENDED)

    def _run(self, state: ClientState, finished: Set[int]) -> Run:
        wanted = BackMsg(rerun_script=state).SerializeToString()
        frames: list[bytes] = []
        kept: set[str] = set()
        began = time.perf_counter()
        self.socket.send(wanted)
        while True:
            frames.append(bytes(self.socket.recv(timeout=PATIENCE_S)))
            answer = ForwardMsg.FromString(frames[-1])
            kept |= kept_by_the_page(answer)
            self.fragment = self.fragment or fragment_of_the_page(answer)
            self._note_button(answer)
            if answer.WhichOneof("type") == "script_finished":
                if answer.script_finished in finished:
                    break
                assert answer.script_finished in AGAIN, answer
        ms = (time.perf_counter() - began) * 1000
        self.kept = kept
        return Run(ms, tuple(frames))

    def _note_button(self, answer: ForwardMsg) -> None:
        button = answer.delta.new_element.button
        if button.id:
            # An id is "$$ID-", a hash, and the key.
            self.buttons[button.id.split("-", 2)[2]] = (button.id, answer.delta.fragment_id)

    def _state(self, path: str, query: str) -> ClientState:
        self.place = (path, query)
        state = ClientState(query_string=query, page_name=path, fragment_id=self.fragment)
        state.cached_message_hashes.extend(self.kept)
        state.context_info.timezone, state.context_info.locale = "UTC", "en-US"
        state.context_info.url = f"{self.address}/{path}"
        return state


# The part of a page below the header.
BODY = 1


def fragment_of_the_page(answer: ForwardMsg) -> str:
    """Return the fragment that draws the whole body of the page, if this message begins it."""
    place = list(answer.metadata.delta_path)
    return answer.delta.fragment_id if place == [0, BODY] else ""


def kept_by_the_page(answer: ForwardMsg) -> set[str]:
    """Return the hash of a message that the page keeps, so that it need not be sent again."""
    if answer.HasField("ref_hash"):
        return {answer.ref_hash}
    return {answer.hash} if answer.metadata.cacheable else set()


@contextmanager
def opened(address: str, cookies: str = "") -> Iterator[Session]:
    """Open a page of the server at ``address``, with these cookies."""
    stream = address.replace("http", "ws", 1) + "/_stcore/stream"
    headers = {"Cookie": cookies, "Origin": address}
    with connect(
        stream, subprotocols=["streamlit"], additional_headers=headers, max_size=None
    ) as socket:
        yield Session(socket, address)


def sign_in(address: str, email: str) -> str:
    """Sign in locally as ``email``; returns the cookies."""
    with opened(address) as session:
        screen = b"".join(session.run().frames).decode(errors="replace")
    found = re.search(rf'href="(local-sign-in\?token=[^"]+)" title="{re.escape(email)}"', screen)
    assert found is not None, f"The sign-in screen does not offer {email}."
    with httpx.Client(base_url=address) as browser:
        browser.get("/")
        browser.get(f"/{found[1]}")
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
