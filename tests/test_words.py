"""The words of the desk: all of them translated, in every language whole, on every screen the reader's own."""

import ast
import re
import string
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from django.conf import settings
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import translation
from django.utils.timezone import now

from channels_app import health
from channels_app.models import Channel
from channels_app.social_forms import ALL_FORMS
from helpdesk.accounts.models import Team, User
from helpdesk.core import borrowed_words, catalog
from helpdesk.core.reasons import reason
from tests.builders import a_chat, a_mailbox, a_team, a_ticket, a_user, run_jobs
from tickets.enums import Status

ROOT = Path(settings.BASE_DIR)
PERCENT = re.compile(r"%(?:\(\w+\))?[sdf]")
# What stands in templates as it is: names, keys of a keyboard, and blocks that fill an attribute.
BARE_TEXTS = {"Hoa Lư", "(Ctrl K)", "Ctrl Enter"}
REASONS = {"GiveUp", "Retry", "Uncertain", "Reauthorise", "Refused"}
ATTRIBUTE_BLOCKS = r"{%\s*block \w*class\s*%}[^<{]*{%\s*endblock[^%]*%}"
# Words without which no English sentence gets by, and that Vietnamese does not have.
ENGLISH = set(
    re.findall(
        r"\w+",
        "the of is are was and your you with this that not from for it its will until "
        "inbox save send reply cancel close search settings password sign customer team name add change remove "
        "nothing found open solved status priority assignee tags role language filter undo message conversation",
    )
)
# Of the desk under test, and of the providers' own pages, which are English.
NAMES = re.compile(
    r"Care|Mai Desk|Team \d+|[\w.+-]+@[\w.-]+|https?://\S+|[A-Z]\w+/[A-Z]\w+(?:_\w+)*|Support|Chat\b"
    r"|message_[a-z]+|App settings|Basic settings|“(?:Your user ID|A message comes in)”"
)


def translations() -> Iterator[tuple[str, Message]]:
    for language in catalog.LANGUAGES:
        for message in catalog.load(ROOT, language):
            if message.id:
                yield language, message


@pytest.mark.parametrize("language", catalog.LANGUAGES)
def test_nothing_is_left_untranslated(language: str) -> None:
    assert catalog.untranslated(ROOT, language) == []


def test_nothing_is_guessed_or_out_of_use() -> None:
    used = {(message.id, message.context) for message in catalog.collect(ROOT) if message.id}
    for language, message in translations():
        assert not message.fuzzy, (language, message.id)
        assert (message.id, message.context) in used, f"not in use any more, run manage.py messages: {message.id}"


def test_values_stand_in_every_translation() -> None:
    for language, message in translations():
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        for said in message.string if isinstance(message.string, tuple) else (message.string,):
            assert sorted(PERCENT.findall(said)) == sorted(PERCENT.findall(ids[-1])), (language, said)
            assert _holes(said) == _holes(ids[-1]), (language, said)
            assert said.count("\n") == ids[-1].count("\n"), (language, said)
            assert said.strip() == said, (language, said)
            assert said.endswith("…") == ids[-1].endswith("…"), (language, said)


def _holes(text: str) -> list[str]:
    return sorted(str(name) for _text, name, _spec, _conversion in string.Formatter().parse(text) if name is not None)


def test_every_name_under_which_gettext_is_used_is_collected() -> None:
    """A text marked by a name the collector does not know would stay English without a word."""
    for package in catalog.PACKAGES:
        for source in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
                    for one in node.names:
                        if "gettext" in one.name:
                            assert (one.asname or one.name) in catalog._KEYWORDS, (source, one.asname)


def test_templates_hold_no_bare_words() -> None:
    found = [
        (str(file.relative_to(ROOT)), text)
        for package in catalog.PACKAGES
        for file in sorted((ROOT / package).glob("**/templates/**/*"))
        if file.suffix in {".html", ".txt"}
        for text in _bare(file.read_text("utf-8"), is_html=file.suffix == ".html")
    ]
    assert found == [], "put these into {% translate %}"


def _bare(source: str, *, is_html: bool) -> Iterator[str]:
    """Texts of a template that a reader would see in whatever language the template was written."""
    source = re.sub(r"{#.*?#}|{%\s*comment.*?endcomment\s*%}", "", source, flags=re.S)
    source = re.sub(r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}", "", source, flags=re.S)
    source = re.sub(ATTRIBUTE_BLOCKS, "", source)
    source = re.sub(r"{{.*?}}|{%.*?%}", "", source, flags=re.S)
    seen = source.splitlines()
    if is_html:
        source = re.sub(r"<(script|style|kbd|code)\b.*?</\1>", "", source, flags=re.S)
        seen = re.findall(r'\s(?:title|placeholder|aria-label|alt)="([^"]*)"', source)
        seen += re.sub(r"<[^>]*>", "\n", source).splitlines()
    for text in seen:
        text = re.sub(r"[\w-]+=(\"[^\"]*\"|'[^']*')|&\w+;", "", text).strip()
        if re.search(r"[^\W\d_]{2,}", text) and text not in BARE_TEXTS:
            yield text


