"""The composer's channel switch: its words, what it sends, and in a real browser how it behaves."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import override

from channels_app.models import Channel, Delivery, Thread
from helpdesk.accounts.models import User
from tests.builders import a_mailbox, a_team
from tests.channels_app.webchat.server import web
from tests.e2e.conftest import chromium  # noqa: F401 - a fixture
from tests.tickets.ways import TEMPLATES, a_door, commented, known_as, wrote
from tickets.models import Draft, Message, Ticket
from tickets.web import ways

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),  # files for the browser, in tests only
]
HTMX = {"HX-Request": "true"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def text(answer: Any) -> str:
    return answer.content.decode()


def said(ticket: Ticket) -> list[str]:
    """The switch in words, tags taken out."""

    with override("en"):
        found = ways.switch(Ticket.objects.get(pk=ticket.pk))
    return [f"{way.label}: {re.sub('<[^>]+>', '', way.standing)}{' OFF' * way.off}" for way in found.ways]


def test_each_way_says_how_it_stands(client: Client) -> None:
    zalo, whatsapp = a_door("zalo"), a_door("whatsapp", state={"templates": TEMPLATES})
    ticket = wrote(zalo, "z1", ago=2 * DAY - 3 * HOUR - timedelta(minutes=12, seconds=30)).ticket
    Thread.objects.update(sent_since=3)
    for kind, door in (("whatsapp", whatsapp), ("messenger", a_door("messenger"))):
        known_as(ticket.customer, kind, f"{kind}-u", scope=door.address)
        wrote(door, f"{kind}-u", ago=3 * DAY)
    a_mailbox()
    known_as(ticket.customer, "email", "lan@customer.test")
    assert said(ticket) == [
        "Zalo: 5 of 8 free replies left, closes in 3 h 12 min",
        "E-mail: ",
        "WhatsApp: window closed: choose a template",
        "Messenger: window closed: the customer must write first OFF",
    ]
    Channel.objects.filter(kind="messenger").update(config={"human_agent": True})
    Channel.objects.filter(kind="whatsapp").update(state={}, problem_kind="", problem="")
    Channel.objects.filter(kind="zalo").update(problem_kind="auth", problem="Zalo refuses")
    words = said(ticket)
    assert "Zalo: must be connected again: Zalo refuses OFF" in words
    assert "Messenger: only what you type yourself, closes in 4 d" in words or (
        "Messenger: only what you type yourself, closes in 3 d" in words
    )
    assert "WhatsApp: window closed, and no approved template is kept for this channel OFF" in words
    Channel.objects.filter(kind="zalo").update(problem_kind="", problem="")
    Thread.objects.filter(channel=zalo).update(sent_since=8)
    assert any(
        line.startswith("Zalo: free replies used up: each message is charged, closes in") for line in said(ticket)
    )
    Thread.objects.filter(channel=zalo).update(unreachable="blocked")
    assert "Zalo: the customer blocked us there or opted out OFF" in said(ticket)


def test_the_switch_costs_the_same_however_many_ways_there_are(client: Client, statements: Callable[[], Any]) -> None:
    ticket = wrote(a_door("whatsapp"), "w1").ticket
    address = f"/inbox/{ticket.pk}/ways/"
    with statements() as one:
        client.get(address, headers=HTMX)
    for kind in ("zalo", "telegram", "line", "viber"):
        known_as(ticket.customer, kind, f"{kind}-u", scope=f"{kind}-1")
        wrote(a_door(kind), f"{kind}-u")
    with statements() as many:
        assert text(client.get(address, headers=HTMX)).count('data-act="way"') == 5
    # session, user | ticket, merged tickets, customer, aliases, identities, lines spoken on, lines, templates
    assert len(many) == len(one) <= 11, "\n".join(many)


def test_another_teams_switch_is_not_there(client: Client) -> None:
    theirs = wrote(a_door("zalo", team=a_team())).ticket
    assert client.get(f"/inbox/{theirs.pk}/ways/", headers=HTMX).status_code == 404
    assert client.post(f"/inbox/{theirs.pk}/measure/", {"text": "x", "kind": "sms"}, headers=HTMX).status_code == 404


def test_a_refusal_says_what_to_do_and_writes_nothing(client: Client) -> None:
    messenger = a_door("messenger")
    ticket = wrote(messenger, ago=2 * DAY).ticket
    given = {"text": "Dạ", "channel": f"{messenger.pk} u1", "via": ""}
    answer = client.post(f"/inbox/{ticket.pk}/reply/", given, headers=HTMX)
    assert answer.status_code == 409
    toast = json.loads(answer["HX-Trigger"])["toast"]
    assert toast == {"text": "The time to answer on this channel is over. Choose another channel.", "kind": "error"}
    assert Message.objects.count() == 1
    assert not Delivery.objects.exists()


def test_a_draft_keeps_its_way(client: Client) -> None:
    whatsapp = a_door("whatsapp", state={"templates": TEMPLATES})
    ticket = wrote(whatsapp, ago=2 * DAY).ticket
    given = {
        "text": "",
        "channel": f"{whatsapp.pk} u1",
        "via": "",
        "template": "order_late|vi",
        "parameter": ["Lan", ""],
    }
    assert client.post(f"/inbox/{ticket.pk}/draft/", given).status_code == 204
    template = {"name": "order_late", "language": "vi", "parameters": ["Lan", ""]}
    assert Draft.objects.get().way == {"address": "u1", "template": template}
    html = text(client.get(f"/inbox/{ticket.pk}/"))
    assert 'data-chosen="order_late|vi"' in html
    assert 'name="parameter" value="Lan"' in html
    given = {"text": "x", "channel": f"{whatsapp.pk} u1", "choice": ["Có", " "], "quotes": "7"}
    client.post(f"/inbox/{ticket.pk}/draft/", given)
    assert Draft.objects.get().way == {"address": "u1", "choices": ["Có"], "quotes": "7"}


@pytest.mark.parametrize(
    ("kind", "via", "text", "parts", "words"),
    [
        ("zalo", "", "x" * 1599, 1, ""),
        ("zalo", "", "x" * 1600, 1, "1600 of 2000 characters"),
        ("zalo", "", "x " * 2001, 3, "Will be sent as 3 messages"),
        ("instagram", "", "ế" * 300, 1, "900 of 1000 bytes"),
        ("instagram", "private", "ế" * 400, 2, "Too long for a private answer to a comment: 1200 of 1000"),
        ("email", "", "x" * 9000, 1, ""),
        ("sms", "", "Xin chào", 1, "1 SMS, 152 characters left"),
        ("sms", "", "Đơn hàng sẽ tới vào ngày mai. " * 3, 2, "2 SMS, 45 characters left"),
        ("nothing", "", "x" * 9000, 1, ""),
        ("zalo", "", " ", 0, ""),
    ],
)  # fmt: skip
def test_how_a_text_leaves_is_said_in_time(kind: str, via: str, text: str, parts: int, words: str) -> None:
    with override("en"):
        found = ways.measured(text, kind, mode=via)
    assert (found["parts"], found["words"]) == (parts, words)
    assert bool(found["plain"]) is (kind == "sms" and parts > 1)


# --- in a browser


@pytest.fixture(scope="module")
def beside_the_browsers_loop() -> Iterator[None]:
    """The browser's library keeps an event loop in this thread; it rests whenever the database is used."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def page(beside_the_browsers_loop: None, chromium: Any, client: Client) -> Iterator[Any]:  # noqa: F811
    """A window of the signed-in agent; script errors and refusals of the content policy fail the test."""
    with web() as desk:
        context = chromium.new_context(base_url=desk, viewport={"width": 1440, "height": 900}, locale="en-US")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": desk}])
        page, problems = context.new_page(), []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
        page.set_default_timeout(20_000)
        yield page
        context.close()
        assert not problems, problems


