"""`python -m benchmarks` (make bench): print what was measured beside what is to be reached.

python -m benchmarks --quick                   a look: small workloads, one repeat
python -m benchmarks --only log,throughput     some subjects
python -m benchmarks --json bench.json         the rows as a file too
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import (
    capturing,
    comparing,
    crash,
    dashboard,
    log_calls,
    peers,
    promotions,
    reading,
    searching,
    startup,
    studies,
    sweep_page,
    throughput,
    trials,
)
from benchmarks.report import Row, table
from benchmarks.workloads import Bench

SUBJECTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "import": startup.importing,
    "cold": startup.cold_scripts,
    "warm": startup.warm_run,
    "capture": capturing.capturing,
    "log": log_calls.log_calls,
    "throughput": throughput.throughput,
    "small": throughput.small_runs,
    "read": reading.reading,
    "crash": crash.crash,
    "search": searching.searching,
    "dashboard": dashboard.dashboard,
    "compare": comparing.comparing,
    "studies": studies.studies,
    "trials": trials.trials,
    "sweep": sweep_page.sweep_page,
    "promotions": promotions.promotions,
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="small workloads, one repeat; no claims")
    parser.add_argument("--only", default="", help=f"subjects by name, with commas: {','.join(SUBJECTS)}")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument(
        "--folder", type=Path, help="a folder on the disk to measure; default: the system's temporary one"
    )
    parser.add_argument("--no-peers", action="store_true", help="leave out trackio and mlflow")
    args = parser.parse_args()
    args.only = [name for name in args.only.split(",") if name] or list(SUBJECTS)
    if unknown := set(args.only) - set(SUBJECTS):
        parser.error(f"no subject named {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}")
    return args


def main() -> int:
    args = parse_args()
    known = [] if args.no_peers else peers.installed()
    print(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.platform()}. "
        "The reference is a plain sqlite3 loop of this run: WAL, NORMAL, one row per point."
    )
    if not known and not args.no_peers:
        print("No peers installed: make bench-peers installs trackio and mlflow to compare with.")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="podium-bench-", dir=args.folder) as folder:
        for name in args.only:
            began = time.perf_counter()
            rows += SUBJECTS[name](Bench(Path(folder), args.quick, known))
            print(f"  {name} ({time.perf_counter() - began:.0f} s)", file=sys.stderr)
    print()
    print(table(rows, [peer.name for peer in known]))
    if args.json:
        args.json.write_text(json.dumps([row.to_json() for row in rows], indent=2) + "\n", encoding="utf-8")
    missed = sum(row.reached is False for row in rows)
    print(
        f"\n{len(rows)} rows, {missed} short of their target."
        + (" A quick look, no claim." if args.quick else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
