"""What pages cost in queries: the same however long the list, and no more than was promised."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.builders import a_mailbox, a_user
from tests.tickets.saying import heard, mail_from

pytestmark = pytest.mark.django_db


def queries(client: Client, path: str, **headers: Any) -> list[str]:
    client.get(path, headers=headers)  # what is kept between requests is kept now
    with CaptureQueriesContext(
        connection,
    ) as taken:
        assert client.get(path, headers=headers).status_code == 200
    return [
        one["sql"]
        for one in taken.captured_queries
        if not any(word in one["sql"] for word in ("django_session", "usersessions", "SAVEPOINT"))
    ]


def test_the_inbox_costs_the_same_with_fifty_rows_as_with_two(client: Client) -> None:
    mailbox = a_mailbox()
    client.force_login(a_user())
    for number in range(2):
        heard(mailbox, mail_from(f"c{number}@x.test"))
    few = queries(client, "/inbox/")
    for number in range(2, 52):
        heard(mailbox, mail_from(f"c{number}@x.test"))
    many = queries(client, "/inbox/")
    assert len(many) <= len(few), "\n".join(many)
    # Beside session and user: the colleagues, the rows, the counts of the views.
    assert len([sql for sql in many if '"accounts_user"."password"' not in sql]) <= 5, "\n".join(many)


def test_a_ticket_costs_the_same_with_twenty_messages_as_with_two(client: Client) -> None:
    mailbox = a_mailbox()
    client.force_login(a_user())
    sender = mail_from("lan@x.test")
    ticket = heard(mailbox, sender).ticket
    heard(mailbox, sender)
    few = queries(client, f"/inbox/{ticket.pk}/")
    for _ in range(18):
        heard(mailbox, sender)
    many = queries(client, f"/inbox/{ticket.pk}/")
    assert len(many) <= len(few), "\n".join(many)
