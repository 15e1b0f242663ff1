"""Reading people: the actor behind a user, colleagues and teams."""

from django.db.models import QuerySet

from helpdesk.accounts.models import Membership, Team, User
from helpdesk.core.actor import Actor


def actor_for(user: User) -> Actor:
    """The user as an actor, with the teams of this moment (one query)."""
    team_ids = frozenset(Membership.objects.filter(user_id=user.pk).values_list("team_id", flat=True))
    return Actor(kind="user", id=user.pk, name=user.name, role=user.role, team_ids=team_ids)


def active_users() -> QuerySet[User]:
    """Everybody who may sign in, by name."""
    return User.objects.filter(is_active=True).order_by("name", "pk")


def teams() -> QuerySet[Team]:
    """Every team in use, by name."""
    return Team.objects.filter(is_active=True).order_by("name")
