"""A visitor who leaves: a proved address gets the answers by mail, once, and the mail's answer comes back."""

import re
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test.utils import override_settings
from django.utils.timezone import now

from channels_app.models import Thread
from channels_app.models import Visitor as VisitorRow
from channels_app.webchat import fallback
from helpdesk.core.models import EventLog
from tests.builders import a_chat, a_mail, a_mailbox, an_actor, receive, run_jobs
from tests.channels_app.webchat.test_lines import at_once
from tests.channels_app.webchat.test_session import error
from tests.channels_app.webchat.visitors import Visitor, signed
from tickets.messages import actions as messages
from tickets.models import Customer, Identity, IdentityClaim, Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def mail_out(tmp_path: Path) -> Any:
    outbox = "channels_app.mailbackend.OutboxBackend"  # the desk's own, not the test runner's
    with override_settings(MAIL_OUT=f"dir:{tmp_path}", UNDO_SECONDS={}, EMAIL_BACKEND=outbox):
        yield tmp_path


def mails(folder: Path) -> list[EmailMessage]:
    run_jobs()
    files = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]  # type: ignore[misc]


def code_in(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"\b\d{6}\b", body.get_content())
    assert found
    return found[0]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def prove(visitor: Visitor, email: str, folder: Path) -> None:
    before = len(mails(folder))
    assert visitor.post("email", {"email": email}).status_code == 204
    code = code_in(mails(folder)[before])
    answer = visitor.post("email/confirm", {"email": email, "code": code})
    assert answer.json() == {"email": email.lower()}


def leave(visitor: Visitor) -> None:
    """The visitor is long gone, and the time to wait is over."""
    gone = now() - timedelta(minutes=10)
    Thread.objects.filter(pk=visitor.thread).update(seen_at=gone)
    VisitorRow.objects.filter(pk=visitor.thread, mail_due_at__isnull=False).update(mail_due_at=gone)


def test_a_code_that_comes_back_proves_the_address(tmp_path: Path) -> None:
    a_mailbox()
    visitor = Visitor(a_chat())
    visitor.say("Mình đi họp, trả lời qua mail nhé")
    assert visitor.begin()["email"] == ""
    prove(visitor, "Lan@customer.test", tmp_path)
    [mail] = mails(tmp_path)
    assert mail["To"] == "lan@customer.test"
    assert visitor.begin()["email"] == "lan@customer.test"
    identity = Identity.objects.get(kind="email")
    assert (identity.value, identity.evidence) == ("lan@customer.test", "code")
    assert identity.customer == Message.objects.get().customer
    assert not IdentityClaim.objects.get().code_digest


def test_a_code_works_once_for_its_own_visitor_and_address_in_time(tmp_path: Path) -> None:
    a_mailbox()
    chat = a_chat()
    visitor, thief = Visitor(chat), Visitor(chat)
    visitor.post("email", {"email": "lan@customer.test"})
    code = code_in(mails(tmp_path)[0])
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for who, email, given in (
        (thief, "lan@customer.test", code),
        (visitor, "other@customer.test", code),
        (visitor, "lan@customer.test", wrong),
        (visitor, "lan@customer.test", ""),
    ):
        assert error(who.post("email/confirm", {"email": email, "code": given})) == (422, "invalid")
    IdentityClaim.objects.update(code_expires_at=now() - timedelta(seconds=1))
    assert error(visitor.post("email/confirm", {"email": "lan@customer.test", "code": code}))[0] == 422
    IdentityClaim.objects.update(code_expires_at=now() + timedelta(seconds=60))
    assert visitor.post("email/confirm", {"email": "lan@customer.test", "code": code}).status_code == 200
    assert error(visitor.post("email/confirm", {"email": "lan@customer.test", "code": code}))[0] == 422


def test_five_wrong_codes_end_it_even_all_at_once(tmp_path: Path) -> None:
    a_mailbox()
    visitor = Visitor(a_chat())
    visitor.post("email", {"email": "lan@customer.test"})
    code = code_in(mails(tmp_path)[0])
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    tried = at_once([lambda: visitor.post("email/confirm", {"email": "lan@customer.test", "code": wrong})] * 12)
    statuses = sorted(answer.status_code for answer in tried)
    assert statuses == [422] * 5 + [429] * 7
    assert error(visitor.post("email/confirm", {"email": "lan@customer.test", "code": code}))[0] == 429
    assert not Identity.objects.filter(kind="email").exists()


def test_an_address_gets_five_codes_an_hour_whoever_asks(tmp_path: Path) -> None:
    a_mailbox()
    chat = a_chat()
    answers = [Visitor(chat).post("email", {"email": "lan@customer.test"}).status_code for _ in range(7)]
    assert answers == [204] * 5 + [429] * 2
    assert len(mails(tmp_path)) == 5
    IdentityClaim.objects.update(code_sent_at=now() - timedelta(hours=2))
    assert Visitor(chat).post("email", {"email": "lan@customer.test"}).status_code == 204


@pytest.mark.parametrize("email", ["", "x", "a@b", "a b@c.test", "a@c.test\r\nBcc: d@e.test", "x" * 300 + "@c.test", 5])
def test_what_is_no_address_gets_no_mail(email: Any, tmp_path: Path) -> None:
    a_mailbox()
    assert error(Visitor(a_chat()).post("email", {"email": email})) == (422, "invalid")
    assert mails(tmp_path) == []


