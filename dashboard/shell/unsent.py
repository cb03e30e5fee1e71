"""What a page has drawn and the server has not sent yet."""

from streamlit.runtime import app_session
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue


class Unsent(ForwardMsgQueue):
    """Keeps what a run has drawn, also if a click in a fragment begins the next before it is sent.

    Streamlit drops what the fragment itself drew, and keeps what the fragments within it drew:
    elements of a container that the browser never hears of, at which the page breaks. On a busy
    server one click is enough. To keep all is the same as having sent it a moment earlier.
    """

    def clear(
        self,
        retain_lifecycle_msgs: bool = False,  # noqa: FBT002 - the signature is Streamlit's
        fragment_ids_this_run: list[str] | None = None,
    ) -> None:
        """Drop what a run of the whole page replaces; a fragment's run replaces nothing unsent."""
        if fragment_ids_this_run is None:
            super().clear(retain_lifecycle_msgs)
        else:
            # A new element may not take an older one's place, ahead of its container.
            self._delta_index_map = {}


def keep_for_fragments() -> None:
    """Keep it for every page opened from now on."""
    app_session.ForwardMsgQueue = Unsent
