"""Who sees what: one gate per object, and what is not yours is not there."""

import pytest

from helpdesk.core.actor import Actor
from helpdesk.core.errors import NotFound
from tests.builders import a_mailbox, a_team, an_actor
from tests.tickets.saying import heard, mail_from
from tickets.customers.queries import customer_for
from tickets.lifecycle.queries import inbox, ticket_for, view
from tickets.messages import actions as messages
from tickets.messages.queries import attachment_for, message_for
from tickets.models import Attachment, Message, Ticket

pytestmark = pytest.mark.django_db
ROLES = ("agent", "supervisor", "admin")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("place", ["own team", "no team", "other team"])
def test_the_matrix_of_roles_and_teams(role: str, place: str) -> None:
    from channels_app.contracts import File

    own, other = a_team(), a_team()
    actor = an_actor(role, teams=(own,))
    file = File(filename="a.txt", content_type="text/plain", content=b"a")
    message = heard(a_mailbox(), mail_from("lan@x.test"), files=(file,))
    ticket = message.ticket
    Ticket.objects.filter(pk=ticket.pk).update(team={"own team": own, "no team": None, "other team": other}[place])
    attachment = Attachment.objects.get()
    gates = (
        lambda: ticket_for(actor, ticket.pk),
        lambda: message_for(actor, message.pk),
        lambda: attachment_for(actor, attachment.pk),
        lambda: customer_for(actor, ticket.customer_id),
    )
    may = role == "admin" or place != "other team"
    assert inbox(actor).filter(pk=ticket.pk).exists() is may
    assert view(actor, "open").exists() is may
    for gate in gates:
        if may:
            assert gate().pk
        else:
            with pytest.raises(NotFound):
                gate()


def test_a_customer_sees_the_own_tickets_and_only_what_is_public() -> None:
    mailbox = a_mailbox()
    mine, theirs = heard(mailbox, mail_from("lan@x.test")), heard(mailbox, mail_from("hoa@x.test"))
    note = messages.note(ticket_id=mine.ticket_id, text="riêng tư", actor=an_actor())
    lan = Actor.customer(mine.ticket.customer_id)
    assert ticket_for(lan, mine.ticket_id).pk == mine.ticket_id
    assert message_for(lan, mine.pk).pk == mine.pk
    for gate, wanted in ((ticket_for, theirs.ticket_id), (message_for, theirs.pk), (message_for, note.pk)):
        with pytest.raises(NotFound):
            gate(lan, wanted)


@pytest.mark.parametrize("nonsense", ["x", "", None, 10**40, -1, "1; DROP TABLE", "٣x", 1.5e300])
def test_nonsense_is_not_there_either(nonsense: object) -> None:
    admin = an_actor("admin")
    for gate in (ticket_for, message_for, attachment_for, customer_for):
        with pytest.raises(NotFound):
            gate(admin, nonsense)  # type: ignore[operator]


def test_nobody_signed_in_sees_nothing() -> None:
    heard(a_mailbox(), mail_from("lan@x.test"))
    stranger = Actor(kind="anonymous")
    assert not inbox(stranger).exists()
    with pytest.raises(NotFound):
        message_for(stranger, Message.objects.get().pk)
