"""Until when a customer may be answered: each provider's rule, by example and by thousands of cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app.windows import STATES, Facts, Window, window

WROTE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KINDS = (
    "email",
    "webchat",
    "messenger",
    "instagram",
    "whatsapp",
    "zalo",
    "telegram",
    "line",
    "viber",
    "sms",
    "open_api",
)


def after(kind: str, passed: timedelta, **facts: object) -> Window:
    return window(kind, Facts(last_inbound_at=WROTE, **facts), WROTE + passed)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["messenger", "instagram"])
@pytest.mark.parametrize(
    ("passed", "human_agent", "state", "closes"),
    [
        (timedelta(0), False, "open", DAY),
        (DAY - timedelta(seconds=1), True, "open", DAY),
        (DAY, True, "human", 7 * DAY),
        (7 * DAY - timedelta(seconds=1), True, "human", 7 * DAY),
        (7 * DAY, True, "closed", 7 * DAY),
        (DAY, False, "closed", DAY),
    ],
)
def test_meta_gives_a_day_then_a_week_to_people(
    kind: str, passed: timedelta, human_agent: bool, state: str, closes: timedelta
) -> None:
    assert after(kind, passed, human_agent=human_agent) == Window(state=state, closes_at=WROTE + closes)


def test_only_what_a_person_types_goes_past_the_first_day() -> None:
    human = after("messenger", 2 * DAY, human_agent=True)
    assert human.carries(person=True)
    assert not human.carries(person=False)
    assert human.carries(person=False, template=True)


@pytest.mark.parametrize(("passed", "state"), [(DAY - HOUR, "open"), (DAY, "template"), (90 * DAY, "template")])
def test_whatsapp_asks_for_a_template_after_a_day(passed: timedelta, state: str) -> None:
    found = after("whatsapp", passed)
    assert found == Window(state=state, closes_at=WROTE + DAY)
    assert found.carries(person=True) is (state == "open")
    assert found.carries(person=True, template=True)


@pytest.mark.parametrize(
    ("passed", "facts", "wanted"),
    [
        (HOUR, {}, Window(closes_at=WROTE + 2 * DAY, left=8, total=8)),
        (HOUR, {"sent_since": 3}, Window(closes_at=WROTE + 2 * DAY, left=5, total=8)),
        (HOUR, {"sent_since": 8}, Window(state="charged", closes_at=WROTE + 7 * DAY)),
        (HOUR, {"sent_since": 90}, Window(state="charged", closes_at=WROTE + 7 * DAY)),
        (2 * DAY, {}, Window(state="charged", closes_at=WROTE + 7 * DAY)),
        (7 * DAY, {}, Window(state="template", closes_at=WROTE + 7 * DAY)),
        # What the provider says goes before what we count.
        (HOUR, {"sent_since": 1, "quota": {"remain": 2, "total": 8, "type": "reply"}},
         Window(closes_at=WROTE + 2 * DAY, left=2, total=8)),
        (HOUR, {"sent_since": 1, "quota": {"remain": "5", "total": "8"}},
         Window(closes_at=WROTE + 2 * DAY, left=5, total=8)),
        (HOUR, {"quota": {"remain": 0, "total": 8, "type": "reply"}},
         Window(state="charged", closes_at=WROTE + 7 * DAY)),
        (HOUR, {"quota": {"remain": 4, "total": 8, "expires_at": (WROTE + 9 * HOUR).isoformat()}},
         Window(closes_at=WROTE + 9 * HOUR, left=4, total=8)),
        (10 * HOUR, {"quota": {"remain": 4, "total": 8, "expires_at": (WROTE + 9 * HOUR).isoformat()}},
         Window(state="charged", closes_at=WROTE + 7 * DAY)),
        (HOUR, {"quota": {"remain": 490, "total": 500, "type": "sub_quota"}},
         Window(state="charged", closes_at=WROTE + 7 * DAY, left=490, total=500)),
        (HOUR, {"quota": {"remain": 0, "total": 500, "type": "sub_quota"}}, Window(state="template")),
        (HOUR, {"sent_since": 2, "quota": {"remain": None, "total": "many", "expires_at": "soon"}},
         Window(closes_at=WROTE + 2 * DAY, left=6, total=8)),
    ],
)  # fmt: skip
def test_zalo_counts_eight_free_answers(passed: timedelta, facts: dict[str, object], wanted: Window) -> None:
    assert after("zalo", passed, **facts) == wanted


@pytest.mark.parametrize("kind", ["email", "webchat", "telegram", "line", "viber", "sms", "open_api", "something"])
def test_kinds_without_a_rule_stay_open(kind: str) -> None:
    assert after(kind, 400 * DAY).state == "open"
    assert window(kind, Facts(last_inbound_at=None), WROTE) == Window()


def test_where_a_provider_counts_without_a_window_the_count_is_shown() -> None:
    quota: dict[str, object] = {"remain": 3, "total": 500, "expires_at": (WROTE + DAY).isoformat()}
    assert after("line", HOUR, quota=quota) == Window(left=3, total=500)
    assert after("line", 2 * DAY, quota=quota) == Window()


@pytest.mark.parametrize(
    ("kind", "state"),
    [("messenger", "closed"), ("instagram", "closed"), ("whatsapp", "template"), ("zalo", "template")],
)
def test_who_never_wrote_cannot_be_written_to(kind: str, state: str) -> None:
    assert window(kind, Facts(last_inbound_at=None, human_agent=True), WROTE) == Window(state=state)


def test_a_comment_is_answered_in_public_at_any_time_and_privately_once_within_a_week() -> None:
    assert after("messenger", 60 * DAY, mode="comment") == Window()
    assert after("messenger", 6 * DAY, mode="private") == Window(closes_at=WROTE + 7 * DAY, left=1, total=1)
    for gone in (after("messenger", 7 * DAY, mode="private"), after("messenger", HOUR, mode="private", sent_since=1)):
        assert gone.state == "closed"
        assert not gone.carries(person=True)


moments = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30))
quotas = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "remain": st.integers(-3, 600) | st.text(max_size=3) | st.none(),
        "total": st.integers(0, 600) | st.booleans(),
        "expires_at": moments.map(lambda passed: (WROTE + passed).isoformat()) | st.text(max_size=5),
        "type": st.sampled_from(["reply", "sub_quota", "purchase_quota", ""]),
    },
)
facts_ = st.builds(
    Facts,
    last_inbound_at=st.none() | moments.map(lambda passed: WROTE + passed),
    sent_since=st.integers(0, 30),
    quota=quotas,
    unreachable=st.sampled_from(["", "", "", "blocked", "opted_out"]),
    human_agent=st.booleans(),
    mode=st.sampled_from(["", "", "comment", "private"]),
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(KINDS), facts_, moments, moments)
def test_time_alone_never_opens_anything(kind: str, facts: Facts, passed: timedelta, more: timedelta) -> None:
    early, late = window(kind, facts, WROTE + passed), window(kind, facts, WROTE + passed + more)
    assert STATES.index(late.state) >= STATES.index(early.state)
    if early.state == late.state and early.left is not None and late.left is not None:
        assert late.left <= early.left
    for person in (True, False):
        assert early.carries(person=person) or not late.carries(person=person)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(KINDS), facts_, moments, st.integers(1, 20))
def test_sending_never_raises_what_is_left(kind: str, facts: Facts, passed: timedelta, more: int) -> None:
    now = WROTE + passed
    before = window(kind, facts, now)
    then = window(kind, replace(facts, sent_since=facts.sent_since + more), now)
    assert STATES.index(then.state) >= STATES.index(before.state)
    if then.state == before.state:
        assert (then.left or 0) <= (before.left or 0)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(KINDS), facts_, moments)
def test_a_word_of_the_customer_reopens_the_line(kind: str, facts: Facts, passed: timedelta) -> None:
    now = WROTE + passed
    heard = replace(facts, last_inbound_at=now, sent_since=0, quota=None, unreachable="")
    found = window(kind, heard, now)
    assert found.state == "open"
    assert found.carries(person=True)
    assert found.carries(person=False)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(KINDS), facts_, moments)
def test_what_is_said_of_a_window_agrees_with_itself(kind: str, facts: Facts, passed: timedelta) -> None:
    now = WROTE + passed
    found = window(kind, facts, now)
    assert found.state in STATES
    assert (found.left is None) is (found.total is None)
    if found.left is not None and found.total is not None:
        assert 0 <= found.left <= found.total
    if found.closes_at is not None and found.state in ("open", "human", "charged"):
        assert now < found.closes_at
        assert window(kind, facts, found.closes_at).state != found.state
    if facts.unreachable:
        assert found == Window(state="unreachable")
