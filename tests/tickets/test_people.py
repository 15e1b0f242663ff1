"""Who is who: suggestions, merging and parting, and whose words are whose afterwards."""

from typing import Any

import pytest

from channels_app.contracts import Address, ProfileLearned
from channels_app.models import Channel
from helpdesk.core.errors import Conflict, NotFound
from helpdesk.core.models import EventLog
from tests.builders import a_chat, a_mailbox, a_team, an_actor
from tests.tickets.saying import heard, mail_from, signed, visitor
from tickets.customers import actions as customers
from tickets.customers import merging, suggestions
from tickets.customers.queries import searched
from tickets.lifecycle import joining, people
from tickets.messages import actions as messages
from tickets.messages import contacts
from tickets.messages import queries as conversation
from tickets.models import Customer, Identity, IdentityClaim, MergeSuggestion, Message, Ticket

pytestmark = pytest.mark.django_db
LAN = mail_from("lan@customer.test", name="Lan Nguyễn")
HOA = mail_from("hoa@customer.test", name="Hoa Trần")


@pytest.fixture
def mailbox(db: None) -> Channel:
    return a_mailbox()


@pytest.fixture
def chat(db: None) -> Channel:
    return a_chat()


def typed(value: str, kind: str = "phone") -> Address:
    return Address(kind=kind, value=value)


def social(value: str, name: str = "", scope: str = "oa1", kind: str = "zalo") -> Address:
    return Address(kind=kind, value=value, name=name, scope=scope)


def asked() -> list[tuple[int, int, str, str]]:
    return list(MergeSuggestion.objects.order_by("pk").values_list("customer_id", "other_id", "reason", "state"))


def topics(topic: str) -> list[dict[str, Any]]:
    return list(EventLog.objects.filter(topic=topic).order_by("pk").values_list("payload", flat=True))


# --- what is asked -----------------------------------------------------------------------------------------------


def test_a_typed_address_of_somebody_else_is_asked_about_once(mailbox: Channel, chat: Channel) -> None:
    lan = heard(mailbox, LAN).customer_id
    for _ in range(3):
        guest = heard(chat, visitor("v1", chat), also_known=(typed("LAN@customer.test", "email"),)).customer_id
    assert asked() == [(lan, guest, "same_email", "open")]
    assert topics("customer.merge_suggested") == [{"customer_id": lan, "other_id": guest, "reason": "same_email"}]
    assert Customer.objects.filter(canonical__isnull=False).count() == 0


def test_it_is_called_claimed_where_the_other_has_proved_it(mailbox: Channel, chat: Channel) -> None:
    heard(mailbox, mail_from("lan@customer.test", verified=True))
    heard(chat, visitor("v1", chat), also_known=(typed("lan@customer.test", "email"),))
    assert [row[2] for row in asked()] == ["claimed"]


def test_it_is_asked_also_when_the_owner_comes_later(mailbox: Channel, chat: Channel) -> None:
    guest = heard(chat, visitor("v1", chat), also_known=(typed("lan@customer.test", "email"),)).customer_id
    assert asked() == []
    lan = heard(mailbox, LAN).customer_id
    assert asked() == [(guest, lan, "same_email", "open")]


def test_two_who_type_one_number_in_two_ways_are_asked_about(chat: Channel) -> None:
    heard(chat, visitor("v1", chat), also_known=(typed("0120 123 4567"),))
    heard(chat, visitor("v2", chat), also_known=(typed("+84 70 123 4567"),))
    assert [row[2:] for row in asked()] == [("same_phone", "open")]
    assert set(IdentityClaim.objects.values_list("value", flat=True)) == {"+84701234567"}


def test_a_number_stored_in_a_former_form_is_known_and_its_key_stays(chat: Channel) -> None:
    old = Customer.objects.create(name="Hoa")
    Identity.objects.create(customer=old, kind="phone", value="01201234567")
    guest = heard(chat, visitor("v1", chat), also_known=(signed("0701234567", "phone"),))
    assert guest.customer_id == old.pk, "verified evidence joins by itself"
    assert list(Identity.objects.filter(kind="phone").values_list("value", flat=True)) == ["01201234567"]


def test_a_number_keeps_the_form_in_which_it_was_given() -> None:
    lan = Customer.objects.create(name="Lan")
    made = customers.add_address(customer_id=lan.pk, kind="phone", value=" 0912 345 678", actor=an_actor("admin"))
    assert (made.value, made.name) == ("+84912345678", "0912 345 678")
    again = customers.add_address(customer_id=lan.pk, kind="phone", value="84912345678", actor=an_actor("admin"))
    assert again.pk == made.pk


