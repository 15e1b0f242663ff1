"""Who is writing right now: passed on between agents and the visitor of a chat, never stored."""

from helpdesk.core import realtime
from tickets.lifecycle.queries import family
from tickets.messages.chat_by_mail import ticket_of_thread
from tickets.models import Message
from tickets.pokes import ticket_group


def visitor_types(*, thread_id: int) -> None:
    """Tell the agents who have the conversation open."""
    ticket = ticket_of_thread(thread_id)
    if ticket is None:
        return
    told = {"type": "presence", "ticket": str(ticket.pk), "user": 0, "name": ticket.customer_name, "what": "typing"}
    realtime.send(ticket_group(ticket.pk), told)


def agent_types(*, ticket_id: int | str, name: str) -> None:
    """Tell the visitor, if the conversation's last word of the customer came by chat."""
    spoken = Message.objects.filter(ticket__in=family(int(ticket_id)), direction="in", thread__isnull=False)
    last = spoken.order_by("-occurred_at", "-pk").values_list("thread_id", "channel_kind").first()
    if last is not None and last[1] == "webchat":
        realtime.send(f"chat.{last[0]}", {"type": "typing", "name": name})
