"""What the machine itself can do: bare INSERTs and SELECTs of the same rows by the same driver."""

import multiprocessing
import time
from multiprocessing.synchronize import Barrier
from typing import Any

import psycopg
from django.db import connection, models

from channels_app.models import InboundEvent, InboundRaw, Thread
from helpdesk.core.models import EventLog
from tickets.models import Customer, Identity, Message, SlaClock, Ticket

SECONDS = 4.0
SCHEMA = "bench_limit"
# What a first mail leaves behind, parents first.
ROWS: tuple[type[models.Model], ...] = (
    InboundEvent, InboundRaw, Customer, Identity, Thread, Ticket, Message, SlaClock, EventLog, EventLog,
)  # fmt: skip
# Columns that must differ, and those that name the row made before.
OWN = {"external_id", "value", "key"}
PARENTS = {"event_id": InboundEvent, "customer_id": Customer, "thread_id": Thread, "ticket_id": Ticket}


def inserts() -> dict[str, float]:
    """Transactions per second that insert the ten rows of a first mail, from one and from four connections."""
    _copy_tables()
    try:
        return {f"{count} connection{'s' if count > 1 else ''}": _rate(count) for count in (1, 4)}
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def select(sql: str, params: list[Any], rounds: int = 200) -> float:
    """Milliseconds (median) of a prepared SELECT, its rows fetched."""
    took = []
    with psycopg.connect(**parameters(), autocommit=True) as line:
        for _ in range(rounds):
            begun = time.perf_counter()
            line.execute(sql, params, prepare=True).fetchall()
            took.append(time.perf_counter() - begun)
    return round(sorted(took)[len(took) // 2] * 1000, 2)


def parameters() -> dict[str, Any]:
    """Where the database is, as the driver wants it."""
    wanted = connection.get_connection_params()
    return {name: wanted[name] for name in ("dbname", "user", "password", "host", "port") if name in wanted}


def _copy_tables() -> None:
    """The same tables with the same indexes in a schema of their own, so that the desk sees nothing of it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for model in dict.fromkeys(ROWS):
            table = model._meta.db_table
            cursor.execute(f"CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)")


def _rate(count: int) -> float:
    context = multiprocessing.get_context("fork")
    barrier, total = context.Barrier(count + 1), context.Value("i", 0)
    connection.close()
    statements = _statements()
    connection.close()
    where = parameters()
    workers = [context.Process(target=_work, args=(where, statements, barrier, total, n)) for n in range(count)]
    for worker in workers:
        worker.start()
    barrier.wait()
    begun = time.monotonic()
    for worker in workers:
        worker.join()
    return round(int(total.value) / (time.monotonic() - begun), 1)


def _statements() -> list[tuple[str, list[Any], dict[int, str], str]]:
    """For each row: the INSERT, the values of the newest such row, which of them differ, and what names its id."""
    found = []
    for model in ROWS:
        table = model._meta.db_table
        key = model._meta.pk
        assert key is not None
        columns = [
            one.column
            for one in model._meta.concrete_fields
            if not (one is key and one.get_internal_type() != "OneToOneField")
        ]
        listed = ", ".join(f'"{column}"' for column in columns)
        with psycopg.connect(**parameters()) as line:
            last = _last_by_mail(model)
            row = line.execute(f'SELECT {listed} FROM public.{table} WHERE "{key.column}" = %s', [last]).fetchone()
        assert row is not None
        marks = {place: column for place, column in enumerate(columns) if column in OWN or column in PARENTS}
        values = ", ".join(["%s"] * len(columns))
        sql = f'INSERT INTO {SCHEMA}.{table} ({listed}) VALUES ({values}) RETURNING "{key.column}"'
        found.append((sql, [_plain(value) for value in row], marks, table))
    return found


def _last_by_mail(model: type[models.Model]) -> Any:
    """The row of the newest first mail."""
    message = Message.objects.filter(event_id__isnull=False, channel_kind="email", ticket__message_count=1).latest("pk")
    wanted: dict[type[models.Model], Any] = {
        InboundEvent: message.event_id, InboundRaw: message.event_id, Customer: message.customer_id,
        Thread: message.thread_id, Ticket: message.ticket_id, Message: message.pk,
    }  # fmt: skip
    if model in wanted:
        return wanted[model]
    if model is Identity:
        return Identity.objects.filter(customer_id=message.customer_id).latest("pk").pk
    if model is SlaClock:
        return SlaClock.objects.filter(ticket_id=message.ticket_id).latest("pk").pk
    return EventLog.objects.filter(subject=f"ticket:{message.ticket_id}").latest("pk").pk


def _plain(value: Any) -> Any:
    from psycopg.types.json import Jsonb

    return Jsonb(value) if isinstance(value, dict) else value


def _work(where: dict[str, Any], statements: list[Any], barrier: Barrier, total: Any, worker: int) -> None:
    tables = {model: model._meta.db_table for model in PARENTS.values()}
    with psycopg.connect(**where) as line:
        line.prepare_threshold = 1
        barrier.wait()
        stop, done = time.monotonic() + SECONDS, 0
        while time.monotonic() < stop:
            made: dict[str, Any] = {}
            with line.transaction():
                for sql, row, marks, table in statements:
                    values = list(row)
                    for place, column in marks.items():
                        parent = PARENTS.get(column)
                        if parent is None:
                            values[place] = f"w{worker}.{done}.{time.monotonic_ns()}@limit.test"
                        elif values[place] is not None and tables[parent] in made:
                            values[place] = made[tables[parent]]
                    answer = line.execute(sql, values).fetchone()
                    made[table] = answer[0] if answer else None
            done += 1
    with total.get_lock():
        total.value += done
