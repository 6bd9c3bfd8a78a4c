// A folded statement is printed whole: on paper nobody can unfold it.
const folded = () => [...document.querySelectorAll("details.doc:not([open])")];
let opened = [];
window.addEventListener("beforeprint", () => {
  opened = folded();
  for (const details of opened) details.open = true;
});
window.addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
  opened = [];
});
