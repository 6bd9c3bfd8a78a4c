// Tests of the page in headless Chromium: README.md says how to run them.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

import { audit, Reader } from "./reader.mjs";
import { tests } from "./tests.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const target = process.env.CARGO_TARGET_DIR ?? path.join(root, "target");
const shots = path.join(target, "page", "shots");

/** The pages that are looked at. */
function pages() {
  if (process.env.WSGRADE_PAGES) return process.env.WSGRADE_PAGES;
  const dir = path.join(target, "page", "samples");
  rmSync(dir, { recursive: true, force: true });
  execFileSync("cargo", ["run", "--quiet", "-p", "wsgrade-reports", "--example", "sample_page", "--", "--pages", dir], {
    cwd: root, stdio: ["ignore", "inherit", "inherit"],
  });
  return dir;
}

function program() {
  const known = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = known.find((file) => file && existsSync(file));
  assert.ok(found, "there is no Chromium: install the Debian package `chromium`, or say by CHROMIUM where it is");
  return found;
}

const dir = pages();
const address = (name) => {
  const file = path.join(dir, name);
  assert.ok(existsSync(file), `${file} is missing`);
  return pathToFileURL(file).href;
};
rmSync(shots, { recursive: true, force: true });
mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({
  executablePath: program(),
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-default-apps"],
});
console.log(`Chromium ${browser.version()}`);

let failed = 0;
const wanted = process.argv.slice(2);
for (const [name, test] of Object.entries(tests)) {
  if (wanted.length && !wanted.some((word) => name.includes(word))) continue;
  const began = performance.now();
  const reader = new Reader(browser, { address, shots, size: (page) => statSync(path.join(dir, page)).size });
  try {
    await test(reader, { assert, audit });
    // Whatever a test was for: a page that complains, or asks for anything, is no good.
    assert.deepEqual(reader.complaints, [], "the page complains");
    assert.deepEqual(reader.requests, [], "the page asks for something");
    console.log(`ok    ${name} (${Math.round(performance.now() - began)} ms)`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}\n${String(error.stack ?? error).replace(/^/gm, "      ")}`);
    await reader.keep("failed", name);
  } finally {
    await reader.close();
  }
}
await browser.close();
console.log(failed ? `${failed} failed; what the page looked like is in ${shots}` : `all is well; screenshots are in ${shots}`);
process.exitCode = failed ? 1 : 0;
