"""Any sequence of merging, splitting, moving, solving and answering: undoing it all gives the list fields back."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from helpdesk.core.actor import Actor
from helpdesk.core.errors import DomainError
from tests.builders import a_mailbox, an_actor
from tests.tickets.saying import heard, mail_from
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import drift, joining
from tickets.messages import actions as messages
from tickets.models import Message, SlaClock, Ticket

FIELDS = (
    *("status", "priority", "team_id", "assignee_id", "tags", "participants", "snippet", "last_direction"),
    *("last_message_at", "message_count", "waiting_since", "next_due_at", "sla_state", "snoozed_until"),
    *("merged_into_id", "first_replied_at", "solved_at", "settled_at", "reopened_count"),
)
picks = st.integers(min_value=0, max_value=30)


class Desk(RuleBasedStateMachine):
    """Three customers' tickets, one agent; each step that was done is remembered with how everything was before."""

    agent: Actor
    mailbox: Any

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.mailbox, self.agent = a_mailbox(), an_actor("admin")
        for number in range(3):
            for _ in range(2):
                heard(self.mailbox, mail_from(f"c{number}@customer.test"))
        self.done: list[tuple[int, dict[int, Any]]] = []

    def teardown(self) -> None:
        try:
            self.take_everything_back()
        finally:
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    def look(self) -> dict[int, Any]:
        return {row["id"]: row for row in Ticket.objects.values("id", *FIELDS)}

    def ticket(self, pick: int) -> int:
        ids = list(Ticket.objects.order_by("pk").values_list("pk", flat=True))
        return ids[pick % len(ids)]

    def step(self, ticket_id: int, act: Any) -> None:
        """Do it; remember it if it left a step to undo."""
        before = self.look()
        from tickets.models import UndoStep

        steps = UndoStep.objects.count()
        try:
            with transaction.atomic():
                act()
        except DomainError:
            assert self.look() == before, "nothing on refusal"
            return
        if UndoStep.objects.count() > steps:
            newest = UndoStep.objects.latest("pk")
            self.done.append((newest.ticket_id, before))

    @rule(one=picks, two=picks)
    def merge(self, one: int, two: int) -> None:
        kept, lost = self.ticket(one), self.ticket(two)
        self.step(kept, lambda: joining.merge(survivor_id=kept, loser_id=lost, actor=self.agent))

    @rule(one=picks, chosen=st.lists(picks, min_size=1, max_size=3))
    def split(self, one: int, chosen: list[int]) -> None:
        ticket = self.ticket(one)
        said = list(Message.objects.filter(ticket__in=Ticket(pk=ticket).family()).values_list("pk", flat=True))
        ids = sorted({said[pick % len(said)] for pick in chosen}) if said else []
        self.step(ticket, lambda: joining.split(ticket_id=ticket, message_ids=ids, actor=self.agent))

    @rule(one=picks, two=picks)
    def move(self, one: int, two: int) -> None:
        said = list(Message.objects.order_by("pk").values_list("pk", flat=True))
        message, target = said[one % len(said)], self.ticket(two)
        self.step(target, lambda: joining.move(message_id=message, to_ticket_id=target, actor=self.agent))

    @rule(one=picks, status=st.sampled_from(["open", "pending", "on_hold", "solved", "closed", "spam"]))
    def set_status(self, one: int, status: str) -> None:
        ticket = self.ticket(one)
        self.step(ticket, lambda: lifecycle.set_status(ticket_id=ticket, status=status, actor=self.agent))

    @rule(one=picks, word=st.sampled_from(["a", "b"]))
    def tag(self, one: int, word: str) -> None:
        ticket = self.ticket(one)
        self.step(ticket, lambda: lifecycle.tag(ticket_id=ticket, add=(word,), actor=self.agent))

    @rule()
    def undo_the_last(self) -> None:
        if self.done:
            ticket, before = self.done.pop()
            joining.undo(ticket_id=ticket, actor=self.agent)
            self.same(before)

    @rule(one=picks)
    def answer(self, one: int) -> None:
        """No step to undo: what was done before is then settled, so the memory begins anew."""
        ticket = self.ticket(one)
        try:
            with transaction.atomic():
                messages.reply(ticket_id=ticket, text="Dạ", actor=self.agent)
        except DomainError:
            return
        self.done.clear()

    @rule(number=st.integers(min_value=0, max_value=2))
    def write(self, number: int) -> None:
        heard(self.mailbox, mail_from(f"c{number}@customer.test"))
        self.done.clear()

    def take_everything_back(self) -> None:
        while self.done:
            ticket, before = self.done.pop()
            joining.undo(ticket_id=ticket, actor=self.agent)
            self.same(before)

    def same(self, before: dict[int, Any]) -> None:
        after = self.look()
        for ticket_id, row in before.items():
            if row["merged_into_id"]:
                row |= {name: after[ticket_id][name] for name in ("message_count", "snippet", "last_message_at")}
            assert after[ticket_id] == row, {
                name: (row[name], after[ticket_id][name]) for name in FIELDS if row[name] != after[ticket_id][name]
            }

    @invariant()
    def nothing_drifts(self) -> None:
        assert [str(one) for one in drift.everywhere()] == []
        assert not SlaClock.objects.filter(state="running", look_at__isnull=True).exists()


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            # Making a found case smaller costs more than finding it: the steps are printed as they are.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )


@pytest.mark.django_db
def test_any_sequence_can_be_taken_back() -> None:
    run(examples=6, steps=10)


@pytest.mark.slow
@pytest.mark.django_db
def test_any_long_sequence_can_be_taken_back() -> None:
    run(examples=150, steps=25)


@pytest.mark.django_db
@pytest.mark.parametrize("act", ["merge", "merge_and_merge", "split", "move", "solve", "close", "spam", "tag"])
def test_each_act_alone_can_be_taken_back(act: str) -> None:
    mailbox, agent = a_mailbox(), an_actor("admin")
    first, second, third = (
        heard(mailbox, mail_from(f"c{number}@customer.test"), recipients=(f"copy{number}@x.test",)).ticket.pk
        for number in range(3)
    )
    more = heard(mailbox, mail_from("c0@customer.test")).pk

    def look() -> dict[int, Any]:
        return {row["id"]: row for row in Ticket.objects.values("id", *FIELDS)}

    if act == "merge_and_merge":
        joining.merge(survivor_id=second, loser_id=third, actor=agent)
    before = look()
    acts: dict[str, Any] = {
        "merge": lambda: joining.merge(survivor_id=first, loser_id=second, actor=agent),
        "merge_and_merge": lambda: joining.merge(survivor_id=first, loser_id=second, actor=agent),
        "split": lambda: joining.split(ticket_id=first, message_ids=[more], actor=agent),
        "move": lambda: joining.move(message_id=more, to_ticket_id=second, actor=agent),
        "solve": lambda: lifecycle.set_status(ticket_id=first, status="solved", actor=agent),
        "close": lambda: lifecycle.set_status(ticket_id=first, status="closed", actor=agent),
        "spam": lambda: lifecycle.set_status(ticket_id=first, status="spam", actor=agent),
        "tag": lambda: lifecycle.tag(ticket_id=first, add=("gấp",), actor=agent),
    }
    acts[act]()
    assert look() != before
    assert [str(one) for one in drift.everywhere()] == []
    joining.undo(ticket_id=first, actor=agent)
    after = look()
    assert {key: after[key] for key in before} == before
    assert [str(one) for one in drift.everywhere()] == []
