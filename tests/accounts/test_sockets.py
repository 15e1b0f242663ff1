"""What a change of rights does to an open screen."""

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from helpdesk.accounts import actions
from helpdesk.accounts.models import Team, User
from helpdesk.accounts.queries import user_with_rights
from helpdesk.core.actor import Actor
from tickets.consumers import CHANGED, SIGNED_OUT, AgentConsumer

pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()


def make_user() -> User:
    return User.objects.create_user("minh@desk.test", None, name="Minh")


async def screen_of(user_id: int) -> ApplicationCommunicator:
    """An open screen; what it is told first is the acceptance, which is taken off here."""
    scope = {
        "type": "websocket",
        "path": "/ws/agent/",
        "headers": [(b"host", b"desk.test"), (b"origin", b"http://desk.test")],
        "user": await sync_to_async(user_with_rights)(user_id),
    }
    screen = ApplicationCommunicator(AgentConsumer.as_asgi(), scope)
    await screen.send_input({"type": "websocket.connect"})
    accepted = await screen.receive_output(5)
    assert accepted["type"] == "websocket.accept"
    return screen


@pytest.mark.parametrize("change", ["role", "membership", "deactivated"])
async def test_an_open_screen_must_connect_again_when_its_users_rights_change(change):
    user = await sync_to_async(make_user)()
    team = await Team.objects.acreate(name="Returns")
    screen = await screen_of(user.pk)
    assert await screen.receive_nothing(0.2)
    changes = {
        "role": lambda: actions.change_role(user_id=user.pk, role="supervisor", actor=SYSTEM),
        "membership": lambda: actions.add_member(team_id=team.pk, user_id=user.pk, actor=SYSTEM),
        "deactivated": lambda: actions.deactivate(user_id=user.pk, actor=SYSTEM),
    }
    await sync_to_async(changes[change])()
    closed = await screen.receive_output(5)
    assert (closed["type"], closed["code"]) == ("websocket.close", CHANGED)


async def test_a_screen_without_the_required_second_factor_hears_nothing():
    user = await sync_to_async(make_user)()
    await sync_to_async(actions.require_second_factor)(role="agent", required=True, actor=SYSTEM)
    screen = await screen_of(user.pk)
    closed = await screen.receive_output(5)
    assert (closed["type"], closed["code"]) == ("websocket.close", SIGNED_OUT)
