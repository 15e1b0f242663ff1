"""CPU time and memory of a tree of processes, read from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
DATABASE, BROKER = "database", "valkey"


@dataclass(frozen=True, slots=True)
class Process:
    """One living process: its CPU seconds include those of children that have ended."""

    pid: int
    parent: int
    group: str  # database, valkey, else the role: web, worker, clock, beat, mail, supervisor
    cpu: float


def tree(root: int) -> list[Process]:
    """The process and everything below it, parents first. PostgreSQL runs in a session of its own but stays a child."""
    known = {found.pid: found for entry in Path("/proc").iterdir() if entry.name.isdigit() and (found := _read(entry))}
    wanted, frontier = [], [root]
    while frontier:
        pid = frontier.pop(0)
        if pid in known:
            wanted.append(known[pid])
        frontier += sorted(child.pid for child in known.values() if child.parent == pid)
    return wanted


def cpu_by_group(root: int) -> dict[str, float]:
    """CPU seconds spent so far below `root`, by group. A difference of two calls is what was used in between."""
    spent: dict[str, float] = {}
    for process in tree(root):
        spent[process.group] = spent.get(process.group, 0.0) + process.cpu
    return spent


def pss(pid: int) -> int:
    """Proportional set size in bytes: shared pages count in parts. 0 for a process that has just ended."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _read(entry: Path) -> Process | None:
    try:
        stat = (entry / "stat").read_text()
        command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None
    name, _, rest = stat.partition("(")[2].rpartition(")")
    fields = rest.split()
    cpu = sum(int(value) for value in fields[11:15]) / _TICK  # user, system, and the same of ended children
    if name == "postgres":
        group = DATABASE
    elif "valkey" in name or "valkey" in command[:200]:
        group = BROKER
    else:
        group = name.removeprefix("hd-") if name.startswith("hd-") else "supervisor"
    return Process(int(entry.name), int(fields[1]), group, cpu)
