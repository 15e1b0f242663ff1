"""Mail fetched from a real IMAP server process into the real database."""

from collections.abc import Iterator
from typing import Any

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from channels_app import mail
from channels_app.adapters.email import imap
from channels_app.adapters.email.imap import Mailbox
from channels_app.models import Channel, InboundEvent, InboundRaw
from channels_app.registry import reference
from tests.builders import a_mail, a_mailbox
from tests.channels_app.email.servers import Imap, free_port, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server() -> Iterator[Imap]:
    server = Imap()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def channel(server: Imap) -> Channel:
    config = {
        "imap_host": "127.0.0.1",
        "imap_port": server.port,
        "imap_user": server.USER,
        "imap_security": "none",
        "imap_history_days": None,
    }
    return a_mailbox(config=config, secrets={"imap_password": server.PASSWORD})


@pytest.fixture
def fetching(channel: Channel) -> Iterator[Any]:
    """Starts fetching threads; all end with the test."""
    started: list[Mailbox] = []

    def start(**changes: Any) -> Mailbox:
        channel.refresh_from_db()
        mailbox = Mailbox(reference(channel), mail.DESK, **({"poll_seconds": 1} | changes))
        started.append(mailbox)
        mailbox.start()
        return mailbox

    yield start
    for mailbox in started:
        mailbox.halt()
    for mailbox in started:
        mailbox.join(10)
        assert not mailbox.is_alive()


def count() -> int:
    return InboundEvent.objects.count()


def problem(channel: Channel) -> str:
    channel.refresh_from_db()
    return channel.problem


def test_mail_is_fetched_once_and_the_cursor_lasts(server: Imap, channel: Channel, fetching: Any) -> None:
    raw = a_mail(text="first")
    server.deliver(raw, a_mail(text="second"))
    mailbox = fetching()
    until(lambda: count() == 2)
    until(lambda: (channel.refresh_from_db(), channel.state.get("imap", {}).get("last_uid", 0))[1] >= 2)
    mailbox.halt()
    mailbox.join(10)
    fetching()
    server.deliver(a_mail(text="third"))
    until(lambda: count() == 3)
    first = InboundEvent.objects.order_by("pk").first()
    assert first is not None
    assert first.external_id.startswith("imap:")
    assert first.meta["internaldate"]
    kept = bytes(InboundRaw.objects.get(pk=first.pk).body)
    assert kept.replace(b"\r\n", b"\n").strip() == raw.strip()


def test_new_mail_is_heard_of_without_waiting_for_the_poll(server: Imap, fetching: Any) -> None:
    fetching(poll_seconds=600)
    until(lambda: Channel.objects.get().state.get("imap"))
    imap.time.sleep(1)
    server.deliver(a_mail())
    until(lambda: count() == 1, 8)


def test_mail_is_left_unread_unless_the_channel_says_so(server: Imap, channel: Channel, fetching: Any) -> None:
    server.deliver(a_mail(text="one"))
    mailbox = fetching()
    until(lambda: count() == 1)
    mailbox.halt()
    mailbox.join(10)
    assert _unseen(server) == 1
    Channel.objects.update(config=channel.config | {"imap_mark_seen": True})
    server.deliver(a_mail(text="two"))
    fetching()
    until(lambda: count() == 2)
    until(lambda: _unseen(server) == 1)


def _unseen(server: Imap) -> int:
    client = server.client()
    client.select_folder("INBOX", readonly=True)
    found = len(client.search("UNSEEN"))
    client.logout()
    return found


def test_a_changed_uidvalidity_looks_at_everything_again(server: Imap, channel: Channel, fetching: Any) -> None:
    server.deliver(a_mail(text="before"))
    mailbox = fetching()
    until(lambda: count() == 1)
    mailbox.halt()
    mailbox.join(10)
    server.stop()
    server.start()  # a new mailbox under the old name: its numbers begin again
    server.deliver(a_mail(text="after"))
    fetching()
    until(lambda: count() == 2)
    ids = {event.external_id.split(":")[1] for event in InboundEvent.objects.all()}
    assert len(ids) == 2


def test_a_server_that_goes_away_is_reported_and_found_again(
    server: Imap, channel: Channel, fetching: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "FIRST_BACK_OFF", 0.3)
    fetching()
    until(lambda: Channel.objects.get().state.get("imap"))
    server.stop()
    until(lambda: problem(channel) != "", 20)
    server.start()
    server.deliver(a_mail())
    until(lambda: count() == 1, 30)
    until(lambda: problem(channel) == "", 20)


def test_a_refused_password_asks_to_authorise_again(channel: Channel, fetching: Any) -> None:
    Channel.objects.update(secrets={"imap_password": "wrong"})
    fetching()
    until(lambda: "Authorise" in problem(channel))
    assert "wrong" not in channel.problem


def test_nobody_listening_is_reported(channel: Channel, fetching: Any) -> None:
    Channel.objects.update(config=channel.config | {"imap_port": free_port()})
    fetching()
    until(lambda: "cannot be read" in problem(channel))


class Picky(IMAPClient):
    """A client to whom the server will not give one certain mail."""

    refused = 2
    asked = 0

    def fetch(self, messages: Any, data: Any, modifiers: Any = None) -> Any:
        if messages == [Picky.refused]:
            Picky.asked += 1
            raise IMAPClientError("this mail is damaged")
        return super().fetch(messages, data, modifiers)


def test_a_mail_that_cannot_be_fetched_blocks_no_other_and_becomes_visible(
    server: Imap, channel: Channel, fetching: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.deliver(*(a_mail(text=f"number {n}") for n in range(3)))
    client = server.client()
    client.select_folder("INBOX")
    Picky.refused, Picky.asked = sorted(client.search("ALL"))[1], 0
    client.logout()
    monkeypatch.setattr(imap, "IMAPClient", Picky)
    monkeypatch.setattr(imap, "MAX_TRIES", 3)
    fetching()
    until(lambda: count() == 2)
    assert not InboundEvent.objects.filter(meta__has_key="unfetched").exists()
    until(lambda: count() == 3)
    stub = InboundEvent.objects.get(meta__has_key="unfetched")
    assert "damaged" in stub.meta["unfetched"]
    assert Picky.asked == 3
    until(lambda: Channel.objects.get().state["imap"]["missed"] == {})


def test_a_mail_over_the_limit_is_fetched_by_its_beginning(server: Imap, fetching: Any) -> None:
    server.deliver(a_mail(text="x" * 50_000))
    fetching(max_bytes=10_000)
    until(lambda: count() == 1)
    assert InboundEvent.objects.get().meta["truncated"] > 50_000


def test_fetchers_follow_the_channels(server: Imap, channel: Channel) -> None:
    fetchers = mail.Fetchers()
    try:
        fetchers.refresh()
        server.deliver(a_mail())
        until(lambda: count() == 1)
        Channel.objects.update(is_active=False)
        fetchers.refresh()
        assert not fetchers._running
    finally:
        fetchers.halt()
