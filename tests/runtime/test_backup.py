"""Backup and restore for real: beside a running desk, into a new folder, never over something by accident."""

import io
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from helpdesk.runtime import embedded
from tests.runtime.desk import Desk, running

pytestmark = pytest.mark.xdist_group("desk")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    yield from running(Desk(tmp_path_factory.mktemp("kept") / "var"))


@pytest.fixture(scope="module")
def backup(desk: Desk) -> Path:
    """A backup with a known word in the database and a known file."""
    with psycopg.connect(embedded.database_url(desk.var), autocommit=True) as connection:
        connection.execute("CREATE TABLE word AS SELECT 'đặt hàng'::text AS word")
    (desk.var / "media" / "2026").mkdir(parents=True)
    (desk.var / "media" / "2026" / "invoice.pdf").write_bytes(b"%PDF")
    path = desk.var.parent / "desk.backup"
    done = desk.manage("backup", str(path))
    assert done.returncode == 0, done.stderr
    return path


def words(desk: Desk) -> list[tuple[str]]:
    with psycopg.connect(embedded.database_url(desk.var)) as connection:
        return connection.execute("SELECT word FROM word").fetchall()


def test_a_backup_is_one_file_for_its_owner_alone(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with tarfile.open(backup) as archive:
        assert {"manifest.json", "database.dump", "secret.key", "media/2026/invoice.pdf"} <= set(archive.getnames())
    assert [path.name for path in backup.parent.iterdir() if path.name.startswith(".")] == []


def test_it_is_not_put_over_what_is_there(desk: Desk, backup: Path) -> None:
    refused = desk.manage("restore", str(backup))
    assert refused.returncode == 1
    assert refused.stderr.strip() == "The database is not empty: --replace gives up what is in it."


def test_it_replaces_what_is_there_when_told_while_the_desk_runs(desk: Desk, backup: Path) -> None:
    with psycopg.connect(embedded.database_url(desk.var), autocommit=True) as connection:
        connection.execute("UPDATE word SET word = 'lost'; CREATE TABLE later (n int)")
    done = desk.manage("restore", str(backup), "--replace")
    assert (done.returncode, done.stdout.strip()) == (0, "Restored."), done.stderr
    assert words(desk) == [("đặt hàng",)]
    with psycopg.connect(embedded.database_url(desk.var)) as connection:
        assert connection.execute("SELECT to_regclass('later')").fetchone() == (None,)
    assert desk.is_ready()


def test_it_makes_a_new_folder_the_same_desk_without_one_running(desk: Desk, backup: Path, tmp_path: Path) -> None:
    other = Desk(tmp_path / "var")
    done = other.manage("restore", str(backup))
    assert done.returncode == 0, done.stderr
    assert (other.var / "secret.key").read_text() == (desk.var / "secret.key").read_text()
    assert stat.S_IMODE((other.var / "secret.key").stat().st_mode) == 0o600
    assert (other.var / "media" / "2026" / "invoice.pdf").read_bytes() == b"%PDF"
    assert other.nothing_left()

    again = tmp_path / "again.backup"
    assert other.manage("backup", str(again)).returncode == 0
    assert other.nothing_left()
    with tarfile.open(again) as archive:
        assert "media/2026/invoice.pdf" in archive.getnames()
    server = embedded.Postgres(other.var).start()
    try:
        assert words(other) == [("đặt hàng",)]
    finally:
        server.stop()


@pytest.mark.parametrize("content", [b"", b"not a tar file", b"unfit", b"leads out"])
def test_another_file_is_refused_and_nothing_is_touched(
    desk: Desk, backup: Path, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "other.backup"
    path.write_bytes(content)
    if content in {b"unfit", b"leads out"}:
        with tarfile.open(path, "w") as archive:
            name = "hello" if content == b"unfit" else "media/../../outside"
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    refused = desk.manage("restore", str(path), "--replace")
    assert refused.returncode == 1
    assert "is no backup of a desk" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert words(desk) == [("đặt hàng",)]
