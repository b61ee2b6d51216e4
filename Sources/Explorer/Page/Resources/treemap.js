let hidden = false, root = 0, bytes = null, tiles = [];
const map = el("map"), tip = el("tip");
function layOut() {
  bytes = weights(chosen, hidden);
  while (root && !bytes.total[root]) root = parents[root];
  drawCrumbs();
  drawMap();
}
function drawCrumbs() {
  const crumbs = el("crumbs"), steps = [];
  for (let n = root; n > 0; n = parents[n]) steps.unshift(n);
  crumbs.textContent = "";
  const whole = (chosen ? "layer #" + chosen : data.image) + " · " + size(bytes.total[0]);
  for (const node of [0, ...steps]) {
    const text = node ? "/ " + names[node] : whole;
    if (node === root) { crumbs.append(made("b", "", text)); continue; }
    const button = made("button", "", text);
    button.type = "button";
    button.onclick = () => { root = node; drawCrumbs(); drawMap(); };
    crumbs.append(button);
  }
}
function squarify(items, x, y, w, h, place) {
  let rest = items.reduce((sum, item) => sum + item.weight, 0), start = 0;
  while (start < items.length && w > .5 && h > .5) {
    const short = Math.min(w, h), scale = w * h / rest;
    let row = 0, end = start, worst = Infinity;
    while (end < items.length) {
      const next = row + items[end].weight, area = next * scale;
      const most = items[start].weight * scale, least = items[end].weight * scale;
      const ratio = Math.max(short * short * most / (area * area), area * area / (short * short * least));
      if (ratio > worst) break;
      worst = ratio;
      row = next;
      end++;
    }
    const thick = row * scale / short;
    let offset = 0;
    for (let i = start; i < end; i++) {
      const length = short * items[i].weight / row;
      if (w >= h) place(items[i], x, y + offset, thick, length);
      else place(items[i], x + offset, y, length, thick);
      offset += length;
    }
    if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    rest -= row;
    start = end;
  }
}
function drawMap() {
  if (!bytes) return;
  const box = map.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
  map.width = Math.max(1, Math.round(box.width * ratio));
  map.height = Math.max(1, Math.round(box.height * ratio));
  const pen = map.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, box.width, box.height);
  tiles = [];
  const style = getComputedStyle(document.documentElement), value = name => style.getPropertyValue(name).trim();
  const ink = dark ? "#f2f5f9" : "#16202c", soft = value("--soft");
  const folder = dark ? "#222c38" : "#eef1f5", gone = value("--gone"), line = value("--line");
  const clip = (text, room) => {
    if (pen.measureText(text).width <= room) return text;
    let low = 0, high = text.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pen.measureText(text.slice(0, middle) + "…").width <= room) low = middle; else high = middle - 1;
    }
    return low ? text.slice(0, low) + "…" : "";
  };
  const draw = (node, x, y, w, h, depth, label) => {
    if (w < 1 || h < 1) return;
    const list = (kids[node] || []).filter(kid => bytes.total[kid] > 0);
    const isDense = list.length && node !== root && (w < 16 || h < 16);
    if (!list.length || isDense) {
      const gap = w > 5 && h > 5 ? 1 : .35;
      pen.fillStyle = colour(bytes.holder[node]);
      pen.fillRect(x, y, Math.max(.5, w - gap), Math.max(.5, h - gap));
      if (hidden && w > 4 && h > 4) {
        pen.strokeStyle = gone;
        pen.lineWidth = 1.5;
        pen.strokeRect(x + .75, y + .75, w - 2.5, h - 2.5);
      }
      tiles.push({ node, x, y, w, h, folder: isDense });
      if (w < 38 || h < 17) return;
      pen.fillStyle = ink;
      pen.font = "11px system-ui, sans-serif";
      pen.fillText(clip(names[node], w - 9), x + 4, y + 13);
      if (h > 31) {
        pen.globalAlpha = .65;
        pen.fillText(clip(size(bytes.total[node]), w - 9), x + 4, y + 26);
        pen.globalAlpha = 1;
      }
      return;
    }
    if (list.length === 1 && !bytes.own[node] && (kids[list[0]] || []).length) {
      tiles.push({ node, x, y, w, h, folder: true });
      return draw(list[0], x, y, w, h, depth, label + names[list[0]] + "/");
    }
    tiles.push({ node, x, y, w, h, folder: true });
    let top = 0, edge = 0;
    if (node !== root || label) {
      pen.fillStyle = depth % 2 ? folder : line;
      pen.fillRect(x, y, w - 1, h - 1);
      edge = w > 24 && h > 24 ? 2 : w > 8 && h > 8 ? 1 : 0;
      if (w > 46 && h > 34) {
        top = 15;
        pen.fillStyle = soft;
        pen.font = "600 10.5px system-ui, sans-serif";
        pen.fillText(clip(label, w - 10), x + 4, y + 12);
      }
    }
    const items = list.map(kid => ({ kid, weight: bytes.total[kid] })).sort((a, b) => b.weight - a.weight);
    squarify(items, x + edge, y + edge + top, w - 2 * edge - (edge ? 1 : 0), h - 2 * edge - top - (edge ? 1 : 0),
      (item, kx, ky, kw, kh) => draw(item.kid, kx, ky, kw, kh, depth + 1, names[item.kid] + "/"));
  };
  if (bytes.total[root]) draw(root, 0, 0, box.width, box.height, 0, "");
  const nothing = el("nothing");
  nothing.hidden = bytes.total[root] > 0;
  nothing.textContent = hidden ? "Nothing is hidden: every byte can be seen." : "No bytes here.";
}
function tileAt(event) {
  const box = map.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  for (let i = tiles.length - 1; i >= 0; i--) {
    const t = tiles[i];
    if (x >= t.x && x < t.x + t.w && y >= t.y && y < t.y + t.h) return t;
  }
  return null;
}
map.onmousemove = event => {
  const tile = tileAt(event);
  tip.hidden = !tile || tile.node === root;
  if (tip.hidden) return;
  tip.textContent = "";
  const from = tile.folder ? "" : " · layer #" + bytes.holder[tile.node];
  tip.append(made("b", "", pathOf(tile.node)), size(bytes.total[tile.node]) + from);
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const under = event.clientY + 18;
  tip.style.left = left + "px";
  tip.style.top = (under + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 8 : under) + "px";
};
map.onmouseleave = () => { tip.hidden = true; };
map.onclick = event => {
  const tile = tileAt(event);
  if (!tile || tile.node === root) return;
  if (tile.folder) { root = tile.node; drawCrumbs(); drawMap(); } else reveal(tile.node);
};
