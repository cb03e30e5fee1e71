"""The same acts in the peer; each returns milliseconds."""

import time

from playwright.sync_api import Page

PENDING = "/peer/application/?status__exact=pending"
ROWS = "#result_list tbody tr"
REASON = "Measured"


class Peer:
    """The admin in a browser, at its list of pending applications."""

    def __init__(self, page: Page, address: str, login: str, password: str, *, handle: str) -> None:
        self.page, self.address, self.handle = page, address, handle
        self.login, self.password = login, password

    def sign_in(self) -> None:
        self.page.goto(f"{self.address}/")
        self.page.get_by_label("Username").fill(self.login)
        self.page.get_by_label("Password").fill(self.password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_text("Welcome").wait_for()

    def reload(self) -> float:
        self._open_list()
        began = time.perf_counter()
        self.page.reload(wait_until="load")
        self._rows()
        return since(began)

    def filter(self) -> float:
        self._open_list()
        choice = self.page.locator("#changelist-filter").get_by_role("link", name="BR", exact=True)
        began = time.perf_counter()
        choice.click()
        self._wait_for("country_code")
        self._rows()
        return since(began)

    def search(self) -> float:
        """Type a whole handle, and time from Enter."""
        self._open_list()
        self.page.locator("#searchbar").fill(self.handle)
        began = time.perf_counter()
        self.page.keyboard.press("Enter")
        self._wait_for("q=")
        self._rows()
        return since(began)

    def open(self) -> float:
        self._open_list()
        first = self.page.locator(f"{ROWS} a").first
        began = time.perf_counter()
        first.click()
        self._wait_for("/change/")
        self.page.get_by_role("button", name="Save", exact=True).wait_for()
        return since(began)

    def decide(self) -> float:
        """Approve the first, and time from the button that sends it to its confirmation."""
        self._open_list()
        self.page.locator(f"{ROWS} input[type=checkbox]").first.check()
        self.page.locator("select[name=action]").select_option("approved")
        self.page.locator("input[name=reason]").fill(REASON)
        began = time.perf_counter()
        self.page.get_by_role("button", name="Go").click()
        self.page.locator(".messagelist .success").wait_for()
        return since(began)

    def _open_list(self) -> None:
        self.page.goto(f"{self.address}{PENDING}")
        self._rows()

    def _rows(self) -> None:
        self.page.locator(ROWS).first.wait_for()

    def _wait_for(self, part: str) -> None:
        self.page.wait_for_url(lambda address: part in address, wait_until="load")


def since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
