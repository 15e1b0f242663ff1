"""A whole desk, a mail server that takes its answers, and a browser."""

import tempfile
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.browser import MISSING, find_browser
from tests.runtime.desk import Desk, free_port, running, waited

# Without a screen, without looking for anything on the network.
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


class Outside:
    """The mail server of the customers: keeps what the desk sends."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    def wait_for(self, count: int, seconds: float = 60) -> EmailMessage:
        """The count-th mail."""
        assert waited(lambda: len(self.mails) >= count, seconds), f"{len(self.mails)} of {count} mails came"
        return self.mails[count - 1]


@pytest.fixture(scope="module")
def outside() -> Iterator[tuple[Outside, int]]:
    server, port = Outside(), free_port()
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    yield server, port
    controller.stop()


@pytest.fixture(scope="module")
def desk(outside: tuple[Outside, int]) -> Iterator[Desk]:
    """The demo desk, sending through the outside's mail server."""
    with tempfile.TemporaryDirectory(prefix="hd-e2e-") as folder:
        yield from running(Desk(Path(folder) / "var", DEMO="1", MAIL_OUT=f"smtp://127.0.0.1:{outside[1]}"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    program = find_browser()
    if program is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, desk: Desk) -> Iterator[Any]:
    """A fresh browser window at the desk; script errors and refusals of the content policy fail the test."""
    context = chromium.new_context(
        base_url=f"http://127.0.0.1:{desk.port}", viewport={"width": 1440, "height": 900}, locale="en-US"
    )
    page, problems = context.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    page.set_default_timeout(30_000)
    yield page
    context.close()
    assert not problems, problems


def sign_in(page: Any, login: str = "agent@demo.test", language: str = "") -> None:
    """As one of the demo's people, who reads this language from now on (their own when none is given)."""
    page.goto("/accounts/login/")
    page.fill("[name=login]", login)
    page.fill("[name=password]", "helpdesk")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/inbox/**")
    if language:
        page.goto("/accounts/profile/")
        page.select_option("[name=language]", language)
        page.locator("form", has=page.locator("[name=signature]")).locator("button[type=submit]").click()
        page.locator(f"html[lang={language}]").wait_for()
        page.goto("/inbox/")
