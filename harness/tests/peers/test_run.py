"""What run.py calls a difference. Run by `python3 -m unittest`, which needs no server."""

import json
import unittest
from pathlib import Path

import run

HERE = Path(__file__).resolve().parent

REASON = {"cases": ["7.1.5"], "behavior": "informational", "close": "informational", "reason": "5.5.1"}


def problems(verdicts, differences, seen):
    return [(case, what.split(":")[0]) for case, _, _, what in run.compare(verdicts, differences, seen)]


class Compare(unittest.TestCase):
    def test_the_same_verdict_is_no_difference(self):
        verdicts = {"1.1.1": ["OK", "OK", 1000], "6.4.1": ["NON-STRICT", "OK", 1007]}
        seen = {"1.1.1": ("pass", "pass", 1000), "6.4.1": ("non-strict", "pass", 1007)}
        self.assertEqual(problems(verdicts, [], seen), [])

    def test_each_axis_counts(self):
        verdicts = {"1.1.1": ["OK", "OK", 1000]}
        for seen in [("fail", "pass", 1000), ("pass", "unclean", 1000), ("pass", "pass", 1001)]:
            self.assertEqual(problems(verdicts, [], {"1.1.1": seen}), [("1.1.1", "not declared")])

    def test_a_drop_is_ok_for_autobahn_only_where_no_close_came(self):
        seen = {"5.1": ("pass", "dropped", None)}
        self.assertEqual(problems({"5.1": ["OK", "OK", None]}, [], seen), [])
        self.assertEqual(problems({"5.1": ["OK", "OK", 1002]}, [], seen), [("5.1", "not declared")])

    def test_the_code_of_a_close_that_the_tester_began_is_the_testers(self):
        verdicts = {"3.1": ["FAILED", "FAILED", 1001]}
        self.assertEqual(problems(verdicts, [], {"3.1": ("fail", "wrong-side", 1000)}), [])
        self.assertEqual(problems(verdicts, [], {"3.1": ("fail", "pass", 1001)}), [("3.1", "not declared")])

    def test_a_declared_difference_has_to_occur(self):
        verdicts = {"7.1.5": ["FAILED", "WRONG CODE", 1002]}
        occurs = {"7.1.5": ("informational", "informational", 1002)}
        self.assertEqual(problems(verdicts, [REASON], occurs), [])
        as_usual = {"7.1.5": ("fail", "wrong-code", 1002)}
        self.assertEqual(problems(verdicts, [REASON], as_usual), [("7.1.5", "declared, but does not occur")])
        otherwise = {"7.1.5": ("pass", "pass", 1002)}
        self.assertEqual(problems(verdicts, [REASON], otherwise), [("7.1.5", "declared otherwise")])

    def test_a_difference_that_comes_and_goes_names_both_verdicts(self):
        verdicts = {"7.1.5": ["OK", "OK", 1000]}
        sometimes = {**REASON, "behavior": ["pass", "informational"], "close": "pass"}
        for behavior in ("pass", "informational"):
            self.assertEqual(problems(verdicts, [sometimes], {"7.1.5": (behavior, "pass", 1000)}), [])
        seen = {"7.1.5": ("fail", "pass", 1000)}
        self.assertEqual(problems(verdicts, [sometimes], seen), [("7.1.5", "declared otherwise")])

    def test_a_case_that_was_not_played_is_a_difference(self):
        self.assertEqual(problems({"1.1.1": ["OK", "OK", 1000]}, [], {}), [("1.1.1", "not played")])
        self.assertEqual(problems({}, [REASON], {}), [("7.1.5", "not played")])

    def test_a_case_of_our_own_has_to_pass(self):
        for close in ("pass", "informational"):
            self.assertEqual(problems({}, [], {"F.1.1": ("pass", close, 1002)}), [])
        self.assertEqual(problems({}, [], {"F.1.1": ("informational", "pass", 1002)}), [("F.1.1", "not declared")])
        self.assertEqual(problems({}, [], {"F.1.1": ("pass", "dropped", None)}), [("F.1.1", "not declared")])

    def test_a_difference_without_a_reason_is_refused(self):
        for entry in [{**REASON, "reason": ""}, {key: REASON[key] for key in ("cases", "behavior", "close")}]:
            with self.assertRaises(run.CannotRun):
                run.compare({}, [entry], {})
        with self.assertRaises(run.CannotRun):
            run.compare({}, [REASON, REASON], {})

    def test_a_pattern_stands_for_what_was_played(self):
        entry = {**REASON, "cases": ["12.*"], "behavior": "unimplemented"}
        seen = {"12.1.1": ("unimplemented", "informational", None), "12.5.18": ("pass", "pass", 1000)}
        self.assertEqual(problems({}, [entry], seen), [("12.5.18", "declared, but does not occur")])
        self.assertEqual(run.compare({}, [entry], {"12.1.1": seen["12.1.1"]}), [])

    def test_rows_come_in_the_order_of_the_catalogue(self):
        verdicts = dict.fromkeys(["10.1.1", "2.10", "2.9", "F.1"], ["OK", "OK", 1000])
        self.assertEqual([case for case, _ in problems(verdicts, [], {})], ["2.9", "2.10", "10.1.1", "F.1"])


class Stored(unittest.TestCase):
    def test_every_recorded_peer_has_the_cases_it_was_recorded_with(self):
        recorded = [peer for peer in run.PEERS if peer.recorded]
        self.assertGreaterEqual(len(recorded), 7)
        for peer in recorded:
            stored = json.loads((HERE / "expected" / f"{peer.name}.json").read_text())
            # Of the others only sections 1 to 7 and 10 were recorded.
            self.assertEqual(len(stored["verdicts"]), 517 if peer.gate else 247, peer.name)
            for verdict in stored["verdicts"].values():
                run.from_autobahn(verdict)

    def test_differences_are_of_known_peers_and_have_reasons(self):
        table = json.loads((HERE / "differences.json").read_text())
        self.assertLessEqual(table.keys(), {"everybody", *(peer.name for peer in run.PEERS)})
        for entries in table.values():
            for entry in entries:
                run.declared(entry)


if __name__ == "__main__":
    unittest.main()
