"""Clocks, pure: thousands of cases of when they warn, when they are late, and when somebody must look."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.sla import clocks

moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))
targets = st.integers(min_value=1, max_value=30 * 86400)
spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40))


@settings(max_examples=2000)
@given(started=moments, target=targets, before=targets)
def test_the_warning_lies_between_start_and_end(started: datetime, target: int, before: int) -> None:
    plan = clocks.plan(started, target, before)
    assert started <= plan.warn_at <= plan.due_at == started + timedelta(seconds=target)
    assert plan.due_at - plan.warn_at == timedelta(seconds=min(target, before))


@settings(max_examples=2000)
@given(started=moments, target=targets, before=targets, looks=st.lists(spans, min_size=1, max_size=12))
def test_whenever_one_looks_each_threshold_fires_once_and_never_early(
    started: datetime, target: int, before: int, looks: list[timedelta]
) -> None:
    plan = clocks.plan(started, target, before)
    fired = {"warn": 0, "breach": 0}
    warned = breached = False
    for at in sorted(started + span for span in looks):
        warn, breach = clocks.due_steps(
            warn_at=plan.warn_at, due_at=plan.due_at, warned=warned, breached=breached, at=at
        )
        assert not warn or at >= plan.warn_at
        assert breach == (at > plan.due_at and not breached)
        assert not breach or clocks.is_late(plan.due_at, at)
        fired["warn"] += warn
        fired["breach"] += breach
        warned, breached = warned or warn, breached or breach
        look = clocks.next_look(warn_at=plan.warn_at, due_at=plan.due_at, warned=warned, breached=breached)
        assert (look is None) == (warned and breached)
        assert look is None or look >= plan.warn_at
    assert max(fired.values()) <= 1
    assert warned or not breached, "who is late was warned, at the latest in the same moment"


@given(due=moments)
def test_on_the_very_second_is_in_time(due: datetime) -> None:
    assert not clocks.is_late(due, due)
    assert clocks.is_late(due, due + timedelta(microseconds=1))
