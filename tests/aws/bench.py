#!/usr/bin/env python3
"""What Tidegate costs beside a shell script on AWS's provider: the lean root against the emulator, raised and lowered by turns by both, each
with states of its own. Prints a table for docs/performance.md; nothing is asserted.

    bench.py [ROUNDS]     5 rounds without a number; the first one of each is not counted

The script does what people do by hand: `init`, `plan -out`, `apply`. Neither waits for instances; Tidegate asks Auto Scaling besides. Then the
memory of one, two and four runs at once, each with an emulator of its own, from which `runner.parallel` has its default.
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

# How many runs are looked at side by side.
AT_ONCE = (1, 2, 4)

SCRIPT = """
set -eu
cd "$1"
part() {{ echo "$(date +%s.%N) $1" >>parts; }}
part prepare
terraform init -input=false -no-color -backend-config=bucket={bucket} -backend-config=region={region} -backend-config=key=script.tfstate >/dev/null
part plan
terraform plan -input=false -no-color -out=plan.bin -var environment=script -var slave_count="$2" >/dev/null
part apply
terraform apply -input=false -no-color plan.bin >/dev/null
part end
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


def parts_of_script(folder):
    """Seconds of each part of the script's last run."""
    file = folder / "parts"
    marks = [line.split() for line in file.read_text().splitlines()]
    file.unlink()
    return {name: float(after) - float(at) for (at, name), (after, _) in zip(marks, marks[1:])}


def at_once(count):
    """The most memory of all Terraforms and providers together while `count` runs are made by as many processes, in MiB, and the seconds."""
    emulators, folder = [Emulator() for _ in range(count)], tempfile.TemporaryDirectory(prefix="tidegate-bench.")
    try:
        houses = []
        for index, emulator in enumerate(emulators):
            (Path(folder.name) / str(index)).mkdir()
            houses.append(lay_lean(emulator, Path(folder.name) / str(index)))
        # The first one has `init`, which starts no provider.
        for house in houses:
            house.shell("up lean small").exits(0)
        watch = Watch(folder.name)
        watch.start()
        start, processes = time.monotonic(), [house.start("shell", "-c", "up lean full") for house in houses]
        ended = [process.wait() for process in processes]
        took, most = time.monotonic() - start, watch.end()
        assert ended == [0] * count, ended
        for process in processes:
            process.said.close()
        return most, took
    finally:
        for emulator in emulators:
            emulator.end()
        folder.cleanup()


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
            times, memory, parts = ({"script": [], "Tidegate": []} for _ in range(3))
            for turn in range(rounds + 1):
                level, count = (("full", 4), ("small", 1))[turn % 2]
                order = [("Tidegate", lambda: tide(house, level)), ("script", lambda: by_hand(count))]
                for who, work in order if turn % 2 else reversed(order):
                    watch = Watch(folder)
                    watch.start()
                    took = timed(work)
                    most = watch.end()
                    found = phases(house, turn + 1) if who == "Tidegate" else parts_of_script(script)
                    if turn:
                        parts[who].append(found)
                        times[who].append(took)
                        memory[who].append(most)
            ratio = statistics.median(times["Tidegate"]) / statistics.median(times["script"])
            print(f"load: {' '.join(Path('/proc/loadavg').read_text().split()[:3])}; {rounds} rounds; the lean root, scaled")
            print("| | median | most memory of Terraform and provider |\n| --- | --- | --- |")
            for who in ("script", "Tidegate"):
                print(f"| {who} | {statistics.median(times[who]):.2f} s | {max(memory[who])} MiB |")
            print(f"| ratio | {ratio:.2f} | |")
            print("\n| median of | `init`, code, tool | `plan` | `apply` | verify |\n| --- | --- | --- | --- | --- |")
            for who in ("script", "Tidegate"):
                of = lambda part: [found[part] for found in parts[who] if part in found]
                cells = [f"{statistics.median(of(part)):.2f} s" if of(part) else "" for part in ("prepare", "plan", "apply", "verify")]
                print(f"| {who} | {' | '.join(cells)} |")
    finally:
        emulator.end()
    print("\n| runs at once | most memory of all Terraforms and providers | for each | seconds |\n| --- | --- | --- | --- |")
    for count in AT_ONCE:
        most, took = at_once(count)
        print(f"| {count} | {most} MiB | {most // count} MiB | {took:.1f} |", flush=True)


def tide(house, level):
    word = "up" if level == "full" else "down"
    house.shell(f"{word} lean {level}").exits(0)


if __name__ == "__main__":
    main()
