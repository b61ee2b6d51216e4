import Basics
import FoundationEssentials
import TestSupport
import Testing

private let schema = PythonPackages(["debugpy", "jsonschema<4.18"])

/// Messages of `shale dap` are valid by the protocol's published JSON schema, which debugpy of PyPI carries.
@Suite(
    .enabled(if: ShaleHome.isPresent, Comment(rawValue: ShaleHome.absent)),
    .enabled(if: schema.python != nil, "debugpy and jsonschema of PyPI cannot be had"))
struct DebugSchemaTests {
    /// Each message by the definition of its command or event; prints what is wrong.
    private static let script = """
        import json, os, sys, jsonschema
        name = "debugpy/_vendored/pydevd/_pydevd_bundle/_debug_adapter/debugProtocol.json"
        definitions = json.load(open(os.path.join(sys.argv[1], name)))["definitions"]
        bad = 0
        kinds = set()
        for line in open(sys.argv[2]):
            message = json.loads(line)
            if message["type"] == "event":
                kind = message["event"][0].upper() + message["event"][1:] + "Event"
            elif message["success"]:
                kind = message["command"][0].upper() + message["command"][1:] + "Response"
            else:
                kind = "ErrorResponse"
            kinds.add(kind)
            try:
                jsonschema.Draft4Validator({"$ref": "#/definitions/" + kind, "definitions": definitions}).validate(message)
            except jsonschema.ValidationError as error:
                bad += 1
                print(kind, error.message, list(error.absolute_path))
        print(len(kinds), "kinds")
        sys.exit(1 if bad else 0)
        """

    @Test func messagesAreValid() throws {
        let home = ShaleHome()
        let stages = "FROM busybox AS a\nLABEL x=y\nRUN touch /x\nFROM busybox\nCOPY --from=a /x /x\nRUN exit 3\n"
        try home.write(stages, to: "Dockerfile")
        let client = try AdapterClient(home)
        try client.ask("initialize", .members(["adapterID": "shale"]))
        try client.ask("launch", .members(["dockerfile": 5]), fails: true)
        try client.ask("launch", .members(["dockerfile": "Dockerfile", "stopOnEntry": true]))
        try client.event("initialized")
        let path: JSONDocument = .members(["path": .string("\(home.work)/Dockerfile")])
        let lines: JSONDocument = [.members(["line": 3]), .members(["line": 90])]
        try client.ask("setBreakpoints", .members(["source": path, "breakpoints": lines]))
        try client.ask("setFunctionBreakpoints", .members(["breakpoints": [.members(["name": "LABEL"])]]))
        try client.ask("setExceptionBreakpoints", .members(["filters": ["failure"]]))
        try client.ask("breakpointLocations", .members(["source": path, "line": 1, "endLine": 9]))
        #expect(try client.go("configurationDone") == "entry")
        for command in ["threads", "loadedSources"] { try client.ask(command) }
        for command in ["next", "continue", "stepIn", "stepBack", "reverseContinue", "stepOut", "continue"] {
            _ = try client.go(command)
            _ = try client.line()
            for scope in ["State", "Build arguments", "Environment", "Configuration", "Changed files"] {
                _ = try client.values(scope)
            }
        }
        for command in ["continue", "continue", "continue"] where !client.printed.contains("non-zero code: 3") {
            _ = try client.go(command)
        }
        try client.ask("exceptionInfo", .members(["threadId": 1]))
        _ = try client.evaluate("ls /")
        try client.ask("evaluate", .members(["expression": "NOTHING", "context": "watch"]), fails: true)
        let targets = try client.ask("gotoTargets", .members(["source": path, "line": 2]))["targets"]?.array ?? []
        #expect(try client.go("goto", .members(["threadId": 1, "targetId": targets.first?["id"] ?? .null])) == "goto")
        try client.ask("pause", .members(["threadId": 1]), fails: true)
        _ = try client.go("restart")
        try client.ask("terminate")
        try client.event("terminated")
        try client.ask("disconnect")
        let file = home.folder.path + "/messages"
        let text = client.messages.map { $0.text() + "\n" }.joined()
        try Data(text.utf8).write(to: URL(filePath: file))
        let checked = try schema.run(Self.script, [schema.libraries, file])
        #expect(checked.status == 0, "\(checked.text)\(checked.errors)")
    }
}
