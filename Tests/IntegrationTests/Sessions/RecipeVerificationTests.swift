import FoundationEssentials
import TestSupport
import Testing

/// `recipe verify` names the step that first made a path otherwise, whatever later steps did to it.
@Suite("recipe verification", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RecipeVerificationTests {
    /// What `recipe verify` says of a session's image that no build makes twice.
    private func found(_ session: String, _ subject: String = "@", _ flags: [String] = []) throws -> String {
        let home = ShaleHome()
        try home.run([], input: Array(session.utf8))
        return try home.run(["recipe", "verify"] + flags + [subject], expecting: 1).text
    }

    @Test(arguments: [
        // What took the path over is not to blame.
        (["RUN echo x > /x", "RUN cat /proc/sys/kernel/random/uuid >> /x", "RUN echo y >> /x", "RUN chmod 600 /x"], 3),
        // The lowest that differs, also where a later step made the same of it once.
        (
            [
                "RUN cat /proc/sys/kernel/random/uuid > /x", "RUN echo same > /x",
                "RUN cat /proc/sys/kernel/random/uuid >> /x",
            ], 2
        ),
    ])
    func theLowestStepIsNamed(_ steps: [String], line: Int) throws {
        let text = try found((["FROM busybox"] + steps).joined(separator: "\n") + "\n")
        let lines = text.split(separator: "\n")
        #expect(
            lines.allSatisfy { $0.contains("(line \(line): \(steps[line - 2])") || !$0.hasPrefix("/x:") }, "\(text)")
        #expect(lines.contains { $0.hasPrefix("/x:") } || line == 2, "\(text)")
    }

    @Test func stepsOfACommitAreNamed() throws {
        let text = try found(
            """
            FROM busybox
            RUN echo x > /x
            tag @ one
            run --name cc one sh -c 'cat /proc/sys/kernel/random/uuid >> /x'
            commit cc two
            FROM two
            RUN chmod 640 /x

            """)
        #expect(text.contains("/x: content (line 4: RUN cat /proc"), "\(text)")
    }

    @Test func theTidyFormIsLookedAt() throws {
        let text = try found(
            "FROM busybox\nRUN echo a > /a\nRUN cat /proc/sys/kernel/random/uuid > /x\n", "@", ["--tidy"])
        #expect(text.contains("(line 2: RUN echo a > /a && "), "\(text)")
    }

    @Test func knownCausesAreNamed() throws {
        let text = try found(
            "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /etc/machine-id\n"
                + "RUN mkdir -p /var/log && cp /etc/machine-id /var/log/x && cp /etc/machine-id /y\n")
        let lines = text.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("/etc/machine-id: content (line 2: ") && $0.hasSuffix(" [random]") })
        #expect(lines.contains { $0.hasPrefix("/var/log/x: ") && $0.hasSuffix(" [log]") }, "\(text)")
        #expect(
            text.contains(
                "\nrandom: the id of a machine is random, and is meant to be made when it first starts; "
                    + "to mend it, end line 2 with '&& truncate -s 0 /etc/machine-id'\n"), "\(text)")
    }

    @Test func aRuleOfTheUsersOwnComesFirst() throws {
        let home = ShaleHome(["XDG_CONFIG_HOME": "own"])
        let session = "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /x\n"
        try home.run([], input: Array(session.utf8))
        let file = "own/shale/differences.rules"
        try home.write("path: /x\nkind: order\ncause: we know\nsource: us\nmend: ENV A=b\n", to: file)
        #expect(try home.run(["recipe", "rules", file]).text == "\(file): 1 rule\n")
        let text = try home.run(["recipe", "verify"], expecting: 1).text
        #expect(text.hasSuffix(" [order]\norder: we know; to mend it, put 'ENV A=b' before line 2\n"), "\(text)")
        let json = try home.run(["recipe", "verify", "--format", "json"], expecting: 1).text
        #expect(json.contains(#""kind":"order","cause":"we know","source":"us","mend":"ENV A=b""#), "\(json)")
        try home.write("path: /x\nkind: odd\n", to: file)
        let refused = try home.run(["recipe", "verify"], expecting: 1)
        #expect(refused.errors.contains("\(file):2: kind is one of time, log, "), "\(refused.errors)")
    }

    @Test func anImageOfNoLayersIsMadeAgain() throws {
        let home = ShaleHome()
        let session = "FROM scratch\nENV WHO=none\nLABEL a=b\n"
        try home.run([], input: Array(session.utf8))
        #expect(try home.run(["recipe", "verify"]).text.contains("same files, same config"))
    }
}
