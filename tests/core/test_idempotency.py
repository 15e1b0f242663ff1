"""Idempotency-Key: once, whatever is repeated, at the same time or after a failure."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils.timezone import now
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from helpdesk.accounts.models import Team, User
from helpdesk.core import idempotency
from helpdesk.core.errors import Conflict
from helpdesk.core.idempotency import IdempotentWrites
from helpdesk.core.models import IdempotencyKey

started, go_on = threading.Event(), threading.Event()


class Teams(IdempotentWrites, APIView):
    """Makes a team and then does what the body says."""

    parser_classes = (JSONParser, MultiPartParser)

    def post(self, request):
        team = Team.objects.create(name=f"t{Team.objects.count()}")
        how = request.data.get("how")
        if how == "refuse":
            raise Conflict("no")
        if how == "answer 400":
            return Response({"no": True}, status=400)
        if how == "break":
            raise ZeroDivisionError
        if how == "wait":
            started.set()
            go_on.wait(10)
        return Response({"id": str(team.pk), "at": now()}, status=201)

    def get(self, request):
        return Response({"teams": Team.objects.count()})


@pytest.fixture
def user(db):
    return User.objects.create_user("u@x.test", None, name="U")


def send(user, key="k", body=None, path="/x/", method="post", form=None):
    headers = {} if key is None else {"Idempotency-Key": key}
    shape = {"data": form, "format": "multipart"} if form else {"data": body or {}, "format": "json"}
    request = getattr(APIRequestFactory(), method)(path, headers=headers, **shape)
    force_authenticate(request, user)
    answer = Teams.as_view()(request)
    answer.render() if hasattr(answer, "accepted_renderer") else None
    return answer


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.data["error"]["code"]


def test_the_second_time_the_first_answer_comes_back(user):
    first, again = send(user), send(user)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    assert Team.objects.count() == 1


def test_without_a_key_it_happens_each_time_and_nothing_is_kept(user):
    send(user, None), send(user, None)
    assert Team.objects.count() == 2
    assert not IdempotencyKey.objects.exists()


def test_another_user_or_another_key_is_another_write(user):
    other = User.objects.create_user("v@x.test", None, name="V")
    for who, key in [(user, "k"), (other, "k"), (user, "l")]:
        assert send(who, key).status_code == 201
    assert Team.objects.count() == 3


@pytest.mark.parametrize("changes", [{"body": {"a": 1}}, {"path": "/y/"}, {"path": "/x/?a=1"}])
def test_the_same_key_for_something_else_is_refused(user, changes):
    send(user)
    assert code(send(user, **changes)) == (422, "idempotency_key_reused")
    assert Team.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "ñ", "a\x07b"])
def test_a_key_that_is_none_is_refused(user, key):
    assert code(send(user, key)) == (422, "invalid")
    assert Team.objects.count() == 0


def test_reading_needs_no_key_and_keeps_none(user):
    assert send(user, method="get").status_code == 200
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("how", ["refuse", "answer 400"])
def test_a_refusal_leaves_nothing_and_may_be_tried_again(user, how):
    assert send(user, body={"how": how}).status_code in {400, 409}
    assert Team.objects.count() == IdempotencyKey.objects.count() == 0
    assert send(user, body={}).status_code == 201


def test_a_write_that_breaks_leaves_nothing_and_may_be_tried_again(user):
    with pytest.raises(ZeroDivisionError):
        send(user, body={"how": "break"})
    assert Team.objects.count() == IdempotencyKey.objects.count() == 0
    assert send(user, body={}).status_code == 201


def test_the_same_form_is_the_same_though_its_boundary_differs_and_another_file_is_not(user):
    def form(content: bytes):
        return {"name": "x", "file": SimpleUploadedFile("a.txt", content)}

    assert send(user, form=form(b"one")).status_code == 201
    assert send(user, form=form(b"one"))["Idempotent-Replayed"] == "true"
    assert code(send(user, form=form(b"two"))) == (422, "idempotency_key_reused")
    assert Team.objects.count() == 1


def test_after_a_day_a_key_is_free_again_and_old_ones_are_swept(user):
    send(user)
    with time_machine.travel(now() + timedelta(hours=23)):
        assert send(user)["Idempotent-Replayed"] == "true"
    with time_machine.travel(now() + timedelta(hours=24, minutes=1)):
        assert "Idempotent-Replayed" not in send(user)
    assert Team.objects.count() == 2
    with time_machine.travel(now() + timedelta(hours=49)):
        assert idempotency.forget_old_keys() == 1
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_make_one_and_all_get_its_answer(user):
    gate, answers = threading.Barrier(10), []

    def run() -> None:
        gate.wait()
        try:
            answers.append(send(user))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(10)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Team.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_for_the_first_is_told_to_come_again(user, monkeypatch):
    monkeypatch.setattr(idempotency, "WAIT_MS", 200)
    started.clear(), go_on.clear()
    first = []

    def run() -> None:
        try:
            first.append(send(user, body={"how": "wait"}))
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(10)
        assert code(send(user, body={"how": "wait"})) == (409, "idempotency_key_busy")
    finally:
        go_on.set()
        thread.join()
    assert first[0].status_code == 201
    assert send(user, body={"how": "wait"})["Idempotent-Replayed"] == "true"
    assert Team.objects.count() == 1


def test_the_wait_for_the_key_does_not_shorten_the_waits_of_the_work(user):
    with transaction.atomic(), connection.cursor() as cursor:
        idempotency._claim(user.pk, "k", "x", "y")
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
