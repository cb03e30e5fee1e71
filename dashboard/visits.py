"""The browsers in which somebody on the staff list is signed in, by the mark each was given.

Streamlit gives the file behind a download button to whoever has its address. The server asks
here first, so that nothing leaves without a sign-in, however that was made.
"""

from collections import OrderedDict

# Given to every browser with its first page; a link works in the browser it was made for.
BROWSER_COOKIE = "affiliate_review_browser"
# A browser that is not heard of for so long has to open a page again; a person's day is shorter.
LONGEST_S = 12 * 60 * 60
MOST = 10_000

_seen: OrderedDict[str, float] = OrderedDict()


def seen(mark: str, *, now: float) -> None:
    """A page was drawn for a member of staff in the browser with this mark."""
    if mark:
        _seen[mark] = now
        _seen.move_to_end(mark)
        while len(_seen) > MOST:
            _seen.popitem(last=False)


def ended(mark: str) -> None:
    """Nobody is signed in there any more."""
    _seen.pop(mark, None)


def is_signed_in(mark: str, *, now: float) -> bool:
    """Whether somebody was, at their last page."""
    return now - _seen.get(mark, float("-inf")) <= LONGEST_S
