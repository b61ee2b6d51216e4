extension PageScript {
    /// Where the bytes are: nested rectangles (Bruls, Huizing and van Wijk, "Squarified Treemaps", 2000).
    static let treemap = #"""
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
        """#

    /// The files: only the rows that can be seen are in the document, however many there are.
    static let files = #"""
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
        """#
}
