"""API tokens: made, revoked."""

from datetime import datetime

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts import tokens
from helpdesk.accounts.events import ApiTokenChanged
from helpdesk.accounts.models import ApiToken, User
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Invalid, NotAllowed, NotFound
from helpdesk.core.recorder import record

MOST_TOKENS = 50


@transaction.atomic
def create_api_token(*, user_id: int, name: str, actor: Actor, expires_at: datetime | None = None) -> ApiToken:
    """A key that acts as its user; `.token` holds it this once. People make their own only; our commands, anybody's."""
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound
    if actor.kind != "system" and actor.id != user.pk:
        raise NotAllowed
    if not name.strip():
        raise Invalid(fields={"name": [_("Say what the token is for.")]})
    if expires_at is not None and expires_at <= now():
        raise Invalid(fields={"expires_at": [_("This moment is over.")]})
    if ApiToken.objects.filter(user=user, revoked_at=None).exclude(expires_at__lte=now()).count() >= MOST_TOKENS:
        raise Invalid(_("You have too many tokens. Revoke one first."))
    token = tokens.fresh("hd_")
    made = ApiToken.objects.create(
        user=user, name=name.strip()[:80], digest=tokens.digest(token), expires_at=expires_at
    )
    made.token = token
    record(ApiTokenChanged(token_id=made.pk, user_id=user.pk, state="created"), actor=actor)
    return made


@transaction.atomic
def revoke_api_token(*, token_id: int, actor: Actor) -> ApiToken:
    """The key stops working at once. Its owner may, and an admin. Revoking twice changes nothing."""
    token = ApiToken.objects.select_for_update().filter(pk=token_id).first()
    if token is None or not (actor.is_admin or (actor.is_user and actor.id == token.user_id)):
        raise NotFound
    if token.revoked_at is None:
        token.revoked_at = now()
        token.save(update_fields=["revoked_at"])
        record(ApiTokenChanged(token_id=token.pk, user_id=token.user_id, state="revoked"), actor=actor)
    return token
