"""The customer as an agent edits them: name, language, form of address, notes."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.accounts.access import signed_in
from tickets.customers import actions as customers
from tickets.customers import queries
from tickets.lifecycle.queries import ticket_for
from tickets.models import Customer
from tickets.web.acts import done
from tickets.web.inbox import actor_of

FORMS_OF_ADDRESS = ["anh", "chị", "em", "cô", "chú", "Mr", "Ms"]


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


@require_http_methods(["GET", "POST"])
@signed_in
def edit(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The dialog of a customer's particulars."""
    actor = actor_of(request)
    ticket = ticket_for(actor, ticket_id)
    customer = queries.survivor(ticket.customer)
    form = CustomerForm(request.POST or None, initial=_initial(customer))
    if request.method == "POST" and form.is_valid():
        customers.change(customer_id=customer.pk, actor=actor, **form.cleaned_data)
        return done(request, ticket_id, _("Saved."), undo=False, **{"close-dialog": True})
    return render(request, "tickets/_customer.html", {"form": form, "ticket": ticket})


@require_POST
@signed_in
def notes(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """What every colleague should know about this customer; saved when the field is left."""
    actor = actor_of(request)
    ticket = ticket_for(actor, ticket_id)
    customer = queries.survivor(ticket.customer)
    customers.change(customer_id=customer.pk, actor=actor, notes=request.POST.get("notes", "").strip()[:5000])
    return HttpResponse(status=204)


def _initial(customer: Customer) -> dict[str, str]:
    return {name: getattr(customer, name) for name in ("name", "form_of_address", "language")}
