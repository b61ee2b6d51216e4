import Glibc
import Layers
import Linux
import TestSupport
import Testing

@testable import Recipes

struct RecipeMaskingTests {
    @Test func variablesComeFromArguments() {
        let recipe = Recipe(lines: [
            .instruction("FROM busybox"), .instruction("ENV A=1 DB_PASSWORD=\"two words\" B=2"),
            .instruction("ARG API_KEY=abc"), .instruction("RUN login --password x"),
        ])
        let (masked, secrets) = recipe.masked
        #expect(
            masked.dockerfile == """
                FROM busybox
                ARG DB_PASSWORD
                ENV A=1 DB_PASSWORD=${DB_PASSWORD} B=2
                ARG API_KEY
                RUN login --password ***

                """)
        #expect(secrets.map(\.line) == [3, 4, 5])
        #expect(secrets.map(\.argument) == ["DB_PASSWORD", "API_KEY", nil])
    }
}

private let apart = "# not joined with the RUN above: "

struct TidyingTests {
    private func tidied(_ lines: [String]) -> [String] {
        Recipe(lines: lines.map { $0.hasPrefix("#") ? .comment(String($0.dropFirst(2))) : .instruction($0) })
            .tidied().lines.map(\.text)
    }

    // A type of its own: the compiler cannot work one out for so long a table in time.
    private static let table: [([String], [String])] = [
        (["RUN a", "RUN b"], ["RUN a && \\\n    b"]),
        (["RUN a; b", "RUN cd /x", "RUN c || d"], ["RUN ( a; b ) && \\\n    ( cd /x ) && \\\n    ( c || d )"]),
        (["RUN a && b | c", "RUN d 2>&1"], ["RUN a && b | c && \\\n    d 2>&1"]),
        (["RUN a # why", "RUN b"], ["RUN a # why", "\(apart)one of them ends with a comment", "RUN b"]),
        (["RUN set -e; a", "RUN b"], ["RUN set -e; a", "\(apart)one of them has a set", "RUN b"]),
        (["RUN a &", "RUN b"], ["RUN a &", "\(apart)one of them leaves something running", "RUN b"]),
        (["RUN [\"a\"]", "RUN b"], ["RUN [\"a\"]", "\(apart)a command in JSON form stands alone", "RUN b"]),
        (
            ["RUN a", "# about b", "RUN [\"b\"]"],
            ["RUN a", "# about b", "\(apart)a command in JSON form stands alone", "RUN [\"b\"]"]
        ),
        (
            ["RUN a > /etc/hosts", "RUN b"],
            ["RUN a > /etc/hosts", "\(apart)what the RUN above writes to /etc/hosts ends with it", "RUN b"]
        ),
        (
            ["RUN a > /dev/shm/x", "RUN b"],
            ["RUN a > /dev/shm/x", "\(apart)what the RUN above writes to /dev/shm ends with it", "RUN b"]
        ),
        (["RUN a > /dev/null", "RUN b"], ["RUN a > /dev/null && \\\n    b"]),
        (["RUN a", "# of c", "ENV c=d"], ["RUN a", "# of c", "ENV c=d"]),
        (["RUN a 'x; # y'", "RUN A=1 b"], ["RUN a 'x; # y' && \\\n    ( A=1 b )"]),
        (["ENV A=1", "ENV B=2"], ["ENV A=1 B=2"]), (["ENV A=1", "ENV B=$A"], ["ENV A=1", "ENV B=$A"]),
        (["WORKDIR /a", "WORKDIR b"], ["WORKDIR /a/b"]), (["WORKDIR /a", "WORKDIR /b"], ["WORKDIR /a", "WORKDIR /b"]),
        (["CMD [\"a\"]", "RUN x", "CMD [\"b\"]"], ["RUN x", "CMD [\"b\"]"]),
        (["RUN a", "# about b", "RUN b"], ["# about b", "RUN a && \\\n    b"]),
        (
            ["SHELL [\"/bin/bash\", \"-ec\"]", "RUN a", "RUN b"],
            ["SHELL [\"/bin/bash\", \"-ec\"]", "RUN a", "\(apart)the stage has a SHELL of its own", "RUN b"]
        ),
        (
            ["RUN apt-get update", "RUN apt-get install -y curl"],
            ["RUN apt-get update && \\\n    apt-get install -y curl && rm -rf /var/lib/apt/lists/*"]
        ),
        (
            ["RUN apt-get -qq update", "RUN apt-get -qq -o A=b install x"],
            ["RUN apt-get -qq update && \\\n    apt-get -qq -o A=b install x && rm -rf /var/lib/apt/lists/*"]
        ),
        (["RUN dnf -q --setopt a install x"], ["RUN dnf -q --setopt a install x && dnf clean all"]),
        (["RUN echo apt-cache policy"], ["RUN echo apt-cache policy"]),
        (
            ["RUN server & echo ready >&2", "RUN b"],
            ["RUN server & echo ready >&2", "\(apart)one of them leaves something running", "RUN b"]
        ),
        (["RUN a 2>&1 >&3", "RUN b <&0"], ["RUN a 2>&1 >&3 && \\\n    b <&0"]),
        (["RUN apk add --no-cache x"], ["RUN apk add --no-cache x"]),
        (["RUN apk add x"], ["RUN apk add x && rm -rf /var/cache/apk/*"]),
    ]

