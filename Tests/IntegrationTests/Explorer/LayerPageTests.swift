import FoundationEssentials
import TestSupport
import Testing

/// The page of an image, run by a real browser without a screen.
@Suite(
    "the page of an image", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"),
    .enabled(if: Peer("chromium").isPresent, "chromium is not installed"))
struct LayerPageTests {
    /// The document as the browser has it once the page's script has run; `script` runs after it.
    private static func document(_ page: String, then script: String = "", in folder: String) throws -> String {
        let file = folder + "/page-\(UInt32.random(in: 0 ... .max)).html"
        let driven = page.replacing("</body>", with: "<script>\(script)</script></body>")
        try Data(driven.utf8).write(to: URL(filePath: file))
        return try Peer("chromium").run([
            "--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(folder)/chrome",
            "--window-size=1400,900", "--virtual-time-budget=3000", "--dump-dom", "file://\(file)",
        ]).text
    }

    @Test func aBrowserShowsIt() throws {
        let shale = try NastyImage.loaded()
        let folder = shale.work
        #expect(try shale.run(["layers", "--html", "page.html", "nasty:1"]).text.hasPrefix("wrote page.html"))
        let page = String(decoding: try Data(contentsOf: URL(filePath: folder + "/page.html")), as: UTF8.self)
        #expect(try shale.run(["layers", "--html", "-", "nasty:1"]).text == page)
        // Whole in itself: nothing is fetched, and the policy would not let it.
        #expect(page.contains("default-src 'none'"))
        #expect(
            page.ranges(of: "http:").isEmpty && page.ranges(of: "https:").isEmpty && page.ranges(of: "src=").isEmpty)
        // What the image says cannot end the script it stands in.
        #expect(page.ranges(of: "</script>").count == 2)

        let first = try Self.document(page, in: folder)
        #expect(first.contains("data-ready=\"yes\""))
        #expect(first.contains("<title>nasty:1 · layers</title>"))
        #expect(first.ranges(of: "class=\"layer\"").count == 3)
        #expect(first.contains("<dt>layers</dt><dd>3</dd>") && first.contains("<dt>hidden</dt><dd>9.04 kB</dd>"))
        #expect(first.contains("data-theme=\"light\""))
        #expect(first.contains(">app<span>/</span>") && first.contains(">abs<span> → /etc/passwd</span>"))

        // A click on a layer marks what it did; what it deleted is struck out.
        let second = try Self.document(
            page, then: "choose(2); for (const n of [...names.keys()]) open.add(n); flatten();", in: folder)
        #expect(second.contains("class=\"row dead\"") && second.contains(">shadow</span>"))
        #expect(second.contains("<span class=\"mark c\">~</span><span class=\"name\">passwd</span>"))
        #expect(second.contains("<span class=\"mark d\">−</span><span class=\"name\">a.deb</span>"))

        // Names are text, whatever is in them.
        let third = try Self.document(
            page, then: "search.value = 'opt/'; flatten(); setTheme(true);", in: folder)
        #expect(third.contains("/opt/new\\nline") && third.contains("/opt/esc\\e[31mred"))
        #expect(third.contains("&lt;script&gt;document.title='broken'&lt;"))
        #expect(third.contains("/opt/quote\"'&amp;amp;") && third.contains("/opt/ünï→日本"))
        #expect(third.contains("data-theme=\"dark\""))

        // The story of a path, and the bytes that are hidden.
        let fourth = try Self.document(
            page, then: "reveal(names.indexOf('shadow')); hidden = true; root = 0; layOut();", in: folder)
        #expect(fourth.contains("<h3>/etc/shadow</h3>"))
        #expect(fourth.contains("<b>#1</b><em class=\"a\">added, 12 B</em>"))
        #expect(fourth.contains("<b>#2</b><em class=\"d\">removed</em>"))
    }

    /// Only the rows that can be seen are in the document.
    @Test func manyFilesStayQuick() throws {
        let shale = ShaleHome()
        let folder = shale.work
        let files = (0..<20_000).map { SmallImage.File("srv/d\($0 / 1000)/f\($0)", "") }
        try SmallImage.writeDockerArchive(folder + "/many.tar", layers: [files], tag: "many:1")
        try shale.run(["load", "-i", folder + "/many.tar"])
        let page = try shale.run(["layers", "--html", "-", "many:1"]).text
        let document = try Self.document(
            page, then: "for (const n of names.keys()) open.add(n); flatten(); document.title = 'rows ' + flat.length;",
            in: folder)
        #expect(document.contains("<title>rows 20021</title>"))
        #expect(document.ranges(of: "class=\"row\"").count < 100)
    }
}
