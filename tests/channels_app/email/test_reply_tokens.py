"""Reply addresses: ours are known again in whatever case, nobody else's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app import reply_tokens as tokens

KEY = b"k" * 32


@given(st.integers(1, 2**63 - 1))
def test_a_token_names_its_ticket_in_any_case(ticket_id: int) -> None:
    token = tokens.make(ticket_id, KEY)
    assert tokens.read(token, KEY) == tokens.read(token.upper(), KEY) == ticket_id
    assert tokens.read(token, b"other key") is None
    assert len(token) <= 32


@given(st.integers(1, 10**9), st.integers(0, 200), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_changed_token_names_nothing(ticket_id: int, at: int, letter: str) -> None:
    token = tokens.make(ticket_id, KEY)
    at %= len(token)
    changed = token[:at] + letter + token[at + 1 :]
    assert changed == token or tokens.read(changed, KEY) is None


@pytest.mark.parametrize("token", ["", "a", "====", "ünïcode", "a" * 500, "10000000", "\0"])
def test_nonsense_names_nothing(token: str) -> None:
    assert tokens.read(token, KEY) is None


def test_the_address_carries_the_token() -> None:
    token = tokens.make(10**12, KEY)
    address = tokens.address("support@demo.test", token)
    assert len(address.partition("@")[0]) < 64
    assert tokens.find(address.upper()) == token
    assert tokens.untagged(address)[1] == "support@demo.test"
    assert tokens.find(tokens.address("team+vn@demo.test", token)) == token
    assert tokens.address("a-very-long-local-part-that-leaves-no-room@demo.test", token).startswith("a-very")
    assert tokens.find("support+t-short@demo.test") == ""
