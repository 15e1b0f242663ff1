"""What the actions on people have in common: who may, and who must be told."""

from django.utils.timezone import now

from helpdesk.core.actor import Actor
from helpdesk.core.errors import NotAllowed
from helpdesk.core.events import Poke


def ensure_admin(actor: Actor) -> None:
    """Refuse anybody but an admin. Our own commands act for one."""
    if not (actor.is_admin or actor.kind == "system"):
        raise NotAllowed


def ensure_leads(actor: Actor, team_id: int) -> None:
    """Refuse anybody but an admin or a supervisor of this very team."""
    if actor.is_supervisor and team_id in actor.team_ids:
        return
    ensure_admin(actor)


def rights_poke(user_id: int) -> Poke:
    """Tells the user's open sockets that their rights have changed, so that they join their groups anew."""
    version = int(now().timestamp() * 1000)
    return Poke(topic="rights", id=str(user_id), version=version, groups=(f"user.{user_id}",))
