"""The channels page of the control room: what there is, how it is, setting up, changing, retiring."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from channels_app import actions, kinds, queries
from channels_app.forms import ChannelForm
from channels_app.models import Channel
from channels_app.social_forms import ALL_FORMS, LABELS, STEPS, SocialForm
from helpdesk.accounts import queries as accounts
from helpdesk.accounts.access import supervisors_only
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, DomainError, Invalid, NotFound

SENSITIVE = sorted({secret for _config, secrets in kinds.KEYS.values() for secret in secrets})


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


@require_GET
@supervisors_only
def index(request: HttpRequest) -> HttpResponse:
    """Every channel in use and how it is."""
    found = queries.channels(_actor(request)).order_by("kind", "name")
    context = {"channels": found, "kinds": _kinds(), "section": "control", "tab": "channels"}
    return render(request, "channels_app/channels.html", context)


@sensitive_post_parameters(*SENSITIVE)
@require_http_methods(["GET", "POST"])
@supervisors_only
def create(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Set up a new channel of a kind."""
    form = _form(request, kind, None)
    if request.method == "POST" and form.is_valid():
        try:
            channel = actions.create(kind=kind, actor=_actor(request), **form.values())
        except DomainError as error:
            _show(form, error)
        else:
            messages.success(request, _("The channel is set up."))
            return redirect(f"/control/channels/{channel.pk}/")
    return _page(request, kind, form, None)


@sensitive_post_parameters(*SENSITIVE)
@require_http_methods(["GET", "POST"])
@supervisors_only
def edit(request: HttpRequest, channel_id: UUID) -> HttpResponseBase:
    """One channel: its settings, how it is, and for the chat the line to put on a page."""
    channel = queries.channel_for(_actor(request), channel_id)
    if channel.kind not in ALL_FORMS:
        raise NotFound
    form = _form(request, channel.kind, channel)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change(channel_id=channel.pk, actor=_actor(request), **form.values())
        except DomainError as error:
            _show(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect(request.path)
    return _page(request, channel.kind, form, channel)


@require_POST
@supervisors_only
def retire(request: HttpRequest, channel_id: UUID) -> HttpResponseBase:
    """Close the door; what was said through it stays."""
    channel = actions.retire(channel_id=channel_id, actor=_actor(request))
    messages.success(request, _("{name} is retired. Its conversations stay.").format(name=channel.name))
    return redirect("/control/channels/")


@require_POST
@supervisors_only
def test(request: HttpRequest, channel_id: UUID) -> HttpResponseBase:
    """Ask the provider whether the keys work, and say what it says."""
    lacking = _lacking(queries.channel_for(_actor(request), channel_id))
    found = actions.probe(channel_id=channel_id, actor=_actor(request))
    if lacking:
        messages.error(request, _("Not filled in yet: %(names)s") % {"names": ", ".join(lacking)})
    elif found.ok:
        known = _("The provider knows us as {account}.").format(account=found.account) if found.account else ""
        messages.success(request, " ".join(filter(None, [_("The connection works."), known])))
    else:
        messages.error(request, found.problem)
    return redirect(f"/control/channels/{channel_id}/")


@require_POST
@supervisors_only
def call_us(request: HttpRequest, channel_id: UUID) -> HttpResponseBase:
    """Have the provider call this desk."""
    try:
        actions.call_us(channel_id=channel_id, actor=_actor(request))
    except (Invalid, Conflict) as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The provider calls this desk from now on."))
    return redirect(f"/control/channels/{channel_id}/")


def _kinds() -> list[tuple[str, str]]:
    """What can be set up, with its name."""
    return [(kind, str(Channel.Kind(kind).label)) for kind in ALL_FORMS]


def _lacking(channel: Channel) -> list[str]:
    """What has to be filled in before the channel can work, as the form calls it."""
    keys = kinds.missing(channel.kind, channel.config, dict(channel.secrets))
    return [str(LABELS[key][0]) if key in LABELS else key for key in keys]


def _form(request: HttpRequest, kind: str, channel: Channel | None) -> ChannelForm:
    if kind not in ALL_FORMS:
        raise NotFound
    form = ALL_FORMS[kind]
    more = {"is_admin": _actor(request).is_admin} if issubclass(form, SocialForm) else {}
    return form(request.POST or None, channel=channel, teams=accounts.teams(), **more)


def _page(request: HttpRequest, kind: str, form: ChannelForm, channel: Channel | None) -> HttpResponse:
    embed = ""
    if channel and kind == "webchat":
        embed = f'<script src="{settings.SITE_URL}/widget.js" async data-channel="{channel.pk}"></script>'
    context = {
        "form": form,
        "channel": channel,
        "kind": kind,
        "embed": embed,
        "can_connect": channel is not None and channel.is_active and kind in kinds.SIGNED_IN,
        "mail_port": settings.ENV.mail_port,
        "kind_name": Channel.Kind(kind).label,
        "steps": STEPS.get(kind, ""),
        "hook_url": f"{settings.SITE_URL}/hooks/{channel.pk}/" if channel and kind in STEPS else "",
        "is_connected_by_us": kind in kinds.CONNECTED_BY_US,
        "missing": _lacking(channel) if channel else [],
        "section": "control",
        "tab": "channels",
    }
    return render(request, "channels_app/channel.html", context, status=422 if form.errors else 200)


def _show(form: ChannelForm, error: DomainError) -> None:
    """A refusal beside the field it is about, or above the form."""
    named = {field.rpartition(".")[2] for field in error.fields}
    shown = [name for name in named if name in form.fields]
    for name in shown:
        form.add_error(name, str(error.message))
    if not shown:
        form.add_error(None, str(error.message))
