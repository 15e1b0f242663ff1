"""The desk's own settings for processes that are going to be killed: short leases, one more subscriber."""

from helpdesk.settings import *  # noqa: F403
from helpdesk.subscriptions import SUBSCRIPTIONS as DESK

LEASE_SECONDS = 4
TABLE = DESK | {"message.added": [*DESK.get("message.added", []), "tests.chaos.effects.note"]}
SUBSCRIPTIONS = "tests.chaos.settings.TABLE"
UNDO_SECONDS: dict[str, int] = {}