    @Test(arguments: table)
    func lines(_ lines: [String], become: [String]) { #expect(tidied(lines) == become) }
}

/// Steps are joined only where their layers show that nothing lies between them.
struct RunFactsTests {
    private static func facts(
        _ layer: [LayerEntry], directory: [String] = [], volumes: Bool = false, shell: Bool = false
    ) -> RunFacts {
        RunFacts(
            layer: LayerIndex(entries: layer), workingDirectories: directory, hasVolumes: volumes, hasOwnShell: shell)
    }

    private static func file(_ path: String) -> LayerEntry { LayerEntry(path: path, kind: .file) }
    private static func folder(_ path: String, opaque: Bool = false) -> LayerEntry {
        LayerEntry(path: path, kind: .directory, isOpaque: opaque)
    }
    private static func gone(_ path: String) -> LayerEntry { LayerEntry(path: path, kind: .whiteout) }
    private static let linked = facts([
        folder("/d"), file("/d/a"), LayerEntry(path: "/d/b", kind: .hardLink, link: "/d/a"), file("/d/c"),
    ])

    private static let table: [(RunFacts, RunFacts, Bool)] = [
        (linked, facts([folder("/d"), file("/d/c")]), false),
        (linked, facts([folder("/d"), file("/d/b")]), true),
        (linked, facts([folder("/d"), file("/d/a")]), true),
        (linked, facts([folder("/d"), gone("/d/a"), file("/d/x")]), true),
        (linked, facts([gone("/d")]), true),
        (facts([gone("/w")], directory: ["/w"]), facts([file("/x")]), true),
        (facts([gone("/w")], directory: ["/w/deep", "/w"]), facts([file("/x")]), true),
        (facts([folder("/w", opaque: true)], directory: ["/w"]), facts([file("/x")]), true),
        (facts([folder("/w"), file("/w/a")], directory: ["/w"]), facts([folder("/w"), file("/w/b")]), false),
        (facts([folder("/m"), file("/m/a")]), facts([gone("/m"), folder("/n"), file("/n/a")]), true),
        (facts([folder("/m"), file("/m/a")]), facts([gone("/m"), file("/n")]), false),
        (facts([file("/a")], volumes: true), facts([file("/b")]), true),
        (facts([file("/a")]), facts([file("/b")], shell: true), true),
        (facts([file("/a")]), facts([file("/b")]), false), (facts([]), facts([]), false),
    ]

    @Test(arguments: table)
    func whatLiesBetween(_ first: RunFacts, _ second: RunFacts, isObstacle: Bool) {
        #expect((first.obstacle(to: second) != nil) == isObstacle)
    }

    @Test func whatOneContainerDidIsOnePiece() {
        let place = Recipe.LayerOwner.container("c")
        let recipe = Recipe(
            lines: [.instruction("FROM x"), .instruction("RUN a"), .instruction("RUN b")], sources: [nil, place, place])
        let facts = Self.facts([Self.gone("/w")], directory: ["/w"])
        #expect(recipe.tidied { _ in facts }.lines.last?.text == "RUN a && \\\n    b")
        #expect(recipe.tidied { _ in facts }.sources == [nil, place])
    }
}

struct RunTextTests {
    private static let shell = ["/bin/sh", "-c"]

    @Test(arguments: [
        (["sh", "-c", "echo 1 > /x"], "echo 1 > /x"), (["touch", "/x"], "touch /x"),
        (["touch", "a b"], "[\"touch\", \"a b\"]"), (["bash", "-c", "a"], "bash -c a"),
        (["sh", "-c", "a\nb"], "[\"/bin/sh\", \"-c\", \"a\\nb\"]"), (["cd", "/x"], "[\"cd\", \"/x\"]"),
        (["sh", "-c", "[ -e x ]"], "[\"/bin/sh\", \"-c\", \"[ -e x ]\"]"),
        (["sh", "-c", "cat <<E\nx\nE"], "[\"/bin/sh\", \"-c\", \"cat <<E\\nx\\nE\"]"),
    ])
    func commands(_ words: [String], line: String) { #expect(RunText.line(of: words, shell: Self.shell) == line) }

    @Test func whatStandsBefore() {
        #expect(
            RunText.line(of: ["touch", "a b"], prefix: "cd /x && ", shell: Self.shell) == "cd /x && touch 'a b'")
        #expect(RunText.line(of: ["touch", "y"], assignments: ["A='1 2'"], shell: Self.shell) == "A='1 2' touch y")
        #expect(RunText.line(of: ["touch", "y"], assignments: ["A=1"], shell: nil) == nil)
        #expect(RunText.line(of: ["touch", "y"], shell: nil) == "[\"touch\", \"y\"]")
    }
}
