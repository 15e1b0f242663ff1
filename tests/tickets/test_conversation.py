"""A conversation by mail, from the wire's bytes to the answer's."""

from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.test.utils import override_settings

from tests.builders import a_mail, a_mailbox, an_actor, receive, run_jobs
from tickets.messages import actions as messages
from tickets.models import Message, SlaClock, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_mail_becomes_a_ticket_and_its_answer_a_mail(tmp_path: Path) -> None:
    mailbox = a_mailbox()
    message = receive(mailbox, a_mail(message_id="<first@customer.test>"))
    assert message is not None
    ticket = message.ticket
    assert (ticket.subject, ticket.status, ticket.customer.name) == ("Đơn hàng 1024", "open", "Lan Nguyễn")
    assert SlaClock.objects.get(ticket=ticket).state == "running"
    assert ticket.next_due_at is not None

    agent = an_actor(signature="Minh, Cửa hàng")
    with override_settings(MAIL_OUT=f"dir:{tmp_path}", UNDO_SECONDS={}):
        answer = messages.reply(ticket_id=ticket.pk, text="Dạ em kiểm tra ngay ạ.", actor=agent)
        run_jobs()
    answer.refresh_from_db()
    assert answer.delivery_state == "sent"
    [file] = tmp_path.glob("*.eml")
    sent = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert sent["To"] == "Lan Nguyễn <lan@customer.test>"
    assert sent["Subject"] == "Re: Đơn hàng 1024"
    assert sent["In-Reply-To"] == "<first@customer.test>"
    assert sent["Message-ID"] == f"<{answer.external_id}>"
    assert "+t-" in sent["Reply-To"]
    assert SlaClock.objects.get(ticket=ticket).state == "met"

    back = receive(
        mailbox,
        a_mail(subject="Re: Đơn hàng 1024", text="Cảm ơn shop", In_Reply_To=sent["Message-ID"]),
    )
    assert back is not None
    assert back.ticket_id == ticket.pk
    assert back.evidence["by"] == "reference"
    assert Ticket.objects.count() == 1
    assert Message.objects.count() == 3
