"""Whatever the bytes are: a message comes out, in bounded time, with text that a database takes."""

import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels_app.adapters.email import quoting
from channels_app.adapters.email.parse import parse
from channels_app.contracts import NewMessage
from tests.corpus import mails

LIMIT_SECONDS = 3.0  # of CPU, generous for a busy machine; the faults guarded against take half a minute
MEGABYTES = 4_000_000
HEAD = b"From: a@b.example\nTo: support@demo.test\nMessage-ID: <x@b.example>\n"
CORPUS = [mails.raw(name) for name in mails.names()]
FRAGMENTS = [
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"--",
    b"--alt-1\n",
    b"Content-Type: multipart/mixed; boundary=",
    b"Content-Type: text/html\n\n",
    b"=?utf-8?q?=ff?=",
    b"<",
    b">",
    b'"',
    b"(",
    b";",
    b"charset=utf-7",
    b"\xff\xfe",
    "Vào viết:".encode(),
    b"<div>",
    b"\xcc\x81",
]
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def check(raw: bytes) -> None:
    """What holds for every mail."""
    for item in parse(mails.arrival(raw)):
        if not isinstance(item, NewMessage):
            continue
        assert item.external_id
        assert item.thread_key.count("@") >= 1
        assert item.occurred_at == mails.RECEIVED
        if item.unparsed:
            assert any(file.filename == "message.eml" and file.content == raw for file in item.files)
        words = [
            item.subject,
            item.text,
            item.text_full,
            item.html,
            item.sender.name,
            item.thread_key,
            item.external_id,
        ]
        for text in [*words, *item.references, *(file.filename for file in item.files)]:
            assert "\0" not in text
            text.encode("utf-8")


@given(st.binary(max_size=3000))
@QUICK
def test_any_bytes_become_a_message(raw: bytes) -> None:
    check(raw)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(st.sampled_from(CORPUS)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(raw)))
        match draw(st.sampled_from(["cut", "insert", "flip", "repeat"])):
            case "cut":
                del raw[at : at + draw(st.integers(1, 200))]
            case "insert":
                raw[at:at] = draw(st.sampled_from(FRAGMENTS))
            case "flip" if at < len(raw):
                raw[at] = draw(st.integers(0, 255))
            case _:
                raw[at:at] = raw[max(0, at - 100) : at] * draw(st.integers(1, 3))
    return bytes(raw)


@given(mutated())
@settings(QUICK, max_examples=400)
def test_a_damaged_mail_becomes_a_message(raw: bytes) -> None:
    check(raw)


def _nested(depth: int) -> bytes:
    levels = (b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return HEAD + b"".join(levels) + b"\nx\n" * (MEGABYTES // 3)


def _text(kind: bytes, unit: bytes, size: int = MEGABYTES) -> bytes:
    return HEAD + b"Content-Type: text/" + kind + b"; charset=utf-8\n\n" + unit * (size // len(unit))


HOSTILE = {
    "nested": _nested(300),
    "parts": HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n\n" * 600_000,
    "boundary lookalikes": HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--xy\n" * 600_000,
    "header fields": HEAD + b"X: y\n" * 600_000,
    "folded subject": HEAD + b"Subject: " + b"\n a" * 600_000,
    "addresses": b"To: " + b"a@b.cd," * 400_000,
    "parentheses": b"From: " + b"(" * MEGABYTES,
    "encoded words": HEAD + b"Subject: " + b"=?utf-8?q?a?=" * 200_000,
    "parameters": HEAD + b"Content-Type: text/plain" + b"; a*0=b" * 400_000 + b"\n\nx",
    "marks": _text(b"plain", "\u0301\u0316".encode()),
    "html depth": _text(b"html", b"<div>", 900_000),
    "html paragraphs": _text(b"html", b"<p>a", 900_000),
    "html table": _text(b"html", b"<table><tr><td>" + b"x" * 50_000 + b"</td></tr>" + b"<tr><td>a" * 20_000, 300_000),
    "html unclosed": _text(b"html", b"<", 900_000),
    "html script": _text(b"html", b"<script ", 900_000),
    "quotes": _text(b"plain", b"> "),
    "attributions": _text(b"plain", b"On wrote: "),
    "auth results": b"Authentication-Results: mx.demo.test; " + b"(((a=b;" * 300_000 + b"\n" + HEAD + b"\nx",
    "random": os.urandom(1_000_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_reading_takes_bounded_time(name: str) -> None:
    began = time.process_time()
    check(HOSTILE[name])
    assert time.process_time() - began < LIMIT_SECONDS


REPLIES = {
    "newlines": "\n" * 50_000,
    "On": "On " * 16_000,
    "Vào": "Vào " * 12_000,
    "On lines": "On x\n" * 10_000,
    "From": "From: a\n" * 7_000,
    "Từ": "Từ: a\n" * 8_000,
    "blanks": " " * 55_000 + "wrote:",
    "dashes": "-" * 55_000,
    "quotes": ">" * 55_000,
    "quoted newlines": ">\n" * 25_000,
    "signatures": "\n-- \n" * 10_000,
    "sent from": "Sent from my \n" * 4_000,
    "colons": "a:\n\n" * 14_000,
}


@pytest.mark.parametrize("name", REPLIES)
def test_stripping_a_reply_takes_bounded_time(name: str) -> None:
    began = time.process_time()
    quoting.strip(REPLIES[name])
    assert time.process_time() - began < LIMIT_SECONDS
