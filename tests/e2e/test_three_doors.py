"""Issue 3's walk: Messenger, a file by mail, Zalo until its free answers are used, and on by mail; one thread."""

import re
import smtplib
from email.message import EmailMessage
from typing import Any

import pytest

from tests.e2e.conftest import Outside, sign_in
from tests.runtime.desk import Desk

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

NAME = "Emily Carter"
EMILY = "emily.carter@customer.test"
FREE = 8
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class Phone:
    """Emily's telephone: the demo's own page, in a tab of its own."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.goto("/demo/phones/")

    def take(self, kind: str) -> None:
        """Open the application of this channel as Emily."""
        self.page.locator(f"button[data-kind={kind}]", has_text=NAME).click()
        self.page.locator("#text:enabled").wait_for()

    def writes(self, text: str) -> None:
        self.page.fill("#text", text)
        self.page.press("#text", "Enter")
        self.page.locator("#lines li.in", has_text=text).wait_for()

    def read(self, count: int) -> list[str]:
        """What came from the shop, once it is this many lines."""
        came = self.page.locator("#lines li.out")
        came.nth(count - 1).wait_for()
        return [str(line).strip() for line in came.evaluate_all("all => all.map((one) => one.firstChild.textContent)")]


def mail(desk: Desk, subject: str, text: str, **headers: str) -> None:
    """Emily's provider hands her mail with the invoice to the desk, with its verdict about the sender."""
    message = EmailMessage()
    message["Authentication-Results"] = "mx.demo.test; dmarc=pass header.from=customer.test"
    message["From"], message["To"], message["Subject"] = f"{NAME} <{EMILY}>", "support@demo.test", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="invoice-20455.pdf")
    with smtplib.SMTP("127.0.0.1", desk.mail_port) as server:
        server.send_message(message)


def answer(page: Any, text: str) -> None:
    """The agent types and sends; done when the message stands on the timeline as sent."""
    page.fill("#composer textarea", text)
    page.press("#composer textarea", "Control+Enter")
    sent = page.locator(".msg.out", has_text=text)
    sent.locator(".msg-state:is([data-state=sent],[data-state=delivered],[data-state=read])").wait_for()


def prove_address(page: Any, outside: Outside) -> None:
    """The agent asks for the address in the panel, sends a code there, and types what Emily reads out."""
    page.get_by_role("button", name="Add an address").click()
    page.fill("#dialog [name=value]", EMILY)
    page.locator("#dialog").get_by_role("button", name="Add and send a code").click()
    code = outside.wait_for(1)
    assert code["To"].addresses[0].addr_spec == EMILY
    [digits] = re.findall(r"\b\d{6}\b", code.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    address = page.locator("#side-customer .side-identity", has_text=EMILY)
    address.get_by_role("button", name="Code…").click()
    address.get_by_placeholder("Six digits").fill(digits)
    address.get_by_placeholder("Six digits").press("Enter")
    address.get_by_role("img", name="Verified").wait_for()


def use_up(page: Any, phone: Phone) -> list[str]:
    """The agent answers on Zalo as often as it is free; the composer counts down before each answer."""
    standing, said = page.locator("#composer-standing"), []
    for left in range(FREE, 0, -1):
        standing.get_by_text(f"Zalo: {left} of {FREE} free replies left, closes in").wait_for()
        assert page.locator("#way-lead").is_hidden()
        said.append(f"Zalo answer number {FREE - left + 1}")
        answer(page, said[-1])
    assert phone.read(FREE) == said
    standing.get_by_text("Zalo: free replies used up: each message is charged").wait_for()
    page.screenshot(path="/tmp/doors-used.png")
    return said


def test_messenger_mail_and_zalo_make_one_thread_that_ends_in_mail(
    page: Any, desk: Desk, outside: tuple[Outside, int]
) -> None:
    sign_in(page, language="en")
    page.locator(".row").first.wait_for()
    phone = Phone(page.context.new_page())

    # She begins on Messenger; who she is, is proved.
    phone.take("messenger")
    phone.writes("Hi, my order HL-20455 came without the invoice.")
    row = page.locator(".row", has_text="HL-20455")
    row.get_by_text(NAME).wait_for()
    row.locator("a").first.click()
    page.locator(".msg.in", has_text="came without the invoice").wait_for()
    question = "Sorry about that! Which e-mail address may we send it to?"
    answer(page, question)
    assert phone.read(1) == [question]
    phone.writes(EMILY)
    page.locator(".msg.in", has_text=EMILY).wait_for()
    prove_address(page, outside[0])

    # A file by mail joins the thread that is open before the agent.
    mail(desk, "Receipt", "Here is the receipt I got instead.")
    received = page.locator(".msg.in", has_text="the receipt I got instead")
    received.locator("a.file", has_text="invoice-20455.pdf").wait_for()

    # She goes on in Zalo, where nobody knows her: the agent says who she is, and both talks stand in one thread.
    phone.take("zalo")
    phone.writes("It is me again, on Zalo now. Any news?")
    page.locator(".row", has_text="on Zalo now").wait_for()
    page.get_by_role("button", name="The same person as…").click()
    page.locator("#merge-found .merge-option", has_text=f"Zalo: {NAME}").click()
    page.locator("#dialog").get_by_role("button", name="One person").click()
    page.locator("#side-customer .side-identity", has=page.locator(".ch-zalo")).wait_for()
    page.locator("#side-others").get_by_role("button", name="Join here").click()
    page.locator(".msg.in", has_text="on Zalo now").wait_for()
    ways = page.locator(".msg.in .msg-way").all_inner_texts()
    assert ways == ["Messenger", "Messenger", "E-mail", "Zalo"]

    # Zalo, where she wrote last, is proposed; eight answers are free, then the composer leads to mail.
    said = use_up(page, phone)
    page.get_by_role("button", name="Answer by E-mail instead").click()
    before = len(outside[0].mails)
    answer(page, "The invoice is attached to your order page now.")
    sent = outside[0].wait_for(before + 1)
    assert sent["To"].addresses[0].addr_spec == EMILY
    assert "on your order page" not in sent["Subject"]
    assert "attached to your order page" in sent.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert phone.read(FREE) == said  # each answer once, and the mail not among them
    went = page.locator(".msg.out:not(.cont) .msg-way").all_inner_texts()
    assert went == ["Messenger", "Zalo", "E-mail"]
    assert page.locator(".msg.out").count() == 1 + FREE + 1
    page.screenshot(path="/tmp/doors-end.png")
