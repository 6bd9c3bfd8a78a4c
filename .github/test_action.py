"""The action and the examples for CI services: they are YAML of the right form, and the scripts of the action do what it says.

There is no GitHub here: what is tested is each script by itself, with bash and a wsgrade that only tells what it was given.
"""

import os
import re
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}

# Writes what it was given, and what it is told to write.
STAND_IN = """#!/usr/bin/env bash
printf '%s\\n' "$@" >"$TOLD"
[ "$1" = --version ] && { echo wsgrade 0.0.0; exit 0; }
mkdir -p "$REPORT"
[ -z "${BADGE-}" ] || printf '{"color":"red","isError":false,"label":"wsgrade","message":"%s","schemaVersion":1}\\n' "$BADGE" >"$REPORT/badge.json"
[ -z "${SARIF-}" ] || echo '{}' >"$REPORT/wsgrade.sarif"
exit "${EXIT-0}"
"""


class Scripts(unittest.TestCase):
    def setUp(self):
        self.dir = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.wsgrade = self.program("wsgrade", STAND_IN)
        self.told = self.dir / "told"

    def program(self, name, text):
        path = self.dir / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def run_step(self, name, **env):
        """The exit code of a step, what it printed, and its outputs."""
        step = STEPS[name]
        self.assertEqual(step["shell"], "bash")
        output = self.dir / "output"
        output.write_text("")
        given = dict.fromkeys(step.get("env", {}), "")
        missing = set(env) - set(given) - {"BADGE", "SARIF", "EXIT"}
        self.assertEqual(missing, set(), "a variable that the step does not set")
        given.update(env, GITHUB_OUTPUT=str(output), TOLD=str(self.told), PATH=f"{self.dir}/bin:{os.environ['PATH']}")
        # As GitHub runs it.
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=self.dir, env=given, capture_output=True, text=True, check=False)
        lines = output.read_text().splitlines()
        return done.returncode, done.stdout + done.stderr, dict(line.split("=", 1) for line in lines)

    def words(self):
        return self.told.read_text().splitlines()

    def grade(self, **env):
        given = {"WSGRADE": str(self.wsgrade), "COMMAND": "test", "REPORT": "report", "FORMAT": "json,badge"}
        return self.run_step("Grade", **(given | env))

    def test_each_line_is_one_word(self):
        code, said, outputs = self.grade(
            URLS="ws://a/\nws://b/?x=$(touch evil)\n",
            SPAWN="./server --port {port}; touch evil",
            ARGS="-x\n6.4.*\r\n--header\nCookie: a \"b\" `touch evil`",
            BADGE="A+",
        )
        self.assertEqual(code, 0, said)
        self.assertEqual(
            self.words(),
            ["test", "--out", "report", "--format", "json,badge", "--spawn", "./server --port {port}; touch evil"]
            + ["-x", "6.4.*", "--header", 'Cookie: a "b" `touch evil`', "ws://a/", "ws://b/?x=$(touch evil)"],
        )
        self.assertFalse((self.dir / "evil").exists())
        self.assertEqual(outputs, {"exit-code": "0", "grade": "A+", "report": "report", "sarif": ""})

    def test_without_inputs_the_reference_server_is_graded(self):
        code, said, _ = self.grade()
        self.assertEqual((code, self.words()), (0, ["test", "--out", "report", "--format", "json,badge"]), said)

    def test_the_exit_code_is_an_output_and_the_gate_fails_by_it(self):
        for exit_code in ["0", "1", "2", "3"]:
            code, said, outputs = self.grade(EXIT=exit_code, BADGE="D", SARIF="yes")
            self.assertEqual(code, 0, said)
            wanted = {"exit-code": exit_code, "grade": "D", "report": "report", "sarif": "report/wsgrade.sarif"}
            self.assertEqual(outputs, wanted)
            code, _, _ = self.run_step("Gate", CODE=outputs["exit-code"])
            self.assertEqual(str(code), exit_code)

    def test_what_an_earlier_step_left_is_not_taken_for_the_result(self):
        self.grade(BADGE="A+", SARIF="yes")
        _, _, outputs = self.grade(EXIT="3")
        self.assertEqual(outputs, {"exit-code": "3", "grade": "", "report": "report", "sarif": ""})

    def test_a_binary_that_is_there(self):
        code, said, outputs = self.run_step("Get wsgrade", BINARY=str(self.wsgrade), PLACE=str(self.dir / "place"))
        self.assertEqual((code, outputs), (0, {"path": str(self.wsgrade)}), said)
        code, said, outputs = self.run_step("Get wsgrade", BINARY="no/such", PLACE=str(self.dir / "place"))
        self.assertEqual((code, outputs), (2, {}), said)
        self.assertIn("::error title=wsgrade::the input binary is no program", said)

    def test_a_binary_behind_a_url_is_what_it_should_be(self):
        self.program("curl", '#!/usr/bin/env bash\nwhile [ "$1" != --output ]; do shift; done\ncp "$(dirname "$0")/wsgrade" "$2"\n')
        url = "https://example.org/wsgrade"
        digest = subprocess.run(["sha256sum", self.wsgrade], capture_output=True, text=True, check=True).stdout.split()[0]
        place = self.dir / "place"
        code, said, outputs = self.run_step("Get wsgrade", BINARY=url, SHA256=digest, PLACE=str(place))
        self.assertEqual((code, outputs), (0, {"path": f"{place}/bin/wsgrade"}), said)
        for wrong in ["", "0" * 64]:
            code, said, outputs = self.run_step("Get wsgrade", BINARY=url, SHA256=wrong, PLACE=str(place))
            self.assertNotEqual(code, 0, said)
            self.assertEqual(outputs, {})

    def test_it_is_built_from_the_sources_of_the_action_or_of_a_tag(self):
        told = self.dir / "cargo"
        self.program(
            "cargo",
            f'#!/usr/bin/env bash\nprintf "%s\\n" "$@" >"{told}"\nwhile [ "$1" != --root ]; do shift; done\n'
            'cp "$(dirname "$0")/wsgrade" "$2/bin/wsgrade"\n',
        )
        place = str(self.dir / "place")
        code, said, outputs = self.run_step("Get wsgrade", ACTION="/action", PLACE=place)
        self.assertEqual((code, outputs), (0, {"path": f"{place}/bin/wsgrade"}), said)
        self.assertEqual(told.read_text().split(), ["install", "--locked", "--path", "/action/harness", "--root", place])
        self.run_step("Get wsgrade", ACTION="/action", VERSION="v0.1.0", PLACE=place)
        self.assertIn("--tag v0.1.0", " ".join(told.read_text().split()))


