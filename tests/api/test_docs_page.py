"""The page that shows the API's document, in a real browser under our content security policy."""

import os
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from tests.browser import MISSING, find_browser
from tests.runtime.desk import waited

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),  # static files of a web process
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The web process alone: the page and the document need no database."""
    from helpdesk.asgi import application

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert waited(lambda: server.started, 30)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    listener.close()


def test_the_docs_are_drawn_without_breaking_the_policy(address: str) -> None:
    from playwright.sync_api import sync_playwright

    program = find_browser()
    if program is None:
        pytest.skip(MISSING)
    problems: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(program), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("console", lambda line: problems.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(request.url))
        answer = page.goto(f"{address}/api/docs/")
        assert answer is not None
        assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
        page.get_by_text("List tickets, newest change first").wait_for(timeout=60_000)
        page.get_by_text("Answer the customer", exact=True).click()
        page.get_by_text("Idempotency-Key").first.wait_for(timeout=30_000)
        if folder := os.environ.get("HELPDESK_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/api-docs.png")
        elsewhere = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
        browser.close()
    assert not [url for url in elsewhere if not url.startswith((address, "data:"))]
    assert not problems, problems
