"""Tests of the client. $JTX names the jtx to use; JTX_INCREMENTS is how many each process does."""

import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "src"))

import jtx
from jtx.session import shared
from safe_json_operations import SafeJSONLock, safe_json_read, safe_json_update, safe_json_write

INCREMENTS = int(os.environ.get("JTX_INCREMENTS", "50"))
PROCESSES = 8


def add_one(document):
    document["n"] += 1


def increment(directory, times, kills, way):
    """A process that adds to a number, while its children are killed."""
    os.chdir(directory)
    ended = threading.Event()
    killer = threading.Thread(target=kill_children, args=(ended, kills))
    killer.start()
    try:
        for _ in range(times):
            if way == "safe":
                safe_json_update("n.json", add_one, retries=100)
            else:
                jtx.update("n.json", add_one)
    finally:
        ended.set()
        killer.join()


def kill_children(ended, kills):
    chance = random.Random(os.getpid())
    for _ in range(kills):
        if ended.wait(chance.uniform(0.01, 0.2)):
            return
        child = shared()._child
        if child is not None:
            child.process.kill()


class InADirectory(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.before = os.getcwd()
        os.chdir(self.directory.name)

    def tearDown(self):
        os.chdir(self.before)
        self.directory.cleanup()

    def bytes(self, name):
        with open(name, "rb") as f:
            return f.read()


class Race(InADirectory):
    def race(self, way, method, kills=6):
        jtx.write("n.json", {"n": 0})
        context = multiprocessing.get_context(method)
        workers = [context.Process(target=increment, args=(self.directory.name, INCREMENTS, kills, way)) for _ in range(PROCESSES)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
            self.assertEqual(w.exitcode, 0)
        self.assertEqual(jtx.read("n.json", "/n"), PROCESSES * INCREMENTS)

    def test_no_increment_is_lost_or_done_twice(self):
        self.race("update", "spawn")

    def test_nor_by_the_older_functions_after_a_fork(self):
        self.race("safe", "fork", kills=2)

    def test_a_change_whose_answer_is_lost_is_made_once(self):
        jtx.write("list.json", [])
        ended = threading.Event()
        killer = threading.Thread(target=kill_children, args=(ended, 30))
        killer.start()
        for i in range(60):
            shared().change([{"file": os.path.abspath("list.json"), "patch": [{"op": "add", "path": "/-", "value": i}]}])
        ended.set()
        killer.join()
        self.assertEqual(jtx.read("list.json"), list(range(60)))

    def test_threads_share_a_session(self):
        jtx.write("n.json", {"n": 0})
        threads = [threading.Thread(target=lambda: [jtx.update("n.json", add_one) for _ in range(10)]) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(jtx.read("n.json", "/n"), 80)


class Files(InADirectory):
    def test_read_write_update(self):
        with self.assertRaises(jtx.NotFound):
            jtx.read("a.json")
        self.assertEqual(jtx.read("a.json", default=7), 7)
        jtx.write("a.json", {"n": 1, "é": [1, 2]})
        self.assertEqual(jtx.read("a.json", "/é/1"), 2)
        self.assertEqual(jtx.read("a.json", "/x", default=None), None)
        self.assertEqual(jtx.update("a.json", add_one)["n"], 2)
        self.assertEqual(jtx.read("a.json", "/n", at="1"), 1)
        self.assertEqual(jtx.update("new.json", lambda v: v + [1], default=[]), [1])
        with self.assertRaises(jtx.NotFound):
            jtx.update("nope.json", add_one)
        with self.assertRaises(ValueError):
            jtx.write("a.json", float("nan"))

    def test_layout_stays(self):
        with open("a.json", "w") as f:
            f.write('{\n\t"b": 1.0,   "a": [1,2]\n}\n')
        jtx.update("a.json", lambda v: {**v, "a": [1, 3]})
        self.assertEqual(self.bytes("a.json"), b'{\n\t"b": 1.0,   "a": [1,3]\n}\n')

    def test_two_files_are_a_unit(self):
        jtx.write("a.json", {"n": 100})
        jtx.write("b.json", {"n": 100})
        with jtx.transaction("a.json", "b.json", message="30 from a to b") as tx:
            tx.set("a.json", "/n", tx.read("a.json", "/n") - 30)
            tx.set("b.json", "/n", tx.read("b.json", "/n") + 30)
            self.assertEqual(tx.read("a.json"), {"n": 70})
            self.assertEqual(jtx.read("a.json"), {"n": 100}, "nobody else sees it yet")
        self.assertEqual([jtx.read(f, "/n") for f in ("a.json", "b.json")], [70, 130])
        with self.assertRaises(ZeroDivisionError):
            with jtx.transaction("a.json", "b.json") as tx:
                tx.write("a.json", 1)
                tx.write("b.json", 1 / 0)
        self.assertEqual(jtx.read("a.json"), {"n": 70})
        with self.assertRaises(jtx.UsageError):
            tx.write("a.json", 1)

    def test_a_lock_is_waited_for_and_its_time_ends(self):
        with jtx.Lock("a.json"):
            with self.assertRaises(jtx.Locked):
                jtx.write("a.json", 1, timeout=0.05)
        jtx.write("a.json", 2)
        with self.assertRaises(jtx.Conflict):
            with jtx.transaction("a.json", ttl=0.001) as tx:
                jtx.write("a.json", 3)  # waits until the time is over
                tx.write("a.json", 4)
        self.assertEqual(jtx.read("a.json"), 3)

    def test_a_killed_child_in_a_transaction_changes_nothing(self):
        jtx.write("a.json", 1)
        with self.assertRaises(jtx.Lost) as caught:
            with jtx.transaction("a.json") as tx:
                tx.write("a.json", 2)
                shared()._child.process.kill()
                shared()._child.process.wait()
        self.assertTrue(caught.exception.retryable)
        self.assertEqual(jtx.read("a.json"), 1)

    def test_interrupted_waits_leave_nothing(self):
        with jtx.Lock("a.json"):
            def interrupt():
                time.sleep(0.2)
                os.kill(os.getpid(), 2)
            threading.Thread(target=interrupt).start()
            with self.assertRaises(KeyboardInterrupt):
                jtx.write("a.json", 1)
        jtx.write("b.json", 1)
        self.assertFalse(os.path.exists("a.json"))

    def test_no_binary(self):
        out = subprocess.run([sys.executable, "-c", "import jtx; jtx.read('a.json')"], capture_output=True, text=True,
                             env={**os.environ, "JTX": "", "PATH": "/nowhere", "PYTHONPATH": os.path.dirname(os.path.dirname(jtx.__file__))})
        self.assertIn("NoBinary: jtx is neither in $JTX, nor in this package, nor in PATH", out.stderr)

    def test_a_wrapper_does_not_run_itself(self):
        source = os.path.dirname(os.path.dirname(jtx.__file__))
        with open("jtx", "w") as f:
            f.write(f"#!{sys.executable}\nimport sys\nfrom jtx.__main__ import main\nsys.exit(main())\n")
        os.chmod("jtx", 0o755)
        environment = {**os.environ, "JTX": "", "PATH": self.directory.name, "PYTHONPATH": source}
        out = subprocess.run(["./jtx", "version"], capture_output=True, text=True, timeout=60, env=environment)
        self.assertEqual(out.returncode, 2)
        self.assertIn("error: jtx is neither in $JTX, nor in this package, nor in PATH", out.stderr)


class OlderFunctions(InADirectory):
    def test_their_arguments(self):
        self.assertEqual(safe_json_read("a.json", {"d": 1}, 3), {"d": 1})
        self.assertIsNone(safe_json_read("a.json"))
        self.assertTrue(safe_json_write("sub/a.json", {"b": [1]}, 4, 3, True))
        self.assertEqual(self.bytes("sub/a.json"), b'{\n    "b": [\n        1\n    ]\n}\n')
        self.assertTrue(safe_json_write(file="a.json", data={"a": 1}, indent=2, retries=5, backup=False))
        self.assertTrue(safe_json_update("a.json", lambda d: {**d, "b": 2}, {}, 5, True))
        self.assertTrue(safe_json_update(file="new.json", update_func=lambda d: d.update(x=1), default={"y": 2}, retries=5, backup=True))
        self.assertEqual(safe_json_read(file="new.json", default=None, retries=3), {"y": 2, "x": 1})
        self.assertEqual(json.loads(self.bytes("a.json")), {"a": 1, "b": 2})

    def test_the_lock(self):
        safe_json_write("a.json", {"n": 1})
        with SafeJSONLock("a.json") as lock:
            data = safe_json_read("a.json")
            data["n"] += 1
            safe_json_write("a.json", data)
            safe_json_update("a.json", add_one)
            self.assertEqual(lock.read()["n"], 3)
            self.assertEqual(json.loads(self.bytes("a.json"))["n"], 1)
            with self.assertRaises(jtx.UsageError):
                with SafeJSONLock("a.json"):
                    pass
        self.assertEqual(safe_json_read("a.json")["n"], 3)
        with self.assertRaises(KeyError):
            with SafeJSONLock("a.json"):
                safe_json_write("a.json", {})
                raise KeyError
        self.assertEqual(safe_json_read("a.json")["n"], 3)

    def test_a_plain_write_under_the_lock_is_kept(self):
        safe_json_write("a.json", {"n": 1})
        with SafeJSONLock("a.json"):
            with open("a.json", "w") as f:
                json.dump({"n": 5}, f)
        safe_json_update("a.json", add_one)
        self.assertEqual(safe_json_read("a.json")["n"], 6)


if __name__ == "__main__":
    unittest.main()
