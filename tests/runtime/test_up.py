"""`manage.py up` for real: start, second start, Ctrl-C, kill -9, taken ports, closed folders."""

import os
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from helpdesk.runtime import embedded
from tests.runtime.desk import Desk, waited

pytestmark = [
    pytest.mark.xdist_group("desk"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc"),
]


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all starts of this file, below one that other accounts may not enter."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    return closed / "var"


@pytest.fixture
def desk(var: Path) -> Iterator[Desk]:
    desk = Desk(var)
    yield desk
    if desk.process and desk.process.poll() is None:
        desk.process.kill()
        desk.process.wait()
    assert desk.nothing_left()


def sql(var: Path, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(embedded.database_url(var), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_it_starts_in_a_closed_folder_refuses_a_second_start_and_ends_in_order(desk: Desk, var: Path) -> None:
    assert stat.S_IMODE(var.parent.stat().st_mode) == 0o700
    desk.start()
    assert set(desk.processes().values()) >= {"hd-web", "hd-worker", "hd-clock", "hd-beat", "hd-mail"}

    second = Desk(var).manage("up")
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.strip().splitlines() == [
        f"A desk runs in {var} already (process {desk.process.pid}): stop it or set HELPDESK_VAR_DIR."  # type: ignore[union-attr]
    ]
    assert desk.is_ready()

    assert desk.end(signal.SIGINT) == 0
    assert desk.nothing_left(0.5)
    log = desk.log.read_text()
    order = ["The desk is at", "worker: Warm shutdown", "Valkey is now ready to exit", "database system is shut down"]
    assert sorted(order, key=log.index) == order


def test_a_killed_supervisor_leaves_nothing_running_and_loses_nothing(desk: Desk, var: Path) -> None:
    desk.start()
    sql(var, "CREATE TABLE kept AS SELECT generate_series(1, 100) AS n")
    desk.end(signal.SIGKILL)
    assert desk.nothing_left()
    desk.start()
    assert sql(var, "SELECT count(*) FROM kept") == [(100,)]
    sql(var, "DROP TABLE kept")
    assert desk.end(signal.SIGTERM) == 0


def test_what_dies_is_started_again(desk: Desk, var: Path) -> None:
    desk.start()
    before = desk.processes()
    victims = [pid for pid, name in before.items() if name in {"hd-clock", "valkey-server", "hd-web"}]
    assert len(victims) == 3
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    names = set(before.values())
    assert waited(lambda: not set(victims) & set(desk.processes()) and set(desk.processes().values()) >= names, 60)
    assert waited(desk.is_ready, 60)


def _kept(var: Path) -> object:
    """What lies in the table, None while nobody answers."""
    try:
        return sql(var, "SELECT n FROM kept")
    except psycopg.OperationalError:
        return None


def test_a_dead_database_comes_back_with_all_it_had(desk: Desk, var: Path) -> None:
    desk.start()
    sql(var, "CREATE TABLE kept AS SELECT 1 AS n")
    os.kill(int((var / "pg18" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    assert waited(desk.is_ready, 60)
    assert waited(lambda: _kept(var) == [(1,)], 60)
    sql(var, "DROP TABLE kept")


@pytest.mark.parametrize("variable", ["PORT", "MAIL_PORT"])
def test_a_taken_port_is_one_line_that_names_the_variable(var: Path, variable: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = Desk(var, **{variable: str(port)}).manage("up")
    assert refused.returncode == 1
    assert refused.stderr.strip() == f"Port {port} on 127.0.0.1 is taken: set {variable} to a free one."


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    desk = Desk(tmp_path / "file" / "var")
    refused = desk.manage("up")
    assert refused.returncode == 1
    assert refused.stderr.strip().splitlines() == [
        f"The folder {tmp_path / 'file' / 'var'} cannot be used (Not a directory). "
        "Make it writable or set HELPDESK_VAR_DIR."
    ]


def test_every_problem_of_the_environment_is_said_at_once(tmp_path: Path) -> None:
    refused = Desk(tmp_path / "var", PORT="eighty", MAIL_PORT="99999", DEMO="perhaps").manage("up")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    for variable in ("PORT: 'eighty'", "MAIL_PORT: 99999", "DEMO: 'perhaps'"):
        assert variable in refused.stderr


@pytest.mark.parametrize("role", ["up", "web", "mail"])
def test_the_demo_does_not_start_where_others_can_reach_it(tmp_path: Path, role: str) -> None:
    refused = Desk(tmp_path / "var", DEMO="1", HOST="0.0.0.0").manage(role)
    assert refused.returncode == 1
    assert "set DEMO=0 or HOST=127.0.0.1" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_it_ends_with_make_when_make_is_killed(desk: Desk, var: Path) -> None:
    """`make run` asks for this, so that a closed terminal or a killed make leaves no desk behind."""
    import subprocess

    caller = subprocess.Popen(
        ["/bin/sh", "-c", f"{sys.executable} manage.py up --end-with-parent & wait"],
        cwd=Path(__file__).parents[2], env=desk.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert waited(desk.is_ready, 60)
    caller.kill()
    caller.wait()
    assert desk.nothing_left(15)
