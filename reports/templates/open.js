// One case open beside the matrix, by the fragment of the address: `#case/6.4.1/2?verdict=fail`.

const panel = byId("case");
let open = null;
let opener = null;
/** What of the address is shown. */
let shown = null;

/** Goes to a case at once: who presses a key twice means the next but one, and the event comes later. */
function visit(hash) {
  location.hash = hash;
  follow();
}

/** Writes the filter into the address, without a step in the history. */
function remember() {
  const query = filterQuery();
  const place = location.hash.split("?")[0];
  const to = query ? `${/^#case\//.test(place) ? place : "#cases"}?${query}` : place;
  if (to !== location.hash) history.replaceState(null, "", location.pathname + location.search + to);
  shown = location.hash;
}

/** Does what the address says. One that says nothing of the filter leaves it as it is. */
function follow() {
  const at = location.hash.indexOf("?");
  if (at >= 0) {
    takeQuery(location.hash.slice(at + 1));
    filter();
    if (location.hash.startsWith("#cases?")) byId("cases").scrollIntoView();
  }
  show();
  remember();
}

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
    el("nav", { class: "walk", "aria-label": "Cases" }, el("button", { type: "button", class: "quiet shut", "data-walk": "0" }, "Close ✕")),
    el("h2", { id: "case-title", tabindex: "-1" }, "No such case in this report"),
    el("p", null, `This run has no record of case ${visible(link.id)}${link.target === undefined ? "" : " for that target"}.`)]);
  panel.scrollTop = 0;
  byId("case-title").focus({ preventScroll: true });
  if (at) reveal(rows.find((row) => row.info.id === at.record.id));
}

/** Brings the row of the open case into view beside it. */
function reveal(row) {
  if (!row || row.tr.hidden) return;
  if (row.section.body.hidden) fold(row.section, false);
  const { top, bottom } = row.tr.getBoundingClientRect();
  if (top < 60 || bottom > innerHeight) row.tr.scrollIntoView({ block: "center" });
}

function shut() {
  const query = filterQuery();
  history.pushState(null, "", `${location.pathname}${location.search}#cases${query ? `?${query}` : ""}`);
  shown = location.hash;
  show();
}

function openRow(row) {
  const wanted = open && { id: row.info.id, target: open.t, carrier: open.record.carrier };
  const at = (wanted && resolve(wanted)) ?? resolve({ id: row.info.id });
  if (at) visit(hashOf(at));
}

/** To the next row that the filter shows and the test likes, for the same target where it has a record of it. */
function walk(by, isWanted = () => true) {
  const here = open ? rows.findIndex((row) => row.info.id === open.record.id) : -1;
  const likes = (row) => !row.tr.hidden && isWanted(row) && row.info.id !== open?.record.id;
  const next = by > 0 ? rows.find((row, i) => i > here && likes(row)) : rows.findLast((row, i) => i < here && likes(row));
  if (next) openRow(next);
}

/** Whether the target that is looked at, or any where none is, broke something in a case. */
function isBroken(row) {
  const all = recordsOf.get(row.info.id) ?? [];
  return all.some(({ t, record }) => (!open || t === open.t) && ["fail", "non-strict"].includes(worst(record)));
}

/** The same case, for the next target. */
function turn(by) {
  const all = recordsOf.get(open?.record.id) ?? [];
  const to = all[(all.indexOf(open) + by + all.length) % all.length];
  if (to && to !== open) visit(hashOf(to));
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
    goTo(ref.dataset.to);
  }
});
window.addEventListener("hashchange", () => {
  if (location.hash !== shown) follow();
});
