// What of the matrix is shown: words of text, an area, and kinds, any of each group. The address keeps it.

const rows = [...document.querySelectorAll("tbody.rows tr")].map((tr) => {
  const info = index.cases[Number(tr.dataset.c)];
  const known = info.rules.filter((id) => index.rules[id]).map((id) => index.rules[id]);
  const rules = known.map((rule) => `${rule.source} ${rule.section}`);
  // A MUST NOT is a MUST.
  const levels = known.map((rule) => rule.level.split(" ")[0]);
  return {
    tr, info,
    kinds: new Set([...tr.dataset.k.split(" "), ...levels]),
    area: info.id.split(".")[0],
    text: [info.id, info.title, tr.textContent, ...info.rules, ...rules].join("\n").toLowerCase(),
  };
});

/** The groups of kinds, by their name in the address. */
const groups = new Map([...document.querySelectorAll(".chips")].map((group) => [group.dataset.key, [...group.querySelectorAll(".chip")]]));
const chips = [...groups.values()].flat();
const isPressed = (chip) => chip.getAttribute("aria-pressed") === "true";
const press = (chip, pressed) => chip.setAttribute("aria-pressed", String(pressed));

for (const [key, group] of groups) {
  for (const chip of group) chip.hidden = !rows.some((row) => row.kinds.has(chip.dataset.kind));
  // A choice of one is none; only what changed is worth showing alone.
  const choices = group.filter((chip) => !chip.hidden).length;
  group[0].parentElement.hidden = choices === 0 || (choices === 1 && key === "level");
}
const areas = new Map();
for (const row of rows) areas.set(row.area, (areas.get(row.area) ?? 0) + 1);
for (const [area, n] of areas) byId("area").append(el("option", { value: area }, `${visible(area)} (${n})`));
byId("area").parentElement.hidden = areas.size < 2;

/** The filter as the address has it, in an order that is always the same. */
function filterQuery() {
  const query = new URLSearchParams();
  for (const [key, group] of groups) {
    const kinds = group.filter(isPressed).map((chip) => chip.dataset.kind);
    if (kinds.length) query.set(key, kinds.join(","));
  }
  if (byId("area").value) query.set("area", byId("area").value);
  if (byId("find").value.trim()) query.set("q", byId("find").value.trim());
  return query.toString().replaceAll("%2C", ",");
}

/** Sets the filter to what an address says. */
function takeQuery(text) {
  const query = new URLSearchParams(text);
  for (const [key, group] of groups) {
    const kinds = (query.get(key) ?? "").split(",");
    for (const chip of group) press(chip, !chip.hidden && kinds.includes(chip.dataset.kind));
  }
  byId("area").value = areas.has(query.get("area")) ? query.get("area") : "";
  byId("find").value = query.get("q") ?? "";
}

/** Whether a row is one of those that are asked for. */
function filterTest() {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const area = byId("area").value;
  const asked = [...groups.values()].map((group) => group.filter(isPressed).map((chip) => chip.dataset.kind)).filter((kinds) => kinds.length);
  const isFiltered = words.length > 0 || area !== "" || asked.length > 0;
  const isAsked = (row) =>
    (area === "" || row.area === area) &&
    asked.every((kinds) => kinds.some((kind) => row.kinds.has(kind))) &&
    // An id is meant as a beginning: `6.4` is not `16.4`, and not every title with these digits.
    words.every((word) => (/^[a-z]?[0-9.]*[0-9][0-9.]*$/.test(word) ? row.info.id.toLowerCase().startsWith(word) : row.text.includes(word)));
  return [isFiltered, isAsked];
}
