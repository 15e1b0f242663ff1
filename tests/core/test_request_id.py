"""A request's id is found again in what the workers log."""

import pytest
import structlog

from channels_app import inbound
from channels_app.models import InboundEvent
from helpdesk.core import jobs
from helpdesk.core.logs import request_id
from tests.builders import a_mailbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_id_of_the_request_follows_its_job_into_the_worker() -> None:
    mailbox, seen = a_mailbox(), []
    with structlog.contextvars.bound_contextvars(request_id="caused-by-this"):
        inbound.accept(mailbox.pk, "one", b"raw")

    def work(held: jobs.Claim) -> None:
        seen.append(request_id())
        jobs.settle(held)

    jobs.drain(InboundEvent, work)
    assert seen == ["caused-by-this"]
    assert request_id() == ""


def test_a_mail_that_no_request_caused_gets_an_id_of_its_own() -> None:
    mailbox = a_mailbox()
    inbound.accept(mailbox.pk, "one", b"raw")
    inbound.accept(mailbox.pk, "two", b"raw")
    assert len(set(InboundEvent.objects.values_list("request_id", flat=True)) - {""}) == 2
