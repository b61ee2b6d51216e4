let tree = final;
function choose(n) {
  chosen = n;
  tree = n ? treeAfter(n, true) : final;
  drawLayers();
  layOut();
  flatten();
}
function setTheme(isDark) {
  dark = isDark;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  drawLayers();
  drawMap();
}
const preference = matchMedia("(prefers-color-scheme: dark)");
preference.addEventListener("change", event => setTheme(event.matches));
el("theme").onclick = () => setTheme(!dark);
for (const kind of ["bytes", "show"]) {
  for (const button of document.querySelectorAll(`[data-${kind}]`)) {
    button.onclick = () => {
      for (const other of document.querySelectorAll(`[data-${kind}]`)) {
        other.setAttribute("aria-pressed", other === button);
      }
      if (kind === "bytes") { hidden = button.dataset.bytes === "hidden"; root = 0; layOut(); }
      else { onlyChanges = button.dataset.show === "changes"; flatten(); }
    };
  }
}
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
  if (event.key === "Escape") {
    if (search.value) { search.value = ""; flatten(); } else if (chosen) choose(0);
  }
});
new ResizeObserver(() => { layOut(); drawRows(); }).observe(el("map").parentElement);
new ResizeObserver(() => drawRows()).observe(el("rows"));
drawHead();
open.add(0);
for (let only = children(0); only.length === 1; only = children(only[0])) open.add(only[0]);
dark = preference.matches;
document.documentElement.dataset.theme = dark ? "dark" : "light";
choose(0);
document.body.dataset.ready = "yes";
