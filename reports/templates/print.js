// On paper nobody can unfold anything: what is folded is printed whole, unless a case is open, which is then all there is.
let opened = [];
window.addEventListener("beforeprint", () => {
  const folded = [...document.querySelectorAll(panel.hidden ? "details.doc:not([open]), details.change:not([open]), details.numbers:not([open])" : ".case details:not([open])")];
  for (const details of folded) details.open = true;
  opened.push(...folded);
});
window.addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
  opened = [];
});
