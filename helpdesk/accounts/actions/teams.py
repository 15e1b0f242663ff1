"""Teams: made, renamed, retired; who belongs to them."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts import queries
from helpdesk.accounts.actions.rights import ensure_admin, ensure_leads, rights_poke
from helpdesk.accounts.events import MembershipChanged, TeamChanged
from helpdesk.accounts.models import Membership, Team, User
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, Invalid, NotFound
from helpdesk.core.recorder import record


@transaction.atomic
def create_team(*, name: str, actor: Actor) -> Team:
    """A new team. Admins only; a name is used once, also by a retired team."""
    ensure_admin(actor)
    team = Team(name=_checked_name(name))
    _save(team)
    record(TeamChanged(team_id=team.pk, state="created"), actor=actor)
    return team


@transaction.atomic
def rename_team(*, team_id: int, name: str, actor: Actor) -> Team:
    """The same team under another name. Admins only; the same name changes nothing."""
    ensure_admin(actor)
    team = _locked(team_id)
    name = _checked_name(name)
    if name != team.name:
        team.name = name
        _save(team)
        record(TeamChanged(team_id=team.pk, state="renamed"), actor=actor)
    return team


@transaction.atomic
def retire_team(*, team_id: int, actor: Actor) -> Team:
    """No new work goes to the team; its members keep seeing the old. Admins only. Twice changes nothing."""
    return _set_active(team_id, False, actor)


@transaction.atomic
def revive_team(*, team_id: int, actor: Actor) -> Team:
    """A retired team works again. Admins only. Twice changes nothing."""
    return _set_active(team_id, True, actor)


@transaction.atomic
def change_team(
    *,
    team_id: int,
    actor: Actor,
    name: str | None = None,
    is_active: bool | None = None,
    member_ids: set[int] | None = None,
) -> Team:
    """Several changes at once, all or none; `member_ids` is the whole list of members."""
    team = queries.team_for(actor, team_id)
    if name is not None:
        team = rename_team(team_id=team_id, name=name, actor=actor)
    if is_active is not None:
        team = _set_active(team_id, is_active, actor)
    if member_ids is not None:
        ensure_leads(actor, team_id)
        present = set(Membership.objects.filter(team_id=team_id).values_list("user_id", flat=True))
        for user_id in sorted(member_ids - present):
            add_member(team_id=team_id, user_id=user_id, actor=actor)
        for user_id in sorted(present - member_ids):
            remove_member(team_id=team_id, user_id=user_id, actor=actor)
    return team


@transaction.atomic
def add_member(*, team_id: int, user_id: int, actor: Actor) -> Membership:
    """The user belongs to the team. Admins, and supervisors of the team. Twice changes nothing."""
    ensure_leads(actor, team_id)
    team = _locked(team_id)
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise NotFound
    if not team.is_active:
        raise Conflict(_("This team is retired."))
    if not user.is_active:
        raise Conflict(_("This person no longer works here."))
    membership, made = Membership.objects.get_or_create(team=team, user=user)
    if made:
        change = MembershipChanged(user_id=user.pk, team_id=team.pk, is_member=True)
        record(change, actor=actor, pokes=[rights_poke(user.pk)])
    return membership


@transaction.atomic
def remove_member(*, team_id: int, user_id: int, actor: Actor) -> Team:
    """The user no longer belongs to the team. Admins, and supervisors of the team. Twice changes nothing."""
    ensure_leads(actor, team_id)
    team = _locked(team_id)
    gone, _models = Membership.objects.filter(team=team, user_id=user_id).delete()
    if gone:
        change = MembershipChanged(user_id=user_id, team_id=team.pk, is_member=False)
        record(change, actor=actor, pokes=[rights_poke(user_id)])
    return team


def _set_active(team_id: int, is_active: bool, actor: Actor) -> Team:
    ensure_admin(actor)
    team = _locked(team_id)
    if team.is_active != is_active:
        team.is_active = is_active
        team.save(update_fields=["is_active"])
        record(TeamChanged(team_id=team.pk, state="revived" if is_active else "retired"), actor=actor)
    return team


def _locked(team_id: int) -> Team:
    team = Team.objects.select_for_update().filter(pk=team_id).first()
    if team is None:
        raise NotFound
    return team


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 80:
        raise Invalid(fields={"name": [_("A team needs a name of at most 80 letters.")]})
    return name


def _save(team: Team) -> None:
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError:
        raise Conflict(_("There is a team of this name already."), fields={"name": [_("Taken.")]}) from None
