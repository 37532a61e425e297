#!/usr/bin/env python3
"""Measures `jtx session` beside a process for each operation, the clients beside it, and both
clients beside what people use instead. Everything that is compared takes turns within a run.

Usage: bench.py [DIR]

$JTX names the jtx; DIR is where the files are, the system's directory of temporary files by
default. What it is compared with: `python3 -m pip install -r requirements.txt`, and `npm install`
here; what is not there is said to be left out.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python", "src"))
import jtx  # noqa: E402
from jtx.session import shared  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "40"))  # of each comparison
AT_ONCE = 64  # requests that are sent without waiting
UPDATES = int(os.environ.get("UPDATES", "400"))  # of all the processes of a race
DOCUMENT = {"n": 0, "text": "x" * 900}  # 1 KB


class Pipe:
    """A session without a client: what is sent, and the lines that come."""

    def __init__(self):
        self.process = subprocess.Popen([jtx.binary(), "session", "-q"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def ask(self, requests):
        self.process.stdin.write(b"".join(json.dumps(r).encode() + b"\n" for r in requests))
        self.process.stdin.flush()
        for _ in requests:
            answer = self.process.stdout.readline()
            assert b'"result"' in answer, answer


def timed(work, times=1):
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times


def operations(directory):
    """get and set, by a process each, by a session, and by the client."""
    pipe = Pipe()
    count = iter(range(1, 1 << 62))

    def set_request(file, durability):
        n = next(count)
        return {"id": n, "do": "change", "changes": [{"file": os.path.join(directory, file), "set": {"/n": n}}], "durability": durability}

    def process(*words):
        subprocess.run([jtx.binary(), *words], check=True, stdout=subprocess.DEVNULL, cwd=directory)

    def client_set(durability):
        request = set_request("c.json", durability)
        shared().change(request["changes"], durability=durability)

    print("| operation | a process, ms | session, ms | × | 64 at once, ms | × | client, ms | beside the session |\n|---|---|---|---|---|---|---|---|")
    for file in "abcd":
        jtx.write(os.path.join(directory, file + ".json"), DOCUMENT)
    rows = [("get", lambda: process("get", "a.json", "/n"),
             lambda k: pipe.ask([{"id": i, "do": "read", "files": [os.path.join(directory, "b.json")], "pointer": "/n"} for i in range(k)]),
             lambda: jtx.read(os.path.join(directory, "c.json"), "/n"))]
    for d in ("full", "journal", "none"):
        rows.append((f"set, {d}", lambda d=d: process("set", "-q", "--durability", d, "a.json", "/n", str(next(count))),
                     lambda k, d=d: pipe.ask([set_request("b.json", d) for _ in range(k)]), lambda d=d: client_set(d)))
    for name, one, session, client in rows:
        taken = {"process": [], "session": [], "pipelined": [], "client": []}
        for _ in range(ROUNDS):
            taken["process"].append(timed(one, 2))
            taken["session"].append(timed(lambda: session(1), 10))
            taken["client"].append(timed(client, 10))
            taken["pipelined"].append(timed(lambda: session(AT_ONCE)) / AT_ONCE)
        ms = {way: statistics.median(t) * 1e3 for way, t in taken.items()}
        print(f"| {name} | {ms['process']:.2f} | {ms['session']:.3f} | {ms['process'] / ms['session']:.1f} | {ms['pipelined']:.3f} | "
              f"{ms['process'] / ms['pipelined']:.1f} | {ms['client']:.3f} | {(ms['client'] / ms['session'] - 1) * 100:+.0f} % |", flush=True)


def race(command, way, directory, processes):
    """Updates a second, of some processes that change one file."""
    file = os.path.join(tempfile.mkdtemp(dir=directory), "n.json")
    with open(file, "w", encoding="utf-8") as f:
        json.dump(DOCUMENT, f, indent=2)
    times = max(10, UPDATES // processes)
    workers = [subprocess.Popen([*command, way, file, str(times)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE) for _ in range(processes)]
    for w in workers:
        assert w.stdout.readline() == b"ready\n"
    began = time.perf_counter()
    for w in workers:
        w.stdin.write(b"\n")
        w.stdin.close()
    for w in workers:
        assert w.wait() == 0
        w.stdout.close()
    taken = time.perf_counter() - began
    with open(file, encoding="utf-8") as f:
        assert json.load(f)["n"] == processes * (times + 1), "an update is lost"
    return processes * times / taken


def races(directory, language, command, other, check):
    if subprocess.run(check, capture_output=True, cwd=HERE).returncode != 0:
        print(f"\n{language}: left out, there is no {other}", flush=True)
        return
    print(f"\n| {language}, processes | jtx, updates a second | {other} | × |\n|---|---|---|---|")
    for processes in (1, 4, 16):
        both = {"jtx": [], other: []}
        for _ in range(max(1, ROUNDS // 8)):
            for way, speeds in both.items():
                speeds.append(race(command, way, directory, processes))
        a, b = (statistics.median(speeds) for speeds in both.values())
        print(f"| {processes} | {a:.0f} | {b:.0f} | {a / b:.2f} |", flush=True)


def main():
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as directory:
        operations(directory)
        races(directory, "Python", [sys.executable, "worker.py"], "filelock", [sys.executable, "-c", "import filelock"])
        races(directory, "Node", ["node", "worker.mjs"], "lockfile", ["node", "-e", "require('proper-lockfile'), require('write-file-atomic')"])


if __name__ == "__main__":
    main()
