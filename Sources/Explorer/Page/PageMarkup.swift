/// The page's body, which its script fills.
enum PageMarkup {
    static let text = #"""
        <header>
          <div class="title">
            <h1 id="image"></h1>
            <p id="about"></p>
          </div>
          <dl id="facts"></dl>
          <button id="theme" type="button" title="Light or dark" aria-label="Light or dark">◐</button>
        </header>
        <main>
          <section id="stack" aria-label="Layers">
            <h2>Layers <small>the highest on top</small></h2>
            <ol id="layers"></ol>
          </section>
          <section id="bytes" aria-label="Where the bytes are">
            <div class="bar">
              <h2>Where the bytes are</h2>
              <nav id="crumbs" aria-label="Directory"></nav>
              <div class="choice" role="group" aria-label="Which bytes">
                <button type="button" data-bytes="visible" aria-pressed="true">visible</button>
                <button type="button" data-bytes="hidden" aria-pressed="false">hidden</button>
              </div>
            </div>
            <div class="map"><canvas id="map"></canvas><p id="nothing" hidden></p></div>
          </section>
          <section id="files" aria-label="Files">
            <div class="bar">
              <h2>Files</h2>
              <input id="search" type="search" placeholder="Search paths ( / )" aria-label="Search paths"
                autocomplete="off" spellcheck="false">
              <div class="choice" role="group" aria-label="Which files">
                <button type="button" data-show="all" aria-pressed="true">all</button>
                <button type="button" data-show="changes" aria-pressed="false">changes</button>
              </div>
              <p class="legend"><i class="added"></i>added <i class="changed"></i>changed <i class="gone"></i>hidden</p>
            </div>
            <div id="rows" tabindex="0" role="tree" aria-label="Files"><div id="spacer"></div></div>
            <div id="story" hidden></div>
          </section>
        </main>
        <div id="tip" hidden></div>
        """#
}
