"""Who may import whom: the contracts of pyproject.toml, kept, and seen to catch what they are for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("helpdesk", "tickets", "channels_app", "knowledge_base")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


# One wrong import for each contract, all planted at once: each must be named.
WRONG = {
    "1. Packages": ("helpdesk/core/text.py", "import channels_app.contracts"),
    "2. Features": ("tickets/sla/clocks.py", "import tickets.messages.compose"),
    "3. channels_app": ("channels_app/registry.py", "import channels_app.inbound"),
    "4. Surfaces": ("tickets/web/waiting.py", "import helpdesk.core.recorder"),
    "5. Only actions": ("tickets/lifecycle/queries.py", "import helpdesk.core.recorder"),
    "6. Only the registry": ("channels_app/inbound.py", "import channels_app.adapters.webchat"),
    "7. Adapters": ("channels_app/adapters/webchat.py", "import channels_app.adapters.email.adapter"),
    "8. Only adapters": ("tickets/customers/actions.py", "import httpx"),
    "9. Only the wiring": ("tickets/customers/queries.py", "import celery"),
    "10. Decisions": ("tickets/intake/guards.py", "import django"),
    "11. Queries": ("tickets/lifecycle/queries.py", "import tickets.lifecycle.actions"),
    "12. No cycles": ("helpdesk/core/errors.py", "import helpdesk.core.http"),
}


def test_each_contract_catches_what_it_is_for(copy: Path) -> None:
    for path, line in WRONG.values():
        target = copy / path
        target.write_text(target.read_text() + f"\n{line}  # planted\n")
    done = lint(copy)
    assert done.returncode == 1
    broken = [line for line in done.stdout.splitlines() if line.rstrip().endswith("BROKEN")]
    # Long names are wrapped by the report: the number stands at the beginning of the first line.
    flat = " ".join(done.stdout.split())
    for start in WRONG:
        number = start.split(".")[0]
        section = flat.split(f" {number}. ", 1)[1].split(f" {int(number) + 1}. ", 1)[0]
        assert "BROKEN" in section.split("KEPT")[0], (start, broken)
