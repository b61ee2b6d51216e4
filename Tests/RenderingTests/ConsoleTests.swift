import Basics
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Rendering

struct ConsoleTests {
    private func console(_ environment: [String: String] = [:]) -> (Console, OutputBuffer, OutputBuffer) {
        let output = OutputBuffer()
        let errors = OutputBuffer()
        return (Console(output: .buffer(output), errors: .buffer(errors), environment: environment), output, errors)
    }

    @Test
    func errorsAndHints() {
        let (console, output, errors) = console()
        console.report(ShaleError(.notFound, "No such image: a\u{1b}[2Jb", cause: "gone", hint: "pull a"))
        console.report(ShaleError(.io, "x"), at: .init(file: "f.shale", line: 12, command: "run"))
        console.warning("careful")
        #expect(
            errors.text
                == "shale: No such image: a\\e[2Jb: gone\nhint: pull a\nf.shale:12: run: x\nshale: warning: careful\n")
        #expect(output.text.isEmpty)
    }

    /// A result goes to a file as it is; to a terminal without anything that could drive it.
    ///
    /// Only in a drawing of shale's own its styles stay.
    @Test func resultsDriveNoTerminal() throws {
        let hostile = "a\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}3J\r\u{202e}b\u{1b}[31m\u{1b}[8m \t|"
        let pair = try TerminalPair(columns: 200)
        let terminal = Console(output: .descriptor(pair.descriptor), environment: ["TERM": "xterm", "PAGER": "cat"])
        for show in [terminal.line, { terminal.show($0 + "\n") }, { terminal.page($0 + "\n") }] { show(hostile) }
        pair.update()
        for row in 0..<3 {
            #expect(
                pair.screen.lines[row].hasPrefix("a\\e]0;title\\x07\\e[2J\\x9b3J\\r\\u{202e}b\\e[31m\\e[8m"), "\(row)")
        }
        terminal.show(drawing: hostile)
        pair.update()
        #expect(pair.screen.lines[3].hasPrefix("a\\e]0;title\\x07\\e[2J\\x9b3J\\r\\u{202e}b\\e[8m"))
        let (console, output, _) = console()
        console.line(hostile)
        console.show(hostile)
        #expect(output.text == hostile + "\n" + hostile)
    }

    @Test(
        arguments: [
            (true, [:], false), (true, ["TERM": "xterm"], true), (true, ["TERM": "dumb"], false),
            (false, ["TERM": "xterm"], false), (false, ["CLICOLOR_FORCE": "1"], true),
            (true, ["TERM": "xterm", "NO_COLOR": "1", "CLICOLOR_FORCE": "1"], false),
            (true, ["TERM": "xterm", "NO_COLOR": ""], true),
        ] as [(Bool, [String: String], Bool)])
    func colours(isTerminal: Bool, environment: [String: String], expected: Bool) {
        #expect(TerminalStyle.isOn(isTerminal: isTerminal, environment: environment) == expected)
    }

    @Test
    func vanishedReader() {
        Console.ignoreBrokenPipes()
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        let console = Console(output: .descriptor(ends[1]), environment: [:])
        console.line("x")
        #expect(console.isOutputClosed)
        console.line("y")
        close(ends[1])
    }

    @Test
    func observerSeesEverything() {
        let seen = Mutex("")
        let console = Console(output: .buffer(OutputBuffer()), errors: .buffer(OutputBuffer()), environment: [:]) {
            bytes, stream, _ in
            seen.withLock { $0 += "\(stream):" + String(decoding: bytes, as: UTF8.self) }
        }
        console.line("a")
        console.note("b")
        #expect(seen.withLock { $0 } == "output:a\nerrors:b\n")
    }
}

struct ProgressTests {
    /// A recording keeps the words of what was drawn, once each, and none of the drawing.
    @Test
    func whatIsDrawnIsKeptAsWords() throws {
        let pair = try TerminalPair(columns: 120, rows: 24)
        let kept = Mutex("")
        let drawn = Mutex("")
        let console = Console(
            output: .descriptor(pair.descriptor), errors: .descriptor(pair.descriptor), environment: ["TERM": "xterm"]
        ) { bytes, _, showing in
            let text = String(decoding: bytes, as: UTF8.self)
            if showing == .drawing { drawn.withLock { $0 += text } } else { kept.withLock { $0 += text } }
        }
        let view = ProgressView(console: console, items: .output)
        view.show(.item(id: "abc", state: "Pulling fs layer"))
        view.show(.bytes(id: "abc", state: "Downloading", current: 10, total: 100))
        view.show(.item(id: "abc", state: "Pull complete"))
        view.show(.line("Digest: x"))
        view.finish()
        #expect(kept.withLock { $0 } == "abc: Pulling fs layer\nabc: Pull complete\nDigest: x\n")
        #expect(drawn.withLock { $0 }.contains("abc: Downloading"))
    }