class Form(unittest.TestCase):
    def test_no_script_has_an_expression_in_it(self):
        for name, step in STEPS.items():
            self.assertNotIn("${{", step.get("run", ""), name)

    def test_every_input_is_described_and_used_and_no_other(self):
        text = (ROOT / "action.yml").read_text()
        used = set(re.findall(r"inputs\.([a-z0-9-]+)", text))
        self.assertEqual(used, set(ACTION["inputs"]))
        for name, said in {**ACTION["inputs"], **ACTION["outputs"]}.items():
            self.assertTrue(said["description"], name)
        for name, said in ACTION["outputs"].items():
            self.assertRegex(said["value"], r"^\$\{\{ steps\.grade\.outputs\.[a-z-]+ \}\}$", name)

    def test_the_workflows_use_inputs_and_outputs_that_there_are(self):
        for path in ["docs/examples/github-workflow.yml", "docs/examples/ci/.github/workflows/websocket.yml"]:
            with self.subTest(path):
                text = (ROOT / path).read_text()
                workflow = yaml.safe_load(text)
                # YAML 1.1 reads `on` as true.
                self.assertLessEqual({"name", True, "permissions", "jobs"}, set(workflow))
                steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
                ours = [step for step in steps if step.get("uses", "").startswith("wsgrade/wsgrade@")]
                self.assertTrue(ours)
                for step in ours:
                    self.assertLessEqual(set(step["with"]), set(ACTION["inputs"]))
                used = set(re.findall(r"steps\.wsgrade\.outputs\.([a-z-]+)", text))
                self.assertTrue(used)
                self.assertLessEqual(used, set(ACTION["outputs"]))

    def test_the_gitlab_examples_hand_over_files_that_are_written(self):
        for path in ["docs/examples/gitlab-ci.yml", "docs/examples/ci/.gitlab-ci.yml"]:
            with self.subTest(path):
                pipeline = yaml.safe_load((ROOT / path).read_text())
                job = pipeline["wsgrade"]
                reports = job["artifacts"]["reports"]
                script = " ".join(job["script"])
                for kind, format_name, file in [
                    ("junit", "junit", "junit.xml"),
                    ("codequality", "gitlab-codequality", "gl-code-quality-report.json"),
                ]:
                    self.assertEqual(reports[kind], f"wsgrade-report/{file}")
                    self.assertRegex(script, rf"--format [a-z,-]*{format_name}")
                self.assertEqual(job["artifacts"]["when"], "always")
                for line in job["script"]:
                    subprocess.run(["bash", "-n", "-c", line], check=True)


if __name__ == "__main__":
    unittest.main()