def test_bare_words_are_noticed() -> None:
    page = '<p title="Hello there">{% translate "a" %} Good day <kbd>Ctrl</kbd> {{ x }}</p>{# no #}'
    assert list(_bare(page, is_html=True)) == ["Hello there", "Good day"]


def test_what_libraries_say_is_theirs_and_said_in_vietnamese() -> None:
    sources = "\n".join(file.read_text("utf-8") for folder in _folders_of_libraries() for file in folder.rglob("*.py"))
    sources = re.sub(r"['\"]\s*\n\s*[fr]?['\"]", "", sources).replace('\\"', '"')
    with translation.override("vi"):
        for text in (*borrowed_words.FORMS, *borrowed_words.SPANS, *borrowed_words.SIGN_IN, *borrowed_words.API):
            if not isinstance(text, str):  # a lazy plural
                text = text._kw["singular"]
            assert text in sources, f"no library says this any more: {text}"
            assert translation.gettext(text) != text or "%(num)d" in text or "%d" in text, text


def _folders_of_libraries() -> list[Path]:
    import allauth
    import django
    import django_filters
    import rest_framework

    return [Path(module.__file__).parent for module in (allauth, django, django_filters, rest_framework)]


class _Seen(HTMLParser):
    """The texts of a page that somebody sees or hears; `<template>` too, for scripts show it later."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skipped += tag in ("script", "style", "kbd", "option")
        self.texts += [value or "" for name, value in attrs if name in ("title", "aria-label", "placeholder", "alt")]

    def handle_endtag(self, tag: str) -> None:
        self.skipped -= tag in ("script", "style", "kbd", "option")

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.texts.append(data)


def english_on(page: str) -> list[str]:
    seen = _Seen()
    seen.feed(page)
    bare = [NAMES.sub("", text).strip() for text in seen.texts]
    return [text for text in bare if ENGLISH & set(re.findall(r"[a-z]+", text.lower()))]


@pytest.fixture
def people(db: None) -> dict[str, User]:
    care = a_team("Care")
    return {role: a_user(role, teams=(care,), name="Mai Desk") for role in ("agent", "supervisor", "admin")}


@pytest.fixture
def browser() -> Callable[..., Client]:
    def opened(user: User | None = None, **headers: Any) -> Client:
        client = Client(HTTP_HOST="127.0.0.1:8000", **headers)
        if user:
            client.force_login(user)
        return client

    return opened


SIGNED_OUT = ("/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/", "/nothing-here/")
VIEWS = ("mine", "unassigned", "open", "pending", "snoozed", "solved", "spam", "all")
OWN = ("/accounts/profile/", "/accounts/2fa/", "/accounts/sessions/", "/accounts/password/change/", "/accounts/logout/")
CONTROL = ("/control/people/", "/control/channels/", *(f"/control/channels/new/{kind}/" for kind in ALL_FORMS))


@pytest.mark.parametrize("path", SIGNED_OUT)
def test_signed_out_pages_are_vietnamese(path: str, people: dict[str, User], browser: Callable[..., Client]) -> None:
    page = browser(HTTP_ACCEPT_LANGUAGE="vi-VN,vi;q=0.9").get(path).content.decode()
    assert 'lang="vi"' in page and english_on(page) == []


@pytest.mark.parametrize("path", (*(f"/inbox/?view={view}&q=zzz" for view in VIEWS), "/inbox/?status=open", *OWN))
def test_pages_of_an_agent_are_vietnamese(path: str, people: dict[str, User], browser: Callable[..., Client]) -> None:
    page = browser(people["agent"]).get(path).content.decode()
    assert 'lang="vi"' in page and english_on(page) == []


def test_a_conversation_and_its_events_are_vietnamese(people: dict[str, User], browser: Callable[..., Client]) -> None:
    ticket = a_ticket(channel=a_mailbox(team=Team.objects.get(name="Care")))
    client = browser(people["agent"])
    for act, data in (("assign", {"assignee": people["agent"].pk}), ("priority", {"priority": "urgent"})):
        assert client.post(f"/inbox/{ticket.pk}/{act}/", data).status_code in (200, 204)
    page = client.get(f"/inbox/{ticket.pk}/").content.decode()
    assert "đã nhận" in page and english_on(page) == []


@pytest.mark.parametrize("path", CONTROL)
def test_control_pages_are_vietnamese(path: str, people: dict[str, User], browser: Callable[..., Client]) -> None:
    a_chat()
    page = browser(people["admin"]).get(path).content.decode()
    assert 'lang="vi"' in page and english_on(page) == []


def a_channel(kind: str, **fields: Any) -> Channel:
    return Channel.objects.create(kind=kind, name=kind, address=f"{kind}-1", **fields)


@pytest.mark.parametrize("path", ("/control/", "/control/channels/", "/control/channels/{}/"))
def test_what_workers_noted_of_a_channel_is_read_in_vietnamese(
    path: str, people: dict[str, User], browser: Callable[..., Client]
) -> None:
    since = {"problem_kind": "auth", "problem_since": now()}
    a_mailbox(problem="The mailbox cannot be read: timed out", **since)
    zalo = a_channel(kind="zalo", problem="Zalo's answer with the new keys was lost", **since)
    page = browser(people["admin"]).get(path.format(zalo.pk)).content.decode()
    assert "phản hồi của Zalo kèm token mới bị thất lạc" in page
    assert path == "/control/channels/{}/" or "Không đọc được hòm thư: timed out" in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.django_db(transaction=True)  # the relay reads what is committed
def test_supervisors_are_told_of_trouble_in_their_language(people: dict[str, User]) -> None:
    people["admin"].language = "vi"
    people["admin"].save()
    zalo = a_channel(kind="zalo")
    with transaction.atomic():
        health.trouble(channel_id=zalo.pk, kind=health.AUTH, problem="not reachable: ConnectError")
    run_jobs()
    [letter] = [one for one in mail.outbox if one.to == [people["admin"].email]]
    assert "không kết nối được: ConnectError" in letter.body and "gặp sự cố" in letter.subject


def test_what_is_still_missing_is_called_as_the_form_calls_it(
    people: dict[str, User], browser: Callable[..., Client]
) -> None:
    zalo = a_channel(kind="zalo", config={"app_id": "1"})
    client = browser(people["admin"])
    assert "OA Secret Key" in client.get(f"/control/channels/{zalo.pk}/").content.decode()
    told = client.post(f"/control/channels/{zalo.pk}/test/", follow=True).content.decode()
    assert "Còn thiếu: " in told and "oa_secret" not in told.split("<form")[0]


def test_refusals_are_in_the_readers_language(people: dict[str, User], browser: Callable[..., Client]) -> None:
    assert english_on(browser(people["agent"]).get("/control/people/").content.decode()) == []
    answer = browser(people["agent"]).get("/api/v1/conversations/?limit=x").json()["error"]
    assert english_on(str(answer["message"]) + str(answer["fields"])) == []


def test_a_visitor_is_spoken_to_as_the_cookie_or_the_browser_says(db: None, browser: Callable[..., Client]) -> None:
    a_user()
    vietnamese, english = browser(HTTP_ACCEPT_LANGUAGE="vi"), browser(HTTP_ACCEPT_LANGUAGE="en-GB")
    assert "Đăng nhập" in vietnamese.get("/accounts/login/").content.decode()
    assert "Sign in" in english.get("/accounts/login/").content.decode()
    vietnamese.cookies["django_language"] = "en"
    assert "Sign in" in vietnamese.get("/accounts/login/").content.decode()


def test_a_language_is_offered_by_its_own_name(db: None, browser: Callable[..., Client]) -> None:
    a_user()
    assert ">English</button>" in browser(HTTP_ACCEPT_LANGUAGE="vi").get("/accounts/login/").content.decode()


def test_a_persons_own_choice_wins(people: dict[str, User], browser: Callable[..., Client]) -> None:
    client = browser(people["agent"], HTTP_ACCEPT_LANGUAGE="en")
    assert "Hộp thư" in client.get("/inbox/").content.decode()
    client.post("/accounts/preferences/", {"language": "en"})
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "vi"
    assert "Hộp thư" not in client.get("/inbox/").content.decode()


def test_mails_speak_the_language_of_whom_they_reach(db: None, browser: Callable[..., Client]) -> None:
    reader = a_user(language="vi")
    browser(HTTP_ACCEPT_LANGUAGE="en").post("/accounts/password/reset/", {"email": reader.email})
    [letter] = mail.outbox
    assert "mật khẩu" in letter.subject and english_on(NAMES.sub("", letter.body)) == []


def test_reasons_noted_by_workers_are_read_in_ones_own_language() -> None:
    with translation.override("vi"):
        assert reason("The mail server closed the connection.") == "Máy chủ email đã ngắt kết nối."
        refused = reason("every attempt failed: The mail server cannot be reached: [Errno 111] refused: x")
        assert refused == ("đã thử nhiều lần không được: Không kết nối được máy chủ email: [Errno 111] refused: x")
        assert reason("550 5.1.1 No such user: lan") == "550 5.1.1 No such user: lan"
    with translation.override("en"):
        assert reason("The address was refused: 550 no") == "The address was refused: 550 no"


def test_every_reason_is_marked_for_translation() -> None:
    """A worker's plain words would be read in English by everybody."""
    bare = []
    for package in ("channels_app", "tickets"):
        for source in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REASONS:
                    said = node.args[0] if node.args else None
                    if isinstance(said, ast.Constant) and " " in str(said.value):
                        bare.append((str(source.relative_to(ROOT)), said.value))
    assert bare == []


def test_the_act_of_opening_is_not_the_state() -> None:
    with translation.override("vi"):
        assert (translation.gettext("Open"), Status.OPEN.label) == ("Mở", "Đang mở")
