import Basics
import Glibc
import TestSupport
import Testing

/// `shale dap`, driven as an editor drives it.
@Suite(.enabled(if: ShaleHome.isPresent, Comment(rawValue: ShaleHome.absent)), .timeLimit(.minutes(5)))
struct DebugAdapterTests {
    private static let dockerfile = """
        FROM busybox AS one
        ARG V=1
        ENV A=b
        RUN echo hello && echo $V > /v
        RUN mkdir /d && touch /d/x

        FROM busybox
        COPY --from=one /v /v
        RUN echo two > /two
        CMD ["x"]

        """

    private func home(_ dockerfile: String = dockerfile) throws -> ShaleHome {
        let home = ShaleHome()
        try home.write(dockerfile, to: "Dockerfile")
        return home
    }

    private func launch(_ home: ShaleHome, _ more: [JSONDocument.Member] = []) -> JSONDocument {
        .object([.init("dockerfile", "Dockerfile"), .init("contextPath", ".")] + more)
    }

    private func setLines(_ client: AdapterClient, _ lines: [Int64]) throws -> [JSONDocument] {
        let wanted = lines.map { JSONDocument.members(["line": .integer($0)]) }
        let path = "\(client.home.work)/Dockerfile"
        return try client.ask(
            "setBreakpoints",
            .members(["source": .members(["path": .string(path)]), "breakpoints": .array(wanted)]))["breakpoints"]?
            .array ?? []
    }

    @Test("A build is stepped through forward and back, and makes its image")
    func steps() throws {
        let home = try home()
        let client = try AdapterClient(home, ["build", "-t", "stepped"])
        try client.launch(launch(home, [.init("stopOnEntry", true)]))
        // A blank line means the instruction below it; below the last line there is none.
        let set = try setLines(client, [6, 4, 99])
        #expect(set.map { $0["verified"] } == [true, true, false])
        #expect(set.map { $0["line"] } == [7, 4, nil])
        #expect(try client.go("configurationDone") == "entry")
        #expect(try client.line() == 1)
        #expect(try client.go("next") == "step")
        #expect(try client.line() == 2)
        #expect(try client.go("continue") == "breakpoint")
        #expect(try client.line() == 4)
        #expect(try client.values("Build arguments").contains("V=1"))
        #expect(try client.values("Environment").contains("A=b"))
        #expect(try client.evaluate("$A", "hover") == "b")
        #expect(try client.go("next") == "step")
        #expect(client.printed.contains("hello"))
        #expect(try client.values("Changed files") == ["/v=A"])
        #expect(try client.evaluate("cat /v; exit 4") == "1\n(exit status 4)")
        #expect(try client.evaluate(":cat /v") == "1")
        #expect(try client.evaluate(":diff") == "A /v")

        #expect(try client.go("stepBack") == "step")
        #expect(try client.line() == 4)
        #expect(try client.evaluate("cat /v").contains("No such file"))
        #expect(try client.go("reverseContinue") == "entry")
        #expect(try client.line() == 1)
        // To the end of the stage; a breakpoint on the way stops first.
        #expect(try client.go("stepOut") == "breakpoint")
        #expect(try client.go("stepOut") == "breakpoint")
        #expect(try client.line() == 7)
        #expect(try client.go("stepOut") == "terminated")
        try client.ask("disconnect")
        #expect(try client.status() == 0)
        #expect(client.errors == "")
        #expect(try home.run(["run", "--rm", "stepped", "cat", "/two"]).text == "two\n")
    }

