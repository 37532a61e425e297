"""Adds to a number, TIMES times, with jtx or with what people use instead: filelock, json and
os.replace, durable as jtx is. Usage: worker.py jtx|filelock FILE TIMES"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python", "src"))


def add_one(document):
    document["n"] += 1


def by_jtx(file):
    import jtx
    return lambda: jtx.update(file, add_one)


def by_filelock(file):
    from filelock import FileLock
    lock = FileLock(file + ".lock")
    staged, directory = f"{file}.{os.getpid()}.tmp", os.path.dirname(file)

    def update():
        with lock:
            with open(file, encoding="utf-8") as f:
                document = json.load(f)
            add_one(document)
            with open(staged, "w", encoding="utf-8") as f:
                json.dump(document, f, indent=2)
                f.flush()
                os.fsync(f.fileno())
            os.replace(staged, file)
            names = os.open(directory, os.O_RDONLY)
            os.fsync(names)
            os.close(names)
    return update


way, file, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
update = {"jtx": by_jtx, "filelock": by_filelock}[way](file)
update()  # what is made or started once is not measured
print("ready", flush=True)
sys.stdin.readline()
for _ in range(times):
    update()
