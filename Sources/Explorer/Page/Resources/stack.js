let chosen = 0;
const layerList = el("layers");
function drawHead() {
  el("image").textContent = data.image;
  const made = data.created ? "made " + data.created.slice(0, 10) : "";
  el("about").textContent = [data.platform, made, data.id.slice(0, 19)].filter(Boolean).join(" · ");
  const disk = data.layers.reduce((sum, l) => sum + l.size, 0);
  const packed = data.layers.reduce((sum, l) => sum + (l.packed || 0), 0);
  let files = 0;
  for (let i = 1; i < count; i++) if (final.alive[i] && final.type[i] !== DIRECTORY) files++;
  const facts = [
    ["layers", data.layers.length], ["files", files.toLocaleString("en")], ["packed", size(packed)],
    ["unpacked", size(disk)], ["hidden", size(data.hidden)],
    ["efficiency", (Math.floor(data.efficiency * 1000) / 10).toFixed(1) + " %"],
  ];
  for (const [name, value] of facts) {
    const box = document.createElement("div");
    box.append(tag("dt", name), tag("dd", value));
    el("facts").append(box);
  }
}
const tag = (name, text) => made(name, "", text);
function drawLayers() {
  layerList.textContent = "";
  layerList.style.setProperty("--number", data.layers.length < 100 ? "30px" : "38px");
  const largest = Math.max(1, ...data.layers.map(l => l.size));
  for (const layer of [...data.layers].reverse()) {
    const button = made("button", "layer");
    button.type = "button";
    button.setAttribute("aria-pressed", layer.n === chosen);
    const number = made("span", "n", "#" + layer.n), dot = made("i");
    dot.style.background = colour(layer.n);
    number.append(dot);
    const meta = made("span", "meta");
    for (const [cls, sign, n] of [["a", "+", layer.added], ["c", "~", layer.changed], ["d", "−", layer.deleted]]) {
      if (n) meta.append(made("span", cls, sign + n.toLocaleString("en")));
    }
    if (!layer.added && !layer.changed && !layer.deleted) meta.append("no files");
    if (layer.container) meta.append("writable");
    if (layer.shared.length) {
      const first = layer.shared[0], more = layer.shared.length - 1;
      const text = "⇄ shared with " + first + (more ? " and " + more + " more" : "");
      const shared = made("span", "", text);
      shared.title = layer.shared.join("\n");
      meta.append(shared);
    }
    const track = made("span", "track"), bar = made("i");
    bar.style.width = (100 * layer.size / largest) + "%";
    bar.style.background = colour(layer.n);
    if (layer.size) track.append(bar);
    const code = made("code", "", layer.instruction || "(how it was made is not told)");
    code.title = layer.instruction;
    button.append(number, code, made("span", "size", size(layer.size)), meta, track);
    button.onclick = () => choose(layer.n === chosen ? 0 : layer.n);
    const item = made("li");
    item.append(button);
    layerList.append(item);
  }
}
