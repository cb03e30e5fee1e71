"""The addresses to which messages may be sent, and name resolution.

A name may resolve differently the second time, so the address that was checked is the one that is
connected to.
"""

import asyncio
import ipaddress
import socket
import unicodedata
from ipaddress import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address

# Metadata services of clouds outside of the link-local range.
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        *("100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("fd00:ec2::254", "fd20:ce::254"),
    )
)
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog"})
# IPv6 ranges with an IPv4 address in the last four bytes.
TRANSLATED = tuple(
    ipaddress.IPv6Network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
)
LOOPBACK = (IPv6Address("::"), IPv6Address("::1"))


class NotAReceiver(Exception):
    """No endpoint can be at this address; the text says why in a few words."""


def require(host: str) -> None:
    """Raise NotAReceiver for a host written as such an address, in any spelling."""
    if host.rstrip(".") in METADATA_NAMES:
        raise NotAReceiver("it is a cloud's metadata service")
    address = written(host)
    if address is not None:
        _require(address)


async def addresses(host: str, port: int) -> list[str]:
    """Resolve the host to addresses, to be tried in this order.

    Raises NotAReceiver if any of them is not allowed, OSError if the name is unknown.
    """
    address = written(host)
    if address is not None:
        _require(address)
        return [str(address)]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    named = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for text in named:
        _require(ipaddress.ip_address(text.partition("%")[0]))
    return named


def written(host: str) -> Address | None:
    """Return the address that a host is written as; ``None`` for a name.

    Resolvers also accept the old notations: one number, octal, hexadecimal, fewer parts.
    """
    # As resolvers do: full-width digits and other full stops are normalized.
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".")
    try:
        return ipaddress.ip_address(plain)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(plain))
    except (OSError, UnicodeError):
        return None


def _require(address: Address) -> None:
    for one in (address, *_within(address)):
        if one in METADATA:
            raise NotAReceiver("it is a cloud's metadata service")
        # In IPv6 the reserved ranges contain the loopback and translated addresses.
        odd = isinstance(one, IPv4Address) and (one.is_reserved or one.packed[0] == 0)
        if odd or one.is_link_local or one.is_multicast or one.is_unspecified:
            raise NotAReceiver("it is link-local, multicast, reserved or no address at all")


def _within(address: Address) -> list[Address]:
    """Return the IPv4 addresses embedded in an IPv6 address."""
    if isinstance(address, IPv4Address):
        return []
    teredo = address.teredo[1] if address.teredo else None
    stands = address not in LOOPBACK and any(address in network for network in TRANSLATED)
    translated = IPv4Address(address.packed[-4:]) if stands else None
    inner = (address.ipv4_mapped, address.sixtofour, teredo, translated)
    return [one for one in inner if one is not None]