def sent_to(page: Any, count: int) -> list[Message]:
    """The answers, once they stand on the screen."""
    page.wait_for_function(f"() => document.querySelectorAll('#timeline .msg.out').length === {count}")
    return list(Message.objects.filter(direction="out").order_by("pk"))


OPEN_WAYS = """() => {
  const menu = document.querySelector("#menu-way");
  if (!menu.matches(":popover-open")) document.querySelector("#way-now").click();
  return menu.matches(":popover-open");
}"""


# Whatever the screen still asked for before the window ended may be drawn in between.
RUN_OUT = """() => {
  if (document.querySelector("#composer-standing").innerText.includes("charged")) return true;
  for (const time of document.querySelectorAll("[data-until]")) time.dataset.until = 1;
  return false;
}"""


def open_ways(page: Any) -> None:
    """Press until the menu stands: what was just sent draws the switch anew, perhaps under the pointer."""
    page.wait_for_function(OPEN_WAYS)


@pytest.mark.e2e
@pytest.mark.enable_socket
def test_an_agent_switches_channels_and_sees_the_windows(page: Any, agent: User) -> None:
    zalo, messenger = a_door("zalo"), a_door("messenger")
    ticket = wrote(zalo, "z1", ago=HOUR).ticket
    known_as(ticket.customer, "messenger", "m1", scope=messenger.address)
    wrote(messenger, "m1", ago=3 * DAY)
    wrote(zalo, "z1", ago=HOUR)
    mailbox = a_mailbox()
    known_as(ticket.customer, "email", "lan@customer.test")
    page.goto(f"/inbox/{ticket.pk}/")
    standing = page.locator("#composer-standing")
    assert re.fullmatch("Zalo: 8 of 8 free replies left, closes in 4[67] h", standing.inner_text())

    page.fill("#composer textarea", "Dạ qua Zalo")
    page.keyboard.press("Control+Enter")
    [first] = sent_to(page, 1)
    assert first.channel == zalo

    # A closed way stays to be read, and choosing it only says why.
    open_ways(page)
    closed = page.locator(".way[data-kind=messenger]")
    assert closed.get_attribute("aria-disabled") == "true"
    closed.click(force=True)  # it looks disabled, and says why
    assert "the customer must write first. These would reach the customer: Zalo, E-mail" in page.inner_text(".toast")
    assert "Zalo" in page.inner_text("#way-now")

    # By keyboard to mail.
    page.wait_for_function("() => !document.querySelector('#menu-way').matches(':popover-open')")
    page.wait_for_load_state("networkidle")
    page.focus("#way-now")
    page.keyboard.press("Enter")
    page.wait_for_selector(".way:focus")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".way[data-kind=email]:focus")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#way-now').innerText.includes('E-mail')")
    page.fill("#composer textarea", "Em gửi qua mail ạ")
    page.click(".composer-send")
    _first, second = sent_to(page, 2)
    assert (second.channel, second.recipients) == (mailbox, ["lan@customer.test"])

    # The window ends while the page is open: the screen finds out by itself.
    open_ways(page)
    page.click(".way[data-kind=zalo]")
    Thread.objects.filter(channel=zalo).update(sent_since=8)
    page.wait_for_function(RUN_OUT)


