"""Inbox, conversation and reply over real HTTP with a signed-in session, and the statements each one costs."""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from bench import limits
from bench.desk import Browser, Desk
from bench.loader import LONG, PASSWORD, House
from helpdesk.accounts.queries import actor_for
from tickets.enums import Status
from tickets.lifecycle import queries as lifecycle
from tickets.models import Message, Ticket

ROUNDS = 100
HTMX = {"HX_Request": "true"}
# What any signed-in page asks for: the session and its user, and the open session's "last seen".
SESSION_TABLES = ("django_session", "accounts_user", "usersessions")


def measure(desk: Desk, house: House) -> dict[str, Any]:
    """p50 and p95 in milliseconds, one request after the other, and statements beside session and user."""
    browser = Browser(desk.port)
    browser.sign_in(house.agent.email, PASSWORD)
    client = Client(headers={"host": f"127.0.0.1:{desk.port}"})
    client.force_login(house.agent, backend="helpdesk.accounts.backends.DeskBackend")
    tickets = _long_tickets(house)
    listed = "/inbox/?view=open"
    one = f"/inbox/{tickets[0]}/"
    found: dict[str, Any] = {"tickets": Ticket.objects.count(), "messages": Message.objects.count()}
    found["inbox, 50 rows"] = _timed(lambda n: browser.get(listed)) | _counted(client, listed)
    found["inbox, 50 rows, second page"] = _second_page(browser, client, listed)
    found["ticket, 20 messages"] = _timed(lambda n: browser.get(f"/inbox/{tickets[n % len(tickets)]}/", **HTMX)) | (
        _counted(client, one, HTTP_HX_REQUEST="true")
    )
    found["ticket with the list beside it"] = _timed(lambda n: browser.get(one)) | _counted(client, one)
    found["reply"] = _replies(browser, client, tickets)
    found["search"] = _timed(lambda n: browser.get("/inbox/?view=all&q=hoan+tien"), 20)
    found["limit"] = _limits(house, tickets[0])
    return found


def _timed(
    ask: Callable[[int], tuple[int, bytes]], rounds: int = ROUNDS, before: Callable[[int], None] | None = None
) -> dict[str, Any]:
    took = []
    size = 0
    for number in range(rounds + 5):
        if before:
            before(number)
        begun = time.perf_counter()
        status, content = ask(number)
        if number >= 5:  # the first ones warm up
            took.append((time.perf_counter() - begun) * 1000)
        if status != 200:
            raise SystemExit(f"A page answers {status}: {content[:300]!r}")
        size = len(content)
    took.sort()
    return {"p50_ms": round(took[rounds // 2], 1), "p95_ms": round(took[int(rounds * 0.95)], 1), "kb": size // 1024}


def _counted(client: Client, path: str, **extra: str) -> dict[str, Any]:
    """Statements of one request, without session and user; a second look, when caches are warm."""
    client.get(path, **extra)  # type: ignore[arg-type]
    with CaptureQueriesContext(connection) as captured:
        client.get(path, **extra)  # type: ignore[arg-type]
    return {"statements": _beside_session(captured)}


def _beside_session(captured: CaptureQueriesContext) -> int:
    said = [query["sql"] for query in captured.captured_queries]
    plain = [sql for sql in said if not sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    first = [sql for sql in plain if not any(f'FROM "{table}' in sql or f'"{table}' in sql[:40] for table in _SESSION)]
    return len(first)


_SESSION = ("django_session", "usersessions", 'accounts_user" WHERE "accounts_user"."id"')


def _second_page(browser: Browser, client: Client, listed: str) -> dict[str, Any]:
    _, content = browser.get(listed)
    mark = b"after="
    if mark not in content:
        return {"p50_ms": None}
    after = content.split(mark, 1)[1].split(b'"', 1)[0].split(b"&", 1)[0].decode()
    path = f"/inbox/rows/?view=open&after={after}"
    return _timed(lambda n: browser.get(path, **HTMX)) | _counted(client, path, HTTP_HX_REQUEST="true")


def _replies(browser: Browser, client: Client, tickets: list[int]) -> dict[str, Any]:
    """A reply on a thread of twenty messages: what is committed and the answer the screen swaps in."""
    fields: dict[str, object] = {}

    def ticket_of(number: int) -> int:
        return tickets[1 + number % (len(tickets) - 1)]

    def look(number: int) -> None:
        """The version the agent has on the screen: what has moved since is refused."""
        version = Ticket.objects.values_list("version", flat=True).get(pk=ticket_of(number))
        fields.update(text=f"Dạ em kiểm tra ngay ạ. ({number})", expected_version=version)

    def reply(number: int) -> tuple[int, bytes]:
        return browser.post_form(f"/inbox/{ticket_of(number)}/reply/", fields, **HTMX)

    found = _timed(reply, before=look)
    body = {"text": "Dạ vâng ạ.", "expected_version": ""}
    with override_settings(UNDO_SECONDS={}), CaptureQueriesContext(connection) as captured:
        client.post(f"/inbox/{tickets[0]}/reply/", body, HTTP_HX_REQUEST="true")
    return found | {"statements": _beside_session(captured)}


def _long_tickets(house: House) -> list[int]:
    actor = actor_for(house.agent)
    found = lifecycle.inbox(actor).filter(status=Status.OPEN, message_count__gte=LONG, message_count__lte=LONG + 1)
    tickets = list(found.filter(channel_kind="email").order_by("-pk").values_list("pk", flat=True)[:10])
    return tickets or list(found.order_by("-pk").values_list("pk", flat=True)[:10])


def _limits(house: House, ticket: int) -> dict[str, float]:
    """Bare SELECTs of what the pages show, in milliseconds."""
    actor = actor_for(house.agent)
    rows = lifecycle.view(actor, "open").filter(waiting_since__isnull=False).order_by("waiting_since", "pk")
    ids = list(rows.values_list("pk", flat=True)[:50])
    return {
        "50 ticket rows by id": limits.select("SELECT * FROM tickets_ticket WHERE id = ANY(%s)", [ids]),
        "20 message rows of a ticket": limits.select("SELECT * FROM tickets_message WHERE ticket_id = %s", [ticket]),
    }
