import FoundationEssentials
import TestSupport
import Testing

/// Every command means the same by a word that could name an image or a container.
@Suite("names of two kinds", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct NamesOfTwoKindsTests {
    @Test func allCommandsMeanTheContainer() throws {
        let shale = ShaleHome()
        try shale.run([], input: Array("FROM busybox\n".utf8))
        let digits = String(try shale.run(["inspect", "-f", "{{.Id}}", "busybox"]).text.dropFirst(7).prefix(4))
        for name in [digits, "busybox"] {
            try shale.run(["run", "--network", "host", "--name", name, "busybox:latest", "sh", "-c", "echo a > /own"])
            #expect(try shale.run(["recipe", name]).text.contains("echo a > /own"), "\(name)")
            #expect(try shale.run(["diff", name]).text == "A /own\n")
            #expect(try shale.run(["cat", "\(name):/own"]).text == "a\n")
            #expect(try shale.run(["ls", "\(name):/own"]).status == 0)
            #expect(try shale.run(["inspect", "-f", "{{.Name}}", name]).text == "/\(name)\n")
            #expect(try shale.run(["cp", "\(name):/own", "-"]).status == 0)
            #expect(try shale.run(["diff", name, "-u", "/own"], expecting: nil).text.contains("+a"))
            let entered = try shale.run([], input: Array("enter \(name)\necho in > /inside\nexit\n".utf8))
            #expect(entered.status == 0, "\(entered.errors)")
            #expect(try shale.run(["diff", name]).text == "A /inside\nA /own\n")
            #expect(try shale.run(["export", name]).output.count > 1000)
        }
        // The way to the image is told, and works.
        #expect(try shale.run(["recipe", "busybox"]).errors.contains("busybox:latest is the image"))
        #expect(try !shale.run(["recipe", "busybox:latest"]).text.contains("/own"))
        #expect(try shale.run(["recipe", "\(digits)"]).errors.isEmpty)
    }
}
