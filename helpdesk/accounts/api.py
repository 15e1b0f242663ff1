"""People in the API: who am I, colleagues, teams."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.accounts import actions, queries
from helpdesk.accounts.models import Team, User
from helpdesk.core.actor import Actor
from helpdesk.core.idempotency import IdempotentWrites
from helpdesk.core.paging import KeysetPagination


class IdField(serializers.CharField):
    """An id leaves as a string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)


class TeamRef(serializers.Serializer[Team]):
    id = IdField(source="pk")
    name = serializers.CharField(read_only=True)


class UserOut(serializers.Serializer[User]):
    """A colleague, as everybody at the desk may see."""

    id = IdField(source="pk")
    name = serializers.CharField(read_only=True)
    email = serializers.EmailField(read_only=True)
    role = serializers.CharField(read_only=True)
    is_active = serializers.BooleanField(read_only=True)
    teams = TeamRef(many=True, read_only=True)


class MeOut(UserOut):
    """The token's own user, with settings."""

    language = serializers.CharField(read_only=True)
    time_zone = serializers.CharField(read_only=True)
    theme = serializers.CharField(read_only=True)
    signature = serializers.CharField(read_only=True)


class TeamOut(serializers.Serializer[Team]):
    id = IdField(source="pk")
    name = serializers.CharField(read_only=True)
    is_active = serializers.BooleanField(read_only=True)
    members = serializers.SerializerMethodField()

    def get_members(self, team: Team) -> list[str]:
        return sorted((str(user.pk) for user in team.members.all()), key=int)


class TeamIn(serializers.Serializer[Team]):
    """What a new team needs."""

    name = serializers.CharField(max_length=80)


class TeamChangeIn(serializers.Serializer[Team]):
    """What may change of a team; `members` is the whole list."""

    name = serializers.CharField(max_length=80, required=False)
    is_active = serializers.BooleanField(required=False)
    members = serializers.ListField(
        child=serializers.RegexField(r"^[0-9]{1,18}$"), required=False, max_length=1000, help_text="Ids of users."
    )


class MeView(APIView):
    """Who am I."""

    @extend_schema(responses=MeOut, operation_id="me")
    def get(self, request: Request) -> Response:
        assert isinstance(request.user, User)
        return Response(MeOut(request.user).data)


class UserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[User]):
    """Colleagues, by name."""

    serializer_class = UserOut
    pagination_class = KeysetPagination
    filter_backends = ()
    queryset = User.objects.none()

    def get_queryset(self) -> QuerySet[User]:
        return queries.by_name()


class TeamViewSet(IdempotentWrites, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Team]):
    """Teams, by name. Admins make and change them; supervisors change the members of their own."""

    serializer_class = TeamOut
    pagination_class = KeysetPagination
    filter_backends = ()
    queryset = Team.objects.none()

    def get_queryset(self) -> QuerySet[Team]:
        return queries.teams_by_name()

    @extend_schema(request=TeamIn, responses={201: TeamOut})
    def create(self, request: Request) -> Response:
        given = TeamIn(data=request.data)
        given.is_valid(raise_exception=True)
        team = actions.create_team(name=given.validated_data["name"], actor=_actor(request))
        return Response(TeamOut(team).data, status=201)

    @extend_schema(request=TeamChangeIn, responses=TeamOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        given = TeamChangeIn(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        if "members" in wanted:
            wanted["member_ids"] = {int(member) for member in wanted.pop("members")}
        actions.change_team(team_id=pk, actor=_actor(request), **wanted)
        return Response(TeamOut(self.get_queryset().get(pk=pk)).data)


def _actor(request: Request) -> Actor:
    actor: Actor = request._request.actor  # type: ignore[attr-defined]
    return actor
