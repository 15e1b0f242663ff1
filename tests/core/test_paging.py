"""Keyset pages: every row once, in every order, forth and back, also with empty columns."""

import base64
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Length
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts.models import ApiToken, User
from helpdesk.core.paging import BadCursor, page

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def tokens(db):
    users = [User.objects.create(email=f"{name}@x.test", name=name) for name in ("An", "Bo")]
    for number in range(23):
        ApiToken.objects.create(
            user=users[number % 2],
            name="same" if number % 3 else f"n{number}",
            digest=f"{number:064}",
            created_at=START + timedelta(minutes=number // 4),
            expires_at=None if number % 4 == 0 else START + timedelta(days=number % 5),
        )
    return ApiToken.objects.all()


def walk(queryset, ordering, limit):
    """Every page forth, then back again from the last."""
    forth, cursor = [], ""
    while True:
        got = page(queryset, ordering=ordering, cursor=cursor, limit=limit)
        forth.append([row.pk for row in got.rows])
        assert (got.previous is None) == (len(forth) == 1)
        if got.next is None:
            break
        cursor = got.next
    back = [forth[-1]]
    while got.previous:
        got = page(queryset, ordering=ordering, cursor=got.previous, limit=limit)
        assert got.next is not None
        back.insert(0, [row.pk for row in got.rows])
    return forth, back


ORDERINGS = [
    [first, last]
    for first, last in itertools.product(
        ["created_at", "-created_at", "expires_at", "-expires_at", "name", "-name", "user__name", "-length", "ends"],
        ["id", "-id"],
    )
]


@pytest.mark.parametrize("ordering", [*ORDERINGS, ["-id"], ["pk"], ["user", "-expires_at", "id"]], ids=",".join)
@pytest.mark.parametrize("limit", [1, 4, 22, 23, 24])
def test_every_row_comes_once_in_order_forth_and_back(tokens, ordering, limit):
    rows = tokens.annotate(length=Length("name"), ends=Coalesce(F("expires_at"), Value(None)))
    expected = [row.pk for row in rows.order_by(*ordering)]
    forth, back = walk(rows, ordering, limit)
    assert list(itertools.chain(*forth)) == expected
    assert [len(rows) for rows in forth[:-1]] == [limit] * (len(forth) - 1)
    assert list(itertools.chain(*back)) == expected


def test_rows_that_come_and_go_meanwhile_neither_repeat_nor_hide_others(tokens):
    ordering = ["-created_at", "-id"]
    first = page(tokens, ordering=ordering, limit=5)
    newest = ApiToken.objects.create(user=User.objects.first(), name="x", digest="x", created_at=START + timedelta(1))
    first.rows[-1].delete()
    second = page(tokens, ordering=ordering, cursor=first.next, limit=5)
    seen = {row.digest for row in [*first.rows, *second.rows]}
    assert len(seen) == 10
    assert newest.digest not in seen


def test_a_page_costs_one_query_and_no_offset(tokens):
    cursor = page(tokens, ordering=["-created_at", "-id"], limit=5).next
    with CaptureQueriesContext(
        connection,
    ) as seen:
        page(tokens, ordering=["-created_at", "-id"], cursor=cursor, limit=5)
    [query] = seen
    assert "OFFSET" not in query["sql"]
    assert "LIMIT 6" in query["sql"]


def test_an_empty_list_is_one_empty_page(db):
    got = page(ApiToken.objects.all(), ordering=["-id"], limit=5)
    assert (got.rows, got.next, got.previous) == ([], None, None)


def test_rows_may_be_dicts(tokens):
    got = page(tokens.values("id", "name"), ordering=["name", "id"], limit=5)
    more = page(tokens.values("id", "name"), ordering=["name", "id"], cursor=got.next, limit=30)
    assert len({row["id"] for row in [*got.rows, *more.rows]}) == 23


def encoded(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


ORDER = "-created_at,-id"


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "é", "====", "a b", encoded(None), encoded([]), encoded({}), encoded("n"), encoded(["n", ORDER]),
        encoded(["n", ORDER, []]), encoded(["n", ORDER, None]), encoded(["x", ORDER, ["2026-01-01T00:00:00+00:00", 1]]),
        encoded(["n", "-id", ["2026-01-01T00:00:00+00:00", 1]]), encoded(["n", ORDER, ["yesterday", 1]]),
        encoded(["n", ORDER, [None, 1]]), encoded(["n", ORDER, ["2026-01-01T00:00:00", 1]]),
        encoded(["n", ORDER, ["2026-01-01T00:00:00+00:00", "x"]]), encoded(["n", ORDER, [{}, 1]]),
        encoded(["n", ORDER, ["\0", 1]]), base64.urlsafe_b64encode(b"\xff\xfe").decode(), encoded([[[[]]]] * 3),
    ],
)  # fmt: skip
def test_a_cursor_of_somebody_else_is_refused(tokens, cursor):
    with pytest.raises(BadCursor):
        page(tokens, ordering=ORDER.split(","), cursor=cursor, limit=5)


@pytest.mark.parametrize("ident", [10**30, -(10**30), 2**63])
def test_a_cursor_with_an_enormous_id_breaks_nothing(tokens, ident):
    page(tokens, ordering=ORDER.split(","), cursor=encoded(["n", ORDER, ["2026-01-01T00:00:00+00:00", ident]]), limit=5)