    @Test("A failed instruction stops, its container can be looked into, and the corrected file goes on")
    func failure() throws {
        let home = try home("FROM busybox\nRUN touch /made && exit 3\nRUN touch /end\n")
        let client = try AdapterClient(home, ["build", "-t", "mended"])
        try client.launch(launch(home))
        try client.ask("setExceptionBreakpoints", .members(["filters": ["failure"]]))
        #expect(try client.go("configurationDone") == "exception")
        #expect(try client.line() == 2)
        #expect(try client.ask("exceptionInfo", .members(["threadId": 1]))["exceptionId"] == "exit status 3")
        #expect(try client.values("Changed files") == ["/made=A"])
        #expect(try client.evaluate("ls /made") == "/made")
        // The same step fails again.
        #expect(try client.go("next") == "exception")
        try home.write("FROM busybox\nRUN touch /made\nRUN touch /end\n", to: "Dockerfile")
        #expect(try client.go("continue") == "terminated")
        #expect(client.printed.contains("Dockerfile was changed"))
        try client.ask("disconnect")
        #expect(try client.status() == 0)
        #expect(try home.run(["run", "--rm", "mended", "ls", "/end", "/made"]).text == "/end\n/made\n")
    }

    @Test("Without the filter for failures the program ends with the instruction's status")
    func unfiltered() throws {
        let home = try home("FROM busybox\nRUN exit 3\n")
        let client = try AdapterClient(home)
        try client.launch(launch(home))
        try client.ask("setExceptionBreakpoints", .members(["filters": []]))
        try client.ask("configurationDone")
        #expect(try client.event("exited")["body"]?["exitCode"] == 3)
        try client.event("terminated")
        try client.ask("disconnect")
        #expect(try client.status() == 0)
    }

