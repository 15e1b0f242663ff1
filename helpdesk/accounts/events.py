"""What happens to people: ids and small facts, never a name or an address."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from helpdesk.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInvited(Event):
    topic: ClassVar[str] = "user.invited"
    invitation_id: int
    role: str
    team_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationChanged(Event):
    """`state`: resent or revoked."""

    topic: ClassVar[str] = "invitation.changed"
    invitation_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserJoined(Event):
    """Somebody accepted an invitation, or is the first admin (no invitation)."""

    topic: ClassVar[str] = "user.joined"
    user_id: int
    role: str
    invitation_id: int | None = None

    @property
    def subject(self) -> str:
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged(Event):
    """`changes`: {"role": ["agent", "admin"]} for rights; the bare names of personal settings have empty lists."""

    topic: ClassVar[str] = "user.changed"
    user_id: int
    changes: dict[str, list[Any]]

    @property
    def subject(self) -> str:
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipChanged(Event):
    topic: ClassVar[str] = "membership.changed"
    user_id: int
    team_id: int
    is_member: bool

    @property
    def subject(self) -> str:
        return f"team:{self.team_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChanged(Event):
    """`state`: created, renamed, retired or revived."""

    topic: ClassVar[str] = "team.changed"
    team_id: int
    state: str

    @property
    def subject(self) -> str:
        return f"team:{self.team_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTokenChanged(Event):
    """`state`: created or revoked."""

    topic: ClassVar[str] = "api_token.changed"
    token_id: int
    user_id: int
    state: str

    @property
    def subject(self) -> str:
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePolicyChanged(Event):
    topic: ClassVar[str] = "role_policy.changed"
    role: str
    mfa_required: bool
