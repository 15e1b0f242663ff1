"""The customer as an agent knows them: particulars, addresses and their proof, who is the same person."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from channels_app import media
from helpdesk.accounts.access import signed_in
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, NotFound, TooMany
from tickets.customers import actions as customers
from tickets.customers import claims, queries, suggestions
from tickets.lifecycle import people
from tickets.lifecycle.queries import ticket_for
from tickets.models import Customer, Ticket
from tickets.web import listing, side, words
from tickets.web.acts import dialog, done
from tickets.web.inbox import actor_of

FORMS_OF_ADDRESS = ["anh", "chị", "em", "cô", "chú", "Mr", "Ms"]
FOUND = 8


class CustomerForm(forms.Form):
    """What the desk knows about a person."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    form_of_address = forms.ChoiceField(
        label=gettext_lazy("Form of address"),
        choices=[("", gettext_lazy("Not known")), *((one, one) for one in FORMS_OF_ADDRESS)],
        required=False,
        help_text=gettext_lazy("How we speak to them: anh, chị, em …"),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("Not known")), ("vi", "Tiếng Việt"), ("en", "English")],
        required=False,
    )
    preferred_channel = forms.ChoiceField(
        label=gettext_lazy("Would like to be answered by"),
        choices=[
            ("", gettext_lazy("Whichever they write on")),
            *((one, words.CHANNELS[one]) for one in customers.CHANNELS),
        ],
        required=False,
        help_text=gettext_lazy("As they said themselves. Answers go there first, where it can reach them."),
    )


class AddressForm(forms.Form):
    """One more address of a person."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=[("email", gettext_lazy("E-mail")), ("phone", gettext_lazy("Telephone"))]
    )
    value = forms.CharField(label=gettext_lazy("Address"), max_length=254)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("kind") == "email" and given.get("value"):
            given["value"] = forms.EmailField().clean(given["value"])
        return given


@require_http_methods(["GET", "POST"])
@signed_in
def edit(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The dialog of a customer's particulars."""
    actor, ticket, customer = _asked(request, ticket_id)
    form = CustomerForm(request.POST or None, initial=_initial(customer))
    if request.method == "POST" and form.is_valid():
        customers.change(customer_id=customer.pk, actor=actor, **form.cleaned_data)
        return done(request, ticket_id, _("Saved."), undo=False, **{"close-dialog": True})
    return dialog(request, "tickets/_customer.html", {"form": form, "ticket": ticket})


