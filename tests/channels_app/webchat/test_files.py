"""Files of the chat: the visitor's own, served so that nothing in them runs."""

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.utils import override_settings

from channels_app import media
from channels_app.models import Media
from tests.builders import a_chat, an_actor, run_jobs
from tests.channels_app.webchat.test_session import error
from tests.channels_app.webchat.visitors import Visitor
from tickets.messages import actions as messages
from tickets.models import Attachment, Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000" "1f15c4890000000a49444154789c6360000002000154a24f"
    "5d0000000049454e44ae426082"
)  # fmt: skip


def a_file(name: str = "hóa đơn.png", content: bytes = PNG, kind: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type=kind)


def path(url: str) -> str:
    return "/widget/" + url.partition("/widget/")[2]


def test_a_picture_goes_up_is_said_and_comes_back_in_place() -> None:
    visitor = Visitor(a_chat())
    kept = visitor.upload(a_file())
    assert kept.status_code == 201
    line = visitor.say("Hóa đơn đây ạ", attachments=[kept.json()["id"]]).json()
    assert [file["filename"] for file in line["files"]] == ["hóa đơn.png"]
    run_jobs()
    attachment = Attachment.objects.get(message=Message.objects.get())
    assert (attachment.filename, attachment.content_type, attachment.size) == ("hóa đơn.png", "image/png", len(PNG))

    shown = Client().get(path(line["files"][0]["url"]))  # an <img> sends no header: the address itself opens it
    assert shown.status_code == 200
    assert shown.content == PNG
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in shown.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.html", b"<script>alert(1)</script>", "text/html"),
        ("a.svg", b"<svg onload='alert(1)'/>", "image/svg+xml"),
        ("a.png", b"<script>alert(1)</script>", "image/png"),  # says it is a picture
        ("a.pdf", b"%PDF-1.7", "application/pdf"),
    ],
)
def test_everything_but_a_real_picture_is_a_download(name: str, content: bytes, kind: str) -> None:
    visitor = Visitor(a_chat())
    url = visitor.upload(a_file(name, content, kind)).json()["url"]
    answer = Client().get(path(url))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"] not in ("text/html", "image/svg+xml", "image/png")


def test_a_file_of_somebody_else_is_not_there() -> None:
    chat = a_chat()
    lan, minh = Visitor(chat), Visitor(chat)
    kept = lan.upload(a_file()).json()
    assert lan.get(f"files/{kept['id']}").status_code == 200
    assert error(minh.get(f"files/{kept['id']}")) == (404, "not_found")
    assert error(minh.get(f"files/{uuid.uuid4()}")) == (404, "not_found")
    assert error(minh.say("", attachments=[kept["id"]])) == (422, "invalid")
    agents = media.keep(content=PNG, filename="x.png", content_type="image/png", owner="user:1")
    assert error(minh.get(f"files/{agents.pk}")) == (404, "not_found")
    minh.token = ""
    assert error(minh.get(f"files/{kept['id']}")) == (401, "not_authenticated")


def test_the_key_of_one_file_opens_no_other_and_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    from channels_app.webchat import tokens

    visitor = Visitor(a_chat())
    one, two = visitor.upload(a_file()).json(), visitor.upload(a_file("zwei.png")).json()
    swapped = path(one["url"]).replace(one["id"], two["id"])
    assert error(Client().get(swapped)) == (404, "not_found")
    for wrong in ("x", "é"):
        assert error(Client().get(path(one["url"]) + wrong)) == (404, "not_found")
    assert Client().get(path(one["url"])).status_code == 200
    elsewhere = path(one["url"]).replace(str(visitor.channel.pk), str(a_chat().pk))
    assert error(Client().get(elsewhere)) == (404, "not_found")
    later = tokens.time.time() + 6 * 3600
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    assert error(Client().get(path(one["url"]))) == (404, "not_found")


def test_what_is_too_large_empty_or_missing_is_refused() -> None:
    visitor = Visitor(a_chat())
    with override_settings(ATTACHMENT_MAX_BYTES=1000):
        assert visitor.upload(a_file(content=b"x" * 1000)).status_code == 201
        assert error(visitor.upload(a_file(content=b"x" * 1001))) == (413, "too_large")
        assert error(visitor.upload(a_file(content=b"x" * 100_000))) == (413, "too_large")
    assert error(visitor.upload(a_file(content=b"")))[0] == 422
    assert error(visitor.post("files", {}))[0] == 422
    assert Media.objects.count() == 1


def test_an_agents_file_reaches_the_visitor_as_a_copy_of_their_own() -> None:
    visitor = Visitor(a_chat())
    visitor.say("Cho xin mẫu với")
    run_jobs()
    agent = an_actor()
    file = media.keep(content=PNG, filename="mẫu.png", content_type="image/png", owner=f"user:{agent.id}")
    messages.reply(ticket_id=Ticket.objects.get().pk, text="Dạ đây ạ", actor=agent, media_ids=(file.pk,))
    run_jobs()
    [line] = visitor.lines(after=1)
    [sent] = line["files"]
    assert (sent["filename"], sent["size"]) == ("mẫu.png", len(PNG))
    assert sent["id"] != str(file.pk)
    assert visitor.get(f"files/{sent['id']}").content == PNG


def test_a_file_with_a_wicked_name_keeps_only_its_last_part() -> None:
    visitor = Visitor(a_chat())
    kept: Any = visitor.upload(a_file("../../etc/pass\nwd\u202e.png")).json()
    assert "/" not in kept["filename"]
    assert kept["filename"].isprintable()
