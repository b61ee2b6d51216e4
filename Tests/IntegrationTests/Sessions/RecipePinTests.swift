import FoundationEssentials
import TestSupport
import Testing

/// `recipe --pin`: what a session installed, at the versions that its layers have, from repositories that change.
@Suite("pinned recipes", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RecipePinTests {
    /// A home in which `hello`, which needs `greeting`, was installed.
    private static func installed(_ repository: AptRepository, _ steps: String) throws -> ShaleHome {
        try repository.change("hello=1.0/greeting", "greeting=2:3.0-1")
        let shale = ShaleHome()
        try repository.makeImage(in: shale)
        try shale.run(["-c", "FROM debian:test\n\(steps)"])
        return shale
    }

    private static let install = "RUN apt-get update && apt-get install -y --no-install-recommends hello"

    @Test(.enabled(if: AptRepository.isPossible, "\(AptRepository.impossible)"))
    func aNewVersionChangesAnUnpinnedRecipeAlone() throws {
        let repository = try AptRepository()
        let shale = try Self.installed(repository, Self.install)
        let line = "\(Self.install)=1.0\n"
        #expect(try shale.run(["recipe", "--pin"]).text.hasSuffix("\n" + line))
        try repository.change("hello=2.0/greeting", "greeting=2:4.0-1")
        let unpinned = try shale.run(["recipe", "verify"], expecting: 1).text
        #expect(unpinned.contains("/usr/share/hello/version: content"), "\(unpinned)")
        let pinned = try shale.run(["recipe", "verify", "--pin"], expecting: 1).text
        #expect(!pinned.contains("/usr/share/hello/version"), "\(pinned)")
        #expect(pinned.contains("/usr/share/greeting/version: content"), "\(pinned)")
        // With what came in beside it, nothing is left but what no build makes twice.
        let locked = try shale.run(["recipe", "verify", "--pin", "--locked"], expecting: 1).text
        let paths = locked.split(separator: "\n").filter { $0.hasPrefix("/") }
        #expect(
            paths.allSatisfy {
                $0.hasPrefix("/var/log/") || $0.hasPrefix("/var/cache/apt/") || $0.hasPrefix("/var/lib/apt/lists/")
            }, "\(locked)")
    }

    @Test(.enabled(if: AptRepository.isPossible, "\(AptRepository.impossible)"))
    func theLockListsWhatCameInBeside() throws {
        let repository = try AptRepository()
        let shale = try Self.installed(repository, Self.install)
        let recipe = try shale.run(["recipe", "--pin", "--locked", "--lock", "lock"]).text
        #expect(recipe.hasSuffix(" hello=1.0 greeting=2:3.0-1 && apt-mark auto greeting >/dev/null\n"), "\(recipe)")
        let lock = try shale.text("lock")
        #expect(
            lock.hasSuffix(
                "RUN apt-get update && apt-get install -y --no-install-recommends hello\n"
                    + "  dpkg hello 1.0 all named\n  dpkg greeting 2:3.0-1 all beside\n"), "\(lock)")
        #expect(lock.contains("\nline \(recipe.split(separator: "\n").count) RUN apt-get"))
        // A saved recipe has its lock beside it.
        try shale.run(["recipe", "save", "saved", "--pin"])
        #expect(try shale.text("saved/recipe.lock") == lock)
        #expect(try shale.text("saved/Dockerfile").hasSuffix("hello=1.0\n"))
    }

    @Test(.enabled(if: AptRepository.isPossible, "\(AptRepository.impossible)"))
    func aVersionThatIsGoneIsNamed() throws {
        let repository = try AptRepository()
        let shale = try Self.installed(repository, Self.install)
        try repository.change("-hello", "hello=2.0/greeting")
        let run = try shale.run(["recipe", "verify", "--pin"], expecting: 100)
        #expect(run.errors.contains("Version '1.0' for 'hello' was not found"), "\(run.errors)")
    }

    @Test(.enabled(if: AptRepository.isPossible, "\(AptRepository.impossible)"))
    func whatCannotBePinnedIsSaidByLine() throws {
        let repository = try AptRepository()
        let shale = try Self.installed(
            repository,
            """
            RUN apt-get update && for p in hello; do apt-get install -y $p greeting; done
            RUN apt-get -y upgrade && touch /upgraded
            RUN apt-get -y remove greeting && apt-get install -y greeting && apt-get -y remove greeting
            """)
        let lines = try shale.run(["recipe", "--pin"]).text.split(separator: "\n").map(String.init)
        let place = try #require(lines.firstIndex { $0.contains("for p in") })
        #expect(lines[place - 1] == "# not pinned: $p: the shell makes the name")
        #expect(lines[place].hasSuffix("apt-get install -y $p greeting=2:3.0-1; done"))
        #expect(
            lines[place + 1]
                == "# not pinned: apt-get -y upgrade: it takes what the repository has on the day")
        #expect(
            lines[place + 3]
                == "# not pinned: greeting: no package of this name is installed when the step has ended")
    }

    @Test func downloadsAreCheckedByTheirChecksum() throws {
        let server = try FolderServer()
        try Data("content\n".utf8).write(to: URL(filePath: server.folder.path + "/file"))
        let shale = ShaleHome()
        try shale.run([
            "-c",
            """
            FROM busybox
            WORKDIR /opt
            RUN mkdir d && cd d && wget -qO f \(server.url)/file && cat f
            RUN wget -qO- \(server.url)/file | cat > /x
            """,
        ])
        let recipe = try shale.run(["recipe", "--pin"]).text
        let checksum = "434728a410a78f56fc1b5899c3593436e61ab0c731e9072d95e96db290205e53"
        #expect(
            recipe.contains(
                "wget -qO f \(server.url)/file && { echo '\(checksum)  f' | sha256sum -c - >&2 || exit 1; } && cat f\n"),
            "\(recipe)")
        #expect(recipe.contains("# not pinned: wget: it goes to another command: nothing holds its content\n"))
        #expect(try shale.run(["recipe", "verify", "--pin"]).text.hasSuffix("same files, same config\n"))
        // Another content ends the build at that line.
        try Data("changed\n".utf8).write(to: URL(filePath: server.folder.path + "/file"))
        let changed = try shale.run(["recipe", "verify", "--pin"], expecting: 1)
        #expect(changed.errors.contains("f: FAILED"), "\(changed.errors)")
    }

    @Test func whatStandsAroundADownloadMeansTheSame() throws {
        let server = try FolderServer()
        try Data("content\n".utf8).write(to: URL(filePath: server.folder.path + "/file"))
        let shale = ShaleHome()
        let get = "wget -qO f \(server.url)/file"
        try shale.run([
            "-c",
            """
            FROM busybox
            RUN set -e; \(get); cat f
            RUN test -e /none || \(get)
            RUN \(get) && echo more >> f
            RUN (\(get); cat f) > /g
            """,
        ])
        let lines = try shale.run(["recipe", "--pin"]).text.split(separator: "\n").map(String.init)
        let check =
            "{ echo '434728a410a78f56fc1b5899c3593436e61ab0c731e9072d95e96db290205e53  f'"
            + " | sha256sum -c - >&2 || exit 1; }"
        #expect(lines.contains("RUN set -e; { \(get); \(check); }; cat f"), "\(lines)")
        #expect(lines.contains("RUN test -e /none || { \(get) && \(check); }"), "\(lines)")
        #expect(lines.contains("# not pinned: \(server.url)/file: a later command may change its file"), "\(lines)")
        #expect(lines.contains { $0.hasSuffix(": in parentheses a wrong checksum would not end the step") }, "\(lines)")
        #expect(try shale.run(["recipe", "verify", "--pin"]).text.hasSuffix("same files, same config\n"))
    }

    /// A stand-in for apk, which writes down what it is told to install.
    private static let apk = """
        FROM busybox
        RUN mkdir -p /lib/apk/db && printf '#!/bin/sh\\nshift; for p; do printf "P:$p\\\\nV:1.0-r0\\\\nA:x\\\\n\\\\n" \
        >> /lib/apk/db/installed; done\\n' > /bin/apk && chmod +x /bin/apk
        tag @ apk

        """

    @Test func aNameThatLooksSecretKeepsItsVersion() throws {
        let shale = ShaleHome()
        try shale.run(["-c", Self.apk + "FROM apk\nRUN apk add libsecret passwd"])
        let run = try shale.run(["recipe", "--pin"])
        #expect(run.text.hasSuffix("\nRUN apk add libsecret=1.0-r0 passwd=1.0-r0\n"), "\(run)")
        #expect(!run.errors.contains("masked"), "\(run.errors)")
    }

    @Test func commandsOfOneContainerNameWhatIsTheirs() throws {
        let shale = ShaleHome()
        try shale.run([
            "-c",
            Self.apk
                + """
                run -d --name cc apk sleep 100
                exec cc apk add curl
                exec cc apk add vim
                exec cc sh -c 'echo beside | xargs apk add'
                commit cc made
                rm -f cc
                """,
        ])
        let lines = try shale.run(["recipe", "--pin", "--locked", "--lock", "lock", "made"]).text
            .split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasSuffix("apk add curl=1.0-r0 beside=1.0-r0") }, "\(lines)")
        #expect(lines.contains { $0.hasSuffix("apk add vim=1.0-r0") }, "\(lines)")
        let lock = try shale.text("lock")
        #expect(lock.split(separator: "\n").filter { $0.hasPrefix("  apk curl ") } == ["  apk curl 1.0-r0 x named"])
        #expect(lock.split(separator: "\n").filter { $0.hasPrefix("  apk ") }.count == 3, "\(lock)")
    }

    @Test func whatNoCommandNamesIsSaid() throws {
        let shale = ShaleHome()
        try shale.run(["-c", Self.apk + "FROM apk\nRUN echo tool | xargs apk add"])
        let recipe = try shale.run(["recipe", "--pin", "--lock", "lock"]).text
        #expect(recipe.contains("\n# not pinned: no command that shale reads names what came in: tool\n"), "\(recipe)")
        #expect(try shale.text("lock").contains("  apk tool 1.0-r0 x beside\n"))
    }

    @Test(.enabled(if: RegistryServer.isPresent, "\(RegistryServer.absent)"))
    func aBaseIsNamedByItsDigest() throws {
        let registry = try RegistryServer()
        let name = "\(registry.host)/a/base:1"
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nRUN echo base > /base\ntag @ \(name)\npush \(name)"])
        let other = ShaleHome()
        try other.run(["-c", "FROM \(name)\nRUN echo x > /x"])
        let recipe = try other.run(["recipe", "--pin", "--lock", "lock"]).text
        let digest = try #require(
            try other.run(["images", "--format", "{{.Digest}}", "\(registry.host)/a/base"]).lines.first)
        let pinned = "\(registry.host)/a/base@\(digest)"
        #expect(recipe == "# \(name)\nFROM \(pinned)\nRUN echo x > /x\n", "\(recipe)")
        #expect(try other.text("lock").contains("\nfrom \(name) \(pinned)\n"))
        #expect(try other.run(["recipe", "verify", "--pin"]).text.hasSuffix("same files, same config\n"))
        // The first image came from no registry.
        #expect(
            try shale.run(["recipe", "--pin", "@"]).text.hasPrefix(
                "# not pinned: busybox came from no registry, so it has no digest there\nFROM busybox\n"))
    }

    @Test func optionsOfAPinAloneAreRefused() throws {
        let shale = ShaleHome()
        for option in [["--locked"], ["--lock", "x"]] {
            let run = try shale.run(["recipe", "busybox"] + option, expecting: 64)
            #expect(
                run.errors.hasPrefix(
                    "shale: recipe: \(option[0]) is for --pin\nhint: recipe --pin --lock recipe.lock\n"), "\(run)")
        }
    }

    @Test func aDatabaseThatCannotBeReadIsSaid() throws {
        let shale = ShaleHome()
        try shale.run([
            "-c",
            """
            FROM busybox
            RUN mkdir -p /var/lib/rpm && head -c 4096 /dev/urandom > /var/lib/rpm/rpmdb.sqlite
            RUN printf '#!/bin/sh\\n' > /usr/bin/dnf && chmod +x /usr/bin/dnf && dnf install -y vim
            """,
        ])
        let recipe = try shale.run(["recipe", "--pin"]).text
        #expect(
            recipe.contains("# not pinned: /var/lib/rpm/rpmdb.sqlite: not a database that shale can read"), "\(recipe)")
    }
}
