import FoundationEssentials
import TestSupport
import Testing

/// The page of a session, as a real browser without a screen shows it.
@Suite(
    "the page of a session", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"),
    .enabled(if: Peer("chromium").isPresent, "chromium is not installed"))
struct SessionPageTests {
    private static let lines = """
        FROM busybox
        RUN echo hello > /greeting
        RUN rm /bin/vi
        ls @:/etc
        undo
        run -d --name box busybox sleep 100
        exec box sh -c 'echo x > /two; rm /etc/group'
        exec box touch '/three<b>'
        run --rm busybox echo '</script><script>document.title="broken"</script>'
        cat nothing:/x
        login -u me -p geheim 127.0.0.1:1
        rm -f box
        """

    /// A page of the lines above, in the home's work folder.
    private static func recorded(_ lines: String = lines) throws -> (shale: ShaleHome, page: String) {
        let shale = ShaleHome()
        _ = try shale.run(
            ["--keep-going", "-c", "record --html page.html\n\(lines)\nrecord off"], expecting: nil)
        return (shale, try page(shale))
    }

    private static func page(_ shale: ShaleHome) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: shale.work + "/page.html")), as: UTF8.self)
    }

    /// The document as the browser has it at a step, once `script` has run in it.
    private static func document(
        _ page: String, step: Int = 1, then script: String = "", options: [String] = [], in folder: String
    ) throws -> String {
        let file = folder + "/shown-\(UInt32.random(in: 0 ... .max)).html"
        let driven = page + "<script>addEventListener('DOMContentLoaded', () => { \(script) });</script>"
        try Data(driven.utf8).write(to: URL(filePath: file))
        return try Peer("chromium").run(
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(folder)/chrome",
                "--window-size=1400,900", "--virtual-time-budget=3000",
            ] + options + ["--dump-dom", "file://\(file)#step=\(step)"]
        ).text
    }

    private static func press(_ keys: String...) -> String {
        keys.map { "document.dispatchEvent(new KeyboardEvent('keydown', { key: '\($0)' }));" }.joined()
    }

    @Test func aLearnerMovesThroughIt() throws {
        let (shale, page) = try Self.recorded()
        let folder = shale.work
        // Whole in itself: nothing is fetched, and the policy would not let it.
        let frame = page[..<(try #require(page.firstRange(of: "class=\"step\"")).lowerBound)]
        #expect(page.contains("default-src 'none'") && page.ranges(of: "src=").isEmpty)
        #expect(frame.ranges(of: "http:").isEmpty && frame.ranges(of: "https:").isEmpty)
        #expect(!page.contains("geheim") && page.contains("login -u me -p ***"))

        let first = try Self.document(page, in: folder)
        #expect(first.contains("data-ready=\"yes\"") && first.contains("<title>A session with shale</title>"))
        #expect(first.contains("Step 1 of 12") && first.contains("<span class=\"typed\">FROM busybox</span>"))
        #expect(first.ranges(of: "<li class=\"new\">").count == 3)
        #expect(
            first.contains("<button id=\"back\" type=\"button\" title=\"One step back (← or k)\"")
                && first.contains("disabled=\"\""))

        // Forwards by key: the layer that came, and its file.
        let second = try Self.document(page, then: Self.press("ArrowRight"), in: folder)
        #expect(second.contains("Step 2 of 12") && second.contains("aria-current=\"step\""))
        #expect(second.ranges(of: "<li class=\"new\">").count == 1)
        #expect(second.contains("<span class=\"path\">/greeting</span><span class=\"bytes\">6B</span>"))
        // A step that only looks has the layers of the one before, and undo has one fewer.
        let counts = try [3, 4, 5].map { step in
            try Self.document(page, step: step, in: folder).ranges(of: "<span class=\"size\">").count
        }
        #expect(counts == [5, 5, 4])
        #expect(
            try Self.document(page, step: 3, in: folder).contains("<span class=\"mark d\" title=\"removed\">D</span>"))

        // What a container changed since the step before.
        let seventh = try Self.document(page, step: 7, in: folder)
        #expect(seventh.contains("<li class=\"new container\">") && seventh.contains("what box changed"))
        #expect(seventh.contains("/etc/group</span>") && seventh.contains("/two</span>"))
        let eighth = try Self.document(page, step: 8, in: folder)
        #expect(!eighth.contains("/two</span>") && eighth.contains("<span class=\"path\">/three&lt;"))

        // Whatever a program prints is text.
        let ninth = try Self.document(page, step: 9, in: folder)
        #expect(
            ninth.contains("<title>A session with shale</title>") && ninth.contains("&lt;/script&gt;&lt;script&gt;"))
        let failed = try Self.document(page, step: 10, in: folder)
        #expect(failed.contains("class=\"failed\">exit status 1") && failed.contains("No such image: nothing"))

        // Ends, backwards, the slider, an address that is none, light and dark.
        let keys = Self.press("End", "ArrowRight", "k", "p", "Home", "j", "n", "ArrowLeft", "x")
        #expect(try Self.document(page, then: keys, in: folder).contains("Step 2 of 12"))
        let slid = "$('slider').value = 6; $('slider').dispatchEvent(new Event('input'));"
        #expect(try Self.document(page, then: slid, in: folder).contains("Step 6 of 12"))
        #expect(try Self.document(page, step: 99, in: folder).contains("Step 12 of 12"))
        #expect(first.contains("data-theme=\"light\""))
        let dark = try Self.document(page, options: ["--blink-settings=preferredColorScheme=0"], in: folder)
        #expect(dark.contains("data-theme=\"dark\""))
        #expect(try Self.document(page, then: "$('theme').click();", in: folder).contains("data-theme=\"dark\""))
        // On paper every step is there.
        let printed = try Self.document(page, then: "dispatchEvent(new Event('beforeprint'));", in: folder)
        #expect(printed.ranges(of: "<article>").count == 12)
    }

    @Test func aCutOffPageIsWholeUpToThere() throws {
        let (shale, page) = try Self.recorded("FROM busybox\nENV A=1\nENV B=1")
        let cut = String(page.dropLast(30))
        #expect(try Self.document(cut, step: 9, in: shale.work).contains("Step 2 of 2"))
        // A later recording goes on behind it; another file is left as it is.
        _ = try shale.run(["-c", "record --html --append page.html\nENV C=1\nrecord off"])
        let grown = try Self.page(shale)
        #expect(grown.hasPrefix(page) && grown.ranges(of: "class=\"step\">").count == 4)
        try shale.write("#!/bin/sh\n", to: "other.sh")
        let refused = try shale.run(["-c", "record --html --append other.sh"], expecting: 1).errors
        #expect(refused.contains("other.sh is no page that record --html wrote"), "\(refused)")
        #expect(try shale.run(["-c", "record --html page.html"], expecting: 1).errors.contains("exists already"))
        #expect(
            try shale.run(["-c", "record --html --md x"], expecting: 64).errors.contains("one of --output, --cast"))
    }

    @Test func longOutputsAreCutAndSaySo() throws {
        let (shale, page) = try Self.recorded("run --rm busybox seq 5000\nrun --rm busybox true")
        #expect(page.utf8.count < 100_000)
        #expect(try Self.document(page, in: shale.work).contains("… 3000 more lines, left out here"))
    }
}
