"""Whatever comes, nothing but a declared error is raised: calls that were mangled, values of every wrong type."""

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app import registry
from channels_app.contracts import InboundItem
from channels_app.simulators.graph import GraphProvider
from channels_app.simulators.instagram import Instagram
from channels_app.simulators.messenger import Messenger
from helpdesk.core.errors import GiveUp
from helpdesk.core.text import storable
from tests.channels_app.simulated import Played, called, parsed

PEOPLE = {"messenger": Messenger, "instagram": Instagram}


# What earlier calls told is asked of the database.
pytestmark = pytest.mark.django_db


def samples(provider: GraphProvider) -> list[Any]:
    """One call with every kind of event."""
    who = next(iter(provider.PEOPLE))
    note = provider.note(who, "Giá?", post=provider.a_post())
    own = provider.note(provider.account_id, "499k", post=provider.a_post(), parent=note.id)
    url = "https://cdn.test/a"
    attachments = [
        *({"type": kind, "payload": {"url": url}} for kind in ("image", "share", "story_mention", "ig_reel", "reel")),
        {"type": "location", "title": "x", "payload": {"coordinates": {"lat": 1.5, "long": 2}}},
        {"type": "template", "payload": {"elements": [{"title": "t"}], "buttons": [{"title": "b"}]}},
        {"type": "fallback", "title": "t", "payload": {"url": url}},
        {"type": "image", "payload": {"sticker_id": 1, "url": url}},
    ]
    full = {"mid": "m_1", "text": "a", "attachments": attachments, "reply_to": {"mid": "m_0", "story": {"url": url}}}
    full |= {"quick_reply": {"payload": "p"}, "referral": {"ref": "r", "ads_context_data": {"ad_title": "t"}}}
    return [
        provider.event(who, "Alo"),
        provider.frame(who, message=full),
        provider.frame(who, message={"mid": "m_2", "is_deleted": True}),
        provider.echo(who, "m_3", {"text": "b", "metadata": "x:1"}, app="1"),
        provider.frame(who, postback={"mid": "m_4", "title": "t", "payload": "p", "referral": {"ref": "r"}}),
        provider.frame(who, reaction={"mid": "m_5", "action": "react", "emoji": "❤"}),
        provider.frame(who, message_edit={"mid": "m_6", "text": "c", "num_edit": 1}),
        provider.frame(who, read={"mid": "m_7", "watermark": 1}),
        provider.frame(who, delivery={"mids": ["m_8"], "watermark": 1}),
        provider.frame(who, referral={"ref": "r", "source": "ADS"}),
        provider.frame(who, optin={"type": "t", "payload": "p"}),
        provider.odd(who),
        *(provider.comment_event(note, verb) for verb in ("add", "edited", "remove", "hide")),
        provider.comment_event(own),
    ]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with something else at one place."""
    if not path:
        return new
    value[path[0]] = put(value[path[0]], path[1:], new)
    return value


HUGE = 10**400
ODD: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        HUGE,
        -HUGE,
        1e308,
        math.nan,
        math.inf,
        -math.inf,
        "",
        "\x00",
        "\ud800",
        "x" * 5000,
    ),
    *(
        "2026-13-45T99:99:99+0000",
        "2026-01-01T00:00:00",
        "٣٤٥",
        "²",
        "http://[",
        "https://[::1",
        "edited",
        "remove",
    ),
    *([], {}, [[]], [None]),
]
odd_scalars = st.sampled_from(ODD).map(copy.deepcopy)
anything = st.recursive(
    odd_scalars | st.text(max_size=20) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def digest(kind: str, payload: Any) -> None:
    """Through split and parse as the hook and the worker do it; every result can be stored."""
    provider = PEOPLE[kind](base_url="http://127.0.0.1:1")
    channel = Played(provider, "").channel()
    try:
        items = registry.adapter(kind).split(channel, called(payload))  # type: ignore[attr-defined]
    except ValueError:
        return
    for item in items:
        assert item.external_id
        try:
            found: tuple[InboundItem, ...] = parsed(kind, channel.address, item.raw)
        except GiveUp as error:
            assert str(error)
            continue
        for one in found:
            assert getattr(one, "external_id", "-")
            assert getattr(one, "thread_key", "-")
            assert len(getattr(one, "thread_key", "")) <= 255
            text = json.dumps(storable(getattr(one, "details", {})), allow_nan=False)  # PostgreSQL keeps no NaN
            assert "\\u0000" not in text
            storable(one)


@pytest.mark.parametrize("kind", list(PEOPLE))
def test_no_odd_value_at_any_one_place_raises_anything_else(kind: str) -> None:
    for sample in samples(PEOPLE[kind](base_url="http://127.0.0.1:1")):
        whole = PEOPLE[kind](base_url="http://127.0.0.1:1").envelope([sample])
        for place in places(whole):
            for odd in ODD:
                digest(kind, json.dumps(put(copy.deepcopy(whole), place, odd)).encode())


@pytest.mark.parametrize("kind", list(PEOPLE))
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_mangled_call_raises_nothing_else(kind: str, data: st.DataObject) -> None:
    provider = PEOPLE[kind](base_url="http://127.0.0.1:1")
    payload = copy.deepcopy(provider.envelope([data.draw(st.sampled_from(samples(provider)))]))
    for _ in range(data.draw(st.integers(1, 3))):
        payload = put(payload, data.draw(st.sampled_from(places(payload))), data.draw(anything))
    digest(kind, json.dumps(payload).encode())


@pytest.mark.parametrize("kind", list(PEOPLE))
@settings(max_examples=150, deadline=None)
@given(payload=anything)
def test_any_json_at_all_raises_nothing_else(kind: str, payload: Any) -> None:
    digest(kind, json.dumps(payload).encode())
    digest(kind, json.dumps({"object": PEOPLE[kind].OBJECT, "entry": [payload]}).encode())


@pytest.mark.parametrize("kind", list(PEOPLE))
@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=300))
def test_any_bytes_at_all_raise_nothing_else(kind: str, raw: bytes) -> None:
    digest(kind, raw)
    with pytest.raises(GiveUp):
        parsed(kind, "1", raw)


@pytest.mark.parametrize("kind", list(PEOPLE))
@pytest.mark.parametrize("depth", [50, 300, 480, 600, 990, 5000])
def test_deep_nesting_is_no_way_in(kind: str, depth: int) -> None:
    provider = PEOPLE[kind](base_url="http://127.0.0.1:1")
    for deep in (b"[" * depth + b"1" + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        for sample in samples(provider):
            whole = json.dumps(provider.envelope([sample])).encode()
            for name in (b'"text": "', b'"mid": "m', b'"timestamp": 1', b'"payload": {', b'"from": {'):
                digest(kind, whole.replace(name, name.split(b":")[0] + b":" + deep + b',"z' + name[1:], 1))
        digest(kind, b'{"object":"%s","entry":[%s]}' % (PEOPLE[kind].OBJECT.encode(), deep))
