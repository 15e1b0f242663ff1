"""The browser of the end-to-end tests: an installed Chromium, else one is fetched, else the tests say so loudly."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FETCHED = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
MISSING = "NO BROWSER: every browser test is SKIPPED. Install Chromium (`apt install chromium`) and run again."


def candidates() -> Iterable[Path]:
    """Where a browser may be, installed ones first."""
    for name in NAMES:
        if found := shutil.which(name):
            yield Path(found)
    yield MAC
    for pattern in FETCHED:
        yield from sorted(_fetched_dir().glob(pattern), reverse=True)


def _fetched_dir() -> Path:
    if named := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        return Path(named)
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / caches / "ms-playwright"


def starts(program: Path) -> bool:
    """Whether it really is a browser that runs here: some systems have a script that asks to install one."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and b"Chrom" in done.stdout


@cache
def find_browser() -> Path | None:
    """The first browser that starts, None when there is none."""
    return next((program for program in candidates() if program.exists() and starts(program)), None)


def install() -> Path | None:
    """The browser, fetched when missing: through Playwright, else (as root) the system's package."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        attempts += [["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "-y", "chromium"]]
    for command in attempts:
        if found := find_browser():
            return found
        find_browser.cache_clear()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        find_browser.cache_clear()
    return find_browser()


if __name__ == "__main__":
    if (install() if "--install" in sys.argv else find_browser()) is None:
        print(f"\n{'!' * len(MISSING)}\n{MISSING}\n{'!' * len(MISSING)}\n", file=sys.stderr)
