const data = JSON.parse(document.getElementById("data").textContent);
const count = data.names.length, parents = data.parents, names = data.names;
const el = id => document.getElementById(id);
const made = (tag, cls, text) => {
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  if (text !== undefined) node.textContent = text;
  return node;
};
const kids = new Array(count);
for (let i = 1; i < count; i++) (kids[parents[i]] ||= []).push(i);
const sorted = new Uint8Array(count);
function children(node) {
  const list = kids[node] || [];
  if (!sorted[node]) {
    sorted[node] = 1;
    list.sort((a, b) => names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : 0);
  }
  return list;
}
function pathOf(node) {
  const parts = [];
  for (let n = node; n > 0; n = parents[n]) parts.push(names[n]);
  return "/" + parts.reverse().join("/");
}
function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes, unit = 0;
  while (value >= 1000 && unit < 5) { value /= 1000; unit++; }
  return (unit === 0 ? value : Number(value.toPrecision(3))) + " " + units[unit];
}
const many = (n, one, more) => n.toLocaleString("en") + " " + (n === 1 ? one : more || one + "s");
const ADDED = 1, CHANGED = 2, GONE = 3, DIRECTORY = 0;

// The tree after the first `top` layers; marks are the last one's doing, or none for the whole image.
function treeAfter(top, marking) {
  const tree = {
    alive: new Uint8Array(count), type: new Uint8Array(count), size: new Float64Array(count),
    layer: new Int32Array(count), mark: new Uint8Array(count), total: new Float64Array(count),
    link: new Map(),
  };
  tree.alive[0] = 1;
  const { alive, type, layer, mark } = tree;
  const kill = (node, marks) => {
    const pending = [node];
    while (pending.length) {
      const next = pending.pop();
      if (!alive[next]) continue;
      alive[next] = 0;
      mark[next] = marks ? GONE : 0;
      for (const kid of kids[next] || []) pending.push(kid);
    }
  };
  for (let l = 0; l < top; l++) {
    const { events, links, n } = data.layers[l], marks = marking && l === top - 1;
    for (let e = 0; e < events.length; e += 4) {
      const node = events[e], kind = events[e + 1];
      if (kind === 2) { kill(node, marks); continue; }
      if (events[e + 2] !== DIRECTORY) for (const kid of kids[node] || []) kill(kid, marks);
      alive[node] = 1;
      type[node] = events[e + 2];
      tree.size[node] = events[e + 3];
      layer[node] = n;
      if (marks) mark[node] = kind === 0 ? ADDED : CHANGED;
      for (let p = parents[node]; p > 0 && !alive[p]; p = parents[p]) {
        alive[p] = 1;
        type[p] = DIRECTORY;
        tree.size[p] = 0;
        layer[p] = n;
      }
    }
    for (let e = 0; e < links.length; e += 2) tree.link.set(links[e], links[e + 1]);
  }
  for (let i = count - 1; i > 0; i--) {
    if (alive[i]) tree.total[i] += tree.size[i];
    tree.total[parents[i]] += tree.total[i];
  }
  return tree;
}
const final = treeAfter(data.layers.length, false);
// Bytes by path that can be seen in the end, or that cannot, of one layer or of all.
function weights(chosen, hidden) {
  const own = new Float64Array(count), holder = new Int32Array(count);
  for (const layer of data.layers) {
    if (chosen && layer.n !== chosen) continue;
    const events = layer.events;
    for (let e = 0; e < events.length; e += 4) {
      if (events[e + 1] === 2 || !events[e + 3]) continue;
      const node = events[e], seen = final.alive[node] && final.layer[node] === layer.n;
      if (!!seen === hidden) continue;
      own[node] += events[e + 3];
      holder[node] = layer.n;
    }
  }
  const total = own.slice(), largest = new Float64Array(count);
  for (let i = count - 1; i > 0; i--) {
    const above = parents[i];
    total[above] += total[i];
    // A directory has the colour of what is largest in it.
    if (total[i] > largest[above]) { largest[above] = total[i]; if (!own[above]) holder[above] = holder[i]; }
  }
  return { own, total, holder };
}
// What each layer did to a path, the lowest first.
function storyOf(node) {
  const above = new Set();
  for (let n = parents[node]; n > 0; n = parents[n]) above.add(n);
  const story = [];
  let there = false;
  for (const layer of data.layers) {
    let own = null, by = null;
    for (let e = 0; e < layer.events.length; e += 4) {
      const n = layer.events[e], kind = layer.events[e + 1];
      if (n === node) own = { kind, size: layer.events[e + 3], type: layer.events[e + 2] };
      else if (above.has(n) && (kind === 2 || layer.events[e + 2] !== DIRECTORY)) by = n;
    }
    if (own) {
      story.push({ layer, ...own });
      there = own.kind !== 2;
    } else if (by !== null && there) {
      story.push({ layer, kind: 2, by });
      there = false;
    }
  }
  return story;
}
let dark = false;
const colour = (n, strength = 1) => {
  const hue = (212 + (n - 1) * 67) % 360;
  return dark ? `hsl(${hue} ${38 * strength}% ${41}%)` : `hsl(${hue} ${58 * strength}% ${72}%)`;
};
