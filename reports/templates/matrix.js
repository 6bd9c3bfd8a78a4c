// The matrix: folding it, and showing what the filter leaves.

const sections = [...document.querySelectorAll("tbody.section")].map((head) => ({
  head,
  body: head.nextElementSibling,
  button: head.querySelector(".fold"),
  rows: [],
}));
const sectionOf = new Map(sections.map((section) => [section.body, section]));
for (const row of rows) {
  row.section = sectionOf.get(row.tr.parentElement);
  row.section.rows.push(row);
}

function fold(section, isFolded) {
  section.button.setAttribute("aria-expanded", String(!isFolded));
  section.body.hidden = isFolded;
}

const allFolded = () => sections.every((section) => section.head.hidden || section.body.hidden);
function nameUnfold() {
  byId("unfold").textContent = allFolded() ? "Unfold all" : "Fold all";
}
function toggleAll() {
  const isFolded = !allFolded();
  for (const section of sections) fold(section, isFolded);
  nameUnfold();
}

for (const section of sections) {
  section.startsFolded = section.body.hidden;
  section.button.addEventListener("click", () => {
    fold(section, !section.body.hidden);
    nameUnfold();
  });
}
byId("unfold").hidden = sections.length === 0;
byId("unfold").addEventListener("click", toggleAll);

/** Shows the rows that are asked for, and the sections that have some. */
function filter() {
  const [isFiltered, isAsked] = filterTest();
  let shown = 0;
  for (const section of sections) {
    let here = 0;
    for (const row of section.rows) {
      row.tr.hidden = !isAsked(row);
      if (!row.tr.hidden) here++;
    }
    section.head.hidden = here === 0;
    shown += here;
    if (isFiltered) fold(section, here === 0);
    else if (filter.was) fold(section, section.startsFolded);
  }
  filter.was = isFiltered;
  document.body.classList.toggle("filtered", isFiltered);
  byId("nothing").hidden = shown > 0 || rows.length === 0;
  byId("shown").textContent = isFiltered ? `${shown} of ${rows.length} shown` : `${rows.length} in ${plural(sections.length, "section")}`;
  nameUnfold();
}

/** By the reader's hand: the address follows. */
function refilter() {
  filter();
  remember();
}
for (const chip of chips) {
  chip.addEventListener("click", () => {
    press(chip, !isPressed(chip));
    refilter();
  });
}
byId("find").addEventListener("input", refilter);
byId("area").addEventListener("change", refilter);
byId("tools").addEventListener("submit", (event) => event.preventDefault());
function clearFilter() {
  takeQuery("");
  refilter();
}
byId("clear").addEventListener("click", () => {
  clearFilter();
  byId("find").focus();
});
byId("tools").hidden = false;

// A click anywhere in a row opens its worst cell.
document.querySelector(".matrix").addEventListener("click", (event) => {
  const tr = event.target.closest("tbody.rows tr");
  if (!tr || event.target.closest("a") || getSelection()?.toString()) return;
  const cell = tr.querySelector("a.v-fail, a.v-non-strict") ?? tr.querySelector("a");
  cell?.click();
});
// A point of a plot is a link, without being a stop of the tab key: the table below has one.
byId("speed")?.addEventListener("click", (event) => {
  const point = event.target.closest("[data-href]");
  if (point) visit(point.dataset.href);
});
