"""The screens: their paths, and who may open them."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One page. ``path`` is the part of the address after the slash; hidden ones have no tab."""

    file: str
    title: str
    icon: str
    path: str
    act: Act
    hidden: bool = False


QUEUE = Screen(
    file="dashboard/pages/queue/page.py",
    title="Queue",
    icon=":material/inbox:",
    path="",
    act=Act.READ,
)
APPLICATION = Screen(
    file="dashboard/pages/application/page.py",
    title="Application",
    icon=":material/contact_page:",
    path="application",
    act=Act.READ,
    hidden=True,
)
PROGRAM = Screen(
    file="dashboard/pages/program/page.py",
    title="Program",
    icon=":material/monitoring:",
    path="program",
    act=Act.SEE_PROGRAM,
)
POLICY = Screen(
    file="dashboard/pages/policy/page.py",
    title="Policy",
    icon=":material/gavel:",
    path="policy",
    act=Act.READ_POLICY,
)
SETTINGS = Screen(
    file="dashboard/pages/settings/page.py",
    title="Settings",
    icon=":material/tune:",
    path="settings",
    act=Act.KEEP_HOLIDAYS,
)
# Reached from the settings: the bar has no room for another tab beside the header at 1024 px.
STAFF = Screen(
    file="dashboard/pages/staff/page.py",
    title="Staff",
    icon=":material/badge:",
    path="staff",
    act=Act.MANAGE_STAFF,
    hidden=True,
)
AFFILIATES = Screen(
    file="dashboard/pages/affiliates/page.py",
    title="Affiliates",
    icon=":material/groups:",
    path="affiliates",
    act=Act.SEE_AFFILIATES,
)
OUTBOX = Screen(
    file="dashboard/pages/outbox/page.py",
    title="Outbox",
    icon=":material/outgoing_mail:",
    path="outbox",
    act=Act.KEEP_OUTBOX,
)
EXPLORE = Screen(
    file="dashboard/pages/explore/page.py",
    title="Explore",
    icon=":material/table_view:",
    path="explore",
    act=Act.READ,
)
IMPORT = Screen(
    file="dashboard/pages/imports/page.py",
    title="Import",
    icon=":material/upload_file:",
    path="import",
    act=Act.IMPORT,
)
SCREENS = (
    QUEUE,
    APPLICATION,
    IMPORT,
    PROGRAM,
    AFFILIATES,
    EXPLORE,
    OUTBOX,
    POLICY,
    SETTINGS,
    STAFF,
)


def at(path: str) -> Screen:
    """Return the screen at a path, which is the queue for any other."""
    return next((screen for screen in SCREENS if screen.path == path), QUEUE)


def way_back(address: str) -> str:
    """Return ``address`` as a relative path of a known screen with its query; else ``/``.

    A sign-in leads only to these, so that a link cannot send people elsewhere.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    known = {f"/{screen.path}" for screen in SCREENS}
    if parts.scheme or parts.netloc or parts.path not in known or not address.isprintable():
        return "/"
    query = urlencode(parse_qsl(parts.query))
    return f"{parts.path}?{query}" if query else parts.path
