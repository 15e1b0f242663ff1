"""Who may be the same person, and codes that prove an address."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.core.api import ApiView, Given, Id, Moment, Shape, Text
from tickets.api.shapes import IdentityOut
from tickets.customers import claims, queries, suggestions
from tickets.lifecycle import people
from tickets.models import Identity, IdentityClaim, MergeSuggestion


class SuggestionOut(Shape):
    """Somebody who may be the same person as this customer. Asked once for each pair."""

    id = Id(source="pk", read_only=True)
    other = serializers.SerializerMethodField(help_text="Id of the other customer.")
    other_name = serializers.SerializerMethodField()
    reason = serializers.CharField(
        read_only=True, help_text="same_phone, same_email, same_name, claimed (one gave the other's proved address)."
    )
    state = serializers.ChoiceField(MergeSuggestion.State.choices, read_only=True)
    created_at = Moment(read_only=True)

    def get_other(self, one: MergeSuggestion) -> str:
        return str(self.context["others"][one.pk].pk)

    def get_other_name(self, one: MergeSuggestion) -> str:
        return str(self.context["others"][one.pk].name)


class ClaimOut(Shape):
    """An address that a customer says is theirs and that nothing has proved yet."""

    id = Id(source="pk", read_only=True)
    kind = serializers.CharField(read_only=True)
    value = serializers.CharField(read_only=True)
    code_sent_at = Moment(read_only=True, allow_null=True)
    code_expires_at = Moment(read_only=True, allow_null=True)


class CodeIn(Given):
    """The code as the customer told it."""

    code = Text(max_length=12)


class SuggestionView(ApiView):
    """Open questions about a customer; those about people you may not know are left out."""

    serializer_class = SuggestionOut
    queryset = MergeSuggestion.objects.none()

    @extend_schema(
        operation_id="list_suggestions",
        summary="List who may be the same person",
        responses={200: SuggestionOut(many=True)},
        filters=False,
    )
    def list(self, request: Request, pk: str) -> Response:
        found = suggestions.suggestions(pk, self.actor)
        self.ordering = ("id",)
        rows = self.paginate_queryset(suggestions.rows([one.pk for one, _other in found])) or []
        return self.get_paginated_response(self._shown(rows, {one.pk: other for one, other in found}))

    @extend_schema(
        operation_id="accept_suggestion",
        summary="They are one person: this customer survives",
        request=None,
        responses={200: SuggestionOut},
        filters=False,
    )
    def accept(self, request: Request, pk: str, suggestion_id: str) -> Response:
        act: dict[str, Any] = {"customer_id": pk, "suggestion_id": suggestion_id, "actor": self.actor}
        other = suggestions.other_in(**act)
        people.accept(**act)
        return Response(self._shown(suggestions.rows([int(suggestion_id)]), {int(suggestion_id): other})[0])

    @extend_schema(
        operation_id="decline_suggestion",
        summary="They are two people: nobody is asked again",
        request=None,
        responses={200: SuggestionOut},
        filters=False,
    )
    def decline(self, request: Request, pk: str, suggestion_id: str) -> Response:
        return self._decided(suggestions.decline, pk, suggestion_id)

    @extend_schema(
        operation_id="reopen_suggestion",
        summary="It was declined by mistake: ask again",
        request=None,
        responses={200: SuggestionOut},
        filters=False,
    )
    def reopen(self, request: Request, pk: str, suggestion_id: str) -> Response:
        return self._decided(suggestions.ask_again, pk, suggestion_id)

    def _decided(self, act: Any, pk: str, suggestion_id: str) -> Response:
        one = act(customer_id=pk, suggestion_id=suggestion_id, actor=self.actor)
        other = suggestions.other_in(customer_id=pk, suggestion_id=suggestion_id, actor=self.actor)
        return Response(self._shown([one], {one.pk: other})[0])

    def _shown(self, rows: Any, others: dict[int, Any]) -> Any:
        return SuggestionOut(rows, many=True, context={**self.get_serializer_context(), "others": others}).data


class ProofView(ApiView):
    """Codes sent to an address; the customer reads them back by any other way."""

    serializer_class = ClaimOut
    queryset = IdentityClaim.objects.none()

    @extend_schema(
        operation_id="list_claims",
        summary="List addresses that a customer says are theirs",
        responses={200: ClaimOut(many=True)},
        filters=False,
    )
    def claims(self, request: Request, pk: str) -> Response:
        found = queries.unproved_claims(queries.family(queries.customer_for(self.actor, pk).pk))
        self.ordering = ("id",)
        rows = self.paginate_queryset(found.order_by())
        return self.get_paginated_response(self.shown(ClaimOut, rows, many=True))

    @extend_schema(
        operation_id="send_identity_code",
        summary="Send a code to an address of a customer",
        request=None,
        responses={202: ClaimOut},
        filters=False,
    )
    def send_to_identity(self, request: Request, pk: str, identity_id: str) -> Response:
        return self._send(pk, queries.identity_of(self.actor, pk, identity_id))

    @extend_schema(
        operation_id="confirm_identity_code",
        summary="The code came back: the address is proved",
        request=CodeIn,
        responses={200: IdentityOut},
        filters=False,
    )
    def confirm_identity(self, request: Request, pk: str, identity_id: str) -> Response:
        return self._confirm(pk, queries.identity_of(self.actor, pk, identity_id))

    @extend_schema(
        operation_id="send_claim_code",
        summary="Send a code to an address that a customer says is theirs",
        request=None,
        responses={202: ClaimOut},
        filters=False,
    )
    def send_to_claim(self, request: Request, pk: str, claim_id: str) -> Response:
        return self._send(pk, queries.claim_of(self.actor, pk, claim_id))

    @extend_schema(
        operation_id="confirm_claim_code",
        summary="The code came back: the address is theirs, and whoever has it is the same person",
        request=CodeIn,
        responses={200: IdentityOut},
        filters=False,
    )
    def confirm_claim(self, request: Request, pk: str, claim_id: str) -> Response:
        return self._confirm(pk, queries.claim_of(self.actor, pk, claim_id))

    def _send(self, pk: str, one: Identity | IdentityClaim) -> Response:
        claim = claims.send(customer_id=pk, kind=one.kind, value=one.value, actor=self.actor)
        return Response(self.shown(ClaimOut, claim), status=202)

    def _confirm(self, pk: str, one: Identity | IdentityClaim) -> Response:
        code = self.given(CodeIn)["code"]
        who = people.confirm_code(customer_id=pk, kind=one.kind, value=one.value, code=code, actor=self.actor)
        return Response(self.shown(IdentityOut, queries.identity_named(who.pk, one.kind, one.value)))
