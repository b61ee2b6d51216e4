import Glibc
import TestSupport
import Testing

/// Names that differ only in how Unicode writes them, `é` as one scalar or two, are two files: Linux has it so, and
/// Swift's `String` takes them for one.
@Suite(.serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct TwinNameTests {
    private static let one = "caf\u{e9}"
    private static let two = "cafe\u{301}"
    private let home = ShaleHome()

    private func context() throws -> ContextFolder {
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY . /all/\n"])
        // Not in one dictionary, whose keys they could not all be.
        for (path, text) in [
            (Self.one, "1\n"), (Self.two, "2\n"), ("d/\(Self.one)/a", "3\n"), ("d/\(Self.two)/b", "4\n"),
            ("d/\(Self.two)/a", "5\n"),
        ] { try context.write(Array(text.utf8), to: path, mode: 0o644) }
        return context
    }

    @Test func theCacheSeesBoth() throws {
        let context = try context()
        var made: [String] = []
        func build() throws {
            made.append(try home.run(["build", "-q", "-t", "twins", "."], in: context.path).text)
        }
        try build()
        for (path, text) in [
            (Self.one, "x\n"), (Self.two, "y\n"), ("d/\(Self.one)/a", "z\n"), ("d/\(Self.two)/a", "v\n"),
        ] {
            try context.write(Array(text.utf8), to: path, mode: 0o644)
            try build()
            let shown = try home.run(["cat", "twins:/all/\(path)"]).text
            #expect(shown == text, "\(path)")
        }
        #expect(Set(made).count == 5)
    }

    @Test func theRecipeHoldsBoth() throws {
        let context = try context()
        for (name, text) in [
            ("whole", "COPY . /all/\n"), ("each", "COPY \(Self.one) /all/\nCOPY \(Self.two) /all/\n"),
            ("pattern", "COPY caf* /all/\n"),
            ("parts", "COPY d /all/\nRUN echo same | tee /all/\(Self.one).txt /all/\(Self.two).txt\n"),
        ] {
            try context.write(Array("FROM busybox\n\(text)".utf8), to: "Dockerfile", mode: 0o644)
            try home.run(["build", "-q", "-t", "twins", "."], in: context.path)
            let saved = context.path + "-saved-\(name)"
            defer { _ = try? Peer("rm").run(["-rf", saved]) }
            try home.run(["recipe", "save", saved, "twins"])
            try home.run(["build", "-q", "--no-cache", "-t", "again", saved])
            let sums = ["-c", "find /all -type f | sort | xargs cat"]
            let files = try ["twins", "again"].map { image in
                try home.run(["run", "--rm", image, "sh"] + sums).text
            }
            #expect(files[0] == files[1], "\(name): \(files)")
            let verified = try home.run(["recipe", "verify", "twins"], expecting: nil)
            #expect(verified.status == 0, "\(name): \(verified.text)\(verified.errors)")
        }
    }

    @Test func aContainersChangesAreTwo() throws {
        try home.run(
            [
                "run", "--name", "kept", "busybox", "sh", "-c",
                "mkdir /d && echo 1 > /d/\(Self.one) && echo 2 > /d/\(Self.two)",
            ])
        let lines = try home.run(["diff", "kept"]).text.utf8.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 3)
        try home.run(["commit", "kept", "twins"])
        for (name, text) in [(Self.one, "1\n"), (Self.two, "2\n")] {
            #expect(try home.run(["cat", "twins:/d/\(name)"]).text == text)
            #expect(try home.run(["cp", "kept:/d/\(name)", "-"]).status == 0)
        }
        #expect(try home.run(["recipe", "verify", "twins"], expecting: nil).status == 0)
    }
}
