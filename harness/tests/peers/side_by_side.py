#!/usr/bin/env python3
"""Measures Autobahn|Testsuite and wsgrade one after the other against the same servers, on this machine.

    side_by_side.py --wstest PATH/TO/bin/wstest [--targets reference,ws] [--markdown FILE]

For each target a fresh server is started for each run. Wall time, the tester's own CPU time, the server's, and the peak
memory of both are printed as a table. `wstest` needs a Python 2.7 with autobahntestsuite 0.8.2, and takes a quarter of
an hour for each target; without --wstest only wsgrade is measured.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import run  # the servers of other people, and how they are made ready

REFERENCE = [str(run.TARGET / "release" / "reference-server"), "--listen", "127.0.0.1:0", "--log", "off"]


def wait(process):
    """Waits for a process; its CPU seconds, with those of its children, and its peak memory in MiB."""
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def start(name):
    if name == "reference":
        command, home = REFERENCE, None
    else:
        (peer,) = [peer for peer in run.PEERS if peer.name == name]
        home = run.prepare(peer)
        command = peer.command
    server = subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    line = server.stdout.readline().strip()
    return server, line[line.index("ws://") :]


def measure(name, command_for):
    """One run of a tester against a fresh server: wall, own CPU, server's CPU, own memory, server's memory."""
    server, url = start(name)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        tester = subprocess.Popen(
            command_for(url, Path(folder)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        own_cpu, own_memory = wait(tester)
        wall = time.monotonic() - began
        server.send_signal(signal.SIGKILL)
        cpu, memory = wait(server)
    return wall, own_cpu, cpu, own_memory, memory


def wstest(binary):
    def command(url, folder):
        spec = folder / "spec.json"
        servers = [{"agent": "target", "url": url}]
        spec.write_text(
            json.dumps({"outdir": str(folder / "out"), "servers": servers, "cases": ["*"], "exclude-cases": []})
        )
        return [binary, "-m", "fuzzingclient", "-s", str(spec)]

    return command


def wsgrade(binary, depth):
    # The cases that Autobahn has, and no others.
    sections = [word for n in (1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13) for word in ("-c", f"{n}.*")]
    return lambda url, folder: [str(binary), "test", url, "-o", str(folder), "--depth", depth, *sections]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wstest", help="the wstest of the original")
    parser.add_argument("--targets", default="reference,ws")
    parser.add_argument("--binary", type=Path, default=run.TARGET / "release" / "wsgrade")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    testers = [("wsgrade, default depth", wsgrade(options.binary, "default")), ("wsgrade, full depth", wsgrade(options.binary, "full"))]
    if options.wstest:
        testers.append(("Autobahn|Testsuite 0.8.2", wstest(options.wstest)))
    lines = ["| target | tester | wall | own CPU | target's CPU | own memory | target's memory |", "|---|---|--:|--:|--:|--:|--:|"]
    print("\n".join(lines), flush=True)
    for target in options.targets.split(","):
        for name, command in testers:
            wall, own, cpu, memory, server = measure(target, command)
            lines.append(
                f"| {target} | {name} | {wall:.1f} s | {own:.1f} s | {cpu:.1f} s | {memory:.0f} MiB | {server:.0f} MiB |"
            )
            print(lines[-1], flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
