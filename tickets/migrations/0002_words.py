"""Words as people type them: folded, without diacritics, found by index."""

from django.contrib.postgres.operations import UnaccentExtension
from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION hd_fold(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN lower(public.unaccent('public.unaccent'::regdictionary, normalize(words, NFC)));
-- A tsvector holds a megabyte at most: a longer text is found by its first 100,000 characters.
CREATE FUNCTION hd_words(words text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN to_tsvector('simple'::regconfig, hd_fold(left(words, 100000)));
CREATE INDEX message_words ON tickets_message USING gin (hd_words(text));
CREATE INDEX ticket_words ON tickets_ticket USING gin (hd_words(subject || ' ' || customer_name));
CREATE INDEX ticket_participants ON tickets_ticket USING gin (participants);
"""
BACK = """
DROP INDEX message_words, ticket_words, ticket_participants;
DROP FUNCTION hd_words(text);
DROP FUNCTION hd_fold(text);
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]
    operations = [UnaccentExtension(), migrations.RunSQL(FUNCTIONS, BACK)]
