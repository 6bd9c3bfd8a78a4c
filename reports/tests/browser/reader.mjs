// A reader of a page: a window, and what was noticed of it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class Reader {
  /** What the console said, and what was thrown. */
  complaints = [];
  /** What was asked for beside pages themselves. */
  requests = [];
  #browser;
  #place;
  #contexts = [];

  constructor(browser, place) {
    this.#browser = browser;
    this.#place = place;
  }

  /** A window of its own with a page of the samples. */
  async open(name, { width = 1300, height = 900, theme = "light", at = "", ...options } = {}) {
    const context = await this.#browser.newContext({ viewport: { width, height }, colorScheme: theme, ...options });
    this.#contexts.push(context);
    const page = await context.newPage();
    const url = this.#place.address(name);
    page.on("console", (message) => this.complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => this.complaints.push(error.stack ?? String(error)));
    page.on("request", (request) => {
      if (!(request.isNavigationRequest() && request.url().split(/[?#]/)[0] === url)) this.requests.push(request.url());
    });
    await page.goto(url + at);
    return page;
  }

  size(name) {
    return this.#place.size(name);
  }

  async shot(page, name, options = {}) {
    await page.screenshot({ path: path.join(this.#place.shots, `${name}.png`), ...options });
  }

  async pdf(page, name) {
    return page.pdf({ path: path.join(this.#place.shots, `${name}.pdf`), preferCSSPageSize: true, printBackground: true });
  }

  /** What every window shows now. */
  async keep(...words) {
    let n = 0;
    for (const page of this.#contexts.flatMap((context) => context.pages())) {
      const name = `${words.join("-").replace(/[^a-z0-9]+/gi, "-")}-${n++}`;
      await this.shot(page, name).catch(() => {});
    }
  }

  async close() {
    for (const context of this.#contexts) await context.close();
  }
}

/** What axe-core finds that is serious or worse, one line each. */
export async function audit(page) {
  // The page's policy lets no script in; a debugger is no part of the page.
  await page.evaluate(`(() => { const module = undefined, define = undefined; ${axe}\n})()`);
  const results = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return results.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, impact, nodes }) => nodes.map((node) => `${impact} ${id}: ${node.target.join(" ")} ${node.failureSummary.replace(/\s+/g, " ")}`));
}
