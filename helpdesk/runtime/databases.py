"""Addresses of PostgreSQL and Valkey as Django, Celery and Channels want them."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from helpdesk.env import BadEnvironment

SCHEMES = ("postgresql", "postgres", "pgsql")


def database_settings(url: str) -> dict[str, Any]:
    """One entry of DATABASES. Unknown query parameters go to libpq; BadEnvironment when it is no such address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadEnvironment(f"DATABASE_URL: {error}") from None
    if parts.scheme not in SCHEMES:
        raise BadEnvironment("DATABASE_URL: it must look like postgresql://user:password@host:5432/name")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", "") or unquote(parts.hostname or "")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise BadEnvironment("DATABASE_URL: the name of the database is missing (postgresql://…/name)")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": query.pop("port", "") or str(port or ""),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"connect_timeout": 5, "server_side_binding": True, "prepare_threshold": 2, **query},
    }


def broker_url(valkey_url: str) -> str:
    """The same Valkey as Celery spells it: unix://path?db=1 becomes redis+socket://path?virtual_host=1."""
    if valkey_url.startswith("unix://"):
        parts = urlsplit(valkey_url)
        database = dict(parse_qsl(parts.query)).get("db", "0")
        return f"redis+socket://{parts.path}?virtual_host={database}"
    return valkey_url.replace("valkey://", "redis://", 1).replace("valkeys://", "rediss://", 1)