def test_a_namesake_on_the_same_line_is_asked_about_but_not_half_a_name_nor_a_common_one(mailbox: Channel) -> None:
    heard(mailbox, social("1", "Lan"))
    heard(mailbox, social("2", "Lan"))
    heard(mailbox, social("3", "Lan Nguyễn"))
    heard(mailbox, social("4", "Lan Nguyễn", scope="oa2"))
    heard(mailbox, social("5", "Lan Nguyễn", kind="messenger"))
    heard(mailbox, mail_from("a@x.test", name="Lan Nguyễn"))
    heard(mailbox, mail_from("b@x.test", name="Lan Nguyễn"))
    assert asked() == []
    heard(mailbox, social("6", "Lan Nguyễn"))
    assert [row[2] for row in asked()] == ["same_name"]
    heard(mailbox, social("7", "Lan Nguyễn"))
    assert len(asked()) == 1, "three bear it: it says nothing any more"


def test_a_namesake_is_asked_about_also_when_the_provider_tells_the_name_later(mailbox: Channel) -> None:
    for number in ("1", "2"):
        message = heard(mailbox, social(number))
        Message.objects.filter(pk=message.pk).update(channel_kind="zalo")
        assert message.thread_id is not None
        contacts.learn(ProfileLearned(thread_id=message.thread_id, name="Lan Nguyễn"))
    assert [row[2] for row in asked()] == ["same_name"]
    assert set(Identity.objects.values_list("name", flat=True)) == {"Lan Nguyễn"}


def test_blocked_people_are_asked_about_by_nobody(mailbox: Channel, chat: Channel) -> None:
    heard(mailbox, LAN)
    customers.block(kind="email", value="lan@customer.test", actor=an_actor())
    heard(chat, visitor("v1", chat), also_known=(typed("lan@customer.test", "email"),))
    assert asked() == []


def test_what_more_people_than_a_handful_share_says_nothing(chat: Channel) -> None:
    for number in range(9):
        heard(chat, visitor(f"v{number}", chat), also_known=(typed("0912345678"),))
    assert len(asked()) == sum(range(suggestions.PEOPLE + 1))


def test_a_known_sender_costs_no_statement_more(mailbox: Channel, django_assert_num_queries: Any) -> None:
    heard(mailbox, LAN)
    from django.db import transaction

    with transaction.atomic():
        customers.resolve(address=LAN)  # what is kept between statements is kept now
        with django_assert_num_queries(2):  # the identity with its customer; the customer's lock
            customers.resolve(address=LAN)
        with django_assert_num_queries(3):  # the identity; the customer; the identity with whether anybody claims it
            customers.resolve(address=mail_from("new@customer.test", name="Mai Lê"))


# --- what is decided ---------------------------------------------------------------------------------------------


@pytest.fixture
def pair(mailbox: Channel, chat: Channel) -> tuple[Customer, Customer, MergeSuggestion]:
    lan = heard(mailbox, LAN).customer
    guest = heard(chat, visitor("v1", chat), also_known=(typed("lan@customer.test", "email"),)).customer
    assert lan is not None and guest is not None
    return lan, guest, MergeSuggestion.objects.get()


Pair = tuple[Customer, Customer, MergeSuggestion]


def test_accepting_merges_by_who_accepted_and_the_customer_named_survives(pair: Pair) -> None:
    lan, guest, one = pair
    actor = an_actor()
    assert [(found.pk, other.pk) for found, other in suggestions.suggestions(lan.pk, actor)] == [(one.pk, guest.pk)]
    assert [other.pk for _found, other in suggestions.suggestions(guest.pk, actor)] == [lan.pk]
    people.accept(customer_id=lan.pk, suggestion_id=one.pk, actor=actor)
    guest.refresh_from_db()
    one.refresh_from_db()
    assert (guest.canonical_id, one.state, one.decided_by_id) == (lan.pk, "accepted", actor.id)
    merged = EventLog.objects.get(topic="customer.merged")
    assert (merged.actor_id, merged.payload["evidence"]) == (actor.id, "suggestion")
    assert suggestions.suggestions(lan.pk, actor) == []
    with pytest.raises(Conflict):
        people.accept(customer_id=lan.pk, suggestion_id=one.pk, actor=actor)


