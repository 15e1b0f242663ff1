"""What leaves by Instagram, taken or refused by an account that is as strict as the real one, over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from channels_app import media
from channels_app.adapters.instagram.adapter import InstagramAdapter
from channels_app.contracts import OutboundFile
from channels_app.simulators._faces import portrait
from channels_app.simulators.base import Fault
from channels_app.simulators.graph import DAY
from channels_app.simulators.instagram import Instagram
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain
from tests.channels_app.simulated import Played, envelope, played

ANH = "1784000000000201"
PICTURE = portrait(ANH)
ADAPTER = InstagramAdapter()


@pytest.fixture
def account(settings: Any) -> Iterator[Played]:
    with played(Instagram(), settings) as account:
        yield account


@pytest.fixture
def own_login(account: Played) -> Played:
    account.provider.account["access_token"] = "IGAADemo"
    return account


def send(account: Played, **changes: Any) -> str:
    return ADAPTER.send(account.channel(), envelope(**({"to": ANH} | changes))).provider_id


def last_body(account: Played) -> dict[str, Any]:
    return account.provider.calls[-1].json


def test_text_arrives_within_the_window(account: Played) -> None:
    mid = send(account, choices=("Có", "Không"))
    [line] = account.provider.sent()
    assert (line.id, line.person, line.text, line.choices) == (mid, ANH, "Dạ có ạ 👋", ["Có", "Không"])
    assert set(last_body(account)) == {"recipient", "message"}
    assert account.provider.calls[-1].path == "/v25.0/me/messages"


def test_the_limit_counts_bytes(account: Played) -> None:
    send(account, text="ạ" * 333)
    with pytest.raises(GiveUp, match="Length"):
        send(account, text="ạ" * 334)


def test_after_a_day_only_a_person_may_write(account: Played) -> None:
    account.provider.heard[ANH] -= DAY + 60
    with pytest.raises(GiveUp, match="time in which this customer may be answered"):
        send(account)
    send(account, past_window=True)
    assert (last_body(account)["messaging_type"], last_body(account)["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    with pytest.raises(GiveUp, match="only a person"):
        send(account, past_window=True, auto=True)
    account.provider.heard[ANH] -= 7 * DAY
    with pytest.raises(GiveUp, match="time in which this customer may be answered"):
        send(account, past_window=True)


@pytest.mark.django_db(transaction=True)
def test_a_file_is_fetched_by_the_provider(account: Played, live_server: Any, settings: Any) -> None:
    settings.SITE_URL = live_server.url
    file = media.keep(content=PICTURE, filename="ảnh.png", content_type="image/png")
    out = OutboundFile(filename=file.filename, content_type=file.content_type, path=file.path)
    mid = send(account, text="", files=(out,))
    [line] = account.provider.sent()
    assert line.id == mid
    path = line.files[0]["url"].removeprefix(account.provider.base_url)
    assert account.provider.files[path] == (PICTURE, "image/png")

    text = media.keep(content=b"abc", filename="a.zip", content_type="application/zip")
    bad = OutboundFile(filename=text.filename, content_type=text.content_type, path=text.path)
    with pytest.raises(GiveUp, match="files of this type"):
        send(account, text="", files=(bad,))


def test_a_comment_is_answered_in_public_and_privately(account: Played) -> None:
    above = account.provider.note(ANH, "Giá?", post=account.provider.a_post())
    made = send(account, mode="comment", quotes=above.id, text="499k ạ")
    assert account.provider.calls[-1].path == f"/v25.0/{above.id}/replies"
    assert account.provider.comments[made].parent == above.id
    send(account, mode="private", quotes=above.id)
    assert last_body(account)["recipient"] == {"comment_id": above.id}
    with pytest.raises(GiveUp, match="one private answer already"):
        send(account, mode="private", quotes=above.id)
    file = OutboundFile(filename="a.png", content_type="image/png", path="x")
    with pytest.raises(GiveUp, match="no file"):
        send(account, mode="comment", quotes=above.id, text="", files=(file,))


def test_what_goes_wrong_is_sorted(account: Played) -> None:
    faults: list[tuple[Fault, type[Exception]]] = [
        (Fault("status", 401, body={"error": {"code": 190, "error_subcode": 463}}), Reauthorise),
        (Fault("status", 400, body={"error": {"code": 613}}), Retry),
        (Fault("status", 429), Retry),
        (Fault("status", 502), Uncertain),
        (Fault("lost"), Uncertain),
        (Fault("status", 403, body={"error": {"code": 10, "error_subcode": 2534022}}), GiveUp),
    ]
    for fault, wanted in faults:
        account.provider.faults.append(fault)
        with pytest.raises(wanted) as raised:
            send(account)
        assert type(raised.value) is not GiveUp or wanted is GiveUp


# --- what is asked besides ----------------------------------------------------------------------------------------


def test_who_somebody_is(account: Played) -> None:
    assert ADAPTER.profile(account.channel(), ANH).name == "Phạm Ngọc Anh"
    with pytest.raises(GiveUp) as refused:
        ADAPTER.profile(account.channel(), "123")  # has only commented: no consent
    assert not isinstance(refused.value, Reauthorise)


def test_the_keys_of_a_linked_page_are_tried(account: Played) -> None:
    found = ADAPTER.probe(account.channel())
    assert (found.ok, found.account) == (True, "Hoa Lư Store")
    channel = account.channel()
    account.provider.account["account_id"] = "555"
    assert "another page" in ADAPTER.probe(channel).problem


def test_the_keys_of_instagrams_own_log_in_are_tried(own_login: Played) -> None:
    found = ADAPTER.probe(own_login.channel())
    assert (found.ok, found.account) == (True, "hoaluvn")


def test_a_key_of_its_own_log_in_is_renewed(own_login: Played) -> None:
    fresh = ADAPTER.refresh(own_login.channel())
    assert fresh.secrets == {"access_token": own_login.provider.account["access_token"]} != {"access_token": "IGAADemo"}
    assert fresh.expires_at is not None
    assert timedelta(days=59) < fresh.expires_at - now() < timedelta(days=61)
    assert "/v25.0/" not in own_login.provider.calls[-1].path
    assert fresh.secrets["access_token"] not in repr(fresh)
    send(own_login)  # with the new one


def test_a_key_younger_than_a_day_is_renewed_tomorrow(own_login: Played) -> None:
    ADAPTER.refresh(own_login.channel())
    again = ADAPTER.refresh(own_login.channel())
    assert again.secrets == {}
    assert again.expires_at is not None
    asked_next = again.expires_at - ADAPTER.refresh_ahead
    assert timedelta(hours=23) < asked_next - now() < timedelta(hours=25)


def test_a_key_that_has_ended_cannot_be_renewed(own_login: Played) -> None:
    channel = own_login.channel()
    own_login.provider.account["access_token"] = "IGAAOther"
    with pytest.raises(Reauthorise):
        ADAPTER.refresh(channel)


def test_a_lost_answer_costs_no_key(own_login: Played) -> None:
    own_login.provider.faults.append(Fault("cut"))
    with pytest.raises(Retry):
        ADAPTER.refresh(own_login.channel())


def test_a_key_of_a_page_has_no_end(account: Played) -> None:
    found = ADAPTER.refresh(account.channel())
    assert (found.secrets, found.expires_at) == ({}, None)
    assert not account.provider.calls
