"""Approved templates as a channel keeps them: found by name and language, filled with values, pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MAX_VALUE = 500
_HOLE = re.compile(r"\{\{\s*([\w.-]{1,60})\s*\}\}|<([A-Za-z_][\w-]{0,59})>")


@dataclass(frozen=True, slots=True)
class Template:
    """One text the provider has approved. `parameters` names its holes in order."""

    name: str
    language: str
    body: str
    category: str = ""
    parameters: tuple[str, ...] = ()

    def filled(self, values: Sequence[str]) -> str:
        """What the customer will read; a hole without a value stays as it is."""
        known = dict(zip(self.parameters, values, strict=False))
        return _HOLE.sub(lambda hole: known.get(hole[1] or hole[2]) or hole[0], self.body)


def kept(state: dict[str, Any]) -> list[Template]:
    """The templates in what a channel remembers; what is not one is left out."""
    found = []
    for one in state.get("templates") or ():
        if not isinstance(one, dict) or not one.get("name"):
            continue
        body = str(one.get("body", ""))
        named = one.get("parameters")
        holes = [str(name) for name in named] if isinstance(named, list | tuple) else holes_of(body)
        found.append(
            Template(
                name=str(one["name"]),
                language=str(one.get("language", "")),
                body=body,
                category=str(one.get("category", "")),
                parameters=tuple(holes),
            )
        )
    return found


def holes_of(body: str) -> list[str]:
    """The names of the holes in a text, each once, in order."""
    return list(dict.fromkeys(hole[1] or hole[2] for hole in _HOLE.finditer(body)))


def find(state: dict[str, Any], name: str, language: str) -> Template | None:
    """The kept template of this name, in this language where one is named."""
    return next((one for one in kept(state) if one.name == name and language in ("", one.language)), None)
