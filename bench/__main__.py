"""`python -m bench [intake social pages latency memory start]`: measure a desk, print JSON, rewrite RESULTS.md."""

import argparse
import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

from bench import processes, report
from bench.desk import Desk

PARTS = ("start", "memory", "intake", "social", "latency", "pages")
REST = 15.0  # seconds of quiet before memory is looked at


def main() -> None:
    """The parts asked for, all by default; the desk is removed afterwards."""
    options = _options()
    sizes = sorted(int(float(size)) for size in options.tickets.split(","))
    parts = options.parts or list(PARTS)
    begun = time.monotonic()
    desk = Desk()
    os.environ.update(desk.environment, DJANGO_SETTINGS_MODULE="helpdesk.settings")
    found: dict[str, Any] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": report.machine(),
        "parts": {},
    }
    try:
        _run(desk, parts, sizes, options, found)
    finally:
        desk.remove()
    found["seconds"] = round(time.monotonic() - begun)
    sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    if not options.no_file:
        report.write(found)


def _run(desk: Desk, parts: list[str], sizes: list[int], options: argparse.Namespace, found: dict[str, Any]) -> None:
    _say("starting a new desk")
    first = desk.start()
    import django

    django.setup()
    from django.db import connection

    from bench import intake, latency, loader, pages, social

    house, loaded = loader.furnish(), 0
    figures = found["parts"]
    for size in sizes:
        _say(f"loading up to {size:,} tickets")
        seconds = loader.load(house, size - loaded, seed=size)
        loaded = size
        figures.setdefault("load", {})[f"up to {size:,} tickets of five messages"] = {"seconds": round(seconds, 1)}
        if size == sizes[0]:
            if "start" in parts or "memory" in parts:
                connection.close()
                desk.stop()
                again = desk.start()
            if "start" in parts:
                figures["start, seconds"] = {"on an empty folder": first, "again": again}
            if "memory" in parts:
                _say("resting")
                time.sleep(REST)
                figures["memory, MB"] = memory(desk)
            if "latency" in parts:
                _say("latency")
                figures["from acceptance to the screen"] = latency.measure(desk, house, mails=options.latency_mails)
        if "pages" in parts:
            _say(f"pages at {size:,}")
            figures[f"pages at {size:,} tickets"] = pages.measure(desk, house)
        if size == sizes[0] and "intake" in parts:
            _say("intake")
            figures["intake"] = intake.measure(desk, house, mails=options.mails, lines=options.lines)
        if size == sizes[0] and "social" in parts:
            _say("social")
            figures["social"] = social.measure(desk, messages=options.messages)


def memory(desk: Desk) -> dict[str, Any]:
    """PSS of every process, by role; all but the database beside it."""
    by_role: dict[str, float] = {}
    for process in processes.tree(desk.pid):
        by_role[process.group] = by_role.get(process.group, 0) + processes.pss(process.pid) / 2**20
    rounded = {role: round(megabytes, 1) for role, megabytes in by_role.items()}
    others = sum(megabytes for role, megabytes in by_role.items() if role != processes.DATABASE)
    return {**rounded, "all but the database": round(others, 1)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure a whole desk; see bench/RESULTS.md.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"any of: {', '.join(PARTS)}; all by default")
    parser.add_argument("--tickets", default="10000,100000", help="sizes to load, for instance 10000,100000,1000000")
    parser.add_argument("--mails", type=int, default=1200, help="mails of the run with four connections")
    parser.add_argument("--lines", type=int, default=400, help="chat messages of the run with four connections")
    parser.add_argument("--messages", type=int, default=1500, help="social messages of the run with eight connections")
    parser.add_argument("--latency-mails", type=int, default=60)
    parser.add_argument("--no-file", action="store_true", help="print only; leave RESULTS.md alone")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    return options


def _say(text: str) -> None:
    sys.stderr.write(f"bench: {text} …\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
