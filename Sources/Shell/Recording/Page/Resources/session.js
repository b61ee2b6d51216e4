// The steps stand behind this script, each as JSON in an element of its own, so that a page whose recording was cut off
// is whole up to there. Whatever a step says is text: nothing of it is read as HTML.
const $ = id => document.getElementById(id);
const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};
let steps = [];
let current = -1;

// Bytes as the terminal tells them, in units of 1000.
const units = ["B", "kB", "MB", "GB", "TB"];
const bytes = count => {
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) { count /= 1000; unit += 1; }
  return (unit === 0 ? count : Number(count.toPrecision(3))) + units[unit];
};
const plural = (count, one) => count + " " + one + (count === 1 ? "" : "s");
const firstLine = text => text.split("\n", 1)[0];

// A step's lines, as they stood on the terminal.
const fill = (terminal, step) => {
  terminal.textContent = "";
  step.line.split("\n").forEach((line, index) => {
    terminal.append(element("span", "sign", index === 0 ? "$ " : "> "), element("span", "typed", line), "\n");
  });
  terminal.append(step.output.map(line => line + "\n").join(""));
  if (step.cut > 0) terminal.append(element("span", "cut", "… " + plural(step.cut, "more line") + ", left out here\n"));
};

// The stack after a step: its own, or that of the nearest step before it that had one.
const stackAt = index => {
  while (index >= 0 && !steps[index].stack) index -= 1;
  return index < 0 ? null : { ...steps[index].stack, isOwn: index };
};

const layer = (entry, isNew) => {
  const item = element("li", (isNew ? "new" : "") + (entry.container ? " container" : ""));
  item.append(element("code", "", entry.instruction), element("span", "size", bytes(entry.size)));
  const meta = element("span", "meta");
  if (entry.counts) {
    for (const [index, kind] of ["a", "c", "d"].entries()) {
      meta.append(element("span", kind, "+~−"[index] + entry.counts[index]), " ");
    }
  }
  if (isNew) meta.append(entry.container ? "changed" : "new");
  item.append(meta);
  return item;
};

const showStack = index => {
  const list = $("layers");
  list.textContent = "";
  const stack = stackAt(index);
  $("subject").textContent = stack ? stack.subject + ", the highest on top" : "";
  if (!stack || stack.layers.length === 0) {
    list.append(element("p", "empty", stack ? "It has no layer." : "No image was made or looked at yet."));
    return;
  }
  const before = stack.isOwn === index ? stackAt(index - 1) : stack;
  const known = new Set(before ? before.layers.map(entry => entry.key) : []);
  const isChanged = stack.isOwn === index && steps[index].files.length > 0;
  for (const entry of [...stack.layers].reverse()) {
    list.append(layer(entry, !known.has(entry.key) || (entry.container && isChanged)));
  }
};

const showFiles = step => {
  const list = $("files");
  list.textContent = "";
  const total = step.files.length + step.more;
  $("count").textContent = total > 0 ? plural(total, "change") : "";
  if (total === 0) list.append(element("li", "empty", "This step changed no file of a layer."));
  for (const [kind, path, size] of step.files) {
    const item = element("li");
    const words = { A: ["a", "added"], C: ["c", "changed"], D: ["d", "removed"] }[kind];
    const mark = element("span", "mark " + words[0], kind);
    mark.title = words[1];
    item.append(mark, element("span", "path", path));
    if (size > 0) item.append(element("span", "bytes", bytes(size)));
    list.append(item);
  }
  if (step.more > 0) list.append(element("li", "cut", "… and " + step.more + " more"));
};

const status = step => {
  const words = [];
  if (step.status !== 0) words.push("exit status " + step.status);
  if (step.seconds >= 0.1) words.push(step.seconds.toFixed(1) + " s");
  return words.join(", ");
};

// Scrolls a list to one of its items, and nothing around the list.
const keepInSight = (list, item) => {
  const top = item.offsetTop - list.offsetTop;
  list.scrollTop = Math.max(Math.min(list.scrollTop, top), top + item.offsetHeight - list.clientHeight);
};

// Shows a step, counted from 0.
const show = wanted => {
  if (steps.length === 0) return;
  const index = Math.min(Math.max(wanted, 0), steps.length - 1);
  if (index === current) return;
  current = index;
  const step = steps[index];
  $("place").textContent = "Step " + (index + 1) + " of " + steps.length;
  $("status").textContent = status(step);
  $("status").className = step.status === 0 ? "" : "failed";
  fill($("terminal"), step);
  $("terminal").scrollTop = 0;
  showStack(index);
  showFiles(step);
  for (const [place, item] of [...$("steps").children].entries()) {
    const button = item.firstChild;
    if (place === index) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
  }
  keepInSight($("steps"), $("steps").children[index]);
  $("slider").value = index + 1;
  $("slider").setAttribute("aria-valuetext", "step " + (index + 1) + " of " + steps.length);
  $("first").disabled = $("back").disabled = index === 0;
  $("last").disabled = $("next").disabled = index === steps.length - 1;
  $("told").textContent = "Step " + (index + 1) + ": " + firstLine(step.line)
    + (step.status === 0 ? "" : ", failed with status " + step.status);
  location.replace("#step=" + (index + 1));
};

const moves = {
  ArrowRight: () => show(current + 1), j: () => show(current + 1), n: () => show(current + 1),
  ArrowLeft: () => show(current - 1), k: () => show(current - 1), p: () => show(current - 1),
  Home: () => show(0), End: () => show(steps.length - 1),
};

const fromAddress = () => {
  const found = /^#step=(\d{1,9})$/.exec(location.hash);
  return found ? Number(found[1]) - 1 : 0;
};

const setTheme = isDark => { document.documentElement.dataset.theme = isDark ? "dark" : "light"; };

// On paper all steps stand one below the other.
const printAll = () => {
  const all = $("all");
  all.textContent = "";
  for (const [index, step] of steps.entries()) {
    const article = element("article");
    const terminal = element("pre");
    fill(terminal, step);
    article.append(element("h2", "", "Step " + (index + 1)), terminal);
    all.append(article);
  }
};

const start = () => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches);
  dark.addEventListener("change", event => setTheme(event.matches));
  $("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme !== "dark"));
  for (const script of document.querySelectorAll("script.step")) {
    // What a crash cut off in the middle is no step.
    try { steps.push(JSON.parse(script.textContent)); } catch { continue; }
  }
  for (const [index, step] of steps.entries()) {
    const button = element("button", step.status === 0 ? "" : "failed");
    button.type = "button";
    button.append(element("span", "n", index + 1), element("code", "", firstLine(step.line)));
    button.title = step.line;
    button.addEventListener("click", () => show(index));
    const item = element("li");
    item.append(button);
    $("steps").append(item);
  }
  $("slider").max = Math.max(steps.length, 1);
  $("slider").addEventListener("input", event => show(Number(event.target.value) - 1));
  $("first").addEventListener("click", moves.Home);
  $("back").addEventListener("click", moves.ArrowLeft);
  $("next").addEventListener("click", moves.ArrowRight);
  $("last").addEventListener("click", moves.End);
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target === $("slider")) return;
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  });
  addEventListener("hashchange", () => show(fromAddress()));
  addEventListener("beforeprint", printAll);
  show(fromAddress());
  document.documentElement.dataset.ready = "yes";
};
document.addEventListener("DOMContentLoaded", start);
