"""A talk from end to end: what is changed, taken back, reacted to and typed elsewhere reaches the thread."""

import pytest

from channels_app.models import Thread
from tests.builders import run_jobs
from tests.channels_app.contract.conftest import Door
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_talk_with_everything_that_happens_to_words(door: Door) -> None:
    played, person = door.provider, door.person
    first = played.says(person, "Cỡ M còn khong?")
    second = played.says(person, "Nhầm số")
    run_jobs()
    played.acts(person, "edit", {"original_message_id": first, "message": {"type": "text", "text": {"body": "Cỡ M còn không?"}}})  # type: ignore[attr-defined]  # fmt: skip  # noqa: E501
    played.acts(person, "revoke", {"original_message_id": second})  # type: ignore[attr-defined]
    ours = played.typed_in_app(person, "Dạ còn ạ")  # type: ignore[attr-defined]
    run_jobs()
    played.acts(person, "reaction", {"message_id": ours, "emoji": "❤️"})  # type: ignore[attr-defined]
    played.push(played.envelope([played.odd(person)]))
    run_jobs()
    by_id = {one.external_id: one for one in Message.objects.all()}
    assert (by_id[first].text, by_id[first].edited_at is not None) == ("Cỡ M còn không?", True)
    assert (by_id[second].text, by_id[second].unsent_at is not None) == ("", True)
    assert (by_id[ours].direction, by_id[ours].text) == ("out", "Dạ còn ạ")
    assert list(by_id[ours].reactions.values()) == ["❤️"]
    assert len(by_id) == 4  # the fourth stands for a kind that nobody has heard of
    assert Ticket.objects.count() == 1
    assert Thread.objects.count() == 1


def test_a_new_number_is_followed(door: Door) -> None:
    played, person = door.provider, door.person
    played.says(person, "Mình sắp đổi số")
    moved = {"wa_id": "84900000001", "user_id": "VN.99", "type": "user_changed_number", "body": "changed"}
    played.acts(person, "system", moved)  # type: ignore[attr-defined]
    run_jobs()
    played.push(played.envelope([{
        "contact": {"profile": {"name": "Trần Thị Hồng"}, "wa_id": "84900000001", "user_id": "VN.99"},
        "message": {"from": "84900000001", "from_user_id": "VN.99", "id": "wamid.new", "timestamp": "1795334400",
                    "type": "text", "text": {"body": "Số mới đây"}},
    }]))  # fmt: skip
    run_jobs()
    assert Ticket.objects.count() == 1
    assert Message.objects.get(external_id="wamid.new").ticket == Ticket.objects.get()
