"""The golden mails: what `parse` is given and what it returned, as JSON that a person can review."""

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from channels_app.adapters.email.parse import parse
from channels_app.contracts import Arrival, InboundItem, NewMessage

FOLDER = Path(__file__).parent / "mail"
RECEIVED = datetime(2026, 11, 17, 3, 0, tzinfo=UTC)
OWN = frozenset({"support@demo.test", "help@demo.test"})
CONFIG: dict[str, object] = {"authserv_id": ["mx.demo.test"]}
# What the transport knew, where it matters.
META: dict[str, dict[str, object]] = {
    "internaldate": {"internaldate": "2026-11-17T02:15:00+00:00", "uid": "7:12"},
    "plain-en": {"mail_from": "anna.berg@example.com", "rcpt_to": ["support@demo.test"], "peer": "127.0.0.1"},
    "no-headers": {"mail_from": "writer@example.com", "rcpt_to": ["support@demo.test"], "peer": "192.0.2.9"},
    "reply-token-only": {"mail_from": "rex@example.com", "rcpt_to": ["support+t-aebagbafaydqqcikbmga2dqpca@demo.test"]},
}


def names() -> list[str]:
    """Every mail of the corpus, without its ending."""
    return sorted(path.stem for path in FOLDER.glob("*.eml"))


def raw(name: str) -> bytes:
    return (FOLDER / f"{name}.eml").read_bytes()


def arrival(content: bytes, meta: dict[str, object] | None = None, **changes: Any) -> Arrival:
    """The bytes as they come to the adapter."""
    given: dict[str, Any] = {
        "channel_id": UUID(int=1),
        "channel_address": "support@demo.test",
        "external_id": "x",
        "raw": content,
        "meta": meta or {},
        "received_at": RECEIVED,
        "config": CONFIG,
        "own_addresses": OWN,
    }
    return Arrival(**(given | changes))


def read(name: str) -> tuple[InboundItem, ...]:
    return parse(arrival(raw(name), META.get(name)))


def as_json(items: tuple[InboundItem, ...]) -> list[dict[str, Any]]:
    """The items with files as facts instead of bytes, and what is empty left out."""
    return [_plain(item) for item in items]


def stored(name: str) -> Any:
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def write(name: str) -> bool:
    """Store what is returned now; True when that is a change."""
    path = FOLDER / f"{name}.json"
    text = json.dumps(as_json(read(name)), ensure_ascii=False, indent=1) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def _plain(item: InboundItem) -> dict[str, Any]:
    found: dict[str, Any] = {"is": type(item).__name__, **asdict(item)}
    if isinstance(item, NewMessage):
        found["files"] = [
            {
                "filename": file.filename,
                "content_type": file.content_type,
                "size": len(file.content),
                "sha256": hashlib.sha256(file.content).hexdigest()[:16],
                "content_id": file.content_id,
            }
            for file in item.files
        ]
        for key in ("text", "text_full", "html"):
            found[key] = _short(found[key])
        found["external_id"] = _short(found["external_id"], 100)
    found = {key: value for key, value in found.items() if value not in ("", (), [], {}, False, None)}
    found["occurred_at"] = str(found.get("occurred_at", ""))
    return found


def _short(text: str, limit: int = 3000) -> str:
    """Long texts are kept by their beginning and their hash, so that a change still shows."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]} … {len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]}"
