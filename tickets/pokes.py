"""Which screens look at a ticket: the groups a poke goes to."""

from helpdesk.core.events import Poke
from tickets.models import Ticket


def inbox_group(team_id: int | None) -> str:
    """The group of everyone whose inbox lists this team's tickets."""
    return f"inbox.{team_id or 'none'}"


def ticket_group(ticket_id: int | str) -> str:
    """The group of everyone who has this ticket open."""
    return f"ticket.{ticket_id}"


def poke(ticket: Ticket, *also_teams: int | None) -> Poke:
    """A poke for a ticket's screens and its team's inbox; a team it has left is told too."""
    teams = {ticket.team_id, *also_teams}
    groups = (ticket_group(ticket.pk), *sorted(inbox_group(team_id) for team_id in teams))
    return Poke(topic="ticket", id=str(ticket.pk), version=ticket.version, groups=groups)
