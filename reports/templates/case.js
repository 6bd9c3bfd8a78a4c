// The details of one case, for one target. Made when it is opened, gone when another is.

const casesById = new Map(index.cases.map((info, at) => [info.id, at]));
// For each case: where its records are, target by target.
const recordsOf = new Map();
index.targets.forEach((target, t) => {
  target.records.forEach((record, r) => {
    if (!recordsOf.has(record.id)) recordsOf.set(record.id, []);
    recordsOf.get(record.id).push({ t, r, record });
  });
});
const manyCarriers = new Set(index.targets.flatMap((target) => target.records.map((record) => record.carrier))).size > 1;

/** `#case/6.4.1`, or `#case/6.4.1/2` for the second target, or `#case/6.4.1/2/h2`. What follows a `?` is the filter's. */
function parseHash(hash) {
  const match = /^#case\/([^/?]+)(?:\/(\d+))?(?:\/([^/?]+))?(?:\?.*)?$/.exec(hash);
  if (!match) return null;
  try {
    const [, id, target, carrier] = match.map((part) => (part === undefined ? undefined : decodeURIComponent(part)));
    return { id, target: target === undefined ? undefined : Number(target) - 1, carrier };
  } catch {
    return null;
  }
}

function hashOf({ t, record }) {
  const carrier = record.carrier === "tcp" ? "" : `/${encodeURIComponent(record.carrier)}`;
  return `#case/${encodeURIComponent(record.id)}/${t + 1}${carrier}`;
}

const ORDER = ["fail", "non-strict", "inconclusive", "unimplemented", "informational", "pass"];

/** The record a link means; where it leaves that open, the worst one. */
function resolve(link) {
  const all = recordsOf.get(link.id) ?? [];
  let found = all.filter((at) => link.target === undefined || at.t === link.target);
  if (link.carrier !== undefined) found = found.filter((at) => at.record.carrier === link.carrier);
  else found.sort((a, b) => (b.record.carrier === "tcp") - (a.record.carrier === "tcp"));
  if (link.target === undefined) found.sort((a, b) => ORDER.indexOf(a.record.behavior) - ORDER.indexOf(b.record.behavior));
  return found[0];
}

function ruleQuote(id) {
  const rule = index.rules[id];
  if (!rule) return el("li", null, el("code", null, id));
  return el("li", null,
    el("p", { class: "place" }, ruleLink(rule), " ", el("span", { class: "level" }, rule.level)),
    el("blockquote", null, rule.sentence));
}

function findingItem(finding, n, hasEntry, isQuoted) {
  const rule = index.rules[finding.rule];
  return el("li", { id: `finding-${n}`, tabindex: "-1" },
    el("p", { class: "place" },
      el("b", null, `${n}`), " ",
      rule ? [ruleLink(rule), " ", el("span", { class: "level" }, rule.level)] : el("code", null, finding.rule),
      hasEntry && el("a", { class: "ref", href: "#", "data-to": `entry-${finding.entry}` }, "see it on the wire")),
    el("dl", null,
      el("dt", null, "expected"), el("dd", null, finding.expected),
      el("dt", null, "observed"), el("dd", { class: "observed" }, finding.observed)),
    rule && !isQuoted && el("blockquote", null, rule.sentence));
}