@require_POST
@signed_in
def notes(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """What every colleague should know about this customer; saved when the field is left."""
    actor, _ticket, customer = _asked(request, ticket_id)
    customers.change(customer_id=customer.pk, actor=actor, notes=request.POST.get("notes", "").strip()[:5000])
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
@signed_in
def address(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The dialog of one more address. One that is somebody else's asks whether they are the same person."""
    actor, ticket, customer = _asked(request, ticket_id)
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            customers.add_address(customer_id=customer.pk, actor=actor, **form.cleaned_data)
        except Conflict:
            customers.say(customer_id=customer.pk, actor=actor, **form.cleaned_data)
            text = _("Somebody else has this address. The panel asks whether they are the same person.")
            return done(request, ticket_id, text, undo=False, **{"close-dialog": True})
        text = _prove(customer, form.cleaned_data, actor) if "prove" in request.POST else _("Added.")
        return done(request, ticket_id, text, undo=False, **{"close-dialog": True})
    return dialog(request, "tickets/_customer_address.html", {"form": form, "ticket": ticket})


@require_http_methods(["GET", "POST"])
@signed_in
def merge(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Find the other customer by name or address and make them one person. The one beside the thread survives.

    Before anything is typed, those of the very same name are offered.
    """
    actor, ticket, customer = _asked(request, ticket_id)
    if request.method == "POST":
        other = request.POST.get("other", "")
        people.join(survivor_id=customer.pk, loser_id=other, actor=actor)
        undo = f"/inbox/{ticket_id}/customer/part/?customer={int(other)}&by_mistake=1"
        return done(request, ticket_id, _("They are one person now."), undo=undo, **{"close-dialog": True})
    q = request.GET.get("q", "").strip()
    asked = queries.searched(actor, q) if q else queries.namesakes(actor, customer)
    found = [one for one in asked[: FOUND + 1] if one.pk != customer.pk][:FOUND]
    known = queries.identities_of([one.pk for one in found])
    options = [{"id": one.pk, "name": str(one), "addresses": [side.placed(a) for a in known[one.pk]]} for one in found]
    context = {"ticket": ticket, "customer": customer, "found": options, "q": q, "icons_url": listing.icons_url()}
    is_search = request.headers.get("HX-Target") == "merge-found"
    return render(request, "tickets/_merge_people_found.html" if is_search else "tickets/_merge_people.html", context)


@require_POST
@signed_in
def part(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Somebody who was merged into this customer stands alone again."""
    actor, _ticket, customer = _asked(request, ticket_id)
    given = {**request.GET.dict(), **request.POST.dict()}
    chosen = given.get("customer", "")
    former = queries.customer_for(actor, chosen).canonical_id
    if former not in queries.family(customer.pk):
        raise NotFound
    people.part(customer_id=chosen, actor=actor, by_mistake="by_mistake" in given)
    if "by_mistake" in given:
        return done(request, ticket_id, _("Taken back."), undo=False)
    undo = f"/inbox/{ticket_id}/customer/rejoin/?customer={int(chosen)}&former={former}"
    return done(request, ticket_id, _("They are two people again, each with their own words."), undo=undo)


@require_POST
@signed_in
def rejoin(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """They were parted by mistake."""
    given = request.GET
    ticket_for(actor_of(request), ticket_id)
    people.join_again(customer_id=given.get("customer", ""), former_id=given.get("former", ""), actor=actor_of(request))
    return done(request, ticket_id, _("Taken back."), undo=False)


@require_POST
@signed_in
def decide(request: HttpRequest, ticket_id: int, suggestion_id: int, answer: str) -> HttpResponse:
    """Say whether a suggested pair is one person: accept, decline, or again to be asked once more."""
    actor, _ticket, customer = _asked(request, ticket_id)
    act: dict[str, Any] = {"customer_id": customer.pk, "suggestion_id": suggestion_id, "actor": actor}
    base = f"/inbox/{ticket_id}"
    if answer == "accept":
        other = suggestions.other_in(**act)
        people.accept(**act)
        undo = f"{base}/customer/part/?customer={other.pk}&by_mistake=1"
        return done(request, ticket_id, _("They are one person now."), undo=undo)
    if answer == "decline":
        suggestions.decline(**act)
        undo = f"{base}/suggestions/{suggestion_id}/again/"
        return done(request, ticket_id, _("Two people. Nobody is asked again."), undo=undo)
    suggestions.ask_again(**act)
    return done(request, ticket_id, _("Taken back."), undo=False)


@require_POST
@signed_in
def send_code(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Send a code to an address, and show where the one that comes back is typed."""
    actor, _ticket, customer = _asked(request, ticket_id)
    kind, value = request.POST.get("kind", ""), request.POST.get("value", "")
    claims.send(customer_id=customer.pk, kind=kind, value=value, actor=actor)
    return done(request, ticket_id, _on_its_way(value), undo=False)


@require_POST
@signed_in
def confirm_code(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The code that the customer told."""
    actor, _ticket, customer = _asked(request, ticket_id)
    given = {name: request.POST.get(name, "") for name in ("kind", "value", "code")}
    people.confirm_code(customer_id=customer.pk, actor=actor, **given)
    return done(request, ticket_id, _("Proved: {address} is theirs.").format(address=given["value"]), undo=False)


@require_GET
@signed_in
def picture(request: HttpRequest, customer_id: int) -> HttpResponse:
    """The picture that the provider has of somebody."""
    found = queries.picture_of(actor_of(request), customer_id)
    if found.content_type not in media.SAFE_IMAGES:
        raise NotFound
    response = HttpResponse(media.path_of(found.path).read_bytes(), content_type=found.content_type)
    response["Content-Disposition"] = content_disposition_header(False, found.filename) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=86400"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _asked(request: HttpRequest, ticket_id: int) -> tuple[Actor, Ticket, Customer]:
    """Who asks, about which ticket, and who its customer is now."""
    actor = actor_of(request)
    ticket = ticket_for(actor, ticket_id)
    return actor, ticket, queries.survivor(ticket.customer)


def _prove(customer: Customer, given: dict[str, str], actor: Actor) -> str:
    """Send a code to an address that was just added; what happened in words. The address stays where none can go."""
    try:
        claims.send(customer_id=customer.pk, actor=actor, **given)
    except (Conflict, TooMany) as error:
        return _("Added. {why}").format(why=error.message)
    return _on_its_way(given["value"])


def _on_its_way(value: str) -> str:
    text = _("A code is on its way to {address}. Type it beside the address when the customer tells it.")
    return text.format(address=value)


def _initial(customer: Customer) -> dict[str, str]:
    return {name: getattr(customer, name) for name in ("name", "form_of_address", "language", "preferred_channel")}
