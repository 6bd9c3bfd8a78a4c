#!/usr/bin/env python3
"""Fuzzes an endpoint with each defect of the reference server's catalogue, live and without the catalogue of cases.

    cargo build --release -p wsgrade --bins --examples
    harness/tests/peers/fuzz_defects.py [--time 30] [--role server|client] [--only NAME …] [--by-hand FILE] [--markdown FILE]

The defects are those of `docs/detection.md` that are no process's. For each, a campaign of at most so many seconds has to find
something, and in no more steps than the shortest case that catches the defect and one: `cargo test --test fuzzing` says
how many those are, and --by-hand is what it printed, if it ran already; an opening handshake is a case without a step. A campaign ends with its first finding; where that has too many
steps it is run again to its end. Exits with 1 where less than nine of ten defects are found so.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import run  # where things are

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = run.TARGET / "release" / "examples" / "deviant"
ROW = re.compile(r"^(\S+) +\d+ +\d+ -> +\d+ steps \( *\d+ plays\), by hand +(\d+): ")
ROLE = re.compile(r"^(server|client): \d+ of \d+ found")


def defects(text):
    """The defects of the document, with the roles in which each is one."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        name = re.fullmatch(r"`([a-z0-9.-]+)`", cells[0])
        if name and len(cells) == 6:
            for role, cell in (("server", cells[3]), ("client", cells[4])):
                if cell != "–":
                    found.append((role, name[1]))
    return found


def steps_by_hand(printed):
    """By role and defect, how many steps the shortest case has that catches it, as the test of generation prints them."""
    command = ["cargo", "test", "-q", "-p", "wsgrade", "--test", "fuzzing", "--", "--nocapture", "--test-threads", "1"]
    if printed:
        output = printed.read_text()
    else:
        output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    steps, rows = {}, {}
    for line in output.splitlines():
        if row := ROW.match(line):
            rows[row[1]] = int(row[2])
        elif role := ROLE.match(line):
            steps |= {(role[1], name): count for name, count in rows.items()}
            rows = {}
    return steps


def campaign(role, defect, seconds, more):
    """How long one campaign took, and for each finding its steps, its signature and how often it showed; why there is none."""
    if role == "server":
        place = ["--spawn", f"exec '{EXAMPLE}' --port {{port}} --defect {defect}"]
    else:
        place = ["--listen", "127.0.0.1:0", "--spawn", f"exec '{EXAMPLE}' --url {{url}} --agent {{agent}} --defect {defect}"]
    with tempfile.TemporaryDirectory() as folder:
        command = [run.TARGET / "release" / "wsgrade", "fuzz", *place, "--time", f"{seconds}s", "--no-catalogue"]
        began = time.monotonic()
        ended = subprocess.run(
            [*command, "--seed", "1", "-o", folder, *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        took = time.monotonic() - began
        try:
            findings = json.loads((Path(folder) / "run.json").read_text())["fuzz"]["findings"]
        except FileNotFoundError:
            # It opens no connection at all, say, and is refused before the first scenario.
            return took, [], (ended.stderr.strip().splitlines() or ["no record"])[-1]
    return took, [(found["steps"], found["signature"], found["replayed"], found["tries"]) for found in findings], "not found"


def best(findings):
    return min(findings, key=lambda found: found[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", type=int, default=30, metavar="SECONDS")
    parser.add_argument("--role", choices=["server", "client"])
    parser.add_argument("--only", nargs="*", metavar="NAME")
    parser.add_argument("--by-hand", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    args = parser.parse_args()
    all_of_them = defects((ROOT / "docs" / "detection.md").read_text())
    chosen = [
        (role, name)
        for role, name in all_of_them
        if args.role in (None, role) and (not args.only or name in args.only)
    ]
    by_hand = steps_by_hand(args.by_hand)
    lines, found, short, took_all = [], 0, 0, []
    for role, name in chosen:
        most = by_hand.get((role, name), 0) + 1
        took, findings, why = campaign(role, name, args.time, ["--max-findings", "1"])
        if findings and best(findings)[0] > most:
            took, findings, why = campaign(role, name, args.time, [])
        if findings:
            steps, signature, shown, tries = best(findings)
            found += 1
            short += steps <= most
            took_all.append(took)
            flaky = "" if shown == tries else f" (flaky, {shown} of {tries})"
            long = "" if steps <= most else " **too long**"
            lines.append(f"| `{name}` | {role} | {took:.1f} s | {steps}{long} | {most - 1} | {signature}{flaky} |")
        else:
            lines.append(f"| `{name}` | {role} | {took:.1f} s | – | {most - 1} | {why} |")
        print(lines[-1], flush=True)
    if not chosen:
        sys.exit("no such defect")
    head = (
        f"{found} of {len(chosen)} defects found ({100 * found / len(chosen):.1f} %), {short} of them in no more steps than by hand and one; "
        f"from start to report {statistics.median(took_all or [0]):.1f} s (median), {max(took_all or [0]):.1f} s (the most)."
    )
    print(head)
    if args.markdown:
        table = ["| defect | role | found in | steps | by hand | as |", "|---|---|--:|--:|--:|---|", *lines]
        args.markdown.write_text(f"{head}\n\n" + "\n".join(table) + "\n")
    sys.exit(0 if 10 * short >= 9 * len(chosen) else 1)


if __name__ == "__main__":
    main()