    @Test("A function breakpoint stops at an instruction, and one can jump back to a line")
    func wordsAndTargets() throws {
        let home = try home()
        let client = try AdapterClient(home)
        try client.launch(launch(home))
        try client.ask("setFunctionBreakpoints", .members(["breakpoints": [.members(["name": "run"])]]))
        #expect(try client.go("configurationDone") == "breakpoint")
        #expect(try client.line() == 4)
        #expect(try client.go("continue") == "breakpoint")
        #expect(try client.line() == 5)
        let ahead = try client.ask("gotoTargets", .members(["line": 9]))["targets"]?.array
        #expect(ahead == [])
        let back = try client.ask("gotoTargets", .members(["line": 3]))["targets"]?.array ?? []
        #expect(back.count == 1)
        #expect(
            try client.go("goto", .members(["threadId": 1, "targetId": back.first?["id"] ?? .null])) == "goto")
        #expect(try client.line() == 3)
    }

    @Test("A script of shale's is stepped through, and going back takes its effects back")
    func script() throws {
        let home = ShaleHome()
        try home.write("tag busybox first\nn = 5\ntag busybox second\n", to: "work.shale")
        let client = try AdapterClient(home)
        try client.launch(.members(["program": "work.shale", "stopOnEntry": true]))
        #expect(try client.go("configurationDone") == "entry")
        #expect(try client.go("next") == "step")
        #expect(try client.go("next") == "step")
        #expect(try client.values("Variables").contains("n=5"))
        #expect(try home.run(["images", "-q", "first"]).text != "")
        #expect(try client.go("reverseContinue") == "entry")
        #expect(try home.run(["images", "-q", "first"]).text == "")
        #expect(try client.go("continue") == "terminated")
        #expect(try home.run(["images", "-q", "second"]).text != "")
    }

    @Test("A client that leaves while a step is carried out ends the step", arguments: ["disconnect", "vanish"])
    func leaving(_ way: String) throws {
        let home = try home("FROM busybox\nRUN echo begun; sleep 1000\n")
        let client = try AdapterClient(home)
        try client.launch(launch(home))
        try client.ask("configurationDone")
        while !client.printed.contains("begun") { try client.event("output") }
        // Only what needs the state between two steps has to wait.
        #expect(try client.ask("threads")["threads"]?.array?.count == 1)
        #expect(try client.ask("stackTrace", .members(["threadId": 1]), fails: true)["message"] == "notStopped")
        if way == "vanish" {
            client.hangUp()
            #expect(try client.status() == 1)
            #expect(
                client.errors == "shale: the debug client went away: finished steps are in the cache\n")
        } else {
            try client.ask("disconnect")
            #expect(try client.status() == 0)
        }
        #expect(try home.run(["ps", "-aq"]).text == "")
        #expect(try home.run(["system", "check"]).status == 0)
    }

    @Test("A command of the debug console ends with the client, too")
    func leavingCommand() throws {
        let home = try home()
        let client = try AdapterClient(home)
        try client.launch(launch(home, [.init("stopOnEntry", true)]))
        _ = try client.go("configurationDone")
        _ = try client.go("next")
        client.send("evaluate", .members(["expression": "sleep 1000", "context": "repl"]))
        try Waiting.until { try home.run(["ps", "-q"]).text != "" }
        client.hangUp()
        #expect(try client.status() == 1)
        #expect(try home.run(["ps", "-aq"]).text == "")
    }

    @Test(
        "What is no message of the protocol ends with one line",
        arguments: [
            "GET / HTTP/1.1\r\n\r\n", "Content-Length: -5\r\n\r\n", "Content-Length: 99999999999999999999\r\n\r\n",
            "Content-Length: 2\r\n\r\nxx", "Content-Length: 2\r\n\r\n[]",
            "Content-Length: 14\r\n\r\n{\"type\":\"joke\"}",
            "Content-Length: 18\r\n\r\n{\"type\":\"request\"}", String(repeating: "x", count: 10_000),
        ])
    func rubbish(_ text: String) throws {
        let client = try AdapterClient(ShaleHome())
        client.send(Array(text.utf8))
        let status = try client.status()
        #expect(status != 0 && status < 128)
        // A new home also says that it made its first image.
        #expect(client.errors.split(separator: "\n").filter { $0.hasPrefix("shale: ") }.count == 1)
    }

    @Test(
        "A launch that cannot be is refused with its reason, and can be tried again",
        arguments: [
            (#"{"dockerfile":"absent","contextPath":"."}"#, "absent"),
            (#"{"dockerfile":5}"#, #""dockerfile" must be a string"#),
            (#"{"dockerfile":"Dockerfile","args":"-t x"}"#, #""args" must be an array of strings"#),
            (#"{"dockerfile":"Dockerfile","args":["--nonsense"]}"#, "unknown flag: --nonsense"),
            (#"{"dockerfile":"Dockerfile","target":"nowhere"}"#, "nowhere"),
            (#"{"program":"absent.shale"}"#, "absent.shale"),
        ])
    func refused(_ attributes: String, _ reason: String) throws {
        let home = try home()
        let client = try AdapterClient(home)
        try client.ask("initialize")
        let document = try JSONDocument(parsing: Array(attributes.utf8), naming: "test")
        let answer = try client.ask("launch", document, fails: true)
        #expect(answer["message"]?.string?.contains(reason) ?? false)
        #expect(answer["body"]?["error"]?["showUser"] == true)
        try client.ask("launch", launch(home))
        try client.event("initialized")
    }

    @Test("A terminated program can be restarted; an expression outside the console runs nothing")
    func restart() throws {
        let home = try home()
        let client = try AdapterClient(home)
        try client.launch(launch(home, [.init("stopOnEntry", true)]))
        _ = try client.go("configurationDone")
        _ = try client.go("next")
        for context in ["hover", "watch", "of-a-later-version"] {
            let question: JSONDocument = .members(["expression": "touch /x", "context": .string(context)])
            try client.ask("evaluate", question, fails: true)
        }
        #expect(try home.run(["ps", "-aq"]).text == "")
        try client.ask("terminate")
        try client.event("terminated")
        #expect(try client.go("restart") == "entry")
        #expect(try client.go("next") == "step")
        #expect(try client.line() == 2)
    }

    @Test("At the prompt an editor is named as the one who starts it")
    func prompt() throws {
        let said = try ShaleHome().run(["dap", "bake"], expecting: nil)
        #expect(said.status == 64)
        #expect(said.errors.contains("dap: it takes build and words for it, not bake"))
    }
}
