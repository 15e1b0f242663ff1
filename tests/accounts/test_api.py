"""People in the API: shapes, rights, costs."""

import pytest
from django.test import Client

from helpdesk.accounts import actions
from helpdesk.accounts.models import Membership, Team, User
from helpdesk.core.actor import Actor
from helpdesk.core.models import EventLog


@pytest.fixture
def api():
    """A program that acts as the user: `api(user)("get", "teams/")`."""

    def of(user: User):
        token = actions.create_api_token(user_id=user.pk, name="test", actor=Actor.system()).token
        EventLog.objects.all().delete()

        def ask(method: str, path: str, body=None, **headers):
            sent = {"data": body, "content_type": "application/json"} if body is not None else {}
            address = path if path.startswith("http") else f"/api/v1/{path}"
            return getattr(Client(), method)(address, HTTP_AUTHORIZATION=f"Bearer {token}", headers=headers, **sent)

        return ask

    return of


def test_me_says_who_i_am(api, agent, team):
    assert api(agent)("get", "me/").json() == {
        "id": str(agent.pk),
        "name": "Minh",
        "email": "minh@desk.test",
        "role": "agent",
        "is_active": True,
        "teams": [{"id": str(team.pk), "name": "Returns"}],
        "language": "en",
        "time_zone": "Asia/Ho_Chi_Minh",
        "theme": "auto",
        "signature": "",
    }


@pytest.mark.parametrize("path", ["me/", "users/", "teams/", "users/1/", "teams/1/"])
def test_strangers_are_401_in_the_one_shape(db, path):
    answer = Client().get(f"/api/v1/{path}", HTTP_X_REQUEST_ID="my-request-1")
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert (error["code"], error["fields"], error["request_id"]) == ("not_authenticated", {}, "my-request-1")


def test_everybody_at_the_desk_reads_colleagues_and_teams(api, agent, supervisor, team):
    ask = api(agent)
    found = ask("get", "users/").json()
    assert [user["name"] for user in found["results"]] == ["Minh", "Sam"]
    assert (found["next"], found["previous"]) == (None, None)
    assert "signature" not in found["results"][0]
    [listed] = ask("get", "teams/").json()["results"]
    members = [str(pk) for pk in sorted([agent.pk, supervisor.pk])]
    assert listed == {"id": str(team.pk), "name": "Returns", "is_active": True, "members": members}
    assert ask("get", f"teams/{team.pk}/").json() == listed
    assert ask("get", f"users/{agent.pk}/").json() == found["results"][0]


@pytest.mark.parametrize("path", ["users/987654/", "teams/987654/", "users/x/", "teams/9999999999999999999999/"])
def test_what_is_not_there_is_404(api, agent, path):
    assert api(agent)("get", path).status_code == 404


