import FoundationEssentials
import TestSupport
import Testing

/// Looking into layers at a real terminal: the pager, and what a terminal must not be given.
@Suite(.serialized)
struct LookingTerminalTests {
    @Test func longResultsGoThroughThePager() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt(environment: ["PAGER": "sed -e s/^/PAGED:/"])
        #expect(try terminal.run("find busybox:/bin").contains("PAGED:/bin/zcat"))
        #expect(try terminal.run("cd busybox:/etc").contains("PAGED") == false)
        // Short ones do not.
        let short = try terminal.run("ls -l passwd")
        #expect(short.contains("-rw-r--r--") && !short.contains("PAGED"))
        #expect(try terminal.run("cat passwd").contains("root:x:0:0"))
        #expect(try terminal.run("tree / | wc -l").contains("PAGED") == false)
        try scene.leave(terminal)
    }

    @Test func tabKnowsWhereOneIs() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try terminal.run("cd busybox:/etc")
        let here = terminal.prompt
        for (typed, line) in [("cat pass", "cat passwd"), ("ls /us", "ls /usr/"), ("ls ../us", "ls ../usr/")] {
            try terminal.send(typed + "\t")
            try terminal.waitFor("\(typed)⇥ to become \(line)") { $0.currentLine.hasPrefix(here + line) }
            try terminal.send("\u{3}")
            try terminal.expect("^C")
            try terminal.expect(terminal.prompt)
        }
        try scene.leave(terminal)
    }

    /// `set pager` goes before PAGER, SHALE_PAGER before both, and `off` is none.
    @Test func thePagerIsASetting() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt(environment: ["PAGER": "sed -e s/^/PAGED:/"])
        try terminal.run("set pager 'sed -e s/^/SET:/'")
        #expect(try terminal.run("find busybox:/bin").contains("SET:/bin/zcat"))
        try terminal.run("set pager off")
        let plain = try terminal.run("find busybox:/bin")
        #expect(plain.contains("\n/bin/zcat") && !plain.contains("PAGED"))
        #expect(try terminal.run("set pager ''").contains("hint: set pager 'less -FRX'"))
        try terminal.run("version")
        try scene.leave(terminal)
        let other = try scene.prompt(environment: ["SHALE_PAGER": "sed -e s/^/MINE:/"])
        #expect(try other.run("find busybox:/bin").contains("MINE:/bin/zcat"))
        try scene.leave(other)
    }

    @Test func aPagerThatIsNotThereLosesNothing() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt(environment: ["PAGER": "no-such-pager"])
        #expect(try terminal.run("find busybox:/bin").contains("/bin/zcat"))
        try scene.leave(terminal)
    }

    @Test func programsAreNotForTerminals() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt(environment: ["PAGER": "cat"])
        let refused = try terminal.run("cat busybox:/bin/busybox")
        #expect(refused.contains("binary file") && refused.contains("hint: cat busybox:/bin/busybox > FILE"))
        #expect(try terminal.run("cat busybox:/bin/busybox | head -c 4 | od -An -c").contains("E   L   F"))
        #expect(try terminal.run("grep ELF busybox:/bin/busybox").contains("Binary file /bin/busybox matches"))
        try scene.leave(terminal)
    }
}
