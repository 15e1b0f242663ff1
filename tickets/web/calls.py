"""Writing down a call or a walk-in: on an open conversation, or before there is one."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from helpdesk.accounts.access import signed_in
from helpdesk.core.errors import Invalid
from tickets.enums import CallOutcome
from tickets.lifecycle.queries import survivor, ticket_for
from tickets.messages import calls
from tickets.web.acts import dialog, done
from tickets.web.inbox import actor_of

DIRECTIONS = [("in", gettext_lazy("They called us")), ("out", gettext_lazy("We called them"))]


class CallForm(forms.Form):
    """What is known of a call."""

    direction = forms.ChoiceField(label=gettext_lazy("Who began it"), choices=DIRECTIONS, initial="in")
    outcome = forms.ChoiceField(label=gettext_lazy("What came of it"), choices=CallOutcome.choices)
    text = forms.CharField(
        label=gettext_lazy("Notes"),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
        max_length=calls.MAX_TEXT,
        help_text=gettext_lazy("For colleagues; the customer does not see it."),
    )
    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes"), min_value=0, max_value=calls.LONGEST // 60, required=False
    )
    at = forms.DateTimeField(
        label=gettext_lazy("When"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def call(self) -> dict[str, Any]:
        """As the action wants it. The field knows no seconds: a moment of this very minute is now."""
        given = self.cleaned_data
        at = given["at"]
        if timedelta() < at - timezone.now() <= timedelta(minutes=1):
            at = timezone.now()
        direction = "in" if given["outcome"] == CallOutcome.WALK_IN else given["direction"]
        call = calls.Call(direction=direction, outcome=given["outcome"], seconds=(given["minutes"] or 0) * 60)
        return {"call": call, "text": given["text"], "at": at}


class NewCallForm(CallForm):
    """A call before there is a conversation."""

    phone = forms.CharField(
        label=gettext_lazy("Telephone number"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
        help_text=gettext_lazy("Of somebody we know: it goes to their open conversation."),
    )
    name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=200)
    is_new = forms.BooleanField(label=gettext_lazy("Begin another conversation all the same"), required=False)
    field_order = ("phone", "name", "direction", "outcome", "text", "minutes", "at", "is_new")


@require_http_methods(["GET", "POST"])
@signed_in
def log(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The dialog of a call on an open conversation."""
    actor = actor_of(request)
    ticket = survivor(ticket_for(actor, ticket_id))
    form = CallForm(request.POST or None, initial={"at": timezone.localtime()})
    if request.method == "POST" and form.is_valid():
        try:
            calls.log(ticket_id=ticket_id, actor=actor, **form.call())
        except Invalid as refused:
            form.add_error("at" if "occurred_at" in refused.fields else None, refused.message)
        else:
            return done(request, ticket_id, _("Written down."), undo=False, **{"close-dialog": True})
    return dialog(request, "tickets/_call.html", {"form": form, "ticket": ticket, "where": f"/inbox/{ticket.pk}/call/"})


@require_http_methods(["GET", "POST"])
@signed_in
def log_anew(request: HttpRequest) -> HttpResponse:
    """The dialog of a call from somebody whose conversation is not open: leads to it."""
    form = NewCallForm(request.POST or None, initial={"at": timezone.localtime()})
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("phone", "name", "is_new")}
        try:
            message = calls.log_anew(actor=actor_of(request), **given, **form.call())
        except Invalid as refused:
            names = {"occurred_at": "at", "phone": "phone"}
            form.add_error(next((names[one] for one in refused.fields if one in names), None), refused.message)
        else:
            response = HttpResponse(status=204)
            response["HX-Redirect"] = f"/inbox/{message.ticket_id}/"
            return response
    return dialog(request, "tickets/_call.html", {"form": form, "where": "/inbox/call/"})
