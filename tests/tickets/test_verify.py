"""`manage.py verify`: says nothing of a healthy desk, names every planted drift, and ends with 1."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from tests.builders import a_mailbox, an_actor
from tests.tickets.saying import heard, mail_from
from tickets.messages import actions as messages
from tickets.models import Message, SlaClock, Ticket

pytestmark = pytest.mark.django_db


def verify() -> tuple[int, str]:
    out, status = StringIO(), 0
    try:
        call_command("verify", stdout=out)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, out.getvalue()


@pytest.fixture
def answered() -> Ticket:
    ticket = heard(a_mailbox(), mail_from("lan@x.test")).ticket
    messages.reply(ticket_id=ticket.pk, text="Dạ", actor=an_actor())
    heard(a_mailbox("b@shop.test"), mail_from("hoa@x.test"))
    return ticket


def test_a_healthy_desk_has_no_drift(answered: Ticket) -> None:
    assert verify() == (0, "2 tickets looked at, 0 fields drifted\n")


DRIFTS: list[tuple[str, Any, dict[str, Any]]] = [
    ("message_count", Ticket, {"message_count": 7}),
    ("snippet", Ticket, {"snippet": "khác"}),
    ("last_direction", Ticket, {"last_direction": "in"}),
    ("last_message_at", Ticket, {"last_message_at": now() - timedelta(days=1)}),
    ("waiting_since", Ticket, {"waiting_since": now()}),
    ("first_replied_at", Ticket, {"first_replied_at": None}),
    ("next_due_at", Ticket, {"next_due_at": now()}),
    ("sla_state", Ticket, {"sla_state": "warned"}),
    ("first_reply.state", SlaClock, {"state": "breached"}),
    ("first_reply.look_at", SlaClock, {"look_at": now()}),
    ("first_reply.met_at", Message, {"delivery_state": "failed"}),
]


@pytest.mark.parametrize(("field", "table", "planted"), DRIFTS, ids=[row[0] for row in DRIFTS])
def test_each_planted_drift_is_named(answered: Ticket, field: str, table: Any, planted: dict[str, Any]) -> None:
    if table is Ticket:
        Ticket.objects.filter(pk=answered.pk).update(**planted)
    elif table is SlaClock:
        SlaClock.objects.filter(ticket=answered).update(**planted)
    else:
        Message.objects.filter(ticket=answered, direction="out").update(**planted)
    status, said = verify()
    assert status == 1
    assert f"ticket {answered.pk}: {field} is" in said
