"""Users, teams, invitations and API tokens."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    AGENT = "agent", _("Agent")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMIN = "admin", _("Admin")


class UserManager(BaseUserManager["User"]):
    """Makes users; an address is stored in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """Somebody who works at the desk. Never deleted: what they did stays theirs."""

    email = models.EmailField(max_length=254, unique=True)  # kept in lower case
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=12, choices=Role, default=Role.AGENT)
    language = models.CharField(max_length=2, default="vi")
    time_zone = models.CharField(max_length=60, default="Asia/Ho_Chi_Minh")
    theme = models.CharField(max_length=6, default="auto")  # auto, light, dark
    signature = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)

    # Set where the user was loaded together with rights: queries.user_with_rights.
    actor_team_ids: list[int] | None = None
    mfa_missing: bool = False

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name


class Team(models.Model):
    """People who share a queue."""

    name = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField(default=True)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")
    created_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """Somebody belongs to a team."""

    user = models.ForeignKey(User, models.CASCADE)
    team = models.ForeignKey(Team, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="membership_once")]


class Invitation(models.Model):
    """A way in for one address, once. Only the digest of its token is kept."""

    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=12, choices=Role, default=Role.AGENT)
    teams = models.ManyToManyField(Team, blank=True)
    language = models.CharField(max_length=2, default="vi")
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    token: str = ""  # only on the object that was just made or renewed


class ApiToken(models.Model):
    """A key of a program that acts as its user. Only the digest is kept; the token is shown once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    token: str = ""  # only on the object that was just made


class RolePolicy(models.Model):
    """What a role must do to sign in."""

    role = models.CharField(max_length=12, choices=Role, primary_key=True)
    mfa_required = models.BooleanField(default=False)
