"""bench/RESULTS.md: what was measured, how, on which machine, and the figures."""

import os
import platform
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
INTRODUCTION = """# Figures

Written by `make bench` (`python -m bench --help` tells the parts and sizes). Every figure is taken on a desk of its
own, started by `manage.py up` with its durable settings: PostgreSQL with fsync and synchronous_commit on, two worker
processes on two cores, everything and the bench itself on one machine.

- **intake**: mails of 4 KB (plain and HTML) by SMTP, each answered before the next is sent; 60 of 100 from new people,
  20 from known ones, 20 answers to known messages. A run ends when every message is committed and every subscriber
  has read its events. CPU is that of all processes of the desk, PostgreSQL and Valkey included, per message.
- **social**: signed calls with one message each at the hook of a Messenger and a Zalo channel, over kept connections,
  each answered before the next; the time until the 200, and a run's end, as for mails. The provider that is asked for
  people's names is played by the bench itself on the same cores.
- **limit beside it**: transactions per second that only INSERT the ten rows which a first mail leaves behind, by the
  same driver into the same tables (without foreign keys).
- **screen**: one mail every quarter of a second; from the listener's 250 to the poke on an agent's WebSocket.
- **pages**: one request after the other over HTTP by a signed-in agent of two of five teams; statements without the
  session's and the user's. A quarter of the tickets is open work.
- **memory**: proportional set size (PSS) of every process at rest.
- **start**: seconds from the command to the first good answer.
"""


def machine() -> dict[str, str]:
    """What it ran on."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": str(cores),
        "processor": model or platform.machine(),
        "memory": f"{memory:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load before the run": " ".join(f"{value:.1f}" for value in os.getloadavg()),
    }


def write(found: dict[str, Any], path: Path = RESULTS) -> None:
    """Rewrite the page with these figures."""
    lines = [INTRODUCTION, f"## {found['date']}", ""]
    lines += ["; ".join(f"{name}: {value}" for name, value in found["machine"].items()) + ".", ""]
    for part, figures in found["parts"].items():
        lines += [f"### {part}", "", *_table(figures), ""]
    path.write_text("\n".join(lines).rstrip() + "\n")


def _table(figures: dict[str, Any]) -> list[str]:
    """Rows that have figures of their own become a table, single values a list."""
    rows = {name: value for name, value in figures.items() if isinstance(value, dict)}
    single = [f"- {name}: {_said(value)}" for name, value in figures.items() if not isinstance(value, dict)]
    tables: list[str] = []
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, value in rows.items():
        flat = _flat(value)
        alike.setdefault(tuple(flat), []).append(
            f"| {name} | " + " | ".join(_said(one) for one in flat.values()) + " |"
        )
    for columns, found in alike.items():
        tables += ["", "| | " + " | ".join(column.replace("_", " ") for column in columns) + " |"]
        tables += ["|---" * (len(columns) + 1) + "|", *found]
    return [*single, *tables]


def _flat(value: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, one in value.items():
        if isinstance(one, dict):
            flat |= _flat(one, f"{name.replace('_by_role', '')} ")
        else:
            flat[before + name] = one
    return flat


def _said(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
