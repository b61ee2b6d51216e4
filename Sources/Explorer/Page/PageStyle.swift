/// The page's looks, light and dark.
enum PageStyle {
    static let text = #"""
        :root {
          --back: #f6f7f9; --card: #fff; --ink: #1b2430; --soft: #5d6b7e; --line: #dde3ea; --hover: #eef2f7;
          --chosen: #e3edfb; --accent: #2563c9; --added: #1f9d55; --changed: #c77d0a; --gone: #d0413d;
          --track: #e8ecf1; --shadow: 0 1px 2px rgb(20 30 50 / 6%), 0 4px 16px rgb(20 30 50 / 5%);
          color-scheme: light;
        }
        :root[data-theme=dark] {
          --back: #10151c; --card: #181f29; --ink: #e4eaf2; --soft: #93a1b5; --line: #2a3442; --hover: #212b38;
          --chosen: #22344f; --accent: #6ea8ff; --added: #4cc38a; --changed: #e5a94a; --gone: #ef6f6c;
          --track: #26303d; --shadow: 0 1px 2px rgb(0 0 0 / 30%), 0 4px 16px rgb(0 0 0 / 25%);
          color-scheme: dark;
        }
        * { box-sizing: border-box; }
        html, body { height: 100%; margin: 0; }
        body {
          display: flex; flex-direction: column; background: var(--back); color: var(--ink);
          font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
        }
        h1, h2, p, dl, dd, dt, ol { margin: 0; padding: 0; }
        h1 { font-size: 20px; font-weight: 650; letter-spacing: -.01em; overflow-wrap: anywhere; }
        h2 { font-size: 13px; font-weight: 650; white-space: nowrap; }
        small, #about { color: var(--soft); font-size: 12px; font-weight: 400; }
        #about { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        header { display: flex; gap: 24px; align-items: center; padding: 14px 20px 4px; }
        .title { min-width: 0; }
        #facts { display: flex; flex-wrap: wrap; gap: 4px 26px; margin-left: auto; }
        #facts div { text-align: right; }
        #facts dt { color: var(--soft); font-size: 11px; }
        #facts dd { font-size: 16px; font-weight: 600; font-variant-numeric: tabular-nums; }
        button {
          border: 1px solid var(--line); border-radius: 7px; background: var(--card); color: var(--ink);
          font: inherit; cursor: pointer;
        }
        button:hover { background: var(--hover); }
        #theme { flex: none; width: 34px; height: 34px; font-size: 16px; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
        main {
          flex: 1; min-height: 0; display: grid; gap: 14px; padding: 12px 20px 20px;
          grid-template: minmax(0, 11fr) minmax(0, 12fr) / minmax(250px, 30%) minmax(0, 1fr);
        }
        section {
          min-height: 0; display: flex; flex-direction: column; background: var(--card); border: 1px solid var(--line);
          border-radius: 12px; box-shadow: var(--shadow); overflow: hidden;
        }
        section > h2, .bar { padding: 11px 14px 9px; }
        .bar { display: flex; gap: 12px; align-items: center; flex-wrap: wrap; }
        #stack { grid-row: 1 / 3; }
        #layers { list-style: none; overflow: auto; padding: 0 8px 8px; }
        .layer {
          width: 100%; display: grid; grid-template-columns: var(--number) minmax(0, 1fr) auto; gap: 2px 8px; padding: 8px 8px 9px;
          border: 0; border-radius: 8px; background: none; text-align: left;
        }
        .layer[aria-pressed=true] { background: var(--chosen); }
        .layer .n { grid-row: 1 / 3; font-size: 12px; font-weight: 650; color: var(--soft); }
        .layer .n i { display: block; width: 14px; height: 14px; border-radius: 4px; margin-top: 4px; }
        .layer code {
          font: 12px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow: hidden;
          display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow-wrap: anywhere;
        }
        .layer[aria-pressed=true] code { -webkit-line-clamp: 12; }
        .layer .size { font-variant-numeric: tabular-nums; font-weight: 600; white-space: nowrap; }
        .layer .meta { grid-column: 2 / 4; display: flex; flex-wrap: wrap; gap: 0 10px; font-size: 12px; color: var(--soft); }
        .layer .track { grid-column: 1 / 4; height: 5px; margin-top: 4px; border-radius: 3px; background: var(--track); }
        .layer .track i { display: block; height: 100%; border-radius: 3px; min-width: 2px; }
        .a { color: var(--added); } .c { color: var(--changed); } .d { color: var(--gone); }
        .map { position: relative; flex: 1; min-height: 120px; margin: 0 14px 14px; }
        #map { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: 6px; cursor: pointer; }
        #nothing { position: absolute; inset: 0; display: grid; place-items: center; color: var(--soft); }
        #nothing[hidden] { display: none; }
        #crumbs { display: flex; flex-wrap: wrap; min-width: 0; color: var(--soft); font-size: 12px; }
        #crumbs button { border: 0; padding: 1px 4px; background: none; color: var(--accent); font-size: 12px; }
        #crumbs b { padding: 1px 4px; font-weight: 600; color: var(--ink); overflow-wrap: anywhere; }
        .choice { display: flex; }
        .bar .choice { margin-left: auto; }
        #files .choice { margin-left: 0; }
        .choice button { padding: 3px 11px; font-size: 12px; border-radius: 0; }
        .choice button:first-child { border-radius: 7px 0 0 7px; }
        .choice button:last-child { border-radius: 0 7px 7px 0; border-left: 0; }
        .choice button[aria-pressed=true] { background: var(--chosen); font-weight: 600; }
        #search {
          flex: 1; min-width: 140px; padding: 5px 10px; border: 1px solid var(--line); border-radius: 7px;
          background: var(--back); color: var(--ink); font: inherit; font-size: 13px;
        }
        .legend { color: var(--soft); font-size: 12px; white-space: nowrap; }
        .legend i { display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin: 0 4px 0 8px; }
        i.added { background: var(--added); } i.changed { background: var(--changed); } i.gone { background: var(--gone); }
        #rows { position: relative; flex: 1; min-height: 0; overflow: auto; border-top: 1px solid var(--line); }
        #rows:focus-visible { outline-offset: -2px; }
        .row {
          position: absolute; left: 0; right: 0; height: 24px; display: flex; gap: 8px; align-items: center;
          padding-right: 14px; white-space: nowrap; cursor: default;
          font: 12.5px/24px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
        }
        .row:hover { background: var(--hover); }
        .row.chosen { background: var(--chosen); }
        .row .twist { flex: none; width: 14px; text-align: center; color: var(--soft); cursor: pointer; }
        .row .name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; }
        .row .name span { color: var(--soft); }
        .row .mark { flex: none; width: 12px; font-weight: 700; text-align: center; }
        .row .bytes { flex: none; width: 76px; text-align: right; color: var(--soft); font-variant-numeric: tabular-nums; }
        .row .share { flex: none; width: 70px; height: 5px; border-radius: 3px; background: var(--track); overflow: hidden; }
        .row .share i { display: block; height: 100%; background: var(--accent); border-radius: 3px; }
        .row .from { flex: none; width: 40px; font-size: 11px; text-align: right; color: var(--soft); }
        .row.dead .name { text-decoration: line-through; color: var(--gone); }
        #story {
          border-top: 1px solid var(--line); padding: 9px 14px 10px; max-height: 40%; overflow: auto; font-size: 12.5px;
        }
        #story h3 { margin: 0 0 4px; font: 600 12.5px ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
        #story div { display: flex; gap: 10px; padding: 1px 0; }
        #story div b { flex: none; width: 30px; } #story div em { flex: none; width: 150px; font-style: normal; }
        #story div code { color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        #tip {
          position: fixed; z-index: 9; max-width: 420px; padding: 7px 10px; border-radius: 8px; pointer-events: none;
          background: var(--ink); color: var(--back); font-size: 12px; overflow-wrap: anywhere; box-shadow: var(--shadow);
        }
        #tip[hidden] { display: none; }
        #tip b { display: block; font-weight: 600; }
        @media (max-width: 820px) {
          html, body { height: auto; }
          header { position: relative; flex-direction: column; align-items: stretch; gap: 10px; }
          .title { padding-right: 44px; }
          #theme { position: absolute; top: 14px; right: 20px; }
          #facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); margin: 0; }
          #facts div { text-align: left; }
          main { display: flex; flex-direction: column; }
          #layers { max-height: 45vh; } .map { height: 55vh; flex: none; } #rows { height: 70vh; flex: none; }
        }
        @media print { #theme, #search, .choice { display: none; } }
        """#
}
