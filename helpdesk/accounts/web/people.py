"""People of the desk, for supervisors and admins: users, roles, teams, invitations."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts import actions, queries
from helpdesk.accounts.access import supervisors_only
from helpdesk.accounts.forms import InviteForm, TeamForm, show_refusal
from helpdesk.accounts.models import Invitation, Role
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, DomainError, NotFound


@never_cache
@require_GET
@supervisors_only
def people(request: HttpRequest) -> HttpResponse:
    """Everybody and every team; what the reader may change stands beside it."""
    return _page(request)


@never_cache
@require_POST
@supervisors_only
def invite(request: HttpRequest) -> HttpResponse:
    """Sends the mail, and shows the link this once for whoever wants to hand it over in another way."""
    actor = _actor(request)
    form = _invite_form(actor, request.POST)
    if not form.is_valid():
        return _page(request, invite_form=form, status=422)
    given = form.cleaned_data
    try:
        made = actions.invite(
            email=given["email"],
            name=given["name"],
            role=given["role"],
            language=given["language"],
            team_ids=[int(team) for team in given.get("teams", [])],
            actor=actor,
        )
    except DomainError as error:
        show_refusal(form, error)
        return _page(request, invite_form=form, status=422)
    return _page(request, made=made)


@never_cache
@require_POST
@supervisors_only
def change_invitation(request: HttpRequest, invitation_id: int, act: str) -> HttpResponse:
    """Send it again, or take it back."""
    actor = _actor(request)
    if act == "resend":
        return _page(request, made=actions.resend(invitation_id=invitation_id, actor=actor))
    if act != "revoke":
        raise NotFound
    actions.revoke(invitation_id=invitation_id, actor=actor)
    messages.success(request, _("The invitation is taken back."))
    return redirect("people:people")


@require_POST
@supervisors_only
def change_user(request: HttpRequest, user_id: int, act: str) -> HttpResponse:
    """Role, end, return, and a new start for the second factor."""
    actor = _actor(request)
    acts: dict[str, Callable[[], object]] = {
        "role": lambda: actions.change_role(user_id=user_id, role=request.POST.get("role", ""), actor=actor),
        "deactivate": lambda: actions.deactivate(user_id=user_id, actor=actor),
        "reactivate": lambda: actions.reactivate(user_id=user_id, actor=actor),
        "second-factor": lambda: actions.reset_second_factor(user_id=user_id, actor=actor),
    }
    return _done(request, acts.get(act))


@require_POST
@supervisors_only
def create_team(request: HttpRequest) -> HttpResponse:
    """A new team; a name that is taken is said beside the field."""
    form = TeamForm(request.POST)
    if form.is_valid():
        try:
            actions.create_team(name=form.cleaned_data["name"], actor=_actor(request))
        except Conflict as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect(reverse("people:people") + "#teams")
    return _page(request, team_form=form, status=422)


@require_POST
@supervisors_only
def change_team(request: HttpRequest, team_id: int, act: str) -> HttpResponse:
    """Its name, its end, its return, its members."""
    actor = _actor(request)
    member = request.POST.get("user", "")
    user_id = int(member) if member.isdecimal() and len(member) < 19 else 0
    acts: dict[str, Callable[[], object]] = {
        "rename": lambda: actions.rename_team(team_id=team_id, name=request.POST.get("name", ""), actor=actor),
        "retire": lambda: actions.retire_team(team_id=team_id, actor=actor),
        "revive": lambda: actions.revive_team(team_id=team_id, actor=actor),
        "add": lambda: actions.add_member(team_id=team_id, user_id=user_id, actor=actor),
        "remove": lambda: actions.remove_member(team_id=team_id, user_id=user_id, actor=actor),
    }
    return _done(request, acts.get(act), "#teams")


@require_POST
@supervisors_only
def second_factor(request: HttpRequest) -> HttpResponse:
    """Which roles need a second factor."""
    actor = _actor(request)
    wanted = set(request.POST.getlist("roles"))

    def change() -> None:
        for role in Role.values:
            actions.require_second_factor(role=role, required=role in wanted, actor=actor)

    return _done(request, change, "#rules")


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _done(request: HttpRequest, act: Callable[[], object] | None, anchor: str = "") -> HttpResponse:
    """Do it and show the page again, with what went wrong in words; refusals for lack of rights go on up."""
    if act is None:
        raise NotFound
    try:
        act()
        messages.success(request, _("Saved."))
    except DomainError as error:
        if error.status in {403, 404}:
            raise
        detail = " ".join(str(problem) for problems in error.fields.values() for problem in problems)
        messages.error(request, detail or str(error.message))
    return redirect(reverse("people:people") + anchor)


def _invite_form(actor: Actor, data: Any = None) -> InviteForm:
    teams = list(queries.teams())
    if not actor.is_admin:
        teams = [team for team in teams if team.pk in actor.team_ids]
    roles = list(Role.choices) if actor.is_admin else [(Role.AGENT.value, Role.AGENT.label)]
    return InviteForm(data, roles=roles, teams=teams)


def _page(request: HttpRequest, *, status: int = 200, **given: Any) -> HttpResponse:
    actor = _actor(request)
    users = list(queries.everybody())
    teams = list(queries.teams_with_members())
    members = {team.pk: {user.pk for user in team.members.all()} for team in teams}
    made: Invitation | None = given.get("made")
    context = {
        "users": users,
        "teams": [
            {
                "team": team,
                "members": sorted(team.members.all(), key=lambda user: user.name),
                "others": [user for user in users if user.is_active and user.pk not in members[team.pk]],
                "is_mine": team.is_active and (actor.is_admin or team.pk in actor.team_ids),
            }
            for team in teams
        ],
        "roles": Role.choices,
        "strict_roles": queries.roles_with_required_mfa(),
        "invitations": queries.open_invitations(actor).prefetch_related("teams"),
        "invite_form": given.get("invite_form") or _invite_form(actor),
        "team_form": given.get("team_form") or TeamForm(),
        "made": made,
        "link": settings.SITE_URL + reverse("accounts:invitation", args=[made.token]) if made else "",
        "is_admin": actor.is_admin,
        "section": "control",
    }
    return render(request, "accounts/people.html", context, status=status)
