"""The list of conversations."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from helpdesk.accounts.models import Team, User
from tests.builders import a_mailbox, a_team, a_ticket, a_user
from tickets.models import Ticket
from tickets.web import listing

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}


def copies(ticket: Ticket, count: int, **fields: Any) -> list[Ticket]:
    """More conversations like this one, each a minute younger."""
    start = now() - timedelta(hours=9)
    made = [
        Ticket(
            customer=ticket.customer,
            customer_name=f"Khách {index}",
            subject=f"Hỏi {index}",
            team=ticket.team,
            channel_kind="email",
            **{"waiting_since": start + timedelta(minutes=index), "last_message_at": start + timedelta(minutes=index)}
            | fields,
        )
        for index in range(count)
    ]
    return Ticket.objects.bulk_create(made)


def ids(html: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="t(\d+)"', html)]


def test_the_list_asks_a_constant_number_of_questions(
    client: Client, ticket: Ticket, statements: Callable[[], Any]
) -> None:
    copies(ticket, 50)
    copies(ticket, 20, waiting_since=None)
    with statements() as sql:
        answer = client.get("/inbox/")
    assert answer.status_code == 200
    # session, user with teams | colleagues' names, those who wait, the counts; those who do not wait only when needed
    assert len(sql) == 5, "\n".join(sql)
    with statements() as sql:
        client.get("/inbox/?view=solved")
    assert len(sql) == 5, "\n".join(sql)


def test_who_waits_longest_stands_first_and_paging_shows_everybody_once(client: Client, ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(waiting_since=now())
    waits = copies(ticket, 70)
    answered = copies(ticket, 30, waiting_since=None)
    seen: list[int] = []
    address: str | None = "/inbox/rows/?view=open"
    while address:
        html = client.get(address).content.decode()
        seen += ids(html)
        found = html.split('href="/inbox/rows/')[1:]
        address = "/inbox/rows/" + found[0].split('"')[0].replace("&amp;", "&") if found else None
    wanted = [*(one.pk for one in waits), ticket.pk, *(one.pk for one in reversed(answered))]
    assert seen == wanted


def test_rows_of_a_poke_are_only_those_that_belong_to_the_view(client: Client, ticket: Ticket) -> None:
    other = copies(ticket, 1, status="solved")[0]
    html = client.get(f"/inbox/rows/?view=open&ids={ticket.pk},{other.pk}", headers=HTMX).content.decode()
    assert ids(html) == [ticket.pk]


def test_a_row_says_who_what_where_and_how_long_is_left(client: Client, ticket: Ticket, agent: User) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(
        next_due_at=now() - timedelta(minutes=12, seconds=5),
        waiting_since=now() - timedelta(minutes=17),
        assignee=agent,
    )
    html = client.get("/inbox/").content.decode()
    row = html[html.index(f'id="t{ticket.pk}"') :]
    assert 'data-wait="breached"' in row
    assert "12 min late" in row
    assert "Đơn hàng 1024" in row
    assert 'aria-label="E-mail"' in row
    assert ">TM</span>" in row


def test_another_teams_conversation_is_in_no_list(client: Client, ticket: Ticket) -> None:
    theirs = a_ticket(channel=a_mailbox("other@shop.test", team=a_team()))
    html = client.get("/inbox/?view=all").content.decode()
    assert f'id="t{ticket.pk}"' in html
    assert f'id="t{theirs.pk}"' not in html
    assert ids(client.get(f"/inbox/rows/?view=all&ids={theirs.pk}").content.decode()) == []


def test_words_are_found_without_diacritics_and_nothing_found_says_how_to_widen(client: Client, ticket: Ticket) -> None:
    assert f'id="t{ticket.pk}"' in client.get("/inbox/?q=don hang").content.decode()
    html = client.get("/inbox/?view=mine&q=khong co gi").content.decode()
    assert "Nothing found" in html
    assert "/inbox/?view=all&amp;q=khong" in html


def test_filters_are_links_and_a_chip_takes_one_away(client: Client, ticket: Ticket) -> None:
    urgent = copies(ticket, 1, priority=3)[0]
    html = client.get("/inbox/?view=open&priority=urgent").content.decode()
    assert ids(html) == [urgent.pk]
    assert 'class="chip" href="/inbox/?view=open"' in html


def test_an_empty_desk_says_what_to_do_first(client: Client, team: Team) -> None:
    assert "A supervisor connects the channels" in client.get("/inbox/").content.decode()
    browser = Client()
    browser.force_login(a_user("supervisor", teams=(team,), language="en"))
    assert "/control/channels/" in browser.get("/inbox/").content.decode()


def test_counts_are_capped(client: Client, ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    copies(ticket, 4)
    monkeypatch.setattr("tickets.lifecycle.queries.COUNT_CAP", 3)
    assert '<span class="count">2+</span>' in client.get("/inbox/counts/").content.decode()


def test_a_broken_cursor_begins_again_and_an_unknown_view_is_not_there(client: Client, ticket: Ticket) -> None:
    assert ids(client.get("/inbox/rows/?view=open&after=%C3%A9x").content.decode()) == [ticket.pk]
    assert client.get("/inbox/?view=nonsense").status_code == 404


def test_a_stranger_is_led_to_the_sign_in(ticket: Ticket) -> None:
    answer = Client().get("/inbox/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_the_sort_key_sorts_as_the_database_does(ticket: Ticket) -> None:
    at = now()
    kinds = [
        Ticket(pk=1, waiting_since=at, last_message_at=at),
        Ticket(pk=2, waiting_since=at, last_message_at=at),
        Ticket(pk=3, waiting_since=at + timedelta(seconds=1), last_message_at=at),
        Ticket(pk=5, last_message_at=at),
        Ticket(pk=4, last_message_at=at),
        Ticket(pk=6, last_message_at=at - timedelta(seconds=1)),
    ]
    keys = [listing._sort_key(one) for one in kinds]
    assert keys == sorted(keys)
