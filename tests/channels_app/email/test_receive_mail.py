"""The pipe of a mail server: its exit status is a promise."""

import io
import os
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from channels_app.models import InboundEvent
from tests.builders import a_mail, a_mailbox

pytestmark = pytest.mark.django_db(transaction=True)


def pipe(monkeypatch: pytest.MonkeyPatch, raw: bytes, channel: str = "support@shop.test", **options: Any) -> str:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    out = io.StringIO()
    call_command("receive_mail", channel=channel, stdout=out, **options)
    return out.getvalue().strip()


def refused(monkeypatch: pytest.MonkeyPatch, *args: Any) -> int:
    with pytest.raises(CommandError) as error:
        pipe(monkeypatch, *args)
    return error.value.returncode


def test_zero_means_stored_and_a_repeat_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    a_mailbox()
    raw = a_mail()
    assert pipe(monkeypatch, raw, sender="<lan@customer.test>") == "stored"
    assert pipe(monkeypatch, raw, "Support+x@Shop.test") == "known already"
    assert InboundEvent.objects.get().meta["mail_from"] == "lan@customer.test"


def test_each_refusal_has_its_status(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    assert refused(monkeypatch, a_mail()) == os.EX_NOUSER
    a_mailbox()
    assert refused(monkeypatch, b"\n") == os.EX_DATAERR
    settings.MAIL_MAX_BYTES = 100
    assert refused(monkeypatch, a_mail()) == os.EX_UNAVAILABLE
    assert not InboundEvent.objects.exists()


def test_our_fault_asks_the_mail_server_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    a_mailbox()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE channels_app_inboundevent RENAME TO gone")
    try:
        assert refused(monkeypatch, a_mail()) == os.EX_TEMPFAIL
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO channels_app_inboundevent")
