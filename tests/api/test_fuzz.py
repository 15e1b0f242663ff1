"""The API against its own document: whatever is sent, no 500, and answers are what was said."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection, transaction
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from channels_app import registry
from channels_app.models import InboundEvent
from tests.api.conftest import Program
from tests.builders import a_mail, a_mailbox, a_team, a_ticket, a_user, receive

EXAMPLES = 12  # for each operation: about 35 operations fit into half a minute
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


DOCUMENT = schemathesis.openapi.from_dict(json.loads((Path(__file__).parent / "openapi.json").read_text()))
DOCUMENT.app = get_wsgi_application()
OPERATIONS = [found.ok() for found in DOCUMENT.get_all_operations()]


@pytest.fixture(scope="module")
def seeded(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, str]]:
    """A desk with something of everything, made once: the ids that lead to it, and a key."""
    with django_db_blocker.unblock(), transaction.atomic():
        connection.cursor().execute("SET LOCAL transaction_timeout = 0")
        desk = _desk()  # its own client takes the receivers off and puts them back: ours go off after it
        request_started.disconnect(close_old_connections)  # a request must not close our transaction's connection
        request_finished.disconnect(close_old_connections)
        yield desk
        transaction.set_rollback(True)
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)
    registry.forget()


def _desk() -> dict[str, str]:
    team = a_team("Returns")
    mailbox = a_mailbox(team=team)
    admin = Program(a_user("admin", language="en"))
    ticket = a_ticket(channel=mailbox)
    receive(mailbox, a_mail(text="tin hai"))
    said = admin.post(f"tickets/{ticket.pk}/replies/", {"text": "Dạ"}).json()
    admin.post(f"tickets/{ticket.pk}/notes/", {"text": "ghi chú"})
    blocked = admin.post("blocked/", {"kind": "email", "value": "spam@evil.test"}).json()
    first = InboundEvent.objects.order_by("pk")[:1].get()
    InboundEvent.objects.filter(pk=first.pk).update(state="failed")
    return {
        "key": admin.headers["Authorization"],
        "tickets": str(ticket.pk),
        "customers": str(ticket.customer_id),
        "message_id": said["id"],
        "blocked": blocked["id"],
        "channels": str(mailbox.pk),
        "inbound": admin.post("channels/", {"kind": "open_api", "name": "Kho"}).json()["id"],
        "inbound-failures": str(first.pk),
        "teams": str(team.pk),
        "users": str(admin.user.pk),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_nothing_breaks_and_every_answer_is_as_the_document_says(operation: Any, seeded: dict[str, str]) -> None:
    cache.clear()

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy())
    def sent(case: Any) -> None:
        _lead_somewhere(case, seeded)
        case.call_and_validate(headers={"Authorization": seeded["key"]}, checks=CHECKS)

    sent()  # the test's own transaction ends within that of the desk: the next operation finds it as it was


def _lead_somewhere(case: Any, seeded: dict[str, str]) -> None:
    """As often as not the path names something that is there."""
    kind = case.path.removeprefix("/api/v1/").split("/")[0]
    if kind in seeded and len(case.path_parameters.get("id", "x")) % 2 == 0:
        kind = "inbound" if case.path.endswith("/inbound/") else kind
        case.path_parameters["id"] = seeded[kind]
        if "message_id" in case.path_parameters:
            case.path_parameters["message_id"] = seeded["message_id"]
