#!/usr/bin/env python3
"""What Tidegate costs beside a shell script on AWS's provider: the lean root against the emulator, raised and lowered by turns by both, each
with states of its own. Prints a table for docs/performance.md; nothing is asserted.

    bench.py [ROUNDS]     5 rounds without a number; the first one of each is not counted

The script does what people do by hand: `init`, `plan -out`, `apply`. Neither waits for instances; Tidegate asks Auto Scaling besides.
"""

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
from tide import BUCKET, REGION, Emulator, end_in_good_order, lay_lean  # noqa: E402

SCRIPT = """
set -eu
cd "$1"
terraform init -input=false -no-color -backend-config=bucket={bucket} -backend-config=region={region} -backend-config=key=script.tfstate >/dev/null
terraform plan -input=false -no-color -out=plan.bin -var environment=script -var slave_count="$2" >/dev/null
terraform apply -input=false -no-color plan.bin >/dev/null
""".format(bucket=BUCKET, region=REGION)


class Watch(threading.Thread):
    """The most memory that Terraform and its provider of one folder had together, in MiB of proportional set size."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.most, self.over = Path(folder), 0, threading.Event()

    def run(self):
        while not self.over.wait(0.05):
            self.most = max(self.most, sum(self.sizes()) // 1024)

    def sizes(self):
        for entry in Path("/proc").iterdir():
            try:
                if not entry.name.isdigit() or not Path(os.readlink(entry / "cwd")).is_relative_to(self.folder):
                    continue
                if not Path(os.readlink(entry / "exe")).name.startswith("terraform"):
                    continue
                for line in (entry / "smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        yield int(line.split()[1])
            except OSError:
                continue

    def end(self):
        self.over.set()
        self.join()
        return self.most


def timed(work):
    start = time.monotonic()
    work()
    return time.monotonic() - start


def phases(house, number):
    """Seconds of each part of a run, as Tidegate's own events have them."""
    ledger = sqlite3.connect(house.folder / ".tidegate/tidegate.db")
    rows = ledger.execute(
        "SELECT e.at, e.event FROM run_events e JOIN runs r ON r.id = e.run_id WHERE r.number = ? ORDER BY e.seq", (number,)
    ).fetchall()
    ledger.close()
    begun, found = None, {}
    for at, body in rows:
        event = json.loads(body)
        if event["event"] == "stack_started":
            if begun:
                found[begun[0]] = found.get(begun[0], 0) + at - begun[1]
            begun = (event["phase"], at)
        elif event["event"] in ("stack_verified", "ended") and begun:
            found[begun[0]] = found.get(begun[0], 0) + at - begun[1]
            begun = None
    return {phase: ms / 1000 for phase, ms in found.items()}


def main():
    end_in_good_order()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    emulator = Emulator()
    try:
        with tempfile.TemporaryDirectory(prefix="tidegate-bench.") as folder:
            house = lay_lean(emulator, folder)
            script = Path(folder) / "script"
            shutil.copytree(house.folder / "lean", script)
            (Path(folder) / "run.sh").write_text(SCRIPT)
            env = house.env | {"AWS_PROFILE": "change", "AWS_REGION": REGION}
            by_hand = lambda count: subprocess.run(["bash", str(Path(folder) / "run.sh"), str(script), str(count)], env=env, check=True)
            times, memory = {"script": [], "Tidegate": []}, {"script": [], "Tidegate": []}
            for turn in range(rounds + 1):
                level, count = (("full", 4), ("small", 1))[turn % 2]
                order = [("Tidegate", lambda: tide(house, level)), ("script", lambda: by_hand(count))]
                for who, work in order if turn % 2 else reversed(order):
                    watch = Watch(folder)
                    watch.start()
                    took = timed(work)
                    most = watch.end()
                    if turn:
                        times[who].append(took)
                        memory[who].append(most)
            ratio = statistics.median(times["Tidegate"]) / statistics.median(times["script"])
            print(f"load: {' '.join(Path('/proc/loadavg').read_text().split()[:3])}; {rounds} rounds; the lean root, scaled")
            print("| | median | most memory of Terraform and provider |\n| --- | --- | --- |")
            for who in ("script", "Tidegate"):
                print(f"| {who} | {statistics.median(times[who]):.2f} s | {max(memory[who])} MiB |")
            print(f"| ratio | {ratio:.2f} | |")
            shown = {phase: f"{seconds:.2f} s" for phase, seconds in phases(house, rounds + 1).items()}
            print(f"parts of the last run of Tidegate: {shown}")
    finally:
        emulator.end()


def tide(house, level):
    word = "up" if level == "full" else "down"
    house.shell(f"{word} lean {level}").exits(0)


if __name__ == "__main__":
    main()
