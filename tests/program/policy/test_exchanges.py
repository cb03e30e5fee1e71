"""Which names of other exchanges are the same, and which must be confirmed."""

import pytest

from program.policy.exchanges import Stated, exchange_key, in_doubt, resembles, was_told_apart


@pytest.mark.parametrize(
    ("key", "spellings"),
    [
        ("okx", ["OKX", "okx", "ＯＫＸ", "OK X", " o.k.x ", "O\u200bKX", "OK\u00a0X", "OK-X"]),
        # Additions alone do not make another exchange.
        ("okx", ["OKX.com", "www.okx.com", "https://www.okx.com/en?x=1", "OKX Exchange", "OKX US"]),
        ("okx", ["OKXExchange", "OKX Global", "OKX.com Exchange", "OKX (Global)", "okx.com\n"]),
        ("gate", ["Gate", "Gate.io", "GATE IO"]),
        ("börse", ["Börse", "BO\u0308RSE"]),
        # A name that would become empty stays whole.
        ("exchange", ["Exchange", "EXCHANGE"]),
        ("globalexchange", ["Global Exchange"]),
        ("!!!", ["!!!"]),
        ("", ["", " "]),
    ],
)
def test_every_way_to_write_an_exchange_has_one_key(key: str, spellings: list[str]) -> None:
    assert {text: exchange_key(text) for text in spellings} == dict.fromkeys(spellings, key)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("OKX.com", "OKX", True),
        ("OKX", "OKX.com", True),
        ("Binance US", "Binance", True),
        ("HTX (Huobi)", "Huobi", True),
        ("Bybit Whales Club", "Bybit", True),
        ("Binnance", "Binance", True),
        ("Bitmart", "Bitmark", True),
        ("\u041e\u041a\u0425", "OKX", True),  # in Cyrillic letters
        ("Kraken", "KuCoin", False),
        ("Bybit", "Bitget", False),
        ("Gate", "Kate", False),
        ("HB", "HBX", False),
    ],
)
def test_a_name_that_contains_extends_or_imitates_another_must_be_confirmed(
    one: str, other: str, alike: bool
) -> None:
    assert (resembles(one, other), resembles(other, one)) == (alike, alike)


@pytest.mark.parametrize(
    ("name", "stated", "doubts"),
    [
        ("OKX.com", ["OKX", "Bybit"], ("OKX",)),
        ("OKX", ["okx"], ()),
        ("OKX", ["okx", "OKX.com"], ("OKX.com",)),
        ("OKX", ["OKX.com", "OKX Global", "okx global"], ("OKX.com", "okx global")),
        ("OKX", ["Kraken"], ()),
        ("OKX", [], ()),
    ],
)
def test_other_names_that_may_mean_the_same_exchange_must_be_confirmed(
    name: str, stated: list[str], doubts: tuple[str, ...]
) -> None:
    assert in_doubt(name, [Stated(name=other) for other in stated]) == doubts


def test_exchanges_marked_distinct_stay_so_in_every_spelling() -> None:
    stated = [Stated(name="Binance"), Stated(name="Binance US", told_apart=True)]

    assert was_told_apart("BINANCE-US", stated)
    assert not was_told_apart("binance", stated)
    assert (in_doubt("BINANCE-US", stated), in_doubt("binance", stated)) == ((), ())
    assert in_doubt("Binance TR", stated) == ("Binance",)
    keys = {exchange_key("Binance"), exchange_key("Binance US", told_apart=True)}
    # Also if the bare name is the distinct one.
    assert len(keys | {exchange_key("Binance", told_apart=True)}) == 3
