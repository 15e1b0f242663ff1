"""The API's own document: complete, valid, unchanged by accident, and true."""

import json
import os
from pathlib import Path

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from helpdesk.core.openapi_words import TAGS

SNAPSHOT = Path(__file__).parent / "openapi.json"
REWRITE = "HELPDESK_REWRITE=1 .venv/bin/pytest tests/api/test_document.py"

# What the desk promises to programs from its first release, in the words of the page that fixes it.
PROMISED = {
    "me/": "get",
    "users/": "get",
    "teams/": "get",
    "tickets/": "get",
    "tickets/{id}/": "get patch",
    "tickets/{id}/messages/": "get",
    "tickets/{id}/replies/": "post",
    "tickets/{id}/notes/": "post",
    "tickets/{id}/clocks/": "get",
    "tickets/{id}/merge/": "post",
    "tickets/{id}/split/": "post",
    "tickets/{id}/move/": "post",
    "tickets/{id}/undo/": "post",
    "customers/": "get",
    "customers/{id}/": "get patch",
    "customers/{id}/identities/": "get post",
    "customers/{id}/merge/": "post",
    "customers/{id}/unmerge/": "post",
    "customers/{id}/timeline/": "get",
    "channels/": "get post",
    "channels/{id}/": "get patch delete",
    "channels/{id}/inbound/": "post",
    "search/": "get",
}
FIELDS = {
    "TicketOut": "id number subject status priority snoozed_until team assignee customer language mood topic moment "
    "controller tags next_due_at created_at updated_at version",
    "MessageOut": "id ticket channel external_id direction kind visibility sender text text_full html attachments "
    "delivery auto bounce occurred_at",
    "CustomerOut": "id name language form_of_address tier tags notes identities value canonical",
    "SenderOut": "name address verified",
    "FileOut": "id filename content_type size url",
    "DeliveryOut": "state reason",
    "IdentityOut": "kind value verified",
    "ChannelOut": "id webhook_url health",
    "FoundOut": "type id external_id title url snippet score",
    "ReplyIn": "text channel attachments expected_version",
    "InboundIn": "external_id sender text attachments occurred_at",
    "InboundSenderIn": "id name email phone",
    "InboundFileIn": "filename content_type content url",
    "ErrorBody": "code message fields request_id",
}
WORDS = {
    "TicketStatus": "open pending on_hold solved closed spam",
    "TicketPriority": "low normal high urgent",
    "Controller": "bot agent none",
    "Mood": "negative neutral positive",
    "Moment": "stimulus zero first second waiting ultimate",
    "Direction": "in out",
    "MessageKind": "message note comment call event",
    "Visibility": "public internal",
    "DeliveryState": "queued held sending sent delivered read failed unknown",
    "ChannelKind": "email webchat messenger instagram whatsapp zalo telegram line viber sms open_api shop",
}


@pytest.fixture(scope="module")
def document():
    GENERATOR_STATS.reset()
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(document):
    return [(path, method, one) for path, methods in document["paths"].items() for method, one in methods.items()]


def test_the_document_is_valid_and_made_without_a_guess(document):
    validate_schema(document)
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


@pytest.mark.parametrize(("path", "methods"), PROMISED.items())
def test_what_is_promised_is_there(document, path, methods):
    assert set(methods.split()) <= set(document["paths"][f"/api/v1/{path}"])


@pytest.mark.parametrize(("shape", "fields"), FIELDS.items())
def test_shapes_have_their_promised_fields(document, shape, fields):
    assert set(fields.split()) <= set(document["components"]["schemas"][shape]["properties"])


@pytest.mark.parametrize("shape", ["TicketOut", "MessageOut", "CustomerOut", "ChannelOut"])
def test_every_field_of_an_answer_is_always_there(document, shape):
    schema = document["components"]["schemas"][shape]
    assert set(schema["required"]) == set(schema["properties"])


@pytest.mark.parametrize(("name", "words"), WORDS.items())
def test_vocabularies_are_as_promised(document, name, words):
    said = set(document["components"]["schemas"][name]["enum"])
    assert set(words.split()) == said - {"taken_back"}  # what a writer took back never left: one word of our own


def test_every_operation_is_named_tagged_and_says_how_it_refuses(document):
    names = [one["operationId"] for _path, _method, one in operations(document)]
    assert len(names) == len(set(names))
    for path, method, one in operations(document):
        assert one["summary" if "summary" in one else "description"], path
        assert set(one["tags"]) <= set(TAGS), path
        assert {"token": []} in one["security"], path
        for status in ("400", "401", "403", "404", "429"):
            schema = one["responses"][status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Error"}, path
        keyed = [given["name"] for given in one.get("parameters", ()) if given["in"] == "header"]
        assert keyed == ([] if method == "get" else ["Idempotency-Key"]), path


def test_secrets_are_in_no_answer(document):
    assert "secrets" not in document["components"]["schemas"]["ChannelOut"]["properties"]


def test_the_document_has_not_changed_by_accident(document):
    now = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True, default=str) + "\n"
    if os.environ.get("HELPDESK_REWRITE"):
        SNAPSHOT.write_text(now)
    assert now == SNAPSHOT.read_text(), f"look at the difference, then: {REWRITE}"


def test_the_document_is_served(client):
    answer = client.get("/api/schema/")
    assert answer.status_code == 200
    assert b"/api/v1/tickets/{id}/replies/" in answer.content
