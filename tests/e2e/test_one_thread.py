"""One customer, two doors, one thread: the whole way with a real browser and real mail."""

import hashlib
import hmac
import json
import smtplib
import urllib.request
from email.message import EmailMessage
from typing import Any

import pytest

from tests.e2e.conftest import Outside, sign_in
from tests.runtime.desk import Desk

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

LAN = "lan.pham@customer.test"


def mail(desk: Desk, subject: str, text: str, **headers: str) -> None:
    """Lan's provider hands her mail to the desk, with its verdict about the sender."""
    message = EmailMessage()
    message["Authentication-Results"] = "mx.demo.test; dmarc=pass header.from=customer.test"
    message["From"], message["To"], message["Subject"] = f"Phạm Lan <{LAN}>", "support@demo.test", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", desk.mail_port) as server:
        server.send_message(message)


def chat(desk: Desk, channel: str, text: str) -> None:
    """Lan writes in the widget of a shop that has signed who she is."""
    user = {"id": "kh-77", "email": LAN, "phone": "", "name": "Phạm Lan"}
    signed = "\n".join((user["id"], user["email"], user["phone"])).encode()
    proof = hmac.new(b"demo-identity-secret", signed, hashlib.sha256).hexdigest()
    token = post(desk, f"/widget/v1/{channel}/session", {"user": user, "proof": proof})["token"]
    said = {"client_id": "0b7f4c1e-9a5d-4a0b-8d43-1b7a3f6a9c10", "text": text}
    post(desk, f"/widget/v1/{channel}/messages", said, token)


def post(desk: Desk, path: str, body: dict[str, Any], token: str = "") -> Any:
    base = f"http://127.0.0.1:{desk.port}"
    headers = {"Content-Type": "application/json", "Origin": base}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_mail_chat_and_answers_make_one_live_thread(page: Any, desk: Desk, outside: tuple[Outside, int]) -> None:
    sign_in(page)
    page.wait_for_selector(".row")

    mail(desk, "Nồi chiên giao thiếu khay", "Shop ơi, thùng hàng thiếu cái khay nướng.")
    row = page.locator(".row", has_text="Phạm Lan")
    row.wait_for()
    row.locator("a").first.click()
    page.get_by_text("thiếu cái khay nướng").last.wait_for()

    page.fill("#composer textarea", "Dạ em gửi bù khay nướng trong chiều nay ạ.")
    page.press("#composer textarea", "Control+Enter")
    answer = outside[0].wait_for(1)
    assert answer["To"].addresses[0].addr_spec == LAN
    assert "gửi bù khay nướng" in answer.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    page.locator(".msg-state[data-state=sent]").last.wait_for()

    mail(desk, "Re: Nồi chiên giao thiếu khay", "Cảm ơn shop nhé!", In_Reply_To=str(answer["Message-ID"]))
    page.get_by_text("Cảm ơn shop nhé!").last.wait_for()

    token = desk.manage("create_api_token", "admin@demo.test").stdout.split()[-1]
    request = urllib.request.Request(
        f"http://127.0.0.1:{desk.port}/api/v1/channels/", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answered:
        channels = json.load(answered)["results"]
    [channel] = [found["id"] for found in channels if found["kind"] == "webchat"]
    chat(desk, channel, "À khay màu đen nha shop")
    # In the conversation: the list may show the same words a moment earlier.
    page.locator("#timeline").get_by_text("À khay màu đen nha shop").wait_for()
    assert page.locator("[data-message]").count() == 4
