"""The environment, read once and checked at start-up. Nothing else reads os.environ."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path


class BadEnvironment(Exception):
    """Every problem at once, so that one restart is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """One field a variable: PORT is `port`. An empty string counts as not set."""

    port: int = 8000
    host: str = "127.0.0.1"
    mail_port: int = 2525
    demo: bool = True
    demo_password: str = "helpdesk"
    secret_key: str = ""
    site_url: str = ""
    database_url: str = ""
    valkey_url: str = ""
    redis_url: str = ""
    mail_out: str = ""
    helpdesk_var_dir: Path = Path("var")
    helpdesk_allow_hosts: tuple[str, ...] = ()
    workers: int = 0
    metrics_token: str = ""

    @classmethod
    def read(cls, source: Mapping[str, str] = os.environ) -> "Env":
        """Every variable parsed, or BadEnvironment naming all that are wrong."""
        values: dict[str, object] = {}
        problems = []
        for field in fields(cls):
            name = field.name.upper()
            try:
                raw = _lookup(source, name)
                if raw:
                    values[field.name] = _parse(field.default, raw)
            except OSError as error:
                problems.append(f"{name}_FILE cannot be read: {error.strerror or error}")
            except ValueError as error:
                problems.append(f"{name}: {error}")
        for name in ("port", "mail_port"):
            port = values.get(name)
            if isinstance(port, int) and not 0 < port < 65536:
                problems.append(f"{name.upper()}: {port} is not a port number (1 to 65535)")
        if problems:
            raise BadEnvironment("\n".join(problems))
        return cls(**values)  # type: ignore[arg-type]

    @property
    def broker(self) -> str:
        """The Valkey address given under either name, or an empty string for the embedded one."""
        return self.valkey_url or self.redis_url

    @property
    def is_loopback(self) -> bool:
        return self.host in {"127.0.0.1", "localhost", "::1"}


def _lookup(source: Mapping[str, str], name: str) -> str | None:
    """The value, or the contents of the file that NAME_FILE points to."""
    if path := source.get(f"{name}_FILE"):
        return Path(path).read_text().strip()
    return source.get(name)


def _parse(default: object, raw: str) -> object:
    """The raw text as the type of the field's default."""
    if isinstance(default, bool):
        try:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[raw.lower()]
        except KeyError:
            raise ValueError(f"{raw!r} is neither 1 nor 0") from None
    if isinstance(default, int):
        try:
            return int(raw)
        except ValueError:
            raise ValueError(f"{raw!r} is not a whole number") from None
    if isinstance(default, Path):
        return Path(raw)
    if isinstance(default, tuple):
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    return raw
