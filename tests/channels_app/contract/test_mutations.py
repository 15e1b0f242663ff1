"""The rules of the contract catch what they are for: each of these defects, planted in an adapter, is seen."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from channels_app import abilities, registry, webhooks
from channels_app.contracts import Fetched, NewMessage
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain
from tests.channels_app.contract import test_in as coming
from tests.channels_app.contract import test_out as going
from tests.channels_app.contract.conftest import Door, open_door

pytestmark = pytest.mark.django_db(transaction=True)

Rule = Callable[..., None]


@pytest.fixture
def messenger(transactional_db: None, settings: object) -> Iterator[Door]:
    made, server = open_door("messenger", settings)
    yield made
    server.shutdown()  # type: ignore[attr-defined]
    server.server_close()  # type: ignore[attr-defined]
    registry.forget()


class Planted:
    """An adapter that does as another one, but for one defect."""

    def __init__(self, inner: Any, **defects: Any) -> None:
        self._inner, self._defects = inner, defects

    def __getattr__(self, name: str) -> Any:
        if name in self._defects:
            made = self._defects[name]
            return (lambda *given: made(self._inner, *given)) if callable(made) else made
        return getattr(self._inner, name)

    # Named here so that the protocols see them.
    kind = property(lambda self: self._inner.kind)
    greet = property(lambda self: self.__getattr__("greet"))
    verify = property(lambda self: self.__getattr__("verify"))
    split = property(lambda self: self.__getattr__("split"))
    answer = property(lambda self: self.__getattr__("answer"))
    fetch = property(lambda self: self.__getattr__("fetch"))
    profile = property(lambda self: self.__getattr__("profile"))


def _changed(inner: Any, arrival: Any, **changes: Callable[[NewMessage], Any]) -> tuple[Any, ...]:
    """What the adapter reads, with fields of each message replaced."""
    return tuple(
        replace(item, **{name: change(item) for name, change in changes.items()})
        if isinstance(item, NewMessage)
        else item
        for item in inner.parse(arrival)
    )


def _instead(error: type[Exception], other: Callable[[], Exception]) -> Callable[..., Any]:
    """A send that says `other` where the adapter would have said `error`."""

    def send(inner: Any, *given: Any) -> Any:
        try:
            return inner.send(*given)
        except error as said:
            raise other() from said

    return send


def _unreadable_is_nothing(inner: Any, *given: Any) -> Any:
    try:
        return inner.split(*given)
    except ValueError:
        return []


def _again_and_again(inner: Any, *given: Any) -> Any:
    try:
        return inner.fetch(*given)
    except GiveUp as gone:
        raise Retry("perhaps later") from gone


def reads(**changes: Callable[[NewMessage], Any]) -> dict[str, Any]:
    return {"parse": lambda inner, arrival: _changed(inner, arrival, **changes)}


def sends(change: Callable[[str], str]) -> dict[str, Any]:
    return {"send": lambda inner, ch, envelope: inner.send(ch, replace(envelope, text=change(envelope.text)))}


def says(error: type[Exception], other: Callable[[], Exception]) -> dict[str, Any]:
    return {"send": _instead(error, other)}


def splits(change: Callable[[list[Any]], list[Any]]) -> dict[str, Any]:
    return {"split": lambda inner, *given: change(inner.split(*given))}


NOBODY_ASKED: dict[str, Any] = {"verify": lambda inner, *given: None}
MIXED_UP = reads(sender=lambda m: replace(m.sender, value=m.external_id), thread_key=lambda m: m.external_id)
DEFECTS: dict[str, tuple[dict[str, Any], Rule]] = {
    "anybody may call": (NOBODY_ASKED, coming.test_a_call_nobody_signed_is_refused_and_leaves_nothing),
    "any words will do": (NOBODY_ASKED, coming.test_a_signature_of_other_words_is_refused),
    "words are changed": (
        reads(text=lambda m: m.text.lower()),
        coming.test_words_become_a_message_as_they_were_typed,
    ),
    "every reading makes a new id": (
        reads(external_id=lambda m: uuid4().hex),
        coming.test_a_repeat_after_its_receipt_was_forgotten_is_still_one_message,
    ),
    "the last of a batch is left out": (
        splits(lambda items: items[:-1]),
        coming.test_a_batch_is_kept_whole_and_in_order,
    ),
    "nothing unknown is kept": (
        splits(lambda items: [one for one in items if b'"text"' in one.raw]),
        coming.test_an_unknown_kind_of_event_never_stands_in_the_way,
    ),
    "what cannot be read is dropped": (
        {"split": _unreadable_is_nothing},
        coming.test_what_is_signed_but_cannot_be_read_is_kept_and_shown,
    ),
    "a large text is cut": (reads(text=lambda m: m.text[:50_000]), coming.test_a_large_text_is_taken),
    "a file is empty": (
        {"fetch": lambda inner, *given: Fetched(content=b"")},
        coming.test_a_file_shows_at_once_and_its_bytes_follow,
    ),
    "a file that is gone is hoped for": (
        {"fetch": _again_and_again},
        coming.test_a_file_that_is_gone_is_said_to_be_lost,
    ),
    "people are mixed up": (MIXED_UP, coming.test_fifty_events_of_one_person_make_one_ticket),
    "an answer is changed": (sends(str.upper), going.test_an_answer_reaches_the_person_as_it_was_typed),
    "an answer is cut": (sends(lambda text: text[:1000]), going.test_a_long_answer_arrives_in_pieces_and_in_order),
    "busy is taken for no": (says(Retry, lambda: GiveUp("busy")), going.test_a_busy_provider_is_asked_again_later),
    "no is taken for busy": (says(GiveUp, lambda: Retry("no", after=60)), going.test_a_refusal_is_told_to_the_agent),
    "a lost answer is sent again": (
        says(Uncertain, lambda: Retry("lost", after=0)),
        going.test_a_lost_answer_is_never_sent_twice,
    ),
    "a dead key is an ordinary no": (says(Reauthorise, lambda: GiveUp("no")), going.test_a_dead_key_marks_the_channel),
    "sending twice is called harmless": (
        {"idempotent": True},
        going.test_a_worker_that_died_while_sending_leaves_no_second_message,
    ),
}


@pytest.mark.parametrize(("defects", "rule"), DEFECTS.values(), ids=DEFECTS.keys())
def test_a_planted_defect_is_caught(
    messenger: Door, monkeypatch: pytest.MonkeyPatch, defects: dict[str, Any], rule: Rule
) -> None:
    planted = Planted(registry.adapter("messenger"), **defects)
    monkeypatch.setattr(registry, "adapter", lambda kind: planted)
    with pytest.raises(Exception):  # noqa: B017 - an assertion of the rule, or what it runs into
        rule(messenger)


def test_no_limit_on_a_call_is_caught(messenger: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MAX_BODY", 10**9)
    with pytest.raises(AssertionError):
        coming.test_too_much_is_refused_before_it_is_read(messenger)


def test_pieces_in_disorder_are_caught(messenger: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = abilities.parts
    monkeypatch.setattr(abilities, "parts", lambda kind, envelope: cut(kind, envelope)[::-1])
    with pytest.raises(AssertionError):
        going.test_a_long_answer_arrives_in_pieces_and_in_order(messenger)


def test_a_key_that_is_written_down_is_caught(
    messenger: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = messenger.provider.SECRETS["access_token"]
    inner = registry.adapter("messenger")
    planted = Planted(inner, parse=lambda i, a: _changed(i, a, details=lambda m: {"referral": {"source": key}}))
    monkeypatch.setattr(registry, "adapter", lambda kind: planted)
    with pytest.raises(AssertionError):
        going.test_no_key_is_written_down_or_given_back(messenger, caplog)


def test_without_a_defect_the_rules_hold_here_too(messenger: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wrapper itself breaks nothing: else every defect would seem caught."""
    planted = Planted(registry.adapter("messenger"))
    monkeypatch.setattr(registry, "adapter", lambda kind: planted)
    coming.test_words_become_a_message_as_they_were_typed(messenger)


@pytest.mark.parametrize(
    "rule", [*dict.fromkeys(rule for _defects, rule in DEFECTS.values())], ids=lambda rule: rule.__name__
)
def test_each_rule_holds_through_the_wrapper(messenger: Door, monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    planted = Planted(registry.adapter("messenger"))
    monkeypatch.setattr(registry, "adapter", lambda kind: planted)
    rule(messenger)
