#!/usr/bin/env python3
"""Grades real servers and clients with the release binary and compares every verdict with the expected one.

    run.py              the gate: ws (npm) and websockets (PyPI), as servers and as clients
    run.py --all        these and the other servers of the table below
    run.py NAME…        just these

Exit code: 0 all as expected, 1 something differs, 2 it could not be run. See README.md beside this file.
"""

import argparse
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()

NPM = [["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]]
PIP = [
    ["python3", "-m", "venv", "--clear", "venv"],
    ["venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
]
CPP = [["g++", "-O1", "-std=c++17", "-pthread", "-o", "server", "server.cpp"]]


@dataclass(frozen=True)
class Peer:
    """Somebody to be graded: their name, how they are made ready in a copy of their folder, how they are started.

    A server prints its URL. A client is given our URL and its own name, and plays every case.
    """

    name: str
    setup: list
    command: list
    gate: bool = False
    client: bool = False
    recorded: bool = True  # whether Autobahn's verdicts are in expected/; else a strict pass is expected
    deadly: tuple = ()  # cases that end its process, and are left out so that the others can be played

    @property
    def folder(self):
        return self.name.removesuffix("-client")


PEERS = [
    Peer("ws", NPM, ["node", "server.mjs"], gate=True),
    Peer("websockets", PIP, ["venv/bin/python", "server.py"], gate=True),
    Peer("ws-client", NPM, ["node", "client.mjs"], gate=True, client=True),
    Peer("websockets-client", PIP, ["venv/bin/python", "client.py"], gate=True, client=True, recorded=False),
    Peer("aiohttp", PIP, ["venv/bin/python", "server.py"]),
    Peer("websocket-node", NPM, ["node", "server.mjs"], deadly=("H.6.11", "N.4.9", "N.4.10", "N.4.11")),
    Peer("beast", CPP, ["./server"]),
    Peer("mojolicious", [], ["perl", "server.pl"]),
]

# Resilience: what becomes of these cases hangs on what else the machine does, and they take longer than all others.
LOAD = "R.*"

# Autobahn's words and ours. Its close verdict is OK also for a peer that just ended TCP without a Close frame,
# which we tell apart.
BEHAVIOR = {
    "OK": {"pass"},
    "NON-STRICT": {"non-strict"},
    "INFORMATIONAL": {"informational"},
    "UNIMPLEMENTED": {"unimplemented"},
    "FAILED": {"fail"},
}
CLOSE = {
    "OK": {"pass"},
    "INFORMATIONAL": {"informational"},
    "WRONG CODE": {"wrong-code"},
    "UNCLEAN": {"unclean"},
    "FAILED BY CLIENT": {"failed-by-peer"},
    "FAILED": {"wrong-side"},
}


class CannotRun(Exception):
    """Something on our side is missing or broke; nothing can be said of the peer."""


@dataclass(frozen=True)
class Expected:
    """What a case may give, as one set per axis, and the reason where that is not what Autobahn gave."""

    behavior: frozenset
    close: frozenset
    code: object
    reason: str | None = None

    def admits(self, seen):
        return seen[0] in self.behavior and seen[1] in self.close and self.code in (ANY, seen[2])

    def __str__(self):
        words = ["|".join(sorted(self.behavior)), "|".join(sorted(self.close))]
        return " / ".join(words if self.code is ANY else [*words, str(self.code or "no code")])


ANY = object()  # stands for every close code
# Where there is nothing to close, as after a handshake that was refused, the second axis says that it judges nothing.
STRICT = Expected(frozenset({"pass"}), frozenset({"pass", "informational"}), ANY)


def from_autobahn(verdict):
    behavior, close, code = verdict
    lawful = CLOSE[close] | ({"dropped"} if close == "OK" and code is None else set())
    # Where the wrong side closed, the code is the echo of what the tester happened to close with.
    return Expected(frozenset(BEHAVIOR[behavior]), frozenset(lawful), ANY if close == "FAILED" else code)


def declared(entry):
    """What an entry of differences.json expects of each of its cases."""
    for key in ("cases", "behavior", "close", "reason"):
        if not entry.get(key):
            raise CannotRun(f"differences.json: an entry has no {key!r}: {entry}")
    behavior, close = (frozenset([x] if isinstance(x, str) else x) for x in (entry["behavior"], entry["close"]))
    return Expected(behavior, close, entry.get("code", ANY), entry["reason"])


def compare(verdicts, differences, seen):
    """What does not fit, one row a case. `seen` is {id: (behavior, close, close_code)}.

    A case that Autobahn has is expected to get Autobahn's verdict, any other one a strict pass, and
    either is overruled by a declared difference, which then has to occur.
    """
    plain = {case: from_autobahn(verdict) for case, verdict in verdicts.items()}
    table = {}
    for entry in differences:
        expected = declared(entry)
        for case in matching(entry["cases"], seen):
            if case in table:
                raise CannotRun(f"differences.json: {case} is declared twice")
            table[case] = expected
    rows = []
    for case in sorted(plain.keys() | table.keys() | seen.keys(), key=natural):
        got, usual, exception = seen.get(case), plain.get(case, STRICT), table.get(case)
        if got is None:
            rows.append((case, str(exception or usual), "-", "not played"))
        elif exception is None:
            if not usual.admits(got):
                rows.append((case, str(usual), show(got), "not declared"))
        elif not exception.admits(got):
            what = "declared, but does not occur" if usual.admits(got) else "declared otherwise"
            rows.append((case, str(exception), show(got), f"{what}: {exception.reason}"))
    return rows


def matching(patterns, seen):
    """The cases that the patterns stand for: `12.*` is every case of section 12 that was played."""
    for pattern in patterns:
        if pattern.endswith("*"):
            yield from (case for case in seen if case.startswith(pattern[:-1]))
        else:
            yield pattern


def show(got):
    behavior, close, code = got
    return f"{behavior} / {close} / {code or 'no code'}"


def natural(case):
    return [(part.isalpha(), int(part) if part.isdigit() else 0, part) for part in case.split(".")]


def prepare(peer):
    """Copies the peer's folder below the target folder and makes it ready there, once per content."""
    source, home = HERE / peer.folder, TARGET / "peers" / peer.folder
    digest = hashlib.sha256(json.dumps(peer.setup).encode())
    for path in sorted(source.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    stamp = home / ".ready"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return home
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(source, home)
    for command in peer.setup:
        say(f"{peer.name}: {' '.join(command)}")
        try:
            subprocess.run(command, cwd=home, check=True, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise CannotRun(f"{peer.name}: {command[0]} is not installed") from None
        except subprocess.CalledProcessError as error:
            raise CannotRun(f"{peer.name}: `{' '.join(command)}` ended with {error.returncode}") from None
    stamp.write_text(digest.hexdigest())
    return home


@contextmanager
def running(peer, home):
    """The server's URL, which it prints once it listens; the server with all its children is gone afterwards."""
    log = home / "server.log"
    with log.open("wb") as stderr:
        try:
            server = subprocess.Popen(
                peer.command,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise CannotRun(f"{peer.name}: {peer.command[0]} is not installed") from None
        try:
            ready, _, _ = select.select([server.stdout], [], [], 30)
            url = server.stdout.readline().decode().strip() if ready else ""
            if not url.startswith("ws://"):
                raise CannotRun(f"{peer.name}: the server did not come up, see {log}")
            yield url
            time.sleep(0.1)
            if server.poll() is not None:
                raise CannotRun(f"{peer.name}: the server ended with {server.returncode} meanwhile, see {log}")
        finally:
            try:
                os.killpg(server.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            server.wait()


def grade(binary, peer, url, out):
    """Lets the binary grade the server; {id: (behavior, close, close_code)}."""
    shutil.rmtree(out, ignore_errors=True)
    command = [str(binary), "test", url, "--exclude", LOAD, "--out", str(out)]
    for case in peer.deadly:
        command += ["--exclude", case]
    say(f"{peer.name}: {' '.join(command)}")
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=600)
    except subprocess.TimeoutExpired:
        raise CannotRun(f"{peer.name}: not graded within 600 seconds") from None
    # 1 is "graded, and below the gate"; 2 and 3 say that there is nothing to compare.
    if done.returncode not in (0, 1):
        raise CannotRun(f"{peer.name}: wsgrade ended with {done.returncode}")
    (target,) = json.loads((out / "run.json").read_text())["targets"]
    return {case["id"]: (case["behavior"], case["close"], case.get("close_code")) for case in target["cases"]}


def grade_client(binary, peer, home, out):
    """Lets the client play every case against the binary; {id: (behavior, close, close_code)}."""
    shutil.rmtree(out, ignore_errors=True)
    # Not only those that drivers written for Autobahn count on.
    command = [str(binary), "listen", "127.0.0.1:0", "-c", "*", "--exclude", LOAD, "--out", str(out)]
    say(f"{peer.name}: {' '.join(command)}")
    listener = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        line = listener.stdout.readline().decode().strip()
        if not line.startswith("listening on ws://"):
            raise CannotRun(f"{peer.name}: wsgrade does not listen")
        url = line.removeprefix("listening on ").rstrip("/")
        with (home / "client.log").open("wb") as log:
            client = subprocess.run(
                [*peer.command, url, peer.name], cwd=home, stdin=subprocess.DEVNULL, stderr=log, timeout=600
            )
        if client.returncode != 0:
            raise CannotRun(f"{peer.name}: the client ended with {client.returncode}, see {home / 'client.log'}")
        print(listener.communicate(timeout=60)[0].decode(), end="")
    except subprocess.TimeoutExpired:
        raise CannotRun(f"{peer.name}: not graded in time, see {home / 'client.log'}") from None
    finally:
        listener.kill()
        listener.wait()
    if listener.returncode not in (0, 1):
        raise CannotRun(f"{peer.name}: wsgrade ended with {listener.returncode}")
    (target,) = json.loads((out / "run.json").read_text())["targets"]
    return {case["id"]: (case["behavior"], case["close"], case.get("close_code")) for case in target["cases"]}


def check(binary, peer):
    """Whether everything was as expected."""
    recorded = HERE / "expected" / f"{peer.name}.json"
    verdicts = json.loads(recorded.read_text())["verdicts"] if peer.recorded else {}
    table = json.loads((HERE / "differences.json").read_text())
    differences = [*table["everybody"], *table.get(peer.name, [])]
    home = prepare(peer)
    out = home / ("report-client" if peer.client else "report")
    if peer.client:
        seen = grade_client(binary, peer, home, out)
    else:
        with running(peer, home) as url:
            seen = grade(binary, peer, url, out)
    rows = compare(verdicts, differences, seen)
    if not rows:
        count = sum(len(list(matching(entry["cases"], seen))) for entry in differences)
        print(f"{peer.name}: {len(seen)} cases as expected, {count} declared differences among them", flush=True)
        return True
    print(f"{peer.name}: {len(rows)} cases are not as expected; the report is {out / 'index.html'}")
    head = ("case", "expected", "seen", "")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(3)]
    for row in [head, *rows]:
        print("  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3]]).rstrip())
    sys.stdout.flush()
    return False


def say(line):
    print(line, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(peer.name for peer in PEERS))
    parser.add_argument("--all", action="store_true", help="every peer, not only those of the gate")
    parser.add_argument("--binary", type=Path, default=TARGET / "release" / "wsgrade")
    options = parser.parse_args()
    unknown = set(options.names) - {peer.name for peer in PEERS}
    if unknown:
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    # Ends by way of `finally`, so that no server outlives this script.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = [p for p in PEERS if p.name in options.names or options.all or (p.gate and not options.names)]
    try:
        if not options.binary.exists():
            raise CannotRun(f"{options.binary} is not there; `cargo build --release` makes it")
        results = [check(options.binary.resolve(), peer) for peer in chosen]
    except CannotRun as error:
        say(f"run.py: {error}")
        return 2
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
