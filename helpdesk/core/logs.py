"""Structured logs: one line an event, with the request id that follows into the workers."""

import logging
import re
import sys
from typing import Any

import structlog

_SECRETS = re.compile(r"([?&](?:token|key|code)=)[^&\s\"']+")


def hide_secrets(logger: Any, name: str, line: dict[str, Any]) -> dict[str, Any]:
    """What opens something stands in some addresses (a socket cannot send a header): it never gets into a log."""
    event = line.get("event")
    if isinstance(event, str) and "=" in event:
        line["event"] = _SECRETS.sub(r"\1…", event)
    return line


def request_id() -> str:
    """The id of the request this process works on, or of the one that caused the job in hand; empty for none."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def configure(options: dict[str, Any]) -> None:
    """Set up logging for every process: coloured on a terminal, JSON elsewhere."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    renderer = (
        structlog.dev.ConsoleRenderer(colors=True) if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(options.get("level", "INFO"))
    # A refused request is an answer, not an event of ours; the access log has it.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    for noisy in ("httpx", "celery.app.trace", "celery.worker.strategy", "mail.log", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
