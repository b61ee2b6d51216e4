import FoundationEssentials
import TestSupport
import Testing

/// `squash`, `config`, `rebase` and `append`: what they make, say, and leave behind.
@Suite("editing images", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct EditingTests {
    private static let dockerfile = """
        FROM busybox
        ENV A=b
        LABEL x=y
        RUN mkdir -p /d/keep /d/gone && echo 1 > /d/keep/f && ln /d/keep/f /d/keep/h && echo 2 > /d/gone/g
        RUN rm -rf /d/gone /bin/vi && rm /etc/group && mkdir /etc/group && echo x > /etc/group/x
        RUN rm /d/keep/f && rm -rf /var && mkdir /var && echo v > /var/v
        CMD ["cat", "/var/v"]

        """

    /// A shale with the image `web:1`: busybox's three layers, and three more.
    private static func built() throws -> ShaleHome {
        let shale = ShaleHome()
        try write(dockerfile, to: "Dockerfile", of: shale)
        try shale.run(["build", "-q", "-t", "web:1", "."])
        return shale
    }

    private static func write(_ text: String, to name: String, of shale: ShaleHome) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(shale.work)/\(name)"))
    }

    /// Whether two images have the same files and settings.
    private func isSame(_ one: String, _ other: String, _ shale: ShaleHome) throws -> Bool {
        let text = try shale.run(["compare", one, other], expecting: nil).text
        return !text.contains("files\n") && !text.contains("config\n")
    }

    private func count(_ image: String, _ shale: ShaleHome) throws -> Int {
        try shale.run(["layers", "--format", "{{.layer}}", image]).text.split(separator: "\n").count
    }

    // MARK: squash

    @Test(arguments: [(1, 6, 1), (4, 6, 4), (2, 5, 3), (5, 5, 6), (6, 6, 6)])
    func aSquashedImageHasTheSameFilesAndSettings(_ from: Int, _ to: Int, _ layers: Int) throws {
        let shale = try Self.built()
        let words = ["squash", "web:1", "--from", "\(from)", "--to", "\(to)", "-t", "web:2"]
        let outcome = try shale.run(words)
        #expect(outcome.text.hasPrefix("sha256:") && outcome.text.utf8.count == 72, "\(outcome.text)")
        #expect(outcome.errors.contains(" saved\n") && outcome.errors.contains("before "), "\(outcome.errors)")
        #expect(try count("web:2", shale) == layers)
        #expect(try isSame("web:1", "web:2", shale))
        #expect(try shale.run(["run", "--rm", "web:2"]).text == "v\n")
        // The same again is the same image.
        #expect(try shale.run(words).text == outcome.text)
        let comment = try shale.run(["history", "--no-trunc", "--format", "{{.Comment}}", "web:2"]).text
        if from <= 5, to >= 5 { #expect(comment.contains("RUN rm -rf /d/gone /bin/vi"), "\(comment)") }
        let proof = try shale.run(["recipe", "verify", "web:2"]).text
        #expect(proof.contains("same files, same config"), "\(proof)")
        #expect(try shale.run(["system", "check"]).text == "the store is whole\n")
    }

    @Test func whatIsDeletedOfLowerLayersStaysDeleted() throws {
        let shale = try Self.built()
        try shale.run(["squash", "web:1", "--from", "4", "-t", "web:2"])
        let removed = try shale.run(["find", "web:2#4", "--type", "whiteout"], expecting: nil)
        let listed = try shale.run(["diff", "web:2#4"]).text
        #expect(listed.contains("D /bin/vi\n"), "\(listed) \(removed.errors)")
        #expect(!listed.contains("/d/gone") && !listed.contains("/d/keep/f"), "\(listed)")
        for path in ["/bin/vi", "/d/gone", "/d/keep/f", "/var/www"] {
            #expect(try shale.run(["stat", "web:2:\(path)"], expecting: nil).status == 1, "\(path)")
        }
        #expect(try shale.run(["cat", "web:2:/d/keep/h"]).text == "1\n")
    }

    @Test func aTrialMakesNothingAndUndoTakesBack() throws {
        let shale = try Self.built()
        let before = try shale.run(["images", "-a", "-q"]).text
        for words in [
            ["squash", "web:1"], ["config", "web:1", "--env", "N=v"], ["append", "web:1", "Dockerfile.tar"],
            ["rebase", "web:1", "--new", "busybox"],
        ] {
            try Self.write("x", to: "x", of: shale)
            try Peers.tar.run(["-cf", shale.work + "/Dockerfile.tar", "-C", shale.work, "x"])
            let outcome = try shale.run(words + ["-t", "no:1", "--dry-run"])
            #expect(outcome.text.isEmpty && outcome.errors.contains("web:1"), "\(words) \(outcome)")
        }
        #expect(try shale.run(["images", "-a", "-q"]).text == before)
        let old = try shale.run(["inspect", "-f", "{{.Id}}", "web:1"]).text
        // The name of the source may be given to what is made of it.
        let new = try shale.run(["squash", "web:1", "-t", "web:1"]).text
        #expect(new != old)
        #expect(try shale.run(["timeline"]).text.contains("squash web:1 -t web:1"))
        #expect(try shale.run(["undo"]).text.contains("took back: squash"))
        #expect(try shale.run(["inspect", "-f", "{{.Id}}", "web:1"]).text == old)
        try shale.run(["redo"])
        #expect(try shale.run(["inspect", "-f", "{{.Id}}", "web:1"]).text == new)
    }

    @Test(arguments: [
        (["squash", "web:1", "--from", "4", "--to", "2"], 64, "--from 4 is above --to 2"),
        (["squash", "web:1", "--from", "0"], 64, "web:1 has layers 1 to 6"),
        (["squash", "web:1", "--to", "7"], 64, "web:1 has layers 1 to 6"),
        (["squash", "nope"], 1, "No such image: nope:latest"),
        (["squash", "none:1"], 1, "the image has no layers"),
        (["config", "web:1"], 64, "nothing to change was given"),
        (["config", "web:1", "--env", "A"], 64, "not NAME=VALUE"),
        (["config", "web:1", "--unset-env", "NO"], 1, "no variable NO"),
        (["config", "web:1", "--label", "no-"], 1, "no label no"),
        (["config", "web:1", "--stop-signal", "NOPE"], 1, "invalid signal: NOPE"),
        (["config", "web:1", "--expose", "99999"], 1, "invalid containerPort: 99999"),
        (["config", "web:1", "--env", "A=c", "-t", "No:1"], 1, "must be lowercase"),
        (["append", "web:1", "nope"], 1, "no such file or directory"),
        (["append", "web:1", "Dockerfile"], 1, "invalid tar archive"),
        (["rebase", "busybox", "--new", "web:1"], 1, "nothing here tells what it was built on"),
        (
            ["rebase", "web:1", "--old", "other:1", "--new", "busybox"], 1,
            "web:1 does not stand on other:1: layer 4 is"
        ),
        (["rebase", "busybox", "--old", "web:1", "--new", "busybox"], 1, "it has 3 layers, web:1 has 6"),
    ]) func whatCannotBeDoneIsSaid(_ words: [String], _ status: Int, _ message: String) throws {
        let shale = try Self.built()
        try Self.write("FROM scratch\nENV A=b\n", to: "none", of: shale)
        try shale.run(["build", "-q", "-t", "none:1", "-f", "none", "."])
        try Self.write("FROM busybox\nCOPY none /\n", to: "other", of: shale)
        try shale.run(["build", "-q", "-t", "other:1", "-f", "other", "."])
        let outcome = try shale.run(words, expecting: Int32(status))
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
        #expect(try shale.run(["system", "check"]).text == "the store is whole\n")
    }

    // MARK: config

    @Test func settingsAreGivenChangedAndTakenAway() throws {
        let shale = try Self.built()
        let outcome = try shale.run([
            "config", "web:1", "--env", "C=$HOME d", "--env", "A-", "--label", "x-", "--label", "l=a b", "--expose",
            "80-81/udp", "--volume", "/v", "--entrypoint", "[\"env\"]", "--workdir", "/new/dir", "--user", "1000:1000",
            "--stop-signal", "SIGINT", "--healthcheck", "--interval=5s CMD true", "--author", "me", "-m", "why", "-t",
            "web:2",
        ])
        #expect(outcome.errors.contains("- Env A\n") && outcome.errors.contains("- Cmd\n"), "\(outcome.errors)")
        func setting(_ template: String, of image: String = "web:2") throws -> String {
            String(try shale.run(["inspect", "-f", template, image]).text.dropLast())
        }
        #expect(try setting("{{json .Config.Env}}").contains("\"C=$HOME d\""))
        #expect(try !setting("{{json .Config.Env}}").contains("\"A=b\""))
        #expect(try setting("{{json .Config.Labels}}") == "{\"l\":\"a b\"}")
        #expect(try setting("{{json .Config.ExposedPorts}}") == "{\"80/udp\":{},\"81/udp\":{}}")
        #expect(try setting("{{json .Config.Cmd}} {{json .Config.Entrypoint}}") == "null [\"env\"]")
        #expect(
            try setting("{{.Config.User}} {{.Config.WorkingDir}} {{.Config.StopSignal}}") == "1000:1000 /new/dir SIGINT"
        )
        #expect(try setting("{{.Author}} {{.Comment}}") == "me why")
        #expect(try setting("{{json .RootFS.Layers}}") == setting("{{json .RootFS.Layers}}", of: "web:1"))
        let rows = try shale.run(["history", "--human=false", "--format", "{{.Size}}", "web:2"]).text
        #expect(rows.hasPrefix("0\n"))
        #expect(try shale.run(["recipe", "verify", "web:2"]).text.contains("same files, same config"))
        // What a Dockerfile can say is one line of it.
        try shale.run(["config", "web:1", "--env", "C=d", "--cmd", "echo hi", "-t", "web:3"])
        let recipe = try shale.run(["recipe", "web:3"]).text
        #expect(
            recipe.contains("FROM busybox\n") && recipe.hasSuffix("ENV C=d\nCMD [\"/bin/sh\", \"-c\", \"echo hi\"]\n"))
        #expect(try shale.run(["recipe", "verify", "web:3"]).text.contains("same files, same config"))
        #expect(try shale.run(["run", "--rm", "web:3"]).text == "hi\n")
    }

    // MARK: rebase

    @Test func layersMoveToAnotherBaseAndSettingsWithThem() throws {
        let shale = try Self.built()
        try Self.write(
            "FROM busybox\nENV A=other\nENV NEW=1\nLABEL base=2\nRUN echo new > /new\n", to: "base", of: shale)
        try shale.run(["build", "-q", "-t", "base:2", "-f", "base", "."])
        let outcome = try shale.run(["rebase", "web:1", "--new", "base:2", "-t", "web:2"])
        #expect(outcome.errors.contains("3 of its layers move from busybox"), "\(outcome.errors)")
        #expect(outcome.errors.contains("conflict: Env A is other in base:2; the image keeps b"), "\(outcome.errors)")
        #expect(try shale.run(["cat", "web:2:/new"]).text == "new\n")
        #expect(try shale.run(["stat", "web:2:/bin/vi"], expecting: nil).status == 1)
        #expect(try shale.run(["run", "--rm", "web:2"]).text == "v\n")
        let env = try shale.run(["run", "--rm", "web:2", "env"]).text
        #expect(env.contains("A=b\n") && env.contains("NEW=1\n"), "\(env)")
        let recipe = try shale.run(["recipe", "web:2"]).text
        #expect(recipe.contains("RUN echo new > /new\n") && recipe.contains("ADD step-"), "\(recipe)")
        #expect(try shale.run(["recipe", "verify", "web:2"]).text.contains("same files, same config"))
        // Its base is the new one now, and back it goes to what it was.
        let back = try shale.run(["rebase", "web:2", "--new", "busybox", "-t", "web:3"])
        #expect(back.errors.contains("3 of its layers move from base:2"), "\(back.errors)")
        #expect(try isSame("web:1", "web:3", shale))
        #expect(try shale.run(["recipe", "verify", "web:3"]).text.contains("same files, same config"))
    }

    // MARK: append

    @Test func aTreeIsPutOnTop() throws {
        let shale = try Self.built()
        let folder = shale.work
        try FileManager.default.createDirectory(atPath: "\(folder)/tree/tmp", withIntermediateDirectories: true)
        try Self.write("one", to: "tree/one", of: shale)
        try Self.write("x", to: "tree/tmp/x", of: shale)
        try Peers.tar.run(["-czf", "\(folder)/a.tar.gz", "-C", "\(folder)/tree", "one", "tmp/x"])
        try Peers.tar.run(["-cf", "\(folder)/a.tar", "-C", "\(folder)/tree", "one", "tmp/x"])
        let packed = try shale.run(["append", "web:1", "a.tar.gz", "-t", "a:1"])
        #expect(packed.errors.contains("a.tar.gz makes one layer: +2 ~0 -0"), "\(packed.errors)")
        let bytes = Array(try Data(contentsOf: URL(filePath: "\(folder)/a.tar")))
        try shale.run(["append", "web:1", "-", "-t", "a:2"], input: bytes)
        try shale.run(["append", "web:1", "tree", "--path", "/srv/www", "-t", "a:3"])
        #expect(try shale.run(["cat", "a:1:/one", "a:2:/tmp/x", "a:3:/srv/www/one"]).text == "onexone")
        // A directory that the tar does not name keeps its mode.
        #expect(try shale.run(["stat", "a:1:/tmp"]).text.contains("1777"))
        for image in ["a:1", "a:2", "a:3"] {
            #expect(try shale.run(["recipe", image]).text.contains("ADD step-"))
            #expect(try shale.run(["recipe", "verify", image]).text.contains("same files, same config"))
        }
        let image = try shale.run(["append", "web:1", "a.tar", "-t", "a:4"]).text
        #expect(try shale.run(["append", "web:1", "a.tar", "-t", "a:4"]).text == image)
    }

    @Test func nothingOfAHostileTarLeavesTheImage() throws {
        let shale = try Self.built()
        let folder = shale.work
        let files: [SmallImage.File] = [
            .init("../../../../\(folder.dropFirst())/escaped", "x"), .init("/abs", "x"), .link("ln", to: folder),
            .init("ln/through", "x"), .init("odd\u{1B}[31m\n", "x"),
        ]
        try Data(SmallImage.tar(files)).write(to: URL(filePath: "\(folder)/evil.tar"))
        let outcome = try shale.run(["append", "web:1", "evil.tar", "-t", "evil:1"])
        #expect(!outcome.errors.contains("\u{1B}"), "\(outcome.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(!names.contains("escaped") && !names.contains("through"), "\(names)")
        #expect(try shale.run(["recipe", "verify", "evil:1"]).text.contains("same files, same config"))
        try Data(SmallImage.tar([.link("h", to: "/etc/shadow-of-the-host", isHard: true)])).write(
            to: URL(filePath: "\(folder)/evil.tar"))
        try shale.run(["append", "web:1", "evil.tar", "-t", "evil:2"], expecting: 1)
        try Data(SmallImage.tar([.init(".wh.etc", "")])).write(to: URL(filePath: "\(folder)/evil.tar"))
        try shale.run(["append", "web:1", "evil.tar", "-t", "evil:2"], expecting: 1)
        #expect(try shale.run(["system", "check"]).text == "the store is whole\n")
    }
}
