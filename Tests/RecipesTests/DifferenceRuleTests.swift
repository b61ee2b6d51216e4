import Basics
import Testing

@testable import Recipes

struct DifferenceRuleTests {
    private func kind(_ path: String, _ step: String? = nil) throws -> DifferenceRule.Kind? {
        let rules = try DifferenceRules.ofProgram()
        let place = rules.place(for: RecipeDifference(subject: path, what: "content", step: step, line: 2))
        return place.map { rules.rules[$0].kind }
    }

    @Test(arguments: [
        ("/var/log/apt/history.log", "RUN apt-get install -y jq", DifferenceRule.Kind.log),
        ("/var/log/own/deep/x", "RUN own", .log),
        ("/var/cache/ldconfig/aux-cache", "RUN ldconfig", .cache),
        ("/etc/machine-id", "RUN setup", .random),
        ("/x", "RUN cat /proc/sys/kernel/random/uuid > /x", .random),
        ("/__pycache__/a.cpython-313.pyc", "RUN python3 -m compileall /", .time),
        ("/usr/lib/python3/a/__pycache__/b.cpython-313.pyc", "RUN python3 -c 'import a.b'", .time),
        ("/stamp", "RUN date > /stamp", .time),
        ("/var/lib/dpkg/status-old", "RUN apt-get install -y jq", .order),
        ("/usr/bin/jq", "RUN apt-get update && apt-get install -y jq", .network),
        ("/data", "ADD https://example.org/data /data", .network),
    ])
    func aPathAndItsStepTellTheKind(_ path: String, _ step: String, _ expected: DifferenceRule.Kind) throws {
        #expect(try kind(path, step) == expected)
    }

    @Test(arguments: [
        ("/x", "RUN cp /a /x"), ("config", "RUN apt-get install -y jq"), ("/x", "RUN apt-get update > /x"), ("/x", nil),
    ])
    func whatNoRuleKnows(_ path: String, _ step: String?) throws {
        #expect(try kind(path, step) == nil)
    }

    @Test func theProgramsRulesArePrintedAsTheyAreRead() throws {
        let rules = try DifferenceRules.ofProgram()
        let again = try DifferenceRules(parsing: rules.text, file: "again")
        #expect(again.text == rules.text)
        #expect(Set(rules.rules.map(\.kind)) == Set(DifferenceRule.Kind.allCases))
    }

    @Test func theFirstThatFitsIsTaken() throws {
        let own = try DifferenceRules(
            parsing: "path: /var/log/**\r\nkind: random\r\ncause: ours: a\r\nsource: us\r\nmend: ENV A=b\r\n",
            file: "own")
        let all = own.before(try .ofProgram())
        let place = all.place(for: RecipeDifference(subject: "/var/log/dpkg.log", what: "content"))
        #expect(place == 0)
        #expect(all.rules[0].mend == .instruction("ENV A=b"))
        #expect(all.rules[0].cause == "ours: a")
    }

    private static let whole = "path: /a\nkind: log\ncause: c\nsource: s\n"

    @Test(arguments: [
        ("path: a\n", "f:1: a path begins with '/', not: a"),
        ("# x\npath: /[\n", "f:2: no pattern: /["),
        (whole + "kind: odd\n", "f:5: kind was given already"),
        ("kind: odd\n", "f:1: kind is one of time, log, cache, random, network, order, not: odd"),
        ("path: /a\nkind: log\ncause: c\n", "f:4: the rule that ends here has no source"),
        (whole + "mend: ENV\n", "f:5: mend is no instruction: ENV requires at least one argument"),
        (whole + "mend:\n", "f:5: mend is empty"),
        ("what\n", "f:1: a line is NAME: VALUE, with one of path, step, kind, cause, source, mend"),
        ("p\u{1b}[2J: /a\n", "f:1: a line is NAME: VALUE, with one of path, step, kind, cause, source, mend"),
    ])
    func whatIsNoRule(_ text: String, _ message: String) {
        let error = #expect(throws: ShaleError.self) { try DifferenceRules(parsing: text, file: "f") }
        #expect(error?.code == .invalid)
        #expect(error?.message == message)
    }
}
