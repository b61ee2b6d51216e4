const rows = el("rows"), spacer = el("spacer"), search = el("search"), story = el("story"), height = 24;
const open = new Set();
let flat = [], picked = -1, onlyChanges = false, searching = "";
let hasChange = null;
function flatten() {
  hasChange = null;
  if (onlyChanges) {
    hasChange = new Uint8Array(count);
    for (let i = count - 1; i > 0; i--) {
      const own = chosen ? tree.mark[i] : !final.alive[i];
      if (own || hasChange[i]) { hasChange[i] = 1; hasChange[parents[i]] = 1; }
    }
  }
  searching = search.value.trim().toLowerCase();
  flat = [];
  if (searching) {
    const whole = searching.includes("/");
    for (let i = 1; i < count && flat.length < 5000; i++) {
      if (!(whole ? pathOf(i) : names[i]).toLowerCase().includes(searching)) continue;
      if (onlyChanges && !hasChange[i]) continue;
      flat.push([i, 0]);
    }
  } else {
    const walk = (node, depth) => {
      for (const kid of children(node)) {
        if (onlyChanges ? !hasChange[kid] : !(tree.alive[kid] || tree.mark[kid])) continue;
        flat.push([kid, depth]);
        if (open.has(kid)) walk(kid, depth + 1);
      }
    };
    walk(0, 0);
  }
  spacer.style.height = Math.max(1, flat.length) * height + "px";
  drawRows();
}
function drawRows() {
  const first = Math.max(0, Math.floor(rows.scrollTop / height) - 6);
  const last = Math.min(flat.length, Math.ceil((rows.scrollTop + rows.clientHeight) / height) + 6);
  const shown = document.createDocumentFragment();
  for (let i = first; i < last; i++) shown.append(row(flat[i][0], flat[i][1], i));
  if (!flat.length) {
    const empty = made("div", "row", searching ? "nothing is called so" : "nothing changed");
    empty.style.paddingLeft = "14px";
    shown.append(empty);
  }
  for (const old of [...rows.querySelectorAll(".row")]) old.remove();
  rows.append(shown);
}
function row(node, depth, place) {
  const isFolder = (tree.alive[node] ? tree.type[node] : final.type[node]) === DIRECTORY && !!kids[node];
  const mark = tree.mark[node], isGone = !tree.alive[node];
  const line = made("div", "row" + (isGone ? " dead" : "") + (node === picked ? " chosen" : ""));
  line.style.top = place * height + "px";
  line.style.paddingLeft = 8 + depth * 16 + "px";
  line.setAttribute("role", "treeitem");
  const twist = made("span", "twist", isFolder && !searching ? (open.has(node) ? "▾" : "▸") : "");
  const name = made("span", "name", searching ? pathOf(node) : names[node]);
  if (isFolder || (tree.alive[node] && tree.type[node] === DIRECTORY)) name.append(made("span", "", "/"));
  const link = tree.alive[node] && tree.link.get(node);
  if (link && tree.type[node] > 1) name.append(made("span", "", (tree.type[node] === 3 ? " = " : " → ") + link));
  const sign = isGone ? ["−", "d"] : mark === ADDED ? ["+", "a"] : mark === CHANGED ? ["~", "c"] : ["", ""];
  const total = tree.total[node], parent = tree.total[parents[node]];
  const share = made("span", "share"), bar = made("i");
  bar.style.width = (parent ? 100 * total / parent : 0) + "%";
  share.append(bar);
  const from = made("span", "from", tree.layer[node] && !isGone ? "#" + tree.layer[node] : "");
  line.append(twist, made("span", "mark " + sign[1], sign[0]), name, share,
    made("span", "bytes", isGone ? "" : size(total)), from);
  line.onclick = () => {
    picked = node;
    if (isFolder && !searching) { open.has(node) ? open.delete(node) : open.add(node); flatten(); }
    tell(node);
    drawRows();
  };
  return line;
}
function tell(node) {
  story.textContent = "";
  story.hidden = false;
  story.append(made("h3", "", pathOf(node)));
  const lines = storyOf(node);
  for (const step of lines) {
    const line = made("div"), what = step.kind === 2
      ? "removed" + (step.by !== undefined ? " with " + pathOf(step.by) : "")
      : (step.kind === 0 ? "added" : step.kind === 1 ? "changed" : "written again")
        + (step.type !== DIRECTORY ? ", " + size(step.size) : "");
    const word = made("em", step.kind === 2 ? "d" : step.kind === 0 ? "a" : "c", what);
    line.append(made("b", "", "#" + step.layer.n), word, made("code", "", step.layer.instruction));
    story.append(line);
  }
  if (!lines.length) story.append(made("div", "", "no layer names it: it was made for what is in it"));
}
function reveal(node) {
  search.value = "";
  if (!tree.alive[node] && !tree.mark[node] && !onlyChanges) {
    const last = storyOf(node).filter(step => step.kind !== 2).pop();
    if (last) choose(last.layer.n);
  }
  for (let n = parents[node]; n > 0; n = parents[n]) open.add(n);
  picked = node;
  flatten();
  const place = flat.findIndex(entry => entry[0] === node);
  if (place >= 0) rows.scrollTop = Math.max(0, place * height - rows.clientHeight / 2);
  tell(node);
  drawRows();
}
rows.onscroll = () => requestAnimationFrame(drawRows);
rows.onkeydown = event => {
  const place = flat.findIndex(entry => entry[0] === picked);
  const go = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: flat.length - 1 }[event.key];
  if (go !== undefined && flat[go]) {
    event.preventDefault();
    picked = flat[go][0];
    const y = go * height;
    if (y < rows.scrollTop) rows.scrollTop = y;
    if (y + height > rows.scrollTop + rows.clientHeight) rows.scrollTop = y + height - rows.clientHeight;
    tell(picked);
    drawRows();
  } else if ((event.key === "ArrowRight" || event.key === "Enter") && place >= 0) {
    open.add(picked);
    flatten();
  } else if (event.key === "ArrowLeft" && place >= 0) {
    if (open.has(picked)) open.delete(picked);
    else if (parents[picked] > 0) picked = parents[picked];
    flatten();
  }
};
let timer = 0;
search.oninput = () => {
  clearTimeout(timer);
  timer = setTimeout(() => { rows.scrollTop = 0; flatten(); }, 120);
};
