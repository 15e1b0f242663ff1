"""SMTP and LMTP over real sockets into the real database."""

import contextlib
import smtplib
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

from channels_app import mail, reply_tokens
from channels_app.adapters.email import listener as listeners
from channels_app.adapters.email.listener import Listener
from channels_app.models import Channel, InboundEvent, InboundRaw
from tests.builders import a_mail, a_mailbox
from tests.channels_app.email.servers import listening

pytestmark = pytest.mark.django_db(transaction=True)
SUPPORT = "support@shop.test"


@pytest.fixture
def mailbox() -> Channel:
    return a_mailbox(SUPPORT)


@pytest.fixture
def port(mailbox: Channel) -> Iterator[int]:
    with listening(Listener(mail.boxes, mail.keep, max_bytes=200_000)) as port:
        yield port


@contextlib.contextmanager
def talking(port: int) -> Iterator[smtplib.SMTP]:
    client = smtplib.SMTP("127.0.0.1", port, timeout=20)
    try:
        yield client
    finally:
        client.close()


def send(port: int, raw: bytes, to: Any = SUPPORT, sender: str = "lan@customer.test") -> None:
    with talking(port) as client:
        client.sendmail(sender, to, raw)


def test_250_means_the_bytes_are_kept(port: int, mailbox: Channel) -> None:
    raw = a_mail().replace(b"\n", b"\r\n")
    send(port, raw)
    event = InboundEvent.objects.get()
    assert bytes(InboundRaw.objects.get(pk=event.pk).body) == raw
    assert event.channel_id == mailbox.pk
    assert event.meta["mail_from"] == "lan@customer.test"
    assert event.meta["rcpt_to"] == [SUPPORT]
    assert event.meta["peer"] == "127.0.0.1"


def test_the_same_bytes_again_are_a_repeat(port: int) -> None:
    raw = a_mail()
    send(port, raw)
    send(port, raw)
    assert InboundEvent.objects.count() == 1


def test_a_forged_message_id_suppresses_nothing(port: int) -> None:
    send(port, a_mail(message_id="<same@x.test>", text="first"))
    send(port, a_mail(message_id="<same@x.test>", text="second"))
    assert InboundEvent.objects.count() == 2


def test_an_unknown_address_is_refused(port: int) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(port, a_mail(), "nobody@shop.test")
    assert refused.value.recipients["nobody@shop.test"][0] == 550
    assert not InboundEvent.objects.exists()


def test_a_plus_part_and_any_case_reach_the_mailbox(port: int) -> None:
    token = reply_tokens.make(7, b"key")
    send(port, a_mail(text="one"), reply_tokens.address(SUPPORT, token).upper())
    send(port, a_mail(text="two"), "support+anything@shop.test")
    assert InboundEvent.objects.count() == 2


def test_a_domain_is_caught_only_where_the_channel_says_so(port: int, mailbox: Channel) -> None:
    Channel.objects.filter(pk=mailbox.pk).update(config={"catch_all": True})
    with listening(Listener(mail.boxes, mail.keep, max_bytes=200_000)) as open_port:
        send(open_port, a_mail(), "whoever@shop.test")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(open_port, a_mail(), "whoever@else.test")
    assert InboundEvent.objects.count() == 1


def test_two_addresses_of_two_channels_are_two_receipts_and_of_one_channel_one(port: int) -> None:
    a_mailbox("sales@shop.test")
    with listening(Listener(mail.boxes, mail.keep, max_bytes=200_000)) as port_of_two:
        send(port_of_two, a_mail(), [SUPPORT, "sales@shop.test", "support+x@shop.test"])
    assert sorted(len(event.meta["rcpt_to"]) for event in InboundEvent.objects.all()) == [1, 2]


def test_a_new_mailbox_is_known_soon(port: int) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(port, a_mail(), "later@shop.test")
    a_mailbox("later@shop.test")
    listeners.time.sleep(listeners.LOOK_AGAIN_SECONDS + 0.1)
    send(port, a_mail(), "later@shop.test")
    assert InboundEvent.objects.count() == 1


def test_too_large_is_said_before_and_after(port: int) -> None:
    big = a_mail() + b"x" * 200_000
    with talking(port) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == "200000"
        assert client.mail("a@b.test", [f"size={len(big)}"])[0] == 552
    with talking(port) as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.helo()
        client.sendmail("a@b.test", [SUPPORT], big)
    assert refused.value.smtp_code == 552
    assert not InboundEvent.objects.exists()


def test_a_line_without_end_is_no_reason_to_lose_a_mail(port: int) -> None:
    send(port, a_mail() + b"y" * 50_000 + b"\r\n")
    assert InboundEvent.objects.count() == 1


def test_our_fault_is_a_451_and_heals_by_itself(port: int) -> None:
    raw = a_mail()
    send(port, a_mail(text="before"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE channels_app_inboundevent RENAME TO gone")
    try:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(port, raw)
        assert refused.value.smtp_code == 451
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO channels_app_inboundevent")
    send(port, raw)
    assert InboundEvent.objects.count() == 2


def test_a_database_that_came_back_costs_no_mail(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}.items():
        monkeypatch.setitem(connections.settings["default"], name, value)  # kept, as in the mail process
    for number in range(4):
        send(port, a_mail(text=f"warm {number}"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    for number in range(4):
        send(port, a_mail(text=f"after {number}"))
    assert InboundEvent.objects.count() == 8


def test_nobody_learns_who_has_a_mailbox(port: int) -> None:
    with talking(port) as client:
        client.ehlo()
        assert client.verify(SUPPORT)[0] == 502
        assert client.docmd("EXPN", SUPPORT)[0] == 502


def test_the_empty_envelope_sender_is_kept(port: int) -> None:
    send(port, a_mail(), sender="")
    assert InboundEvent.objects.get().meta["mail_from"] == ""


def test_many_mails_over_one_connection(port: int) -> None:
    with talking(port) as client:
        for number in range(40):
            client.sendmail("lan@customer.test", [SUPPORT], a_mail(text=f"number {number}"))
    assert InboundEvent.objects.count() == 40


def _lmtp(port: int, recipients: list[str], raw: bytes) -> list[int]:
    """The answers after the mail, one for each recipient that was taken."""
    with socket.create_connection(("127.0.0.1", port), 20) as wire, wire.makefile("rwb") as line:

        def say(text: str) -> int:
            line.write(text.encode() + b"\r\n")
            line.flush()
            return answer()

        def answer() -> int:
            while True:
                said = line.readline()
                if said[3:4] != b"-":
                    return int(said[:3])

        answer()
        say("LHLO test")
        say("MAIL FROM:<lan@customer.test>")
        taken = [name for name in recipients if say(f"RCPT TO:<{name}>") == 250]
        assert say("DATA") == 354
        line.write(raw.replace(b"\n", b"\r\n") + b"\r\n.\r\n")
        line.flush()
        codes = [answer() for _ in taken]
        assert say("QUIT") == 221
        return codes


def test_lmtp_answers_for_every_recipient(port: int) -> None:
    assert _lmtp(port, [SUPPORT, "nobody@shop.test", "support+x@shop.test"], a_mail()) == [250, 250]
    assert InboundEvent.objects.count() == 1
    assert _lmtp(port, [SUPPORT, "support+x@shop.test"], b"x" * 210_000) == [552, 552]
