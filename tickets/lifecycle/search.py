"""Tickets by words: without diacritics, in subjects, names, addresses and messages."""

from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from helpdesk.core.text import fold

MAX_WORDS = 12
# Two index scans and a union: an OR over the two tables would read them whole.
_FOUND = """tickets_ticket.id IN (
    SELECT ticket_id FROM tickets_message
    WHERE hd_words(text) @@ to_tsquery('simple', %s)
    UNION
    SELECT id FROM tickets_ticket
    WHERE hd_words(subject || ' ' || customer_name) @@ to_tsquery('simple', %s))"""


def matching(words: str) -> Q:
    """A condition for tickets that speak of all these words, a number, or an address. Nothing typed matches all."""
    typed = words.strip()[:200]
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


def _tsquery(typed: str) -> str:
    """The words as a prefix query; everything that is no letter or digit only separates."""
    kept = "".join(character if character.isalnum() else " " for character in fold(typed))
    return " & ".join(f"{word}:*" for word in kept.split()[:MAX_WORDS])