function copyButton(text) {
  const button = el("button", { type: "button", class: "quiet copy" }, "Copy");
  button.addEventListener("click", async () => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = el("textarea", { class: "vh" });
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = done ? "Copied" : "Select and copy by hand";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}

const block = (title, ...content) => el("section", null, el("h3", null, title), content);

function verdictLine(record) {
  const [weight, meaning] = index.words.close[record.close];
  const isBad = weight === "minor" || weight === "major";
  return el("dl", { class: "verdicts" },
    el("div", null, el("dt", null, "behaviour"), el("dd", null, badge(record.behavior), el("span", { class: "means" }, index.words.behavior[record.behavior][1]))),
    el("div", null, el("dt", null, "ending"),
      el("dd", null,
        el("span", { class: `v ${weight === "good" ? "v-pass" : weight === "major" ? "v-fail" : isBad ? "v-non-strict" : "v-unimplemented"}` }, isBad ? "⊣ " : "", record.close),
        el("span", { class: "means" }, meaning, record.code !== undefined ? ` (its Close said ${record.code})` : ""))),
    el("div", null, el("dt", null, "took"), el("dd", null, `${record.ms.toFixed(record.ms < 10 ? 2 : 0)} ms`,
      el("span", { class: "means" }, `over ${record.carrier}`))));
}

/** The heavier of the two verdicts, as a behaviour. */
function worst(record) {
  const [weight] = index.words.close[record.close];
  if (weight === "major" || record.behavior === "fail") return "fail";
  if (weight === "minor" && record.behavior === "pass") return "non-strict";
  return record.behavior;
}

function caseView(at) {
  const { t, r, record } = at;
  const info = index.cases[casesById.get(record.id)];
  const wire = wireOf(t, r);
  const shown = new Set(wire.e.filter((e) => e.w !== "gap").map((e) => e.i));
  const findings = record.findings ?? [];
  const notes = new Map();
  findings.forEach((finding, n) => {
    if (finding.entry !== undefined) notes.set(finding.entry, [...(notes.get(finding.entry) ?? []), n + 1]);
  });

  const tabs = (recordsOf.get(record.id) ?? []).map((other) =>
    el("a", { href: hashOf(other), class: `tab v-${other.record.behavior}`, "aria-current": other === at ? "true" : null },
      badge(other.record.behavior), " ", index.targets[other.t].name, manyCarriers ? ` (${other.record.carrier})` : ""));

  return [
    el("nav", { class: "walk", "aria-label": "Cases" },
      el("button", { type: "button", class: "quiet", "data-walk": "-1", title: "The case before, as filtered (k)" }, "‹", el("span", { class: "long" }, " Previous"), el("span", { class: "vh short" }, "Previous")),
      el("button", { type: "button", class: "quiet", "data-walk": "1", title: "The case after, as filtered (j)" }, el("span", { class: "long" }, "Next "), el("span", { class: "vh short" }, "Next"), "›"),
      el("span", { class: "here", "aria-hidden": "true" }, el("span", { class: "id" }, info.id), badge(record.behavior)),
      el("button", { type: "button", class: "quiet shut", "data-walk": "0", title: "Close (Esc)" }, "Close ✕")),
    el("header", null,
      el("h2", { id: "case-title", tabindex: "-1" }, el("span", { class: "id" }, info.id), " ", info.title),
      tabs.length > 1 && el("nav", { class: "tabs", "aria-label": "Targets" }, tabs)),
    verdictLine(record),
    record.busy && el("p", { class: "aside" }, "Played twice. While other cases were running it gave ", badge(record.busy),
      "; played again alone it gave what is shown here. A difference like that is often a race or a timing limit in the target."),
    record.known && el("p", { class: "aside expected" }, el("b", null, "Expected. "), record.known),
    record.mark && el("p", { class: `aside since v-${record.mark.class}` }, el("b", null, `${record.mark.symbol} ${record.mark.word} since the baseline. `), el("span", null, record.mark.says)),
    record.repeats && el("p", { class: "aside" }, el("b", null, record.repeats.flaky ? "Flaky. " : "Always the same. "),
      `Played several times: ${record.repeats.verdicts}.`),
    record.adapted && el("p", { class: "aside" }, el("b", null, "Judged without an echo. "), record.adapted),
    findings.length > 0 && block("What was seen", el("ol", { class: `findings v-${worst(record)}` },
      findings.map((finding, n) => findingItem(finding, n + 1, finding.entry !== undefined && shown.has(finding.entry),
        findings.findIndex((other) => other.rule === finding.rule) < n)))),
    block("What it tests",
      info.why && el("p", null, info.why),
      el("ul", { class: "rules" }, info.rules.map(ruleQuote)),
      info.differs && el("p", { class: "aside" }, el("b", null, "Differs from Autobahn|Testsuite. "), info.differs)),
    info.setup.length > 0 && block("How it is played",
      el("ul", { class: "plain" }, info.setup.map((line) => el("li", null, line)))),
    info.accepts.length > 0 && block("What is expected",
      el("ol", { class: "plain" }, info.accepts.map((line) => el("li", null, line)))),
    block("On the wire",
      wire.e.length ? [lane(wire, notes), timeline(wire, info.steps, notes)] : el("p", { class: "soft" }, "Nothing was on the wire.")),
    record.repeat && block("Repeat just this case",
      el("div", { class: "repeat" }, el("code", { tabindex: "0" }, record.repeat), copyButton(record.repeat))),
  ];
}
