"""The log of the files that the program page hands out."""

from collections.abc import Callable
from functools import partial

from dashboard import sign_in
from dashboard.components.sheets import Sheet
from data_access import database, figures_file


def entry(sheet: Sheet) -> Callable[[], None]:
    """What keeps in the log that the viewer takes ``sheet``; it raises NotAllowed.

    Who that is, is told while the page is drawn: whoever fetches the file runs outside of it.
    """
    return partial(
        figures_file.log,
        database.writer(),
        name=sheet.name,
        window=sheet.window,
        columns=[column.key for column in sheet.columns],
        row_count=sheet.rows,
        email=sign_in.signed_in_address() or "",
    )
