"""People of the desk: users, teams, roles, invitations, sign-in, API tokens."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "helpdesk.accounts"
    label = "accounts"
