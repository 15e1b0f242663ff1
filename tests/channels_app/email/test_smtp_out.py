"""Mail out through a real SMTP server: taken once, and every refusal said for what it is."""

import uuid
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from channels_app.adapters.email import smtp
from channels_app.contracts import ChannelRef, OutboundEnvelope
from helpdesk.core.errors import GiveUp, Retry, Uncertain
from tests.channels_app.email.servers import Post, free_port, posting

CHANNEL = ChannelRef(
    id=uuid.UUID(int=1), kind="email", name="Demo", address="support@demo.test", team_id=None, is_active=True
)


def envelope(**changes: Any) -> OutboundEnvelope:
    given: dict[str, Any] = {
        "idempotency_key": "12",
        "to": "lan@customer.test",
        "text": "Chào chị.\n.một dấu chấm đầu dòng\n",
        "subject": "Re: Đơn",
        "message_id": "t1.0123456789@demo.test",
        "reply_to": "support+t-abc@demo.test",
    }
    return OutboundEnvelope(**(given | changes))


@pytest.fixture
def post(settings: Any) -> Iterator[Post]:
    with posting() as (post, port):
        settings.MAIL_OUT = f"smtp://127.0.0.1:{port}"
        yield post
        smtp._post.close()


def test_a_mail_arrives_as_it_was_written(post: Post) -> None:
    result = smtp.send(CHANNEL, envelope(cc=("boss@customer.test",)))
    assert result.provider_id == "t1.0123456789@demo.test"
    sender, recipients, raw = post.taken[0]
    assert sender == "support+t-abc@demo.test"
    assert recipients == ["lan@customer.test", "boss@customer.test"]
    mail = message_from_bytes(raw, policy=policy.default)
    body = mail.get_body(("plain",))  # type: ignore[attr-defined]
    assert "\n.một dấu chấm đầu dòng" in body.get_content().replace("\r\n", "\n")


def test_one_connection_serves_many_mails(post: Post) -> None:
    for number in range(5):
        smtp.send(CHANNEL, envelope(message_id=f"t1.0123456{number}@demo.test"))
    assert len(post.taken) == 5
    assert post.connections == 1


@pytest.mark.parametrize("mood", ["421", "451", "450 after"])
def test_a_busy_server_is_tried_again(post: Post, mood: str) -> None:
    smtp.send(CHANNEL, envelope())
    post.mood = mood
    with pytest.raises(Retry):
        smtp.send(CHANNEL, envelope())
    post.mood = ""
    smtp.send(CHANNEL, envelope())
    assert len(post.taken) == 2


@pytest.mark.parametrize(("mood", "words"), [("550", "no such user"), ("552 after", "too big")])
def test_a_permanent_refusal_is_final_and_spoils_no_other_mail(post: Post, mood: str, words: str) -> None:
    post.mood = mood
    with pytest.raises(GiveUp, match=words) as refused:
        smtp.send(CHANNEL, envelope())
    assert not isinstance(refused.value, Uncertain)
    post.mood = ""
    smtp.send(CHANNEL, envelope())
    assert len(post.taken) == 1


def test_a_refused_copy_does_not_stop_the_answer(post: Post) -> None:
    post.mood = "550 copies"
    smtp.send(CHANNEL, envelope(cc=("gone@customer.test",)))
    assert post.taken[0][1] == ["lan@customer.test"]


def test_a_connection_lost_after_the_mail_leaves_us_in_doubt(post: Post) -> None:
    post.mood = "vanish after"
    with pytest.raises(Uncertain):
        smtp.send(CHANNEL, envelope())
    assert len(post.taken) == 1  # it had arrived: sending again would have doubled it


def test_a_connection_lost_before_the_mail_is_tried_again(post: Post) -> None:
    post.mood = "vanish before"
    with pytest.raises(Retry):
        smtp.send(CHANNEL, envelope())
    assert not post.taken


def test_a_server_that_closed_the_idle_connection_costs_nothing(post: Post) -> None:
    smtp.send(CHANNEL, envelope())
    assert smtp._post._server is not None
    assert smtp._post._server.sock is not None
    smtp._post._server.sock.close()
    smtp.send(CHANNEL, envelope())
    assert len(post.taken) == 2


def test_nobody_listening_is_tried_again(settings: Any) -> None:
    settings.MAIL_OUT = f"smtp://127.0.0.1:{free_port()}"
    with pytest.raises(Retry):
        smtp.send(CHANNEL, envelope())


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # of the server of this test
def test_a_refused_password_asks_to_authorise_again(settings: Any) -> None:
    with posting(passwords=True) as (_, port):
        settings.MAIL_OUT = f"smtp://user:wrong@127.0.0.1:{port}"
        with pytest.raises(Retry, match="Authorise") as refused:
            smtp.send(CHANNEL, envelope())
        smtp._post.close()
        settings.MAIL_OUT = f"smtp://127.0.0.1:{port}"
        with pytest.raises(Retry, match="sign in"):
            smtp.send(CHANNEL, envelope())
        smtp._post.close()
    assert "wrong" not in str(refused.value)


def test_a_nonsense_address_is_final(post: Post) -> None:
    with pytest.raises(GiveUp):
        smtp.send(CHANNEL, envelope(to="no address\r\nRCPT TO:<x@y.z>"))


def test_a_folder_gets_one_whole_file_for_one_delivery(settings: Any, tmp_path: Path) -> None:
    settings.MAIL_OUT = f"dir:{tmp_path / 'out'}"
    smtp.send(CHANNEL, envelope())
    smtp.send(CHANNEL, envelope())
    smtp.send(CHANNEL, envelope(idempotency_key="13", message_id="t1.99999999@demo.test"))
    files = sorted((tmp_path / "out").iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert message_from_bytes(files[0].read_bytes())["Message-ID"] == "<t1.0123456789@demo.test>"


def test_an_attached_file_comes_from_the_media_folder(post: Post, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "aa").mkdir()
    (tmp_path / "aa" / "aabb").write_bytes(b"%PDF")
    file = {"filename": "Hoá đơn.pdf", "content_type": "application/pdf", "path": "aa/aabb"}
    smtp.send(CHANNEL, envelope(files=(smtp.OutboundFile(**file),)))
    assert b"JVBERg==" in post.taken[0][2]
    with pytest.raises(GiveUp):
        smtp.send(CHANNEL, envelope(files=(smtp.OutboundFile(**(file | {"path": "zz/none"})),)))


@pytest.mark.parametrize("url", ["", "http://x", "smtp://", "dir:", "localhost:25"])
def test_a_nonsense_way_out_is_named(url: str) -> None:
    with pytest.raises(ValueError, match="MAIL_OUT"):
        smtp.way_out(url)


def test_the_way_out_is_read() -> None:
    assert smtp.way_out("dir:var/mail-out").path == "var/mail-out"
    assert smtp.way_out("dir:///srv/mail").path == "/srv/mail"
    way = smtp.way_out("smtp://me%40x.vn:p%3Aw@mail.x.vn")
    assert (way.user, way.password, way.port) == ("me@x.vn", "p:w", 587)
    assert smtp.way_out("smtps://mail.x.vn").port == 465
