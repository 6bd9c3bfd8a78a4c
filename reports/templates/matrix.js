// The matrix: folding, filtering, and opening a case from it.

const panel = byId("case");
const rows = [...document.querySelectorAll("tbody.rows tr")].map((tr) => {
  const info = index.cases[Number(tr.dataset.c)];
  const rules = info.rules.flatMap((id) => {
    const rule = index.rules[id];
    return rule ? [id, `${rule.source} ${rule.section}`] : [id];
  });
  return { tr, info, kinds: tr.dataset.k.split(" "), text: [info.id, info.title, tr.textContent, ...rules].join("\n").toLowerCase() };
});
const sections = [...document.querySelectorAll("tbody.section")].map((head) => ({
  head,
  body: head.nextElementSibling,
  button: head.querySelector(".fold"),
  rows: rows.filter((row) => row.tr.parentElement === head.nextElementSibling),
}));

function fold(section, isFolded) {
  section.button.setAttribute("aria-expanded", String(!isFolded));
  section.body.hidden = isFolded;
}

const allFolded = () => sections.every((section) => section.head.hidden || section.body.hidden);
function nameUnfold() {
  byId("unfold").textContent = allFolded() ? "Unfold all" : "Fold all";
}

for (const section of sections) {
  fold(section, section.button.dataset.fold === "yes");
  section.button.addEventListener("click", () => {
    fold(section, !section.body.hidden);
    nameUnfold();
  });
}
byId("unfold").addEventListener("click", () => {
  const isFolded = !allFolded();
  for (const section of sections) fold(section, isFolded);
  nameUnfold();
});

// The filter: every word of the text, and any of the pressed kinds.
const chips = [...document.querySelectorAll(".chip")];
function filter() {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const kinds = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.kind);
  const isFiltered = words.length > 0 || kinds.length > 0;
  let shown = 0;
  for (const section of sections) {
    let here = 0;
    for (const row of section.rows) {
      // An id is meant as a beginning: `6.4` is not `16.4`, and not every title with these digits.
      const hit = words.every((word) => (/^[0-9.]+$/.test(word) ? row.info.id.startsWith(word) : row.text.includes(word)));
      row.tr.hidden = !(hit && (kinds.length === 0 || kinds.some((kind) => row.kinds.includes(kind))));
      if (!row.tr.hidden) here++;
    }
    section.head.hidden = here === 0;
    shown += here;
    if (isFiltered) fold(section, here === 0);
    else if (filter.was) fold(section, section.button.dataset.fold === "yes");
  }
  filter.was = isFiltered;
  byId("nothing").hidden = shown > 0 || rows.length === 0;
  byId("shown").textContent = isFiltered ? `${shown} of ${rows.length} shown` : `${rows.length} in ${plural(sections.length, "section")}`;
  nameUnfold();
}
for (const chip of chips) {
  chip.hidden = !rows.some((row) => row.kinds.includes(chip.dataset.kind));
  chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
    filter();
  });
}
byId("find").addEventListener("input", filter);
byId("tools").addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", () => {
  byId("find").value = "";
  for (const chip of chips) chip.setAttribute("aria-pressed", "false");
  filter();
  byId("find").focus();
});
byId("tools").hidden = false;
filter();

// One case open beside the matrix, by the fragment of the address.
let open = null;
let opener = null;

function show() {
  const link = parseHash(location.hash);
  const at = link && resolve(link);
  const isOpen = Boolean(link);
  for (const row of rows) row.tr.classList.toggle("open", Boolean(at) && row.info.id === at.record.id);
  document.body.classList.toggle("with-case", isOpen);
  panel.hidden = !isOpen;
  if (!isOpen) {
    open = null;
    panel.replaceChildren();
    if (opener?.isConnected) opener.focus({ preventScroll: true });
    opener = null;
    return;
  }
  opener ??= document.activeElement;
  open = at ?? null;
  panel.replaceChildren();
  append(panel, at ? caseView(at) : [
    el("nav", { class: "walk" }, el("button", { type: "button", class: "quiet shut", "data-walk": "0" }, "Close ✕")),
    el("h2", { id: "case-title", tabindex: "-1" }, "No such case in this report"),
    el("p", null, `This run has no record of case ${visible(link.id)}${link.target === undefined ? "" : " for that target"}.`)]);
  panel.scrollTop = 0;
  byId("case-title").focus({ preventScroll: true });
  if (at) reveal(rows.find((row) => row.info.id === at.record.id));
}

/** Brings the row of the open case into view beside it. */
function reveal(row) {
  const section = sections.find((section) => section.rows.includes(row));
  if (!section || row.tr.hidden) return;
  if (section.body.hidden) fold(section, false);
  const { top, bottom } = row.tr.getBoundingClientRect();
  if (top < 60 || bottom > innerHeight) row.tr.scrollIntoView({ block: "center" });
}

function shut() {
  history.pushState(null, "", location.pathname + location.search + "#cases");
  show();
}

/** To the next row that the filter shows, for the same target where it has a record of it. */
function walk(by) {
  const visibleRows = rows.filter((row) => !row.tr.hidden);
  if (!open || visibleRows.length === 0) return;
  const here = rows.findIndex((row) => row.info.id === open.record.id);
  const next = by > 0
    ? visibleRows.find((row) => rows.indexOf(row) > here)
    : visibleRows.findLast((row) => rows.indexOf(row) < here);
  if (!next) return;
  const at = resolve({ id: next.info.id, target: open.t, carrier: open.record.carrier }) ?? resolve({ id: next.info.id });
  if (at) location.hash = hashOf(at);
}

panel.addEventListener("click", (event) => {
  const button = event.target.closest("[data-walk]");
  if (button) {
    if (button.dataset.walk === "0") shut();
    else walk(Number(button.dataset.walk));
  }
  const ref = event.target.closest("[data-to]");
  if (ref) {
    event.preventDefault();
    const to = byId(ref.dataset.to);
    to?.scrollIntoView({ block: "center" });
    to?.focus({ preventScroll: true });
  }
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target.closest?.("input, textarea");
  if (event.key === "Escape" && !panel.hidden) shut();
  else if (isTyping) return;
  else if (event.key === "/") {
    event.preventDefault();
    byId("find").focus();
  } else if (open && (event.key === "j" || event.key === "k")) walk(event.key === "j" ? 1 : -1);
});
// A click anywhere in a row opens its worst cell.
document.querySelector(".matrix").addEventListener("click", (event) => {
  const tr = event.target.closest("tbody.rows tr");
  if (!tr || event.target.closest("a") || getSelection()?.toString()) return;
  const cell = tr.querySelector("a.v-fail, a.v-non-strict") ?? tr.querySelector("a");
  cell?.click();
});
window.addEventListener("hashchange", show);
show();
