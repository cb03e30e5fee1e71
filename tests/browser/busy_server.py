"""The dashboard on a server that gets to send the queue's table only after the first click.

It runs as ``serve.py`` does.
"""

import argparse

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

import serve

send = ForwardMsgQueue.flush


def sent(unsent: ForwardMsgQueue) -> list[ForwardMsg]:
    """Return what goes to the browser: until the first click nothing from the table on."""
    waiting = unsent._queue
    table = next((n for n, message in enumerate(waiting) if is_table(message)), None)
    if table is None or any(message.HasField("new_session") for message in waiting[table:]):
        return send(unsent)
    unsent._queue, unsent._delta_index_map = waiting[table:], {}
    return waiting[:table]


def is_table(message: ForwardMsg) -> bool:
    return message.HasField("delta") and message.delta.new_element.HasField("dataframe")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int)
    ForwardMsgQueue.flush = sent
    serve.main(parser.parse_args().port)
