// The keyboard. `?` tells of it; keys.html is what it tells.

const help = byId("help");
byId("keys").hidden = false;
byId("keys").addEventListener("click", () => help.showModal());

const KEYS = {
  "/": () => byId("find").focus(),
  "?": () => help.showModal(),
  j: () => walk(1),
  k: () => walk(-1),
  n: () => walk(1, isBroken),
  N: () => walk(-1, isBroken),
  l: () => turn(1),
  h: () => turn(-1),
  b: () => toggleHeaders(panel),
  o: toggleAll,
  x: clearFilter,
  t: () => byId("theme").click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (event.key === "Escape" && !panel.hidden) shut();
  else if (event.target.closest?.("input, textarea, select")) return;
  else if (Object.hasOwn(KEYS, event.key)) {
    event.preventDefault();
    KEYS[event.key]();
  } else if (steer(event.target, event.key)) event.preventDefault();
});

/** Arrow keys in the matrix: up and down by rows and sections, left and right by targets, or to unfold and fold. */
function steer(from, key) {
  const by = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -1, ArrowRight: 1 }[key];
  const isAside = key === "ArrowLeft" || key === "ArrowRight";
  const cell = from.closest?.(".matrix .cell");
  const button = from.closest?.(".matrix .fold");
  if (!by || !(cell || button)) return false;
  if (button && isAside) {
    if ((button.getAttribute("aria-expanded") === "true") !== (by > 0)) button.click();
    return true;
  }
  const tr = from.closest("tr");
  if (isAside) {
    const cells = [...tr.querySelectorAll(".cell")];
    cells[cells.indexOf(cell) + by]?.focus();
    return true;
  }
  const stops = sections.filter((section) => !section.head.hidden).flatMap((section) =>
    [section.button, ...(section.body.hidden ? [] : section.rows.filter((row) => !row.tr.hidden).map((row) => row.tr))]);
  const to = stops[stops.indexOf(button ?? tr) + by];
  if (!to) return true;
  const column = cell ? [...tr.children].indexOf(cell.parentElement) : 1;
  (to.matches("tr") ? to.children[column]?.querySelector(".cell") ?? to.querySelector(".cell") : to).focus();
  return true;
}

// All is in place.
filter();
follow();
performance.mark("wsgrade-ready");