    @Test
    func redrawsInPlace() throws {
        let pair = try TerminalPair(columns: 120, rows: 24)
        let console = Console(
            output: .descriptor(pair.descriptor), errors: .descriptor(pair.descriptor), environment: ["TERM": "xterm"])
        let now = Mutex(0.0)
        let view = ProgressView(console: console, clock: { now.withLock { $0 } })
        view.show(.line("18.04: Pulling from library/ubuntu"))
        view.show(.item(id: "c2ca09a1934b", state: "Pulling fs layer"))
        view.show(.item(id: "d6c3619d2153", state: "Waiting"))
        view.show(.bytes(id: "c2ca09a1934b", state: "Downloading", current: 0, total: 38_640_000))
        now.withLock { $0 = 2 }
        view.show(.bytes(id: "c2ca09a1934b", state: "Downloading", current: 34_250_000, total: 38_640_000))
        pair.update()
        #expect(
            pair.screen.lines == [
                "18.04: Pulling from library/ubuntu",
                "c2ca09a1934b: Downloading [============================================>      ]  34.25MB/38.64MB",
                "d6c3619d2153: Waiting", "34.25MB/38.64MB  17.1MB/s  1s left",
            ])
        view.show(.item(id: "d6c3619d2153", state: "Already exists"))
        view.show(.item(id: "c2ca09a1934b", state: "Pull complete"))
        view.show(.line("Status: done"))
        view.show(.item(id: "late", state: "x\u{1b}y"))
        view.finish()
        pair.update()
        #expect(
            pair.screen.lines == [
                "18.04: Pulling from library/ubuntu", "c2ca09a1934b: Pull complete", "d6c3619d2153: Already exists",
                "Status: done", "late: x\\ey",
            ])
    }

    @Test
    func moreItemsThanRowsAndNarrow() throws {
        let pair = try TerminalPair(columns: 30, rows: 6)
        let console = Console(
            output: .descriptor(pair.descriptor), errors: .descriptor(pair.descriptor), environment: ["TERM": "xterm"])
        let view = ProgressView(console: console)
        for number in 0..<12 { view.show(.item(id: "layer\(number)", state: "Pulling fs layer of some length")) }
        view.show(.bytes(id: "layer11", state: "Downloading", current: 1, total: 2))
        view.show(.item(id: "layer0", state: "Pull complete"))
        view.show(.item(id: "layer10", state: "Pull complete"))
        view.show(.output(Array("no newline".utf8), isError: false))
        view.show(.item(id: "z", state: "w"))
        view.finish()
        pair.update()
        let lines = pair.screen.scrollback + pair.screen.lines
        #expect(lines.filter { $0.hasPrefix("layer") }.count == 12)
        #expect(lines.suffix(4) == ["layer10: Pull complete", "layer11: Downloading       1B", "no newline", "z: w"])
    }

    @Test
    func withoutATerminal() {
        let output = OutputBuffer()
        let errors = OutputBuffer()
        let console = Console(output: .buffer(output), errors: .buffer(errors), environment: ["TERM": "xterm"])
        let view = ProgressView(console: console)
        view.show(.line("latest: Pulling from library/x"))
        for state in ["Pulling fs layer", "Pulling fs layer", "Download complete", "Pull complete"] {
            view.show(.bytes(id: "abc", state: "Downloading", current: 1, total: 2))
            view.show(.item(id: "abc", state: state))
        }
        view.show(.output(Array("raw\u{1b}".utf8), isError: false))
        view.finish()
        #expect(errors.text == "abc: Pulling fs layer\nabc: Download complete\nabc: Pull complete\n")
        #expect(output.text == "latest: Pulling from library/x\nraw\u{1b}")
    }

    @Test
    func quiet() {
        let output = OutputBuffer()
        let console = Console(output: .buffer(output), errors: .buffer(output), environment: [:])
        let view = ProgressView(console: console, isQuiet: true)
        view.show(.line("x"))
        view.show(.item(id: "a", state: "b"))
        view.show(.note("careful"))
        #expect(output.text == "careful\n")
    }

    @Test(
        arguments: [
            (34_250_000, 38_640_000, 120, "[============================================>      ]  34.25MB/38.64MB"),
            (34_250_000, 38_640_000, 110, " 34.25MB/38.64MB"), (0, 0, 200, ""), (5, nil, 200, "      5B"),
            (50, 20, 200, "[==================================================>]      50B"),
            (0, 100, 120, "[>                                                  ]       0B/100B"),
            (Int64.max, Int64.max, 80, " 9.223EB/9.223EB"), (-5, -5, 80, ""),
        ] as [(Int64, Int64?, Int, String)])
    func bar(current: Int64, total: Int64?, width: Int, expected: String) {
        #expect(ProgressBar.text(current: current, total: total, width: width) == expected)
    }

    @Test(arguments: [(0.2, "1s"), (59, "59s"), (123, "2m03s"), (4800, "1h20m"), (.infinity, "100h00m")])
    func duration(seconds: Double, expected: String) {
        #expect(ProgressBar.duration(seconds: seconds) == expected)
    }
}
