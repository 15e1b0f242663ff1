"""Every golden mail is read as its JSON says; `python -m tests.corpus.rewrite` writes it anew."""

import json
from email import policy
from email.parser import BytesParser

import pytest

from channels_app.adapters.email import body, mime
from channels_app.contracts import NewMessage
from tests.corpus import mails

# Well-formed mails, where the stdlib's modern parser must agree word for word.
WELL_FORMED = [
    "plain-en",
    "plain-vi-8bit",
    "subject-rfc2047-q-latin1",
    "alternative",
    "cid-image",
    "apple-mail-mixed",
    "winmail-dat",
    "calendar-invite",
    "rfc822-attached",
    "smime-signed",
    "text-attachment",
    "charset-utf16-base64",
    "charset-iso-2022-jp",
    "bounce-postfix",
    "bounce-gmail",
    "reply-gmail-vi",
    "from-quoted-comma-encoded",
    "group-addresses",
    "dmarc-pass",
]


def test_the_corpus_is_large_enough() -> None:
    assert len(mails.names()) >= 60


@pytest.mark.parametrize("name", mails.names())
def test_a_golden_mail_is_read_as_agreed(name: str) -> None:
    assert json.loads(json.dumps(mails.as_json(mails.read(name)))) == mails.stored(name)


@pytest.mark.parametrize("name", WELL_FORMED)
def test_the_standard_parser_sees_the_same_parts(name: str) -> None:
    raw = mails.raw(name)
    theirs = BytesParser(policy=policy.default).parsebytes(raw)
    ours = mime.read(raw).root
    leaves = [part for part in theirs.walk() if not part.is_multipart()]
    if not any(part.get_content_type().startswith("message/") for part in theirs.walk()):
        assert [part.content_type for part in ours.walk() if not part.parts] == [
            part.get_content_type() for part in leaves
        ]
        expected = [part.get_payload(decode=True) for part in leaves]
        found = [part.content() for part in ours.walk() if not part.parts]
        assert [content.split() for content in found] == [(content or b"").split() for content in expected]
    assert ours.headers.text("subject") == str(theirs["subject"] or "")
    attached = [part.get_filename() for part in theirs.walk() if part.get_filename()]
    assert [file.filename for file in body.read(ours).files if not file.filename.startswith("part-")] == attached


def test_one_mail_by_two_routes_has_one_identity() -> None:
    first, second = (mails.read(name)[0] for name in ("no-message-id", "no-message-id-second-route"))
    assert isinstance(first, NewMessage)
    assert isinstance(second, NewMessage)
    assert first.external_id == second.external_id


def test_a_forged_message_id_shows_in_the_content_hash() -> None:
    first, second = (mails.read(f"message-id-duplicate-{letter}")[0] for letter in "ab")
    assert isinstance(first, NewMessage)
    assert isinstance(second, NewMessage)
    assert first.external_id == second.external_id
    assert first.content_hash != second.content_hash
