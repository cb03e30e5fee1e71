"""A proxy's header that says who sends a request: its name, and from whom it counts."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# People who come in by the header are bound to this issuer, which no identity provider can be.
PROXY_ISSUER = "proxy"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
# Their values are the browser's or the server's own.
_TAKEN = frozenset({"host", "cookie", "origin", "authorization", "connection", "upgrade"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedHeader:
    """The header with this name, in small letters, of requests from these addresses."""

    name: str
    peers: tuple[IPv4Network | IPv6Network, ...]

    def counts_from(self, peer: str | None) -> bool:
        """Return whether a connection from this address is one of the proxy's."""
        try:
            address = ip_address(peer or "")
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            # How a server that listens on both kinds of addresses sees the older kind.
            address = address.ipv4_mapped
        return any(address in network for network in self.peers)


def fault(name: str, peers: str) -> str:
    """Return why these two settings cannot hold, as the end of a sentence; empty if they can."""
    if not name or not peers:
        return "go together: the header's name, and the addresses that the proxy connects from"
    if not _NAME.fullmatch(name) or name.lower() in _TAKEN:
        return "need a header of the proxy's own, of letters, digits and hyphens: X-Auth-Email"
    try:
        networks = _networks(peers)
    except ValueError:
        return "need addresses or networks, by commas: 10.0.0.5, or 10.0.0.0/28"
    if any(network.prefixlen == 0 for network in networks):
        return "would believe the header from everybody: name the proxy's own addresses"
    return ""


def parse(name: str, peers: str) -> TrustedHeader | None:
    """Return the header that these settings name; ``None`` if they cannot hold."""
    if fault(name, peers):
        return None
    return TrustedHeader(name=name.lower(), peers=_networks(peers))


def _networks(peers: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one.strip()) for one in peers.split(","))
