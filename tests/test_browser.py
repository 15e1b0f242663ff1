"""Finding a browser: a real one, never a script with its name."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import browser


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "fetched"))
    monkeypatch.setattr(browser, "MAC", tmp_path / "none")
    browser.find_browser.cache_clear()
    yield
    browser.find_browser.cache_clear()


def program(path: Path, words: str, status: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{words}'\nexit {status}\n")
    path.chmod(0o755)
    return path


def test_none_is_found_where_none_is() -> None:
    assert browser.find_browser() is None


def test_an_installed_one_wins_over_a_fetched_one(tmp_path: Path) -> None:
    program(tmp_path / "fetched" / "chromium-1200" / "chrome-linux64" / "chrome", "Chromium 150")
    installed = program(tmp_path / "google-chrome", "Google Chrome 150")
    assert browser.find_browser() == installed


def test_a_fetched_one_is_found(tmp_path: Path) -> None:
    fetched = program(tmp_path / "fetched" / "chromium-1200" / "chrome-linux" / "chrome", "Chromium 150")
    assert browser.find_browser() == fetched


@pytest.mark.parametrize(("words", "status"), [("requires the snap to be installed", 0), ("Chromium 150", 1)])
def test_a_script_that_only_bears_the_name_is_none(tmp_path: Path, words: str, status: int) -> None:
    program(tmp_path / "chromium-browser", words, status)
    assert browser.find_browser() is None


def test_a_missing_browser_is_said_loudly_and_fails_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.browser"],
        env={"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert browser.MISSING in done.stderr
