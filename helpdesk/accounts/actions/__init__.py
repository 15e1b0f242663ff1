"""Everything that changes people, teams, invitations and keys."""

from helpdesk.accounts.actions.entry import accept, create_admin, create_first_admin, invite, resend, revoke
from helpdesk.accounts.actions.keys import create_api_token, revoke_api_token
from helpdesk.accounts.actions.people import (
    change_role,
    deactivate,
    reactivate,
    require_second_factor,
    reset_second_factor,
    update_profile,
)
from helpdesk.accounts.actions.teams import (
    add_member,
    change_team,
    create_team,
    remove_member,
    rename_team,
    retire_team,
    revive_team,
)

__all__ = [
    "accept",
    "add_member",
    "change_role",
    "change_team",
    "create_admin",
    "create_api_token",
    "create_first_admin",
    "create_team",
    "deactivate",
    "invite",
    "reactivate",
    "remove_member",
    "rename_team",
    "require_second_factor",
    "resend",
    "reset_second_factor",
    "retire_team",
    "revive_team",
    "revoke",
    "revoke_api_token",
    "update_profile",
]
