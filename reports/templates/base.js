// The page's data, and the one way its scripts make elements. Text from the record only ever becomes text nodes.

const index = JSON.parse(document.getElementById("index").textContent);
const byId = (id) => document.getElementById(id);

// What cases say comes by number too: many of them say the same.
for (const info of index.cases) {
  for (const part of ["rules", "setup", "steps", "accepts"]) info[part] = info[part].map((n) => index.texts[n]);
  info.why = index.texts[info.why];
  info.differs = index.texts[info.differs];
}

// Records come as arrays that name the case, the carrier and the command by number: there are thousands of them.
for (const target of index.targets) {
  target.records = target.records.map(([at, carrier, behavior, close, code, ms, repeat, findings, aside]) => {
    const { id } = index.cases[at];
    return {
      id, behavior, close, ms, findings,
      carrier: index.carriers[carrier],
      code: code ?? undefined,
      repeat: index.repeats[repeat].replaceAll("\0", () => id),
      busy: aside?.busy,
      repeats: aside?.repeats,
      adapted: index.adaptations[aside?.adapted],
      known: index.known[aside?.known],
      mark: aside?.mark,
    };
  });
}

/** An element. Attributes are ours; children are elements, or text that may be anyone's. */
const el = (tag, attributes, ...children) => made(document.createElement(tag), attributes, children);
/** The same in a drawing. */
const svg = (tag, attributes, ...children) =>
  made(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function made(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === undefined || value === null) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** A verdict with its sign. */
function badge(behavior) {
  const [symbol, meaning] = index.words.behavior[behavior];
  return el("span", { class: `v v-${behavior}`, title: meaning }, el("i", { "aria-hidden": "true" }, symbol), " ", behavior);
}

/** Where a rule can be read; nothing is fetched unless the reader follows it. */
function ruleLink(rule) {
  const place = `${rule.source} §${rule.section}`;
  const rfc = /^RFC (\d{1,5})$/.exec(rule.source);
  if (!rfc || !/^[0-9A-Za-z.]{1,16}$/.test(rule.section)) return place;
  const href = `https://www.rfc-editor.org/rfc/rfc${rfc[1]}#section-${rule.section}`;
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, place);
}

/** Bytes of a hex string; what is no hex ends it. */
function bytesOf(hex) {
  const bytes = new Uint8Array(hex.length >> 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.substr(2 * i, 2), 16);
  return bytes;
}

const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

/** Shows nothing that the eye could not see: the twin of `visible` in reports/src/render/text.rs. */
function visible(text) {
  return text.replace(
    /[\p{Cc}\u00ad\u061c\u180e\ufeff\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufff9-\uffff\u{e0000}-\u{e0fff}]/gu,
    (c) => ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[c] ?? `\\u{${c.codePointAt(0).toString(16)}}`,
  );
}

// Theme: what the system says, unless told otherwise here or by `?theme=dark`.
const themes = ["auto", "light", "dark"];
function setTheme(theme) {
  const known = themes.includes(theme) ? theme : "auto";
  if (known === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = known;
  const button = byId("theme");
  button.textContent = `Theme: ${known}`;
  button.value = known;
}
// A page opened from a file may be denied its storage.
function stored() {
  try {
    return localStorage.getItem("wsgrade-theme");
  } catch {
    return null;
  }
}
setTheme(new URLSearchParams(location.search).get("theme") ?? stored());
byId("theme").hidden = false;
byId("theme").addEventListener("click", (event) => {
  setTheme(themes[(themes.indexOf(event.currentTarget.value) + 1) % themes.length]);
  try {
    localStorage.setItem("wsgrade-theme", event.currentTarget.value);
  } catch {
    // It holds for as long as the page is open.
  }
});
