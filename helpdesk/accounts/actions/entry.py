"""How people come in: invitations, and the first admin of an empty desk."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts import queries, tokens
from helpdesk.accounts.actions.rights import ensure_admin, ensure_leads
from helpdesk.accounts.events import InvitationChanged, UserInvited, UserJoined
from helpdesk.accounts.models import Invitation, Membership, Role, Team, User
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, Invalid, NotAllowed, NotFound
from helpdesk.core.recorder import record

FIRST_ADMIN_LOCK = 0x48454C50  # any number nobody else locks


@transaction.atomic
def invite(
    *, email: str, role: str, team_ids: list[int], actor: Actor, name: str = "", language: str = ""
) -> Invitation:
    """One mail with a way in for one address; `.token` holds it this once. Replaces an older open invitation.

    Admins invite anybody; supervisors invite agents into teams of their own.
    """
    email = _checked_email(email)
    if role not in Role.values:
        raise Invalid(fields={"role": [_("There is no such role.")]})
    _ensure_may_invite(actor, role, team_ids)
    teams = list(Team.objects.filter(pk__in=team_ids, is_active=True))
    if len(teams) != len(set(team_ids)):
        raise Invalid(fields={"teams": [_("There is no such team.")]})
    if language and language not in dict(settings.LANGUAGES):
        raise Invalid(fields={"language": [_("This language is not spoken here.")]})
    if User.objects.filter(email__iexact=email).exists():
        raise Conflict(_("Somebody with this address works here already."), fields={"email": [_("Taken.")]})
    for older in Invitation.objects.select_for_update().filter(email=email, accepted_at=None, revoked_at=None):
        _take_back(older, actor)
    invitation = Invitation(
        email=email, name=name.strip()[:120], role=role, language=language or "vi", invited_by_id=actor.id
    )
    _renew(invitation)
    invitation.teams.set(teams)
    _mail(invitation, actor)
    record(UserInvited(invitation_id=invitation.pk, role=role, team_ids=sorted(set(team_ids))), actor=actor)
    return invitation


@transaction.atomic
def resend(*, invitation_id: int, actor: Actor) -> Invitation:
    """A new mail with a new token and a new week; the old token no longer opens anything."""
    invitation = _locked_open(invitation_id, actor)
    _renew(invitation)
    _mail(invitation, actor)
    record(InvitationChanged(invitation_id=invitation.pk, state="resent"), actor=actor)
    return invitation


@transaction.atomic
def revoke(*, invitation_id: int, actor: Actor) -> Invitation:
    """The invitation opens nothing any more."""
    invitation = _locked_open(invitation_id, actor)
    _take_back(invitation, actor)
    return invitation


@transaction.atomic
def accept(*, token: str, name: str, password: str) -> User:
    """The invited person becomes a user with the invitation's role and teams. A token works once."""
    found = queries.invitation_by_token(token)
    locked = Invitation.objects.select_for_update().filter(pk=found.pk, digest=found.digest)
    invitation = locked.filter(accepted_at=None, revoked_at=None).first()
    if invitation is None:
        raise NotFound
    user = _make_user(invitation.email, name, password, role=invitation.role, language=invitation.language)
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in invitation.teams.filter(is_active=True))
    invitation.accepted_at = now()
    invitation.save(update_fields=["accepted_at"])
    event = UserJoined(user_id=user.pk, role=user.role, invitation_id=invitation.pk)
    record(event, actor=Actor(kind="user", id=user.pk, role=user.role))
    return user


@transaction.atomic
def create_first_admin(*, email: str, name: str, password: str, language: str = "vi") -> User:
    """The first user of an empty desk, an admin. Of two at once, one wins; with any user there, NotFound."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIRST_ADMIN_LOCK])
    if not queries.nobody_yet():
        raise NotFound
    return create_admin(email=email, name=name, password=password, language=language)


@transaction.atomic
def create_admin(*, email: str, name: str, password: str, language: str = "vi") -> User:
    """One more admin, made by who can run our commands."""
    user = _make_user(_checked_email(email), name, password, role=Role.ADMIN, language=language)
    record(UserJoined(user_id=user.pk, role=user.role), actor=Actor.system())
    return user


def _ensure_may_invite(actor: Actor, role: str, team_ids: list[int]) -> None:
    if actor.is_supervisor and not actor.is_admin:
        if role != Role.AGENT:
            raise NotAllowed(_("Supervisors invite agents. An admin can give other roles."))
        if not team_ids:
            raise Invalid(fields={"teams": [_("Choose at least one of your teams.")]})
        for team_id in team_ids:
            ensure_leads(actor, team_id)
        return
    ensure_admin(actor)


def _locked_open(invitation_id: int, actor: Actor) -> Invitation:
    """An open invitation this actor may see, locked. An expired one counts as open: it can be renewed."""
    found = queries.open_invitations(actor).select_for_update().filter(pk=invitation_id).first()
    if found is None:
        raise NotFound
    return found


def _renew(invitation: Invitation) -> None:
    invitation.token = tokens.fresh()
    invitation.digest = tokens.digest(invitation.token)
    invitation.expires_at = now() + timedelta(days=settings.INVITATION_DAYS)
    invitation.save()


def _take_back(invitation: Invitation, actor: Actor) -> None:
    invitation.revoked_at = now()
    invitation.save(update_fields=["revoked_at"])
    record(InvitationChanged(invitation_id=invitation.pk, state="revoked"), actor=actor)


def _mail(invitation: Invitation, actor: Actor) -> None:
    """In the invitee's language. The mail joins this transaction where the backend is our outbox."""
    link = settings.SITE_URL + reverse("accounts:invitation", args=[invitation.token])
    context = {"invitation": invitation, "link": link, "inviter": actor.name, "days": settings.INVITATION_DAYS}
    with translation.override(invitation.language):
        subject = translation.gettext("You are invited to the support desk")
        text = render_to_string("accounts/email/invitation.txt", context)
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [invitation.email])


def _checked_email(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid(fields={"email": [_("This is not an e-mail address.")]}) from None
    return email


def _make_user(email: str, name: str, password: str, *, role: str, language: str) -> User:
    name = " ".join(name.replace("\x00", "").split())
    if not name or len(name) > 120:
        raise Invalid(fields={"name": [_("Tell us your name, at most 120 letters.")]})
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as problem:
        raise Invalid(fields={"password": list(problem.messages)}) from None
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name, role=role, language=language)
    except IntegrityError:
        raise Conflict(_("Somebody with this address works here already."), fields={"email": [_("Taken.")]}) from None
