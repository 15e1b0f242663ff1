"""Customers: list, read, change, addresses, merges, the timeline; and whom we no longer listen to."""

from collections.abc import Sequence
from typing import Any

import django_filters as filters
from django.core.validators import validate_email
from django.db.models import Q, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.core.api import ApiView, Given, Id, Ordering, Text
from tickets.api.shapes import BlockedOut, CustomerOut, IdentityOut, MessageOut
from tickets.customers import actions, queries
from tickets.lifecycle import people
from tickets.messages import queries as messages
from tickets.models import BlockedSender, Customer, Message

LANGUAGES = [("", ""), ("vi", "Tiếng Việt"), ("en", "English")]
ADDRESS_KINDS = [(kind, kind) for kind in actions.ADDABLE]
CHANNEL_KINDS = [("", ""), *((kind, kind) for kind in actions.CHANNELS)]
BLOCKABLE = [(kind, kind) for kind in ("email", "webchat", "phone")]
MAX_NOTES = 10_000
MAX_TAGS = 30


class CustomerFilter(filters.FilterSet):
    """Filters of the customer list."""

    q = filters.CharFilter(method="by_words", help_text="Part of a name, or a whole address.")
    tag = filters.CharFilter(method="by_tag")
    tier = filters.CharFilter()
    merged = filters.BooleanFilter(method="by_merged", help_text="true: those merged into somebody else.")

    def by_words(self, customers: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        typed = value.strip()[:200]
        exact = Q(identities__value__in={typed, queries.normal("email", typed), *queries.forms("phone", typed)})
        return customers.filter(Q(name__icontains=typed) | exact).distinct()

    def by_tag(self, customers: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return customers.filter(tags__contains=[value])

    def by_merged(self, customers: QuerySet[Customer], name: str, value: bool) -> QuerySet[Customer]:
        return customers.filter(canonical__isnull=not value)


class CustomerChange(Given):
    """Any of these; what is left out stays."""

    name = Text(required=False, allow_blank=True, max_length=200)
    language = serializers.ChoiceField(LANGUAGES, required=False)
    form_of_address = Text(required=False, allow_blank=True, max_length=20)
    tier = Text(required=False, allow_blank=True, max_length=20)
    tags = serializers.ListField(child=Text(max_length=60), required=False, max_length=MAX_TAGS)
    notes = Text(required=False, allow_blank=True, max_length=MAX_NOTES)
    preferred_channel = serializers.ChoiceField(
        CHANNEL_KINDS, required=False, help_text="By which they asked to be answered; empty: whichever they write on."
    )


class IdentityIn(Given):
    """An address somebody at the desk knows to be the customer's. It counts as not verified."""

    kind = serializers.ChoiceField(ADDRESS_KINDS)
    value = Text(max_length=254)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["kind"] == "email":
            serializers.EmailField(validators=[validate_email]).run_validation(attrs["value"])
        return attrs


class MergeCustomer(Given):
    """The customer who is the same person as this one."""

    customer = Id()


class BlockIn(Given):
    """An address whose messages shall go to spam."""

    kind = serializers.ChoiceField(BLOCKABLE)
    value = Text(max_length=255)
    reason = Text(required=False, allow_blank=True, max_length=200, default="")


class CustomerView(ApiView):
    """The customers of the tickets you may see; all of them for admins."""

    serializer_class = CustomerOut
    filter_backends = (DjangoFilterBackend, Ordering)
    filterset_class = CustomerFilter
    ordering_fields = ("updated_at", "created_at", "name", "id")
    queryset = Customer.objects.none()

    def get_queryset(self) -> QuerySet[Customer]:
        found = queries.customers(self.actor)
        return found if "merged" in self.request.query_params else found.filter(canonical__isnull=True)

    @extend_schema(operation_id="list_customers", summary="List customers, newest change first")
    def list(self, request: Request) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(self._shown(rows, many=True))

    @extend_schema(operation_id="read_customer", summary="Read a customer")
    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(queries.customer_for(self.actor, pk))

    @extend_schema(
        operation_id="change_customer",
        summary="Change what we know about a customer",
        request=CustomerChange,
        responses={200: CustomerOut},
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        return self._answer(actions.change(customer_id=pk, actor=self.actor, **self.given(CustomerChange)))

    @extend_schema(
        operation_id="merge_customer",
        summary="Say that another customer is the same person",
        request=MergeCustomer,
        responses={200: CustomerOut},
    )
    def merge(self, request: Request, pk: str) -> Response:
        other = self.given(MergeCustomer)["customer"]
        return self._answer(people.join(survivor_id=pk, loser_id=other, actor=self.actor))

    @extend_schema(
        operation_id="unmerge_customer",
        summary="Take the merge of this customer into another one back",
        request=None,
        responses={200: CustomerOut},
    )
    def unmerge(self, request: Request, pk: str) -> Response:
        return self._answer(people.part(customer_id=pk, actor=self.actor))

    @extend_schema(
        operation_id="rejoin_customer",
        summary="Lay a merge of this customer back that was taken back by mistake",
        description="`customer` is who they were merged into. The tickets that were parted for it come together too.",
        request=MergeCustomer,
        responses={200: CustomerOut},
    )
    def rejoin(self, request: Request, pk: str) -> Response:
        former = self.given(MergeCustomer)["customer"]
        people.join_again(customer_id=pk, former_id=former, actor=self.actor)
        return self._answer(queries.customer_for(self.actor, pk))

    @extend_schema(
        operation_id="add_identity", summary="Add an address", request=IdentityIn, responses={201: IdentityOut}
    )
    def add_identity(self, request: Request, pk: str) -> Response:
        identity = actions.add_address(customer_id=pk, actor=self.actor, **self.given(IdentityIn))
        return Response(self.shown(IdentityOut, identity), status=201)

    @extend_schema(
        operation_id="list_identities",
        summary="List a customer's addresses",
        responses={200: IdentityOut(many=True)},
        filters=False,
    )
    def identities(self, request: Request, pk: str) -> Response:
        customer = queries.customer_for(self.actor, pk)
        self.ordering = ("id",)
        rows = self.paginate_queryset(queries.identities(customer.pk))
        return self.get_paginated_response(self.shown(IdentityOut, rows, many=True))

    def _answer(self, customer: Customer) -> Response:
        return Response(self._shown([customer], many=True)[0])

    def _shown(self, rows: Sequence[Customer], **options: Any) -> Any:
        found = queries.identities_of([customer.pk for customer in rows])
        context = {**self.get_serializer_context(), "identities": found}
        return CustomerOut(rows, context=context, **options).data


class CustomerTimelineView(ApiView):
    """All that was said with one customer, on every ticket you may see."""

    serializer_class = MessageOut
    ordering = ("-occurred_at", "-id")
    queryset = Message.objects.none()

    def get_queryset(self) -> QuerySet[Message]:
        return messages.said_with(queries.customer_for(self.actor, self.kwargs["pk"]).pk, self.actor)

    @extend_schema(operation_id="customer_timeline", summary="List everything said with a customer, newest first")
    def list(self, request: Request, pk: str) -> Response:
        rows = self.paginate_queryset(self.get_queryset()) or []
        messages.mark_sending(rows)
        return self.get_paginated_response(self.shown(MessageOut, rows, many=True))


class BlockedView(ApiView):
    """Addresses whose messages go to spam. Blocking and letting in again is anybody's at the desk."""

    serializer_class = BlockedOut
    ordering = ("-id",)
    queryset = BlockedSender.objects.none()

    def get_queryset(self) -> QuerySet[BlockedSender]:
        return queries.blocked()

    @extend_schema(operation_id="list_blocked", summary="List blocked senders, latest first")
    def list(self, request: Request) -> Response:
        rows = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.shown(BlockedOut, rows, many=True))

    @extend_schema(
        operation_id="block", summary="Block a sender; twice is once", request=BlockIn, responses={201: BlockedOut}
    )
    def create(self, request: Request) -> Response:
        blocked = actions.block(actor=self.actor, **self.given(BlockIn))
        return Response(self.shown(BlockedOut, blocked), status=201)

    @extend_schema(operation_id="unblock", summary="Listen to a sender again", responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        actions.unblock(blocked_id=pk, actor=self.actor)
        return Response(status=204)
