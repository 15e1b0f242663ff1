"""What leaves the house: well-formed, threaded, and nothing a customer's words could smuggle in."""

from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app.adapters.email import machine
from channels_app.adapters.email.compose import BadAddressError, Enclosure, compose, message_id
from channels_app.contracts import OutboundEnvelope

NOW = datetime(2026, 11, 17, 3, 0, tzinfo=UTC)


def envelope(**changes: Any) -> OutboundEnvelope:
    given: dict[str, Any] = {
        "idempotency_key": "77",
        "to": "lan@example.vn",
        "to_name": "Nguyễn Thị Lan",
        "from_name": "Mai",
        "subject": "Re: Đơn hàng chưa tới",
        "text": "Chào chị Lan,\n\nĐơn đang tới: https://shop.vn/d?a=1&b=2.\n",
        "message_id": "t41.0123456789abcdef@demo.test",
    }
    return OutboundEnvelope(**(given | changes))


def made(files: tuple[Enclosure, ...] = (), **changes: Any) -> EmailMessage:
    raw = compose(envelope(**changes), address="support@demo.test", name="Demo", now=NOW, files=files)
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) < 998
    found = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(found, EmailMessage)
    return found


def test_a_reply_is_threaded_and_signed() -> None:
    chain = tuple(f"m{n}@example.vn" for n in range(30))
    mail = made(in_reply_to="m29@example.vn", references=chain, reply_to="support+t-abc@demo.test")
    assert mail["message-id"] == "<t41.0123456789abcdef@demo.test>"
    assert mail["in-reply-to"] == "<m29@example.vn>"
    assert mail["references"].split() == ["<m0@example.vn>", *(f"<m{n}@example.vn>" for n in range(20, 30))]
    assert mail["reply-to"].addresses[0].addr_spec == "support+t-abc@demo.test"
    assert mail["from"].addresses[0].display_name == "Mai (Demo)"
    assert mail["to"].addresses[0].display_name == "Nguyễn Thị Lan"
    assert str(mail["subject"]) == "Re: Đơn hàng chưa tới"
    assert mail["auto-submitted"] is None
    assert mail["x-auto-response-suppress"] is None


def test_both_forms_say_the_same() -> None:
    mail = made(text="Một < hai & ba\n\nhttps://shop.vn/d?a=1&b=2.")
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n").strip() == "Một < hai & ba\n\nhttps://shop.vn/d?a=1&b=2."
    assert "Một &lt; hai &amp; ba" in html.get_content()
    assert '<a href="https://shop.vn/d?a=1&amp;b=2">' in html.get_content()


def test_automatic_mail_says_so() -> None:
    mail = made(auto=True, in_reply_to="a@b")
    assert mail["auto-submitted"] == "auto-replied"
    assert mail["x-auto-response-suppress"] == "All"
    assert made(auto=True)["auto-submitted"] == "auto-generated"


def test_a_mail_without_an_id_of_its_own_gets_the_same_one_each_time() -> None:
    first, second = (message_id(envelope(message_id=""), "support@demo.test") for _ in range(2))
    assert first == second
    assert first != message_id(envelope(message_id="", idempotency_key="78"), "support@demo.test")
    assert machine.is_own_id(first, frozenset({"support@demo.test"}))


def test_an_endless_id_is_neither_cut_nor_encoded() -> None:
    name = "x" * 240 + "@example.com"
    assert made(in_reply_to=name)["in-reply-to"].strip() == f"<{name}>"


def test_ids_that_no_mail_bore_are_not_sent() -> None:
    mail = made(in_reply_to="hash:abc", references=("hash:abc", "real@example.vn"))
    assert mail["in-reply-to"] is None
    assert mail["references"] == "<real@example.vn>"


def test_files_go_along_and_images_stay_in_the_text() -> None:
    picture = Enclosure("Ảnh.png", "image/png", b"png", "pic1")
    paper = Enclosure("Hoá đơn tháng 11.pdf", "application/pdf", b"%PDF")
    odd = Enclosure('a"\r\nBcc: x@y.z\r\n.eml', "message/rfc822", b"Subject: x\n\n")
    mail = made((picture, paper, odd), html='<p>Đây: <img src="cid:pic1"></p>')
    parts = {part.get_filename(): part for part in mail.walk() if part.get_filename()}
    assert parts["Ảnh.png"]["content-id"] == "<pic1>"
    assert parts["Ảnh.png"].get_content_disposition() == "inline"
    assert parts["Hoá đơn tháng 11.pdf"].get_content() == b"%PDF"
    assert mail["bcc"] is None
    assert len(parts) == 3


@pytest.mark.parametrize("address", ["", "nobody", "a@", "@b", "a b@c.d", "a@b.c\r\nBcc: x@y.z", "a@b.c, d@e.f"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadAddressError):
        made(to=address)


NASTY = st.text(st.sampled_from("ab\r\n:<>@\"',;()=?é\u202e\0 Đ"), max_size=40)


@given(subject=NASTY, name=NASTY, team=NASTY, reference=NASTY)
@settings(max_examples=200, deadline=None)
def test_no_words_become_a_header(subject: str, name: str, team: str, reference: str) -> None:
    made_of = envelope(subject=subject, to_name=name, from_name=team, in_reply_to=reference, references=(reference,))
    raw = compose(made_of, address="support@demo.test", name=team, now=NOW)
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    allowed = {
        "message-id",
        "date",
        "from",
        "to",
        "subject",
        "x-loop",
        "mime-version",
        "content-type",
        "in-reply-to",
        "references",
    }
    assert {name.lower() for name in mail} <= allowed
    assert [address.addr_spec for address in mail["to"].addresses] == ["lan@example.vn"]
    assert [address.addr_spec for address in mail["from"].addresses] == ["support@demo.test"]
