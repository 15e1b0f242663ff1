"""The embedded servers: found without running, made once, kept over restarts and kills."""

import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from helpdesk.runtime import embedded
from helpdesk.runtime.errors import CannotStart

SMALL = {"shared_buffers": "8MB", "max_connections": "10"}


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "var"
    yield folder
    for server in started:
        server.stop()
    started.clear()


started: list[embedded.Postgres | embedded.Valkey] = []


def running_postgres(var: Path) -> embedded.Postgres:
    server = embedded.Postgres(var, SMALL).start()
    started.append(server)
    return server


def test_the_address_is_known_before_the_server_runs(var: Path) -> None:
    before = embedded.database_url(var)
    running_postgres(var)
    assert embedded.database_url(var) == before
    with psycopg.connect(before) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("helpdesk", "helpdesk")


def test_vietnamese_letters_fold_whatever_the_locale_of_the_system(var: Path) -> None:
    running_postgres(var)
    with psycopg.connect(embedded.database_url(var)) as connection:
        assert connection.execute("SELECT lower('ĐẶT PHÒNG'), 'ĐẶT' ILIKE 'đặt'").fetchone() == ("đặt phòng", True)


def test_the_desk_is_no_superuser_but_may_add_the_extensions_it_needs(var: Path) -> None:
    running_postgres(var)
    with psycopg.connect(embedded.database_url(var)) as connection:
        assert connection.execute("SELECT current_setting('is_superuser')").fetchone() == ("off",)
        connection.execute("CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent; CREATE EXTENSION btree_gin")


def test_nothing_listens_on_tcp_and_the_password_is_wanted(var: Path) -> None:
    running_postgres(var)
    with psycopg.connect(embedded.database_url(var)) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    wrong = embedded.database_url(var).replace(embedded.password(var), "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    assert stat.S_IMODE((var / "postgres.password").stat().st_mode) == 0o600
    assert stat.S_IMODE(embedded.socket_dir(var).stat().st_mode) == 0o700


def test_what_was_committed_survives_a_kill_of_the_server(var: Path) -> None:
    server = running_postgres(var)
    with psycopg.connect(embedded.database_url(var)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 500) AS n")
    assert server.process
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    running_postgres(var)
    with psycopg.connect(embedded.database_url(var)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (500,)


def test_a_start_ends_a_server_that_was_left_over(var: Path) -> None:
    left_over = running_postgres(var)
    running_postgres(var)
    assert left_over.process
    assert left_over.process.wait(10) == 0
    with psycopg.connect(embedded.database_url(var)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_interrupted_first_start_is_made_again(var: Path) -> None:
    (var / "pg18.new").mkdir(parents=True)
    (var / "pg18.new" / "PG_VERSION").write_text("18")
    running_postgres(var)
    assert not (var / "pg18.new").exists()


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(tmp_path: Path) -> None:
    var = tmp_path / ("long" * 30)
    try:
        running_postgres(var)
        started.append(embedded.Valkey(var).start())
        sockets = embedded.socket_dir(var)
        assert not sockets.is_relative_to(var)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        with psycopg.connect(embedded.database_url(var)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        for server in started:
            server.stop()
        started.clear()


def test_valkey_keeps_what_it_was_given_over_a_restart(var: Path) -> None:
    server = embedded.Valkey(var).start()
    redis.Redis.from_url(embedded.valkey_url(var)).rpush("queue", "a", "b")
    server.stop()
    started.append(embedded.Valkey(var).start())
    assert redis.Redis.from_url(embedded.valkey_url(var)).lrange("queue", 0, -1) == [b"a", b"b"]


def test_valkey_files_that_cannot_be_read_are_put_aside(var: Path) -> None:
    server = embedded.Valkey(var).start()
    redis.Redis.from_url(embedded.valkey_url(var)).rpush("queue", "a")
    server.stop()
    for path in (var / "valkey" / "appendonlydir").iterdir():
        path.write_bytes(b"broken" * 100)
    started.append(embedded.Valkey(var).start())
    assert redis.Redis.from_url(embedded.valkey_url(var)).lrange("queue", 0, -1) == []
    assert list((var / "valkey.unreadable" / "appendonlydir").iterdir())


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match=r"file.*cannot be used.*HELPDESK_VAR_DIR"):
        embedded.database_url(tmp_path / "file" / "var")


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to give a folder away")
    var = tmp_path / "var"
    embedded.socket_dir(var).mkdir(parents=True)
    os.chown(embedded.socket_dir(var), 12345, 12345)
    with pytest.raises(CannotStart, match="belongs to somebody else"):
        embedded.Postgres(var).start()


def test_sockets_are_closed_after_a_stop(var: Path) -> None:
    server = embedded.Valkey(var).start()
    server.stop()
    with socket.socket(socket.AF_UNIX) as connection, pytest.raises(OSError, match=r"No such file|refused"):
        connection.connect(str(server.socket))