def test_pages_of_users_go_forth_and_back_without_loss(api, agent, make_user):
    for number in range(7):
        make_user(f"user{number}")
    ask = api(agent)
    seen, address, pages = [], "users/?limit=3", []
    while address:
        page = ask("get", address).json()
        pages.append([user["name"] for user in page["results"]])
        seen += pages[-1]
        address, last = page["next"], page
    assert seen == sorted(seen)
    assert len(seen) == 8
    assert [len(names) for names in pages] == [3, 3, 2]
    assert last["previous"].startswith("http://testserver/api/v1/users/?")
    assert [user["name"] for user in ask("get", last["previous"]).json()["results"]] == pages[1]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=-1", "cursor=x", "cursor=W10", "cursor=%00"]
)
def test_a_bad_limit_or_cursor_is_400(api, agent, query):
    answer = api(agent)("get", f"users/?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    assert list(answer.json()["error"]["fields"]) == [query.partition("=")[0]]


def test_lists_cost_the_same_however_long(api, agent, make_user, django_assert_num_queries):
    ask = api(agent)
    ask("get", "me/")

    def cost() -> None:
        with django_assert_num_queries(3):  # bearer with user; users; their teams
            ask("get", "users/")
        with django_assert_num_queries(3):  # bearer with user; teams; their members
            ask("get", "teams/")

    cost()
    for number in range(9):
        make_user(f"user{number}", teams=(Team.objects.create(name=f"t{number}"),))
    cost()


def test_an_admin_makes_and_changes_teams(api, admin, agent, supervisor, team):
    ask = api(admin)
    made = ask("post", "teams/", {"name": "Đơn hàng"})
    assert made.status_code == 201
    ident = made.json()["id"]
    assert made.json() == {"id": ident, "name": "Đơn hàng", "is_active": True, "members": []}
    changed = ask("patch", f"teams/{ident}/", {"name": "Orders", "members": [str(agent.pk)]})
    assert changed.json() == {"id": ident, "name": "Orders", "is_active": True, "members": [str(agent.pk)]}
    assert ask("patch", f"teams/{ident}/", {"members": [], "is_active": False}).status_code == 200
    assert not Membership.objects.filter(team_id=ident).exists()
    assert [event.topic for event in EventLog.objects.order_by("pk")] == [
        "team.changed", "team.changed", "membership.changed", "team.changed", "membership.changed"
    ]  # fmt: skip
    assert set(EventLog.objects.values_list("actor_id", flat=True)) == {admin.pk}


def test_a_change_of_several_things_is_all_or_nothing(api, admin, team, other_team):
    answer = api(admin)("patch", f"teams/{team.pk}/", {"name": "New", "members": ["987654"]})
    assert answer.status_code == 404
    team.refresh_from_db()
    assert team.name == "Returns"
    assert not EventLog.objects.exists()


def test_others_may_not_change_teams_but_a_supervisor_the_own_members(api, supervisor, agent, team, other_team):
    for who in (agent, supervisor):
        ask = api(who)
        assert ask("post", "teams/", {"name": "x"}).status_code == 403
        assert ask("patch", f"teams/{team.pk}/", {"name": "x"}).status_code == 403
        assert ask("patch", f"teams/{other_team.pk}/", {"members": []}).status_code == 403
    assert api(agent)("patch", f"teams/{team.pk}/", {"members": []}).status_code == 403
    answer = api(supervisor)("patch", f"teams/{team.pk}/", {"members": [str(supervisor.pk)]})
    assert (answer.status_code, answer.json()["members"]) == (200, [str(supervisor.pk)])


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"name": ""}, 400), ({"name": "x" * 81}, 400), ({"name": 5}, 201), ({"name": ["x"]}, 400),
     ([], 400), ({"name": "a\x00b"}, 400), ({"name": "Returns"}, 409)],
)  # fmt: skip
def test_a_team_that_makes_no_sense_is_refused_in_the_one_shape(api, admin, team, body, status):
    answer = api(admin)("post", "teams/", body)
    assert answer.status_code == status
    if status >= 400:
        assert set(answer.json()["error"]) == {"code", "message", "fields", "request_id"}
        assert Team.objects.count() == 1


def test_malformed_json_and_other_methods_are_refused_in_the_one_shape(api, admin):
    answer = api(admin)("post", "teams/", "{not json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    answer = api(admin)("delete", "teams/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert api(admin)("post", "users/", {"name": "x"}).status_code == 405


def test_the_same_write_with_the_same_key_happens_once(api, admin):
    ask = api(admin)
    first = ask("post", "teams/", {"name": "Orders"}, **{"Idempotency-Key": "k1"})
    again = ask("post", "teams/", {"name": "Orders"}, **{"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first and again["Idempotent-Replayed"] == "true"
    assert Team.objects.count() == 1
    assert EventLog.objects.count() == 1
    other = ask("post", "teams/", {"name": "Sales"}, **{"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert Team.objects.count() == 1


def test_the_api_document_names_the_paths_and_the_ways_to_sign_in(db):
    from drf_spectacular.generators import SchemaGenerator

    document = SchemaGenerator().get_schema(request=None, public=True)
    assert {"/api/v1/me/", "/api/v1/users/", "/api/v1/teams/"} <= set(document["paths"])
    assert document["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    listed = document["paths"]["/api/v1/teams/"]["get"]
    assert {"cursor", "limit"} <= {parameter["name"] for parameter in listed["parameters"]}
