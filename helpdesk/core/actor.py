"""Who acts: a person of the desk, a customer, or a machine of ours."""

from dataclasses import dataclass, field
from typing import Self

from helpdesk.core.errors import NotAllowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, with all that a decision about permission needs. Knows no database."""

    kind: str  # user, customer, bot, automation, system
    id: int | None = None
    name: str = ""
    role: str = ""  # agent, supervisor, admin; empty for anyone but a user
    team_ids: frozenset[int] = field(default_factory=frozenset)
    depth: int = 0  # how many automations stand behind this act

    @classmethod
    def system(cls) -> Self:
        return cls(kind="system")

    @classmethod
    def customer(cls, customer_id: int, name: str = "") -> Self:
        return cls(kind="customer", id=customer_id, name=name)

    @property
    def user_id(self) -> int:
        """The person's id; raises NotAllowed for a machine or a customer."""
        if self.kind != "user" or self.id is None:
            raise NotAllowed
        return self.id

    @property
    def is_user(self) -> bool:
        return self.kind == "user"

    @property
    def is_machine(self) -> bool:
        """The desk itself, a rule or the bot: no person whose rights could be asked for."""
        return self.kind in {"system", "automation", "bot"}

    @property
    def is_admin(self) -> bool:
        return self.kind == "user" and self.role == "admin"

    @property
    def is_supervisor(self) -> bool:
        """Supervisors and admins: they see the control room."""
        return self.kind == "user" and self.role in {"supervisor", "admin"}
