"""Users: their role, their end, their own settings, and what a role must do to sign in."""

from typing import Any
from zoneinfo import available_timezones

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.actions.rights import ensure_admin, rights_poke
from helpdesk.accounts.events import RolePolicyChanged, UserChanged
from helpdesk.accounts.models import ApiToken, Role, RolePolicy, User
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, Invalid, NotAllowed, NotFound
from helpdesk.core.recorder import record

MOST_SIGNATURE = 2000


class LastAdmin(Conflict):
    code, message = "last_admin", _("This is the last admin. Make somebody else an admin first.")


@transaction.atomic
def change_role(*, user_id: int, role: str, actor: Actor) -> User:
    """The user has another role from the next request on. Admins only; never takes the last admin away."""
    ensure_admin(actor)
    if role not in Role.values:
        raise Invalid(fields={"role": [_("There is no such role.")]})
    user, is_last_admin = _locked_among_admins(user_id)
    if user.role == role:
        return user
    if is_last_admin:
        raise LastAdmin
    change = UserChanged(user_id=user.pk, changes={"role": [user.role, role]})
    user.role = role
    user.save(update_fields=["role"])
    record(change, actor=actor, pokes=[rights_poke(user.pk)])
    return user


@transaction.atomic
def deactivate(*, user_id: int, actor: Actor) -> User:
    """The user is out at once: sessions and keys end. Admins only; never the last admin. Twice changes nothing."""
    ensure_admin(actor)
    user, is_last_admin = _locked_among_admins(user_id)
    if not user.is_active:
        return user
    if is_last_admin:
        raise LastAdmin
    user.is_active = False
    user.save(update_fields=["is_active"])
    _end_sessions(user)
    ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=now())
    record(
        UserChanged(user_id=user.pk, changes={"is_active": [True, False]}), actor=actor, pokes=[rights_poke(user.pk)]
    )
    return user


@transaction.atomic
def reactivate(*, user_id: int, actor: Actor) -> User:
    """The user may sign in again, with the old password; keys stay revoked. Admins only."""
    ensure_admin(actor)
    user = _locked(user_id)
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        record(UserChanged(user_id=user.pk, changes={"is_active": [False, True]}), actor=actor)
    return user


@transaction.atomic
def reset_second_factor(*, user_id: int, actor: Actor) -> User:
    """For a lost phone: the second factor is gone and every session ends. Admins only."""
    ensure_admin(actor)
    user = _locked(user_id)
    gone, _models = Authenticator.objects.filter(user=user).delete()
    if gone:
        _end_sessions(user)
        change = UserChanged(user_id=user.pk, changes={"second_factor": [True, False]})
        record(change, actor=actor, pokes=[rights_poke(user.pk)])
    return user


@transaction.atomic
def require_second_factor(*, role: str, required: bool, actor: Actor) -> RolePolicy:
    """From the next request on, this role does (or need not) set up a second factor to work. Admins only."""
    ensure_admin(actor)
    if role not in Role.values:
        raise Invalid(fields={"role": [_("There is no such role.")]})
    policy, _made = RolePolicy.objects.select_for_update().get_or_create(role=role)
    if policy.mfa_required != required:
        policy.mfa_required = required
        policy.save(update_fields=["mfa_required"])
        record(RolePolicyChanged(role=role, mfa_required=required), actor=actor)
    return policy


@transaction.atomic
def update_profile(*, user_id: int, actor: Actor, **changes: str) -> User:
    """Own settings: any of name, language, theme, time_zone, signature. One's own; an admin, anybody's."""
    if not (actor.is_admin or (actor.is_user and actor.id == user_id)):
        raise NotAllowed
    if problems := profile_problems(changes):
        raise Invalid(fields=problems)
    user = _locked(user_id)
    changed = [field for field, value in changes.items() if getattr(user, field) != value]
    for field in changed:
        setattr(user, field, changes[field])
    if changed:
        user.save(update_fields=changed)
        record(UserChanged(user_id=user.pk, changes={field: [] for field in changed}), actor=actor)
    return user


def profile_problems(changes: dict[str, str]) -> dict[str, list[Any]]:
    """What is wrong with these settings, by field."""
    checks = {
        "name": lambda value: 0 < len(value.strip()) <= 120,
        "language": lambda value: value in dict(settings.LANGUAGES),
        "theme": lambda value: value in {"auto", "light", "dark"},
        "time_zone": lambda value: value in available_timezones(),
        "signature": lambda value: len(value) <= MOST_SIGNATURE,
    }
    return {
        field: [_("Please check this.")]
        for field, value in changes.items()
        if field not in checks or "\x00" in value or not checks[field](value)
    }


def _locked(user_id: int) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user


def _locked_among_admins(user_id: int) -> tuple[User, bool]:
    """The user, and whether no other admin is left. All are locked in one order: two who remove each other wait."""
    wanted = Q(pk=user_id) | Q(role=Role.ADMIN, is_active=True)
    locked = {user.pk: user for user in User.objects.select_for_update().filter(wanted).order_by("pk")}
    user = locked.pop(user_id, None)
    if user is None:
        raise NotFound
    others = any(other.role == Role.ADMIN and other.is_active for other in locked.values())
    return user, user.role == Role.ADMIN and user.is_active and not others


def _end_sessions(user: User) -> None:
    known = UserSession.objects.filter(user=user)
    Session.objects.filter(session_key__in=known.values("session_key")).delete()
    known.delete()
