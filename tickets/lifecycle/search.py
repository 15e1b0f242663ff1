"""Tickets by words: without diacritics, in subjects, names, addresses and messages."""

from unicodedata import combining

from django.db.models import BooleanField, FloatField, Q, QuerySet
from django.db.models.expressions import RawSQL

from helpdesk.core.text import storable
from tickets.models import Ticket

MAX_WORDS = 12
# Folded by the function that folds what is searched. It makes an apostrophe of a letter or two: no sign of the query's
# language may come of what somebody typed. A word of such letters alone is then no word: its place is taken out.
_PLAIN = r"translate(hd_fold(%s), '''\()!<>|', '')"
_FOLDED = rf"regexp_replace(regexp_replace({_PLAIN}, ' & :\*', '', 'g'), '^:\*( & )?', '')"
# Two index scans and a union: an OR over the two tables would read them whole.
_FOUND = f"""tickets_ticket.id IN (
    SELECT ticket_id FROM tickets_message
    WHERE hd_words(text) @@ to_tsquery('simple', {_FOLDED})
    UNION
    SELECT id FROM tickets_ticket
    WHERE hd_words(subject || ' ' || customer_name) @@ to_tsquery('simple', {_FOLDED}))"""

MAX_RANKED = 300  # a common word matches everything: only the latest are weighed
_RANK = f"ts_rank(hd_words(tickets_ticket.subject || ' ' || customer_name), to_tsquery('simple', {_FOLDED}), 32)"


def matching(words: str) -> Q:
    """A condition for tickets that speak of all these words, a number, or an address. Nothing typed matches all."""
    typed = storable(words).strip()[:200]
    if not typed:
        return Q()
    if typed.lstrip("#").isdecimal() and len(typed) < 15:
        return Q(pk=int(typed.lstrip("#")))
    if "@" in typed and " " not in typed:
        return Q(participants__contains=[typed.lower()])
    query = _tsquery(typed)
    if not query:
        return Q(pk__in=[])
    return Q(RawSQL(_FOUND, [query, query], output_field=BooleanField()))


def ranked(tickets: QuerySet[Ticket], words: str, limit: int) -> list[Ticket]:
    """The best of the latest matches, each with `score` from 0 to 1: words of the subject and the name weigh most."""
    latest = tickets.filter(matching(words)).order_by("-updated_at", "-pk").values("pk")[:MAX_RANKED]
    rank = RawSQL(_RANK, [_tsquery(words)], output_field=FloatField())
    scored = Ticket.objects.filter(pk__in=latest).annotate(score=rank)
    return list(scored.order_by("-score", "-updated_at", "-pk")[:limit])


def _tsquery(typed: str) -> str:
    """The words as a prefix query; everything that is no letter or plain digit only separates."""
    kept = "".join(one if one.isalpha() or one.isdecimal() or combining(one) else " " for one in typed)
    return " & ".join(f"{word}:*" for word in kept.split()[:MAX_WORDS])
