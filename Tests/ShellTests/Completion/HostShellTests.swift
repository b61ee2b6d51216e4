import FoundationEssentials
import TestSupport
import Testing

@testable import Shell

/// The completion scripts of the host's shells.
@Suite struct HostShellTests {
    private static let scripts: [(file: String, text: String)] = [
        ("shale.bash", BashCompletion.script(CompletionTable())), ("_shale", ZshCompletion.script(CompletionTable())),
        ("shale.fish", FishCompletion.script(CompletionTable())),
    ]

    @Test(arguments: 0..<3) func whatIsCommittedIsWhatTheCommandTableSays(index: Int) throws {
        let (file, text) = Self.scripts[index]
        let committed = try Data(contentsOf: URL(filePath: Corpus.packageRoot + "/completions/" + file))
        #expect(
            String(decoding: committed, as: UTF8.self) == text, "completions/\(file) is old: run scripts/completions")
    }

    @Test(.enabled(if: Peer("bash").isPresent, "bash is not installed")) func bashReadsIt() throws {
        try Peer("bash").run(["-n", Corpus.packageRoot + "/completions/shale.bash"])
    }

    @Test(.enabled(if: Peer("zsh").isPresent, "zsh is not installed")) func zshReadsIt() throws {
        try Peer("zsh").run(["-n", Corpus.packageRoot + "/completions/_shale"])
    }

    @Test(.enabled(if: Peer("fish").isPresent, "fish is not installed")) func fishReadsIt() throws {
        try Peer("fish").run(["-n", Corpus.packageRoot + "/completions/shale.fish"])
    }

    /// bash with a `shale` that answers the kind it is asked for.
    @Test(
        .enabled(if: Peer("bash").isPresent, "bash is not installed"),
        arguments: [
            ("shale pul", "pull"), ("shale run --netw", "--network"), ("shale --home /tmp imag", "images"),
            ("shale rmi ", "image"), ("shale run --rm ", "image"), ("shale run --name x imag", "image"),
            ("shale start ", "container.stopped"), ("shale exec -it ", "container.running"),
            ("shale stop -t 3 cont", "container.running"),
            ("shale tag busybox:la", "image"), ("shale set ", "setting"), ("shale -S ", "session"),
            ("shale volume pr", "prune"), ("shale volume rm vol", "volume"), ("shale run -v vol", "volume.host"),
        ]) func bashOffers(line: String, word: String) throws
    {
        let bash = Peer("bash")
        let text = """
            shale() { [ "$1" = complete ] && echo "$2"; }
            . \(Corpus.packageRoot)/completions/shale.bash
            COMP_LINE='\(line)' COMP_POINT=\(line.count)
            _shale 2>/dev/null
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let offered = try bash.run(["--norc", "-c", text], expecting: nil).text.split(separator: "\n")
        if line.hasSuffix("la") {
            #expect(offered.isEmpty)
        } else {
            #expect(offered.contains(Substring(word)), "\(offered)")
        }
    }
}
