"""Reading people: the actor behind a user, colleagues, teams, invitations and keys."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import now

from helpdesk.accounts import tokens
from helpdesk.accounts.models import ApiToken, Invitation, Membership, RolePolicy, Team, User
from helpdesk.core.actor import Actor
from helpdesk.core.errors import NotFound

ANONYMOUS = Actor(kind="anonymous")


def user_with_rights(user_id: Any) -> User | None:
    """The active user with all that a request wants to know of its user, in one query: teams, a missing factor."""
    required = RolePolicy.objects.filter(role=OuterRef("role"), mfa_required=True)
    present = Authenticator.objects.filter(user_id=OuterRef("pk"), type=Authenticator.Type.TOTP)
    teams = Membership.objects.filter(user_id=OuterRef("pk")).values("team_id")
    users = User.objects.annotate(loaded_teams=ArraySubquery(teams), loaded_missing=Exists(required) & ~Exists(present))
    user = users.filter(pk=user_id, is_active=True).first()
    if user is not None:
        user.actor_team_ids, user.mfa_missing = user.loaded_teams, user.loaded_missing
    return user


def actor_for(user: User) -> Actor:
    """The user as an actor, with the teams of this moment (no query after `user_with_rights`, else one)."""
    team_ids = user.actor_team_ids
    if team_ids is None:
        team_ids = list(Membership.objects.filter(user_id=user.pk).values_list("team_id", flat=True))
    return Actor(kind="user", id=user.pk, name=user.name, role=user.role, team_ids=frozenset(team_ids))


def token_bearer(token: str) -> ApiToken | None:
    """The living key with its active user, rights included, or None (one query)."""
    teams = Membership.objects.filter(user_id=OuterRef("user_id")).values("team_id")
    found = (
        ApiToken.objects.filter(digest=tokens.digest(token), revoked_at=None, user__is_active=True)
        .exclude(expires_at__lte=now())
        .select_related("user")
        .annotate(bearer_team_ids=ArraySubquery(teams))
        .first()
    )
    if found is not None:
        found.user.actor_team_ids = found.bearer_team_ids
    return found


def active_users() -> QuerySet[User]:
    """Everybody who may sign in, by name."""
    return User.objects.filter(is_active=True).order_by("name", "pk")


def supervisors_of(team_id: int | None) -> QuerySet[User]:
    """Who is to hear of trouble in a team: its supervisors and every admin; all supervisors where there is no team."""
    found = active_users().filter(role__in=("supervisor", "admin"))
    if team_id is None:
        return found
    return found.filter(Q(role="admin") | Q(pk__in=Membership.objects.filter(team_id=team_id).values("user_id")))


def colleagues() -> QuerySet[User]:
    """Everybody who may sign in, by name, with the ids of their teams as `works_in`; only what a menu shows."""
    own = Membership.objects.filter(user_id=OuterRef("pk")).values("team_id")
    return active_users().annotate(works_in=ArraySubquery(own)).only("id", "name", "role")


def by_name() -> QuerySet[User]:
    """Whoever works or worked here, by name, with their teams."""
    return User.objects.order_by("name", "id").prefetch_related("teams")


def teams_by_name() -> QuerySet[Team]:
    """Every team, in use or not, by name, with its members."""
    return Team.objects.order_by("name", "id").prefetch_related("members")


def everybody() -> QuerySet[User]:
    """Whoever works or worked here, the present ones first, with their second factor as `has_second_factor`."""
    factor = Authenticator.objects.filter(user_id=OuterRef("pk"), type=Authenticator.Type.TOTP)
    return (
        User.objects.annotate(has_second_factor=Exists(factor))
        .prefetch_related("teams")
        .order_by("-is_active", "name", "pk")
    )


def teams_with_members() -> QuerySet[Team]:
    """Every team, those in use first, with their members (two queries)."""
    return Team.objects.prefetch_related("members").order_by("-is_active", "name")


def teams() -> QuerySet[Team]:
    """Every team in use, by name."""
    return Team.objects.filter(is_active=True).order_by("name")


def user_for(actor: Actor, user_id: int) -> User:
    """A colleague, active or not: everybody at the desk may know who works there. NotFound otherwise."""
    user = User.objects.filter(pk=user_id).first() if actor.is_user else None
    if user is None:
        raise NotFound
    return user


def team_for(actor: Actor, team_id: int) -> Team:
    """A team, retired or not. NotFound otherwise."""
    team = Team.objects.filter(pk=team_id).first() if actor.is_user else None
    if team is None:
        raise NotFound
    return team


def open_invitations(actor: Actor) -> QuerySet[Invitation]:
    """Invitations nobody has used yet, newest first: all for an admin, a supervisor's own ones, none for others."""
    waiting = Invitation.objects.filter(accepted_at=None, revoked_at=None).order_by("-created_at", "-pk")
    if actor.is_admin:
        return waiting
    return waiting.filter(invited_by_id=actor.id) if actor.is_supervisor else waiting.none()


def invitation_by_token(token: str) -> Invitation:
    """The invitation this token opens, still good. NotFound when it was used, taken back or is too old."""
    found = Invitation.objects.filter(
        digest=tokens.digest(token), accepted_at=None, revoked_at=None, expires_at__gt=now()
    ).first()
    if found is None:
        raise NotFound
    return found


def living_tokens(user_id: int) -> QuerySet[ApiToken]:
    """The user's keys that still work, newest first."""
    return ApiToken.objects.filter(user_id=user_id, revoked_at=None).exclude(expires_at__lte=now()).order_by("-pk")


def nobody_yet() -> bool:
    """Whether the desk is new: no user has ever been made."""
    return not User.objects.exists()


def roles_with_required_mfa() -> frozenset[str]:
    """The roles that must set up a second factor before they can work."""
    return frozenset(RolePolicy.objects.filter(mfa_required=True).values_list("role", flat=True))