@pytest.mark.e2e
@pytest.mark.enable_socket
def test_the_answer_follows_the_customer_unless_somebody_writes(page: Any, agent: User) -> None:
    zalo, messenger = a_door("zalo"), a_door("messenger")
    ticket = wrote(zalo, "z1", ago=HOUR).ticket
    known_as(ticket.customer, "messenger", "m1", scope=messenger.address)
    page.goto(f"/inbox/{ticket.pk}/")
    by = "(name) => document.querySelector('#way-now').innerText.includes(name)"
    page.wait_for_function(by, arg="Zalo")
    catch_up = "document.dispatchEvent(new CustomEvent('desk:catch-up'))"

    wrote(messenger, "m1", text="Em nhắn qua đây nhé")
    page.evaluate(catch_up)
    page.wait_for_function(by, arg="Messenger")

    # What is being written stays where its writer saw it go; one press takes it along.
    page.fill("#composer textarea", "Dạ")
    wrote(zalo, "z1", text="À thôi, qua Zalo")
    page.evaluate(catch_up)
    page.get_by_role("button", name="Answer by Zalo instead").wait_for()
    assert "Messenger" in page.inner_text("#way-now")
    page.click("#way-lead")
    page.wait_for_function(by, arg="Zalo")
    assert page.input_value("#composer textarea") == "Dạ"
    assert page.is_hidden("#way-lead")


@pytest.mark.e2e
@pytest.mark.enable_socket
def test_a_comment_is_answered_where_the_button_says(page: Any, agent: User) -> None:
    comment = commented(a_door("messenger"))
    page.goto(f"/inbox/{comment.ticket_id}/")
    assert page.inner_text("#composer-send-words") == "Post in public"
    page.focus('#way-two [aria-checked="true"]')
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('#composer-send-words').textContent === 'Send privately'")
    page.fill("#composer textarea", "Em nhắn riêng nhé")
    page.click(".composer-send")
    [answer] = sent_to(page, 1)
    assert answer.details == {"mode": "private"}
    # The one private answer is used: the switch goes over to what is left.
    page.wait_for_function("() => document.querySelector('#way-two [data-via=private]').ariaDisabled === 'true'")


@pytest.mark.e2e
@pytest.mark.enable_socket
def test_a_template_is_chosen_filled_and_seen_before_it_goes(page: Any, agent: User) -> None:
    ticket = wrote(a_door("whatsapp", state={"templates": TEMPLATES}), ago=2 * DAY).ticket
    page.goto(f"/inbox/{ticket.pk}/")
    assert not page.is_visible("#composer textarea")
    page.select_option("#template-choice", "order_late|vi")
    page.fill("#template-places input >> nth=0", "Lan")
    page.click(".composer-send")
    assert "Fill in everything" in page.inner_text(".toast")
    page.fill("#template-places input >> nth=1", "1024")
    assert page.inner_text("#template-preview") == "Chào Lan, đơn 1024 sẽ tới muộn."
    page.click(".composer-send")
    [answer] = sent_to(page, 1)
    assert answer.text == "Chào Lan, đơn 1024 sẽ tới muộn."


@pytest.mark.e2e
@pytest.mark.enable_socket
def test_quick_replies_and_the_length_are_shown_as_one_writes(page: Any, agent: User) -> None:
    ticket = wrote(a_door("messenger")).ticket
    page.goto(f"/inbox/{ticket.pk}/")
    page.fill("#composer textarea", "xin chào " * 500)
    page.wait_for_function(
        "() => document.querySelector('#composer-count').innerText.includes('Will be sent as 3 messages')"
    )
    page.click("#way-choices")
    page.keyboard.type("Có")
    page.keyboard.press("Enter")
    page.keyboard.type("Không")
    page.keyboard.press("Enter")
    page.click(".composer-send")
    [answer] = sent_to(page, 1)
    assert answer.details == {"choices": ["Có", "Không"]}
    assert Delivery.objects.filter(message_id=answer.pk).count() == 3
    assert page.locator("#composer-choices .chip").count() == 0
