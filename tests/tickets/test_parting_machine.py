"""Any sequence of writing, proving, merging and parting: each has the addresses and words that were theirs."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from channels_app.contracts import Address
from helpdesk.core.actor import Actor
from helpdesk.core.errors import DomainError
from tests.builders import a_chat, a_mailbox, an_actor
from tests.tickets.saying import heard, mail_from, signed, visitor
from tickets.customers.queries import family, survivor
from tickets.lifecycle import drift, people
from tickets.messages import actions as messages
from tickets.models import Customer, Identity, Message, Ticket

who = st.integers(min_value=0, max_value=3)


class Desk(RuleBasedStateMachine):
    """Two who write mails, two who chat. `home` says whose each address was when it was first heard of."""

    agent: Actor

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.mailbox, self.chat, self.agent = a_mailbox(), a_chat(), an_actor("admin")
        self.senders: list[tuple[Any, Address]] = [
            (self.mailbox, mail_from("c0@customer.test", name="Lan")),
            (self.mailbox, mail_from("c1@customer.test", name="Hoa")),
            (self.chat, visitor("v2", self.chat)),
            (self.chat, visitor("v3", self.chat)),
        ]
        self.ids = [heard(channel, sender).customer_id for channel, sender in self.senders]
        self.home = {sender.value: self.ids[n] for n, (_channel, sender) in enumerate(self.senders)}
        self.words: dict[int, int | None] = dict(Message.objects.values_list("pk", "customer_id"))
        self.numbers = 0

    def teardown(self) -> None:
        try:
            self.part_everybody()
        finally:
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    @rule(one=who)
    def write(self, one: int) -> None:
        channel, sender = self.senders[one]
        self.words[heard(channel, sender).pk] = self.ids[one]

    @rule(one=st.sampled_from([2, 3]))
    def prove_a_new_address(self, one: int) -> None:
        self.numbers += 1
        address = f"n{self.numbers}@customer.test"
        channel, sender = self.senders[one]
        self.words[heard(channel, sender, also_known=(signed(address),)).pk] = self.ids[one]
        self.home[address] = self.ids[one]

    @rule(one=st.sampled_from([2, 3]), two=st.sampled_from([0, 1]))
    def prove_to_be(self, one: int, two: int) -> None:
        channel, sender = self.senders[one]
        proved = signed(self.senders[two][1].value)
        self.words[heard(channel, sender, also_known=(proved,)).pk] = self.ids[one]

    @rule(one=who, two=who)
    def join(self, one: int, two: int) -> None:
        self.attempt(lambda: people.join(survivor_id=self.ids[one], loser_id=self.ids[two], actor=self.agent))

    @rule(one=who)
    def part(self, one: int) -> None:
        self.attempt(lambda: people.part(customer_id=self.ids[one], actor=self.agent))

    @rule(one=who)
    def part_and_take_it_back(self, one: int) -> None:
        former = Customer.objects.get(pk=self.ids[one]).canonical_id
        where = dict(Message.objects.values_list("pk", "ticket_id"))
        if former is None:
            return
        people.part(customer_id=self.ids[one], actor=self.agent)
        people.join_again(customer_id=self.ids[one], former_id=former, actor=self.agent)
        assert dict(Message.objects.values_list("pk", "ticket_id")) == where

    @rule(one=who)
    def answer(self, one: int) -> None:
        ticket = Ticket.objects.filter(customer__in=family(self.root(one)), merged_into=None).order_by("pk").first()
        if ticket is not None:
            self.attempt(lambda: messages.reply(ticket_id=ticket.pk, text="Dạ", actor=self.agent))

    def attempt(self, act: Any) -> None:
        before = dict(Customer.objects.values_list("pk", "canonical_id"))
        try:
            with transaction.atomic():
                act()
        except DomainError:
            assert dict(Customer.objects.values_list("pk", "canonical_id")) == before, "nothing on refusal"

    def root(self, one: int) -> int:
        return survivor(Customer.objects.get(pk=self.ids[one])).pk

    def part_everybody(self) -> None:
        for customer_id in (
            Customer.objects.filter(canonical__isnull=False).order_by("-pk").values_list("pk", flat=True)
        ):
            people.part(customer_id=customer_id, actor=self.agent)
        assert not Customer.objects.filter(canonical__isnull=False).exists()
        for message in Message.objects.filter(direction="in").select_related("ticket"):
            assert message.ticket.customer_id == message.customer_id, "words stand on a ticket of who said them"
        for message in Message.objects.filter(direction="out").select_related("ticket"):
            assert message.ticket.customer_id == self.home[message.recipients[0]], "an answer stands with who got it"

    @invariant()
    def each_keeps_what_was_theirs(self) -> None:
        assert dict(Identity.objects.values_list("value", "customer_id")) == self.home
        assert dict(Message.objects.filter(direction="in").values_list("pk", "customer_id")) == self.words

    @invariant()
    def nothing_drifts(self) -> None:
        assert [str(one) for one in drift.everywhere()] == []


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )


@pytest.mark.django_db
def test_after_parting_each_has_what_was_theirs() -> None:
    run(examples=8, steps=10)


@pytest.mark.slow
@pytest.mark.django_db
def test_after_any_long_sequence_too() -> None:
    run(examples=120, steps=25)