def test_a_declined_pair_is_never_asked_about_again_whoever_they_become(pair: Pair, mailbox: Channel) -> None:
    lan, guest, one = pair
    actor = an_actor()
    suggestions.decline(customer_id=lan.pk, suggestion_id=one.pk, actor=actor)
    assert topics("customer.merge_decided") == [{"customer_id": lan.pk, "other_id": guest.pk, "state": "declined"}]
    hoa = heard(mailbox, HOA).customer_id
    merging.merge(survivor_id=hoa, loser_id=lan.pk, actor=actor)
    for reason in ("same_phone", "same_name"):
        assert suggestions.suggest(customer_id=guest.pk, other_id=lan.pk, reason=reason) is None
        assert suggestions.suggest(customer_id=guest.pk, other_id=hoa, reason=reason) is None
    assert [row[3] for row in asked()] == ["declined"]
    suggestions.ask_again(customer_id=guest.pk, suggestion_id=one.pk, actor=actor)
    assert [row[3] for row in asked()] == ["open"]
    with pytest.raises(Conflict):
        suggestions.ask_again(customer_id=guest.pk, suggestion_id=one.pk, actor=actor)


@pytest.mark.parametrize("act", [people.accept, suggestions.decline])
def test_what_is_not_yours_cannot_be_decided_and_nothing_happens(pair: Pair, act: Any) -> None:
    lan, _guest, one = pair
    Ticket.objects.update(team=a_team())
    before = EventLog.objects.count()
    for customer_id, suggestion_id in ((lan.pk, one.pk), (lan.pk, one.pk + 9), ("x", one.pk)):
        with pytest.raises(NotFound):
            act(customer_id=customer_id, suggestion_id=suggestion_id, actor=an_actor())
    # Theirs to see, but the other one is not.
    Ticket.objects.filter(customer=lan).update(team=None)
    assert suggestions.suggestions(lan.pk, an_actor()) == []
    with pytest.raises(NotFound):
        act(customer_id=lan.pk, suggestion_id=one.pk, actor=an_actor())
    stranger = Customer.objects.create(name="Mai")
    with pytest.raises(NotFound):
        act(customer_id=stranger.pk, suggestion_id=one.pk, actor=an_actor("admin"))
    assert (EventLog.objects.count(), asked()[0][3]) == (before, "open")
    assert not Customer.objects.filter(canonical__isnull=False).exists()


def test_whom_evidence_joins_is_no_longer_asked_about(pair: Pair, chat: Channel) -> None:
    heard(chat, visitor("v1", chat), also_known=(signed("lan@customer.test"),))
    assert [row[3] for row in asked()] == ["accepted"]


def test_parting_says_that_they_are_two(mailbox: Channel) -> None:
    lan, hoa = heard(mailbox, LAN).customer_id, heard(mailbox, HOA).customer_id
    people.join(survivor_id=lan, loser_id=hoa, actor=an_actor())
    people.part(customer_id=hoa, actor=an_actor())
    assert suggestions.suggest(customer_id=lan, other_id=hoa, reason="same_name") is None


def test_people_are_searched_by_name_address_in_any_form_and_number(mailbox: Channel) -> None:
    lan, hoa = heard(mailbox, LAN).customer_id, heard(mailbox, HOA).customer_id
    actor = an_actor()
    customers.add_address(customer_id=hoa, kind="phone", value="01201234567", actor=actor)

    def found(words: str) -> list[int]:
        return [one.pk for one in searched(actor, words)]

    assert found("lan ng") == found("LAN@customer.test") == found(f"#{lan}") == [lan]
    assert found("070 123 4567") == found("0120.123.4567") == [hoa]
    assert found("") == found("zzz") == []
    people.join(survivor_id=lan, loser_id=hoa, actor=actor)
    assert found("0701234567") == found("hoa@customer.test") == [lan], "who they are now"
    Ticket.objects.update(team=a_team())
    assert [one.pk for one in searched(an_actor(), "lan")] == []


# --- merging and parting -----------------------------------------------------------------------------------------


def test_replies_to_who_was_merged_away_follow_the_survivor(mailbox: Channel) -> None:
    first, second = heard(mailbox, LAN, external_id="a@x"), heard(mailbox, HOA, external_id="b@x")
    people.join(survivor_id=first.customer_id, loser_id=second.customer_id, actor=an_actor())
    joining.merge(survivor_id=first.ticket_id, loser_id=second.ticket_id, actor=an_actor())
    answer = heard(mailbox, HOA, references=("b@x",))
    fresh = heard(mailbox, HOA)
    assert answer.ticket_id == fresh.ticket_id == first.ticket_id
    ways = {way.address for way in conversation.channels_for(Ticket.objects.get(pk=first.ticket_id))}
    assert ways == {"lan@customer.test", "hoa@customer.test"}


