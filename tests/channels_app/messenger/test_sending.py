"""What leaves by Messenger, taken or refused by a page that is as strict as the real one, over HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from channels_app import media
from channels_app.adapters.messenger.adapter import MessengerAdapter
from channels_app.contracts import Echo, OutboundFile, RemoteFile
from channels_app.simulators._faces import portrait
from channels_app.simulators.base import Fault
from channels_app.simulators.graph import DAY
from channels_app.simulators.messenger import Messenger
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain
from tests.channels_app.simulated import Played, called, envelope, parsed, played

HA, MINH = "7300000000000101", "7300000000000102"
PICTURE = portrait(HA)
ADAPTER = MessengerAdapter()


@pytest.fixture
def page(settings: Any) -> Iterator[Played]:
    with played(Messenger(), settings) as page:
        yield page


def send(page: Played, **changes: Any) -> str:
    return ADAPTER.send(page.channel(), envelope(**({"to": HA} | changes))).provider_id


def last_body(page: Played) -> dict[str, Any]:
    return page.provider.calls[-1].json


@pytest.fixture
def kept(db: None) -> OutboundFile:
    file = media.keep(content=PICTURE, filename="hoá đơn.png", content_type="image/png")
    return OutboundFile(filename=file.filename, content_type=file.content_type, path=file.path)


def test_text_arrives_within_the_window(page: Played) -> None:
    mid = send(page)
    [line] = page.provider.sent()
    assert (line.id, line.person, line.text) == (mid, HA, "Dạ có ạ 👋")
    body = last_body(page)
    assert body["messaging_type"] == "RESPONSE"
    assert body["message"]["metadata"] == f"{page.channel().id}:31"


def test_choices_are_shown_under_the_text(page: Played) -> None:
    send(page, choices=("Size M", "Size L — rộng hơn một chút so với bình thường"))
    assert page.provider.sent()[0].choices == ["Size M", "Size L — rộng hơn mộ"]
    payload = last_body(page)["message"]["quick_replies"][1]["payload"]
    assert payload == "Size L — rộng hơn một chút so với bình thường"


def test_our_echo_comes_back_with_our_key(page: Played) -> None:
    page.provider.hook_url = "/nowhere/"
    heard: list[bytes] = []
    page.provider.transport = lambda url, body, headers, timeout=10: heard.append(body) or (200, b"")
    mid = send(page)
    page.act()
    items = ADAPTER.split(page.channel(), called(heard[0]))
    [echo] = parsed("messenger", page.channel().address, items[0].raw)
    assert isinstance(echo, Echo)
    assert (echo.external_id, echo.our_key, echo.thread_key) == (mid, "31", HA)
    assert page.provider.sent()[0].state == "read"


def test_a_file_leaves_as_its_bytes(page: Played, kept: OutboundFile) -> None:
    mid = send(page, text="", files=(kept,))
    [line] = page.provider.sent()
    assert line.id == mid
    [shown] = line.files
    assert (shown["name"], shown["type"]) == ("hoá đơn.png", "image/png")
    path = shown["url"].removeprefix(page.provider.base_url)
    assert page.provider.files[path] == (PICTURE, "image/png")
    assert last_body(page)["message"]["metadata"].endswith(":31")


def test_a_picture_no_phone_shows_leaves_as_a_file(page: Played, kept: OutboundFile) -> None:
    send(page, text="", files=(replace(kept, filename="a.tiff", content_type="image/tiff"),))
    assert last_body(page)["message"]["attachment"]["type"] == "file"


def test_a_file_that_is_gone_here_is_not_sent(page: Played, kept: OutboundFile) -> None:
    media.path_of(kept.path).unlink()
    with pytest.raises(GiveUp, match="no longer here"):
        send(page, text="", files=(kept,))
    assert not page.provider.calls


def test_an_upload_that_breaks_down_is_tried_again(page: Played, kept: OutboundFile) -> None:
    """Nobody has seen it yet: the upload alone may be repeated."""
    for fault in (Fault("status", 502), Fault("cut"), Fault("lost")):
        page.provider.faults.append(fault)
        with pytest.raises(Retry):
            send(page, text="", files=(kept,))
    assert not page.provider.sent()


# --- windows ------------------------------------------------------------------------------------------------------


def test_after_a_day_only_a_person_may_write(page: Played) -> None:
    page.provider.heard[HA] -= DAY + 60
    with pytest.raises(GiveUp, match="time in which this customer may be answered"):
        send(page)
    send(page, past_window=True)
    assert (last_body(page)["messaging_type"], last_body(page)["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    assert len(page.provider.sent()) == 1


def test_a_machine_never_says_that_it_is_a_person(page: Played) -> None:
    page.provider.heard[HA] -= DAY + 60
    with pytest.raises(GiveUp, match="only a person"):
        send(page, past_window=True, auto=True)
    assert not page.provider.calls


def test_after_seven_days_nobody_may(page: Played) -> None:
    page.provider.heard[HA] -= 7 * DAY + 60
    with pytest.raises(GiveUp, match="time in which this customer may be answered"):
        send(page, past_window=True)


def test_a_tag_that_was_not_approved_is_refused_in_the_providers_words(page: Played) -> None:
    page.provider.human_agent = False
    with pytest.raises(GiveUp, match="Invalid parameter"):
        send(page, past_window=True)


# --- refusals and breakdowns --------------------------------------------------------------------------------------


def test_who_blocked_the_page_cannot_be_reached(page: Played) -> None:
    page.provider.blocked.add(HA)
    with pytest.raises(GiveUp, match="has blocked the page"):
        send(page)


def test_nobody_of_that_id(page: Played) -> None:
    with pytest.raises(GiveUp, match="can no longer be reached"):
        send(page, to="999")
    with pytest.raises(GiveUp, match="nobody to answer"):
        send(page, to="")


def test_a_text_over_the_limit_is_refused(page: Played) -> None:
    send(page, text="x" * 2000)
    with pytest.raises(GiveUp, match="Length"):
        send(page, text="x" * 2001)


def test_a_dead_token_asks_for_a_new_one(page: Played) -> None:
    page.provider.account["access_token"] = "EAAAnother"
    channel = page.channel()
    page.provider.account["access_token"] = "EAAYetAnother"
    with pytest.raises(Reauthorise):
        ADAPTER.send(channel, envelope(to=HA))


@pytest.mark.parametrize(("code", "subcode"), [(190, 463), (10, 0), (200, 0), (299, 0), (102, 0)])
def test_missing_rights_ask_for_a_new_token(page: Played, code: int, subcode: int) -> None:
    error = {"code": code, "message": "(#x)"} | ({"error_subcode": subcode} if subcode else {})
    page.provider.faults.append(Fault("status", 403, body={"error": error}))
    with pytest.raises(Reauthorise):
        send(page)


@pytest.mark.parametrize(
    ("status", "code", "subcode"),
    [(400, 10, 2018300), (400, 200, 1545041), (400, 551, 0), (400, 368, 0), (400, 100, 2018001), (400, 100, 0)],
)
def test_a_refusal_of_this_one_message_leaves_the_key_alone(page: Played, status: int, code: int, subcode: int) -> None:
    error = {"code": code, "message": "(#x) in the provider's words", "error_subcode": subcode}
    page.provider.faults.append(Fault("status", status, body={"error": error}))
    with pytest.raises(GiveUp) as refused:
        send(page)
    assert not isinstance(refused.value, Uncertain | Reauthorise)
    assert str(refused.value)


@pytest.mark.parametrize("code", [1, 2, 4, 32, 613])
def test_a_busy_provider_is_asked_later(page: Played, code: int) -> None:
    page.provider.faults.append(Fault("status", 500, body={"error": {"code": code, "message": "busy"}}))
    with pytest.raises(Retry):
        send(page)


def test_too_many_at_once_wait_as_long_as_they_are_told_to(page: Played) -> None:
    page.provider.faults.append(Fault("status", 429, headers={"Retry-After": "17"}))
    with pytest.raises(Retry) as told:
        send(page)
    assert told.value.after == 17
    page.provider.per_second = 1
    send(page)
    with pytest.raises(Retry):
        send(page)


def test_a_breakdown_without_words_may_have_arrived(page: Played) -> None:
    page.provider.faults.append(Fault("status", 502))
    with pytest.raises(Uncertain):
        send(page)


def test_a_lost_answer_may_have_arrived(page: Played) -> None:
    page.provider.faults.append(Fault("lost"))
    with pytest.raises(Uncertain):
        send(page)
    assert len(page.provider.sent()) == 1


# --- in public ----------------------------------------------------------------------------------------------------


def test_a_comment_is_answered_in_public(page: Played) -> None:
    above = page.provider.note(HA, "Giá?", post=page.provider.a_post())
    made = send(page, mode="comment", quotes=above.id, thread_key=f"comment:{above.post}:{HA}", text="Dạ 499k ạ")
    own = page.provider.comments[made]
    assert (own.text, own.parent, own.person) == ("Dạ 499k ạ", above.id, page.provider.account_id)
    assert page.provider.calls[-1].path == f"/v25.0/{above.id}/comments"


def test_a_picture_may_stand_under_a_comment_and_nothing_else(page: Played, kept: OutboundFile) -> None:
    above = page.provider.note(HA, "Giá?", post=page.provider.a_post())
    assert send(page, mode="comment", quotes=above.id, text="", files=(kept,)) in page.provider.comments
    note = OutboundFile(filename="a.pdf", content_type="application/pdf", path=kept.path)
    with pytest.raises(GiveUp, match="only a picture"):
        send(page, mode="comment", quotes=above.id, text="", files=(note,))


def test_a_comment_is_answered_privately_once(page: Played) -> None:
    above = page.provider.note(MINH, "Giá?", post=page.provider.a_post())
    page.provider.heard[MINH] -= 30 * DAY  # no window is needed for it
    mid = send(page, to=MINH, mode="private", quotes=above.id, choices=("A",), past_window=True)
    assert last_body(page)["recipient"] == {"comment_id": above.id}
    assert set(last_body(page)) == {"recipient", "message"}
    [line] = page.provider.sent()
    assert (line.id, line.person) == (mid, MINH)
    with pytest.raises(GiveUp, match="one private answer already"):
        send(page, to=MINH, mode="private", quotes=above.id)


def test_a_private_answer_comes_within_a_week(page: Played) -> None:
    above = page.provider.note(HA, "Giá?", post=page.provider.a_post())
    above.at -= 7 * DAY + 60
    with pytest.raises(GiveUp, match="no longer be answered privately"):
        send(page, mode="private", quotes=above.id)


def test_a_post_on_the_wall_is_answered_privately_by_its_own_id(page: Played) -> None:
    with pytest.raises(GiveUp, match="deleted meanwhile"):
        send(page, mode="private", quotes="1_2", thread_key=f"comment:1_2:{HA}")
    assert last_body(page)["recipient"] == {"post_id": "1_2"}


@pytest.mark.parametrize("mode", ["comment", "private"])
def test_a_comment_that_was_deleted_cannot_be_answered(page: Played, mode: str) -> None:
    with pytest.raises(GiveUp, match="deleted meanwhile"):
        send(page, mode=mode, quotes="77_404")


@pytest.mark.parametrize("quotes", ["", "../me/messages", "1?x=", "１"])
def test_a_comments_id_leads_nowhere_else(page: Played, quotes: str) -> None:
    with pytest.raises(GiveUp, match="no comment"):
        send(page, mode="comment", quotes=quotes)
    assert not page.provider.calls


# --- what is asked besides ----------------------------------------------------------------------------------------


def test_who_somebody_is(page: Played) -> None:
    found = ADAPTER.profile(page.channel(), HA)
    assert (found.name, found.language) == ("Trần Thu Hà", "vi")
    assert isinstance(found.picture, RemoteFile)
    fetched = ADAPTER.fetch(page.channel(), found.picture.source)
    assert (fetched.content, fetched.content_type) == (PICTURE, "image/png")


def test_who_somebody_is_may_not_be_told(page: Played) -> None:
    for person in ("404", "me/messages", ""):
        with pytest.raises(GiveUp):
            ADAPTER.profile(page.channel(), person)
    for code, subcode in ((230, 0), (10, 0), (200, 0)):
        page.provider.faults.append(Fault("status", 403, body={"error": {"code": code, "error_subcode": subcode}}))
        with pytest.raises(GiveUp) as refused:
            ADAPTER.profile(page.channel(), HA)
        assert not isinstance(refused.value, Reauthorise)  # it says nothing of sending


def test_a_dead_token_is_seen_by_the_asking_too(page: Played) -> None:
    page.provider.faults.append(Fault("status", 401, body={"error": {"code": 190}}))
    with pytest.raises(Reauthorise):
        ADAPTER.profile(page.channel(), HA)


def test_a_file_whose_address_has_ended(page: Played) -> None:
    with pytest.raises(GiveUp, match="no longer has this file"):
        ADAPTER.fetch(page.channel(), {"url": f"{page.provider.base_url}/v25.0/gone"})
    with pytest.raises(GiveUp):
        ADAPTER.fetch(page.channel(), {})


def test_the_keys_are_tried(page: Played) -> None:
    found = ADAPTER.probe(page.channel())
    assert (found.ok, found.account) == (True, "Hoa Lư Store")


def test_the_keys_of_another_page(page: Played) -> None:
    channel = page.channel()
    page.provider.account["page_id"] = "555"
    found = ADAPTER.probe(channel)
    assert not found.ok
    assert "another page" in found.problem


def test_a_page_that_sends_its_messages_to_nobody(page: Played) -> None:
    page.provider.subscribed = ["feed"]
    found = ADAPTER.probe(page.channel())
    assert not found.ok
    assert "subscribe" in found.problem


def test_dead_keys_are_found_without_an_exception(page: Played) -> None:
    channel = page.channel()
    page.provider.account["access_token"] = "EAANew"
    found = ADAPTER.probe(channel)
    assert not found.ok
    assert "connect it again" in found.problem


def test_a_provider_that_is_away_is_asked_again(page: Played) -> None:
    page.provider.faults.append(Fault("status", 503))
    with pytest.raises(Retry):
        ADAPTER.probe(page.channel())