def test_the_code_is_written_in_the_visitors_language(tmp_path: Path) -> None:
    a_mailbox()
    visitor = Visitor(a_chat(), language="en")
    visitor.post("email", {"email": "lan@customer.test", "language": "en-GB"})
    [mail] = mails(tmp_path)
    assert mail["Subject"] == f"{code_in(mail)} is your code"


def test_a_proved_address_joins_whoever_has_it_and_both_talks_are_one_persons(tmp_path: Path) -> None:
    mailbox = a_mailbox()
    before = receive(mailbox, a_mail(sender="Lan <lan@customer.test>"))
    assert before is not None
    visitor = Visitor(a_chat())
    visitor.say("Đơn mình tới đâu rồi?")
    run_jobs()
    chatted = Message.objects.get(channel_kind="webchat").ticket
    assert chatted.customer_id != before.customer_id
    prove(visitor, "lan@customer.test", tmp_path)
    assert Customer.objects.filter(canonical__isnull=True).count() == 1
    visitor.say("Còn đó không ạ?")
    run_jobs()
    assert Ticket.objects.count() == 2  # the line goes on where it was; nothing new is opened
    assert Message.objects.order_by("-pk")[0].ticket_id == chatted.pk


def answered(visitor: Visitor, *texts: str) -> Ticket:
    visitor.say("Có ai ở đó không?")
    run_jobs()
    ticket = Message.objects.filter(thread_id=visitor.thread).latest("pk").ticket
    for text in texts:
        messages.reply(ticket_id=ticket.pk, text=text, actor=an_actor(name="Minh"))
        run_jobs()
    return ticket


def test_answers_nobody_came_back_for_go_in_one_mail_and_its_answer_joins(tmp_path: Path) -> None:
    mailbox = a_mailbox()
    visitor = Visitor(a_chat(), language="en")
    prove(visitor, "lan@customer.test", tmp_path)
    ticket = answered(visitor, "Dạ em đây", "Đơn của chị giao chiều nay ạ")
    assert fallback.mail_due() == 0  # not yet
    leave(visitor)
    assert fallback.mail_due() == 1
    mail = mails(tmp_path)[-1]
    assert len(mails(tmp_path)) == 2  # the code, and one mail
    assert mail["To"].addresses[0].addr_spec == "lan@customer.test"
    assert "+t-" in mail["Reply-To"]
    assert mail["Auto-Submitted"]
    assert "Minh: Dạ em đây" in text_of(mail)
    assert "Minh: Đơn của chị giao chiều nay ạ" in text_of(mail)
    assert "Có ai ở đó không?" not in text_of(mail)
    assert EventLog.objects.get(topic="ticket.chat_mailed").payload == {"ticket_id": ticket.pk, "count": 2}

    back = receive(
        mailbox, a_mail(sender="lan@customer.test", to=str(mail["Reply-To"]), text="Cảm ơn em", subject="Re: x")
    )
    assert back is not None
    assert back.ticket_id == ticket.pk
    assert back.evidence["by"] == "token"


def test_they_are_mailed_once_however_many_clocks_look(tmp_path: Path) -> None:
    a_mailbox()
    chat = a_chat()
    visitors = [Visitor(chat, **signed(chat, id=str(n), email=f"c{n}@customer.test")) for n in range(4)]
    for visitor in visitors:
        answered(visitor, "Dạ")
        leave(visitor)
    assert sum(at_once([fallback.mail_due] * 6)) == 4
    assert fallback.due() is None
    assert sorted(mail["To"].addresses[0].addr_spec for mail in mails(tmp_path)) == [
        f"c{n}@customer.test" for n in range(4)
    ]
    ticket = Message.objects.filter(thread_id=visitors[0].thread).latest("pk").ticket
    messages.reply(ticket_id=ticket.pk, text="Thêm một câu", channel_id=chat.pk, actor=an_actor(name="Mai"))
    run_jobs()
    leave(visitors[0])
    assert fallback.mail_due() == 1
    last = text_of(mails(tmp_path)[-1])
    assert "Mai: Thêm một câu" in last
    assert "Minh: Dạ" not in last


@pytest.mark.parametrize("case", ["read", "still here", "no address", "only claimed", "no mailbox"])
def test_there_is_no_mail(case: str, tmp_path: Path) -> None:
    if case != "no mailbox":
        a_mailbox()
    chat = a_chat()
    proof = signed(chat, id="1", email="lan@customer.test")
    if case == "no address":
        proof = signed(chat, id="1")
    if case == "only claimed":
        proof.pop("proof")
    visitor = Visitor(chat, **proof)
    answered(visitor, "Dạ")
    if case == "read":
        visitor.post("seen", {"seq": 2})
        assert VisitorRow.objects.get().mail_due_at is None
    leave(visitor)
    if case == "still here":
        visitor.lines()  # somebody looks
    fallback.due()
    assert mails(tmp_path) == []
    row = VisitorRow.objects.get()
    assert (row.mail_due_at is not None) == (case == "still here")  # looked at again later
    if case == "still here":
        leave(visitor)
        fallback.due()
        assert len(mails(tmp_path)) == 1


def test_the_clock_is_told_when_to_look() -> None:
    a_mailbox()
    chat = a_chat()
    visitor = Visitor(chat, **signed(chat, id="1", email="lan@customer.test"))
    with override_settings(WIDGET_MAIL_AFTER_SECONDS=77):
        answered(visitor, "Dạ", "Dạ nữa")
    due = fallback.due()
    assert due is not None
    assert 60 < (due - now()).total_seconds() <= 77
