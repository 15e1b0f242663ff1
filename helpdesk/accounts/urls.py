"""Addresses of the sign-in, of one's own account and of the people page."""

from allauth.account import views as account
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from helpdesk.accounts import api
from helpdesk.accounts.web import entry, people, profile

# Names the sign-in library looks for, mounted one by one: what is not listed cannot be reached.
allauth_urls = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    path("password/reset/key/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
    path("signup/", entry.closed, name="account_signup"),
    path("password/set/", RedirectView.as_view(pattern_name="account_reset_password"), name="account_set_password"),
]

account_urls = [
    path("first/", entry.first_admin, name="first"),
    path("invitation/<str:token>/", entry.invitation, name="invitation"),
    path("preferences/", entry.preferences, name="preferences"),
    path("profile/", profile.profile, name="profile"),
    path("me/", RedirectView.as_view(pattern_name="accounts:profile")),
    path("profile/tokens/", profile.create_token, name="create_token"),
    path("profile/tokens/<int:token_id>/revoke/", profile.revoke_token, name="revoke_token"),
]

people_urls = [
    path("", people.people, name="people"),
    path("invite/", people.invite, name="invite"),
    path("invitations/<int:invitation_id>/<slug:act>/", people.change_invitation, name="invitation"),
    path("users/<int:user_id>/<slug:act>/", people.change_user, name="user"),
    path("teams/", people.create_team, name="create_team"),
    path("teams/<int:team_id>/<slug:act>/", people.change_team, name="team"),
    path("second-factor/", people.second_factor, name="second_factor"),
]

api_urls = [
    path("me/", api.MeView.as_view(), name="me"),
    path("users/", api.UserViewSet.as_view({"get": "list"}), name="users"),
    path("users/<int:pk>/", api.UserViewSet.as_view({"get": "retrieve"}), name="user"),
    path("teams/", api.TeamViewSet.as_view({"get": "list", "post": "create"}), name="teams"),
    path("teams/<int:pk>/", api.TeamViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="team"),
]

urlpatterns = [
    path("", entry.home, name="home"),
    path("accounts/", include((account_urls, "accounts"))),
    path("accounts/", include(allauth_urls)),
    path("api/v1/", include((api_urls, "people_api"))),
    path("control/people/", include((people_urls, "people"))),
]
