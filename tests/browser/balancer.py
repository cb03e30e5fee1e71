"""One address in front of several servers, as a proxy gives them."""

import socket
import threading
from contextlib import suppress

PIECE = 1 << 16


class Balancer:
    """Forwards each new connection to the port ``to``; open ones stay where they are."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.reached: list[int] = []
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://localhost:{self._listening.getsockname()[1]}"

    def __enter__(self) -> "Balancer":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would not wake the thread that waits for a connection.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def move(self, to: int) -> None:
        """Forward to this port from now on, and end the connections to the other."""
        self.to = to
        while self._open:
            with suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                asking, _ = self._listening.accept()
            except OSError:
                return
            try:
                serving = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                asking.close()
                continue
            self.reached.append(self.to)
            self._open += (asking, serving)
            for pair in ((asking, serving), (serving, asking)):
                threading.Thread(target=_forward, args=pair, daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            sink.sendall(piece)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
