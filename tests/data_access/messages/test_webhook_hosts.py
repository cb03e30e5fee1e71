"""A webhook is sent only to allowed hosts, at the address that was checked."""

import asyncio
import socket
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from data_access.db.errors import SettingMissing
from data_access.messages.channels import NotTaken, hosts
from data_access.messages.channels.webhook import Webhook
from program.messages.delivery import Reason
from tests.data_access.messages.test_channels import outgoing
from tests.data_access.receivers import Arrivals, endpoint

SECRET = "a secret of more than twenty-four bytes"
NEVER = (
    "169.254.169.254",
    "169.254.1.1",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "0.0.0.0",
    "0",
    "0.1.2.3",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "metadata.google.internal",
    "metadata.google.internal.",
    "[::]",
    "[fe80::1]",
    "[ff02::1]",
    "[fd00:ec2::254]",
    "169.254.169.254.",
    "169。254。169。254",
    "１６９.254.169.254",
    "metadata。google。internal",
    "[::169.254.169.254]",
    "[::ffff:0:a9fe:a9fe]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
)
POSSIBLE = (
    "exchange.example.com",
    "10.1.2.3",
    "192.168.7.7",
    "127.0.0.1",
    "[fc00::7]",
    "[::1]",
    "exämple.com",
)
NOT_ADDRESSES = (
    "https://exchange\u2028.example.com/hook",
    "https://exchange.example.com/ho\u2028ok",
    "https://exchange.example.com/ho ok",
    "https://exchange.example.com/\u202ehook",
    "https://@exchange.example.com/hook",
    "https://ⓜetadata.google.internal/hook",
    "https://exchange..example.com/hook",
    "https://.example.com/hook",
    f"https://{'a' * 64}.example.com/hook",
    f"https://{'a.' * 130}example.com/hook",
    "https://[v1.x]/hook",
    "https://☃.example.com/hook",
)


def made(url: str) -> Webhook:
    return Webhook.from_settings({"NOTIFY_WEBHOOK_URL": url, "NOTIFY_WEBHOOK_SECRET": SECRET})


@pytest.mark.parametrize("host", NEVER)
def test_no_endpoint_is_at_an_address_of_the_machine_s_own_network(host: str) -> None:
    with pytest.raises(SettingMissing, match="points to an address that no endpoint has"):
        made(f"https://{host}/hook")


@pytest.mark.parametrize("host", POSSIBLE)
def test_an_endpoint_may_be_public_private_or_on_this_computer(host: str) -> None:
    assert made(f"https://{host}/hook").url == f"https://{host}/hook"


@pytest.mark.parametrize("url", NOT_ADDRESSES)
def test_text_with_hidden_characters_is_no_address(url: str) -> None:
    with pytest.raises(SettingMissing, match="cannot be used"):
        made(url)


@pytest.fixture
def means(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Addresses by host name, resolved anew at every attempt."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "fe80::1%eth0", "fd00:ec2::254"])
def test_a_name_that_has_come_to_mean_such_an_address_is_not_spoken_to(
    address: str, means: dict[str, list[str]]
) -> None:
    means["exchange.example.com"] = ["10.0.0.1", address]
    webhook = made("https://exchange.example.com/hook")

    with pytest.raises(NotTaken) as refused:
        webhook.send(outgoing(), now=datetime.now(UTC))
    webhook.close()

    assert refused.value.failure.reason is Reason.NOT_SET_UP
    assert not refused.value.failure.final, "who mends the name finds the messages waiting"
    assert refused.value.is_down


def test_the_connection_goes_to_the_checked_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[str] = []

    async def addresses(host: str, port: int) -> list[str]:
        looked_up.append(f"{host}:{port}")
        # The first does not answer; a second look-up would find none of them.
        return ["127.0.0.2", "127.0.0.1"]

    monkeypatch.setattr(hosts, "addresses", addresses)
    arrivals = Arrivals()
    with endpoint(arrivals) as url:
        webhook = made(url.replace("127.0.0.1", "localhost"))
        webhook.send(outgoing(), now=datetime.now(UTC))
        webhook.close()

    port = httpx.URL(url).port
    assert looked_up == [f"localhost:{port}"]
    [headers] = arrivals.headers.values()
    assert headers["host"] == f"localhost:{port}"


def test_a_name_that_is_not_known_is_unreachable() -> None:
    with pytest.raises(OSError, match=r"."):
        asyncio.run(hosts.addresses("no-such-host.invalid", 443))