def test_each_leaves_with_the_words_of_the_time_between(mailbox: Channel) -> None:
    actor = an_actor("admin")
    lan, hoa = heard(mailbox, LAN), heard(mailbox, HOA)
    Ticket.objects.filter(pk=hoa.ticket_id).update(status="closed", solved_at="2020-01-01T00:00Z")
    people.join(survivor_id=lan.customer_id, loser_id=hoa.customer_id, actor=actor)
    between = heard(mailbox, HOA, text="Lời của Hoa")
    assert between.ticket_id == lan.ticket_id, "one conversation while they are one"
    answer = messages.reply(ticket_id=lan.ticket_id, text="Dạ chị Hoa", address="hoa@customer.test", actor=actor)
    mine = messages.reply(ticket_id=lan.ticket_id, text="Dạ chị Lan", address="lan@customer.test", actor=actor)
    people.part(customer_id=hoa.customer_id, actor=actor)
    between.refresh_from_db()
    answer.refresh_from_db()
    mine.refresh_from_db()
    assert between.ticket.customer_id == hoa.customer_id
    assert (answer.ticket_id, mine.ticket_id) == (between.ticket_id, lan.ticket_id)
    assert between.ticket.customer_name == "Hoa Trần"
    left = Ticket.objects.get(pk=lan.ticket_id)
    assert (left.participants, between.ticket.participants) == (["lan@customer.test"], ["hoa@customer.test"])
    assert [way.address for way in conversation.channels_for(left)] == ["lan@customer.test"]
    parted = between.ticket_id
    people.join_again(customer_id=hoa.customer_id, former_id=lan.customer_id, actor=actor)
    between.refresh_from_db()
    left.refresh_from_db()
    assert between.ticket_id == lan.ticket_id
    assert set(left.participants) == {"lan@customer.test", "hoa@customer.test"}
    assert Ticket.objects.get(pk=parted).merged_into_id == lan.ticket_id


def test_an_address_proved_while_merged_belongs_to_who_proved_it(mailbox: Channel, chat: Channel) -> None:
    lan, guest = heard(mailbox, LAN), heard(chat, visitor("v1", chat))
    people.join(survivor_id=lan.customer_id, loser_id=guest.customer_id, actor=an_actor())
    heard(chat, visitor("v1", chat), also_known=(signed("new@x.test"),))
    people.part(customer_id=guest.customer_id, actor=an_actor())
    assert Identity.objects.get(value="new@x.test").customer_id == guest.customer_id


def test_both_tell_it_on_their_timelines_and_other_screens_look_again(mailbox: Channel) -> None:
    lan, hoa = heard(mailbox, LAN), heard(mailbox, HOA)
    versions = dict(Ticket.objects.values_list("pk", "version"))
    actor = an_actor(name="Minh")

    def lines(ticket_id: int) -> list[str]:
        found = conversation.timeline(Ticket.objects.get(pk=ticket_id), actor)
        return [one.event.topic for one in found if one.event and one.event.topic.startswith("customer.")]

    people.join(survivor_id=lan.customer_id, loser_id=hoa.customer_id, actor=actor)
    assert lines(lan.ticket_id) == ["customer.merged"]
    assert lines(hoa.ticket_id) == ["customer.merged_away"]
    people.part(customer_id=hoa.customer_id, actor=actor)
    assert lines(lan.ticket_id) == ["customer.merged", "customer.unmerged"]
    assert lines(hoa.ticket_id) == ["customer.merged_away", "customer.parted"]
    for ticket_id, version in Ticket.objects.values_list("pk", "version"):
        assert version == versions[ticket_id] + 2
    later = joining.split(ticket_id=lan.ticket_id, message_ids=[heard(mailbox, LAN).pk], actor=actor)
    assert lines(later.pk) == [], "what was before this ticket is none of its story"


@pytest.mark.parametrize("act", ["join", "part"])
def test_people_of_other_teams_can_be_neither_joined_nor_parted(mailbox: Channel, act: str) -> None:
    lan, hoa = heard(mailbox, LAN).customer_id, heard(mailbox, HOA).customer_id
    if act == "part":
        people.join(survivor_id=lan, loser_id=hoa, actor=an_actor("admin"))
    Ticket.objects.filter(customer=hoa).update(team=a_team())
    before = EventLog.objects.count(), list(Customer.objects.order_by("pk").values())
    with pytest.raises(NotFound):
        if act == "join":
            people.join(survivor_id=lan, loser_id=hoa, actor=an_actor())
        else:
            people.part(customer_id=hoa, actor=an_actor())
    assert (EventLog.objects.count(), list(Customer.objects.order_by("pk").values())) == before


def test_only_one_who_was_merged_can_be_parted(mailbox: Channel) -> None:
    lan = heard(mailbox, LAN).customer_id
    with pytest.raises(Conflict):
        people.part(customer_id=lan, actor=an_actor())
    assert Message.objects.count() == 1
