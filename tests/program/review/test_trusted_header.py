"""Which settings name a proxy's header, and from which connections it counts."""

import pytest

from program.review import trusted_header


@pytest.mark.parametrize(
    ("name", "peers", "part"),
    [
        ("X-Auth-Email", "10.0.0.5", ""),
        ("x-auth-email", "10.0.0.5, 10.0.1.0/28 ,fd00::7", ""),
        ("X-Auth-Email", "", "go together"),
        ("", "10.0.0.5", "go together"),
        ("X Auth", "10.0.0.5", "letters, digits and hyphens"),
        ("X_Auth_Email", "10.0.0.5", "letters, digits and hyphens"),
        ("X-Auth-Email:", "10.0.0.5", "letters, digits and hyphens"),
        ("Cookie", "10.0.0.5", "of the proxy's own"),
        ("X-Auth-Email", "proxy.example", "need addresses"),
        ("X-Auth-Email", "10.0.0.5,", "need addresses"),
        ("X-Auth-Email", "10.0.0.5/24", "need addresses"),
        ("X-Auth-Email", "*", "need addresses"),
        ("X-Auth-Email", "0.0.0.0/0", "from everybody"),
        ("X-Auth-Email", "10.0.0.5,::/0", "from everybody"),
    ],
)
def test_settings_that_cannot_hold_are_named(name: str, peers: str, part: str) -> None:
    fault = trusted_header.fault(name, peers)

    assert bool(fault) is bool(part)
    assert part in fault
    assert (trusted_header.parse(name, peers) is None) is bool(part)


@pytest.mark.parametrize(
    ("peer", "counts"),
    [
        ("10.0.0.5", True),
        ("10.0.1.15", True),
        ("fd00::7", True),
        ("::ffff:10.0.0.5", True),
        ("10.0.0.6", False),
        ("10.0.1.16", False),
        ("::ffff:10.0.0.6", False),
        ("fd00::8", False),
        ("127.0.0.1", False),
        ("10.0.0.5:80", False),
        ("proxy", False),
        ("", False),
        (None, False),
    ],
)
def test_the_header_counts_on_the_proxys_connections_only(peer: str | None, counts: bool) -> None:
    header = trusted_header.parse("X-Auth-Email", "10.0.0.5,10.0.1.0/28,fd00::7")

    assert header is not None
    assert header.name == "x-auth-email"
    assert header.counts_from(peer) is counts
