"""What the played Cloud API refuses: every payload that the real one would refuse, by the same codes."""

import re
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from channels_app.simulators.base import Request

MB = 1024 * 1024
FILES = {"image": 5 * MB, "video": 16 * MB, "audio": 16 * MB, "document": 100 * MB}
TYPES = {
    "image": {"image/jpeg", "image/png"},
    "video": {"video/mp4", "video/3gpp"},
    "audio": {"audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg"},
}
KEYS = {"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"}


class Refusal(Exception):
    """A refusal by code."""

    def __init__(self, code: int, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.code, self.words, self.status = code, words, status


def need(condition: object, words: str, code: int = 100) -> None:
    """Refuse unless it is so."""
    if not condition:
        raise Refusal(code, words)


def checked(
    payload: dict[str, Any], media: dict[str, tuple[bytes, str, str]], templates: list[dict[str, Any]]
) -> tuple[str, list[str]]:
    """What the customer sees of a message: its words and its choices; raises Refusal for what is not well formed."""
    kind = str(payload.get("type"))
    need(payload.get("messaging_product") == "whatsapp", "messaging_product must be whatsapp")
    need(payload.get("recipient_type") in ("individual", "group"), "recipient_type")
    need(payload.get("to") or payload.get("recipient"), "The parameter to is required", 131008)
    need("to" not in payload or re.fullmatch(r"[0-9]{5,20}|[A-Za-z0-9=_-]{12,}", str(payload["to"])), "to", 131009)
    need("recipient" not in payload or re.fullmatch(r"[A-Z]{2}\.[A-Za-z0-9.]{1,128}", str(payload["recipient"])), "id")
    need(kind in ("text", "image", "video", "audio", "document", "interactive", "template"), "type", 131051)
    need(isinstance(payload.get(kind), dict), f"The parameter {kind} is required", 131008)
    need(set(payload) <= KEYS | {kind}, f"Unexpected key {set(payload) - KEYS - {kind}}")
    need(len(str(payload.get("biz_opaque_callback_data", ""))) <= 512, "biz_opaque_callback_data")
    part = payload[kind]
    if kind == "text":
        need(isinstance(part.get("body"), str) and 0 < len(part["body"]) <= 4096, "text.body", 131009)
        need(isinstance(part.get("preview_url", False), bool), "preview_url must be a boolean")
        return part["body"], []
    if kind == "interactive":
        return _interactive(part)
    if kind == "template":
        return _template(part, templates), []
    need(part.get("id") in media, "Media upload error: no such id", 131053)
    content, content_type, _name = media[part["id"]]
    need(kind == "document" or content_type in TYPES[kind], f"Unsupported {kind} type {content_type}", 131053)
    need(len(content) <= FILES[kind], "File too large", 131053)
    return str(part.get("caption", "")), []


def _interactive(part: dict[str, Any]) -> tuple[str, list[str]]:
    body = part.get("body", {}).get("text")
    kind, action = part.get("type"), part.get("action", {})
    need(kind in ("button", "list") and isinstance(body, str), "interactive", 131009)
    need(0 < len(body) <= (1024 if kind == "button" else 4096), "Body text length invalid", 131009)
    if kind == "button":
        replies = [one.get("reply", {}) for one in action.get("buttons", []) if one.get("type") == "reply"]
        need(0 < len(replies) <= 3 and len(replies) == len(action["buttons"]), "1 to 3 buttons", 131009)
        need(all(0 < len(one.get("title", "")) <= 20 for one in replies), "Button title length invalid", 131009)
        need(all(0 < len(one.get("id", "")) <= 256 for one in replies), "Button id", 131009)
    else:
        need(0 < len(action.get("button", "")) <= 20, "List button length invalid", 131009)
        sections = action.get("sections", [])
        replies = [row for section in sections for row in section.get("rows", [])]
        need(0 < len(replies) <= 10, "1 to 10 rows", 131009)
        need(len(sections) == 1 or all(section.get("title") for section in sections), "Section title", 131009)
        need(all(0 < len(one.get("title", "")) <= 24 for one in replies), "Row title length invalid", 131009)
        need(all(len(one.get("description", "")) <= 72 for one in replies), "Row description", 131009)
        need(all(0 < len(one.get("id", "")) <= 200 for one in replies), "Row id", 131009)
    for name in ("id", "title") if kind == "button" else ("id",):
        need(len({one[name] for one in replies}) == len(replies), f"Duplicate {name}", 131009)
    return body, [str(one.get("description") or one["title"]) for one in replies]


def _template(part: dict[str, Any], templates: list[dict[str, Any]]) -> str:
    code = part.get("language", {}).get("code")
    found = next((one for one in templates if (one["name"], one["language"]) == (part.get("name"), code)), None)
    need(found and found["status"] == "APPROVED", "Template name does not exist in the translation", 132001)
    assert found is not None
    body = next(one["text"] for one in found["components"] if one["type"] == "BODY")
    places = list(dict.fromkeys(re.findall(r"\{\{(\w+)\}\}", body)))
    bodies = [one for one in part.get("components", []) if one.get("type") == "body"]
    given = bodies[0].get("parameters", []) if bodies else []
    need(len(given) == len(places), "Number of parameters does not match the expected number of params", 132000)
    need(all(one.get("type") == "text" and one.get("text") for one in given), "Parameter missing", 131008)
    named = {one.get("parameter_name"): one["text"] for one in given}
    if found.get("parameter_format") == "NAMED":
        need(set(named) == set(places), "Parameter name is missing or wrong", 132012)
        values = [named[place] for place in places]
    else:
        places.sort(key=int)
        values = [one["text"] for one in given]
    need(not any("\n" in value or "\t" in value or "     " in value for value in values), "Param text", 132018)
    for place, value in zip(places, values, strict=True):
        body = body.replace("{{" + place + "}}", value)
    return body


def multipart(request: Request) -> tuple[dict[str, str], tuple[str, str, bytes] | None]:
    """The fields and the one file of a form: name, type, content."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + request.body)
    fields: dict[str, str] = {}
    file: tuple[str, str, bytes] | None = None
    for part in form.iter_parts() if form.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = bytes(part.get_payload(decode=True) or b"")
        if part.get_filename() is not None and name == "file":
            file = (part.get_filename() or "file", part.get_content_type(), content)
        else:
            fields[str(name)] = content.decode("utf-8", "replace")
    return fields, file
