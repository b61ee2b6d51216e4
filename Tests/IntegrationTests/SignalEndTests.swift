import Glibc
import TestSupport
import Testing

/// How commands end that are told to, and that wait at a named pipe nobody opens at its other end.
@Suite(.serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct SignalEndTests {
    private let shale = ShaleHome()

    private static let commands = [
        "-c 'images > PIPE'", "load -i PIPE", "import PIPE x:1", "build -f PIPE .", "replay PIPE", "recipe check PIPE",
        "run --rm --env-file PIPE busybox true", "./PIPE", "save -o PIPE busybox", "recipe -o PIPE busybox",
        "wait up", "logs -f up", "commit large",
    ]
    /// What reads a stream whose writer takes its time.
    private static let readers = [
        "load", "import - x:1", "build -", "build -f - .", "cp - up:/", "import /dev/stdin x:1",
    ]

    private func bash(_ script: String) throws -> Peer.Outcome {
        let program = try #require(ShaleHome.program)
        let text = "shale() { \"$0\" --home ../home \"$@\"; }\nshale=\"$0 --home ../home\"\n" + script
        return try Peer("bash").run(["-c", text, program], in: shale.work, expecting: nil)
    }

    @Test(arguments: [("INT", 130), ("TERM", 143)])
    func aSignalEndsWith128AndItsNumber(signal: String, status: Int) throws {
        try shale.run(["run", "-d", "--name", "up", "busybox", "sleep", "1000"])
        try shale.run(["run", "--name", "large", "busybox", "truncate", "-s", "6G", "/f"])
        let starts = Self.commands.enumerated().map { number, words in
            "mkfifo f\(number); $shale \(words.replacing("PIPE", with: "f\(number)")) >out\(number) 2>&1 & all+=($!)"
        }
        let reads = Self.readers.enumerated().map { number, words in
            "$shale \(words) < <(printf abc; exec sleep 20) >read\(number) 2>&1 & all+=($!)"
        }
        let commands = Self.commands + Self.readers
        let script =
            (starts + reads).joined(separator: "\n") + """

                sleep 3; for p in ${all[@]}; do kill -\(signal) $p; done
                (sleep 40; kill -KILL ${all[@]} 2> no) & killer=$!
                for p in ${all[@]}; do wait $p; echo $?; done; kill $killer
                """
        let ended = try bash(script)
        try shale.run(["rm", "-f", "up", "large"])
        for (command, found) in zip(commands, ended.text.split(separator: "\n")) {
            #expect(found == "\(status)", "\(command)")
        }
        #expect(ended.text.split(separator: "\n").count == commands.count, "\(ended.errors)")
    }

    @Test func aPipeWithSomeoneAtItsOtherEndGoesOn() throws {
        let run = try bash(
            """
            mkfifo ff; shale save -o x.tar busybox
            shale run --rm --env-file <(sleep 1; echo A=b) busybox sh -c 'echo $A'
            { sleep 1; cat x.tar; } > ff & shale load -q -i ff
            shale -c 'images -q > ff' & cat ff | wc -l
            echo 'images -q' > ff & shale ./ff | wc -l
            echo 'images -q' | shale /dev/stdin | wc -l
            """)
        let lines = run.text.split(separator: "\n").map(String.init)
        #expect(lines == ["b", "Loaded image: busybox:latest", "1", "1", "1"], "\(run.text)\(run.errors)")
    }

    /// The reader that left is no failure of the engine's.
    @Test func aReaderThatLeftEndsWith141() throws {
        let run = try bash(
            """
            shale run -d --name up busybox sleep 1000 > id
            shale run --rm busybox seq 1000000 | head -1; echo ${PIPESTATUS[0]}
            shale exec up seq 1000000 | head -1; echo ${PIPESTATUS[0]}
            shale export up | head -c 1 > no; echo ${PIPESTATUS[0]}
            shale rm -f up > id
            """)
        #expect(run.text == "1\n141\n1\n141\n141\n", "\(run.text)\(run.errors)")
    }
}
