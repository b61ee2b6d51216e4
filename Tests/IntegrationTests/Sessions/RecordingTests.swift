import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// `record` and `replay` through the built program.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RecordingTests {
    private func text(_ name: String, of shale: ShaleHome) throws -> String {
        try String(contentsOfFile: "\(shale.work)/\(name)", encoding: .utf8)
    }

    /// The lines behind the two that say where a recording comes from.
    private func body(_ name: String, of shale: ShaleHome) throws -> [String] {
        let lines = try text(name, of: shale).split(separator: "\n").map(String.init)
        #expect(lines.first == "#!/usr/bin/env shale")
        #expect(lines.dropFirst().first?.hasPrefix("# recorded by shale ") ?? false)
        return Array(lines.dropFirst(2))
    }

    /// What an `enter` of a script took is in the recording, wherever in its line it stands.
    @Test func linesOfAPipedEnterAreRecorded() throws {
        let shale = ShaleHome()
        let typed = """
            record r.shale --output
            FROM busybox
            enter; tag @ first:1
            mkdir -p /srv
            # a comment
            export MY_TOKEN=supersekret1
            echo "$MY_TOKEN" > /srv/f; cat /srv/f
            exit
            enter <<'X'
            echo b > /g
            X
            ENV DB_PASSWORD=hunter22
            steps
            record off

            """
        #expect(try shale.run([], input: Array(typed.utf8)).status == 0)
        let lines = try body("r.shale", of: shale)
        #expect(lines.contains("mkdir -p /srv") && lines.contains("tag @ first:1"))
        #expect(lines.firstIndex(of: "END").map { lines[$0...].contains("tag @ first:1") } == true, "\(lines)")
        #expect(lines.filter { $0 == "echo b > /g" }.count == 1)
        // Neither what was typed nor what it showed has the secrets, and the file is the owner's.
        #expect(!lines.joined().contains("supersekret1") && !lines.joined().contains("hunter22"), "\(lines)")
        #expect(lines.contains("#> ***"))
        var status = stat()
        #expect(stat("\(shale.work)/r.shale", &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test func aRecordedSessionReplaysAndIsChecked() throws {
        let shale = ShaleHome()
        try shale.run(
            [
                "--keep-going", "-c",
                """
                record chapter.shale --output
                FROM busybox
                RUN echo hello; echo hi > /b
                run --name box busybox sh -c 'echo from inside; exit 3'
                images busybox | wc -l
                tag nosuch other
                 tag @ private
                login -u me -p hunter2 127.0.0.1:1
                ps -a
                x = images -q busybox
                rm box
                record off
                images
                """,
            ], expecting: nil)
        let lines = try body("chapter.shale", of: shale)
        #expect(lines.starts(with: ["FROM busybox"]))
        #expect(lines.contains("#> hello"))
        #expect(lines.contains("#> from inside"))
        #expect(lines.contains("#? 3"))
        #expect(lines.contains("#> shale: No such image: nosuch:latest"))
        #expect(lines.contains("login -u me -p *** 127.0.0.1:1"))
        #expect(!lines.joined().contains("private"))
        #expect(lines.last == "rm box" || lines.last == "#> box", "\(lines)")
        // A second time here, from the cache, and on a home that knows nothing.
        // The password that is masked in it has to be given.
        let stopped = try shale.run(["replay", "--check", "chapter.shale"], expecting: nil)
        #expect(stopped.status != 0 && stopped.errors.contains("--var password=VALUE"), "\(stopped.errors)")
        let sees = try shale.run(["replay", "--check", "--var", "password=hunter2", "chapter.shale"], expecting: nil)
        #expect(sees.text == "chapter.shale: 9 lines, all as recorded\n", "\(sees.text)\(sees.errors)")
        try Peer("sed").run([
            "-i", "s/^RUN echo hello/RUN echo hallo/", "\(shale.work)/chapter.shale",
        ])
        let differs = try shale.run(
            ["replay", "--check", "--var", "password=hunter2", "chapter.shale"], expecting: nil)
        #expect(differs.status == 1)
        #expect(differs.text.hasPrefix("--- chapter.shale\n+++ chapter.shale (replayed)\n@@ "), "\(differs.text)")
        #expect(differs.text.contains("\n-#> hello\n+#> hallo\n"))
        let count = differs.text.split(separator: "\n").count { $0.hasPrefix("-#") }
        #expect(count == 1, "only what differs: \(differs.text)")
    }

    @Test func withoutOutputFailuresAreComments() throws {
        let shale = ShaleHome()
        try shale.run(
            [
                "--keep-going", "-c", "record r\nFROM busybox\ntag no such\nRUN touch /a\nnonsense\nrecord off",
            ], expecting: nil)
        #expect(
            try body("r", of: shale) == [
                "FROM busybox", "# exit status 1:", "# tag no such", "RUN touch /a", "# exit status 64:", "# nonsense",
            ])
        let replayed = try shale.run(["-S", "other", "-c", "replay r\nrecipe"])
        #expect(replayed.text.hasSuffix("FROM busybox\nRUN touch /a\n"))
        let again = try shale.run(["-c", "record r"], expecting: nil)
        #expect(again.status == 1)
        #expect(again.errors.contains("r exists already\nhint: record --append r"))
        try shale.run([
            "-c", "record r --append\nENV A=b\nrecord off\nrecord -f q; tag busybox one; record off; tag busybox two",
        ])
        #expect(try body("q", of: shale) == ["tag busybox one"])
        #expect(try text("r", of: shale).hasSuffix("ENV A=b\n"))
    }

    /// A recording that nobody ended has every line that was.
    @Test func aCrashLeavesAReadableFile() throws {
        let shale = ShaleHome()
        let child = try shale.start(["-c", "record r\nFROM busybox\nRUN touch /a\n!touch there\n!sleep 60"])
        defer { child.stop(SIGKILL) }
        while !FileManager.default.fileExists(atPath: "\(shale.work)/there") { usleep(5000) }
        child.stop(SIGKILL)
        _ = child.wait()
        let lines = try body("r", of: shale)
        #expect(lines.starts(with: ["FROM busybox", "RUN touch /a"]))
        try shale.run(["replay", "r"])
    }

    @Test func aCastIsWhatAsciinemaPlays() throws {
        let shale = ShaleHome()
        try shale.run([
            "-c",
            "record --cast demo.cast\nFROM busybox\nrun --rm @ printf 'größer\\ntwo\\n'\nimages -q | wc -l\nrecord off",
        ])
        let lines = try text("demo.cast", of: shale).split(separator: "\n")
        #expect(lines[0].hasPrefix("{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":"))
        var last = 0.0
        for line in lines.dropFirst() {
            let event = try #require(try CastEvent.array(line))
            #expect(event.time >= last)
            last = event.time
            #expect(["o", "i"].contains(event.kind))
        }
        #expect(lines.contains { $0.hasSuffix("\"i\", \"FROM busybox\\r\"]") })
        #expect(lines.contains { $0.contains("größer\\r\\ntwo\\r\\n") }, "\(lines)")
        let replayed = try shale.run(["replay", "demo.cast"], expecting: 1)
        #expect(
            replayed.errors.contains("demo.cast: a cast shows what was typed, it is no script\nhint: record FILE"),
            "\(replayed.errors)")
        try #require(Peer("asciinema").isPresent && Peer("script").isPresent, "asciinema or script is not installed")
        let played = try Peer("script").run(
            ["-qec", "asciinema cat \(shale.work)/demo.cast", "/dev/null"], environment: ["LC_ALL": "C.UTF-8"])
        #expect(played.text.contains("shale> FROM busybox\r\n"), "\(played.text)")
        #expect(played.text.contains("größer\r\ntwo\r\n"))
    }

    @Test func aHandoutHasBlocksAndADrawing() throws {
        let shale = ShaleHome()
        try shale.run(["-c", "record --md chapter.md\nFROM busybox\nRUN touch /a\nls @:/a\nrecord off"])
        let text = try text("chapter.md", of: shale)
        #expect(text.hasPrefix("# A session with shale\n\n```console\n$ FROM busybox\n ---> "), "\(text)")
        #expect(text.contains("```console\n$ ls @:/a\n/a\n```\n") || text.contains("$ ls @:/a\n"))
        #expect(text.contains("The layers of the working image:\n\n```text\n"))
        #expect(text.contains(" RUN touch /a "))
    }

    @Test func dockerfilesAreReplayedWithTheirArguments() throws {
        let shale = ShaleHome()
        let file = "ARG TAG=latest\nFROM busybox:${TAG} AS one\nARG V=1\nRUN echo $V > /v\nENV X=y\nRUN touch /last\n"
        try file.write(toFile: "\(shale.work)/Dockerfile", atomically: false, encoding: .utf8)
        let first = try shale.run(["-c", "replay Dockerfile\ncat @:/v\nrecipe"])
        #expect(first.text.contains("\n1\n"), "\(first.text)\(first.errors)")
        let given = try shale.run(["-c", "replay . --until 3 --var V=two\ncat @:/v\nsteps | wc -l"])
        #expect(given.text.hasSuffix("two\n4\n"), "\(given.text)\(given.errors)")
        let missing = try shale.run(["replay", "Dockerfile", "--var", "TAG=nosuch"], expecting: nil)
        #expect(missing.status != 0)
        #expect(missing.errors.contains("Dockerfile:2: FROM: "), "\(missing.errors)")
    }

    /// The same script gives the same image: twice here by the cache, and elsewhere where time stands still.
    @Test func replayedTwiceTheImageIsTheSame() throws {
        let epoch = ["SOURCE_DATE_EPOCH": "1700000000"]
        let shale = ShaleHome(epoch)
        let script = "FROM busybox\nRUN mkdir /d && echo hi > /d/f\nCOPY r.shale /script\nENV A=b\nRUN rm /d/f\n"
        try script.write(toFile: "\(shale.work)/r.shale", atomically: false, encoding: .utf8)
        func image(_ shale: ShaleHome) throws -> String {
            try shale.run(["-c", "replay r.shale > /dev/null\ninspect -f '{{.Id}}' @"]).text
        }
        let id = try image(shale)
        #expect(id.hasPrefix("sha256:"))
        #expect(try image(shale) == id)
        let elsewhere = ShaleHome(epoch)
        try script.write(toFile: "\(elsewhere.work)/r.shale", atomically: false, encoding: .utf8)
        #expect(try image(elsewhere) == id)
    }

    @Test(arguments: [
        ("record", Int32(0), "nothing is being recorded"), ("record off", 1, "nothing is being recorded"),
        ("record --cast", 64, "record: no file to write to"), ("record a\nrecord b", 1, "already recording to a"),
        ("record /nosuch/file", 1, "no such file or directory"),
        ("record a --cast --md", 64, "one of --output"), ("replay nosuch", 66, "no such file or directory"),
        ("replay . ", 66, "Dockerfile: no such file"),
        ("replay plain.shale --check", 1, "no recorded output to compare"),
        ("replay plain.shale --until 0", 64, "above zero"), ("replay plain.shale --var x", 64, "NAME=VALUE"),
        ("replay self.shale", 64, "too many files inside another"),
    ])
    func mistakesAreClear(lines: String, status: Int32, words: String) throws {
        let shale = ShaleHome()
        try "version\n".write(toFile: "\(shale.work)/plain.shale", atomically: false, encoding: .utf8)
        try "replay self.shale\n".write(toFile: "\(shale.work)/self.shale", atomically: false, encoding: .utf8)
        let outcome = try shale.run(["-c", lines], expecting: nil)
        #expect(outcome.status == status, "\(outcome.text)\(outcome.errors)")
        #expect((outcome.text + outcome.errors).contains(words), "\(outcome.text)\(outcome.errors)")
    }
}

/// One event of an asciicast.
private enum CastEvent {
    static func array(_ line: Substring) throws -> (time: Double, kind: String)? {
        struct Event: Decodable {
            var time: Double
            var kind: String

            init(from decoder: any Decoder) throws {
                var values = try decoder.unkeyedContainer()
                time = try values.decode(Double.self)
                kind = try values.decode(String.self)
                _ = try values.decode(String.self)
            }
        }
        let event = try JSONDecoder().decode(Event.self, from: Data(line.utf8))
        return (event.time, event.kind)
    }
}
