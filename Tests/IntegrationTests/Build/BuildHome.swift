import FoundationEssentials
import Glibc
import TestSupport

/// A home of one test's own, and what shale says in it.
struct BuildHome: Sendable {
    struct Run: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    let folder = TemporaryDirectory()
    var path: String { folder.path + "/home" }

    /// An empty home; shale makes its own busybox in it.
    init() {}

    /// A home with the recordings' base image: busybox-static, its applets as hard links, a few accounts.
    init(accountsFrom accounts: String) throws {
        let script = """
            set -e
            mkdir -p base/bin base/dev base/etc base/home base/root base/tmp base/usr/bin base/usr/sbin \
                base/var/spool/mail base/var/www context
            chmod 1777 base/tmp; chmod 700 base/root; chmod 755 base
            cp /bin/busybox base/bin/busybox
            for applet in $(/bin/busybox --list); do
                test -e base/bin/$applet || ln base/bin/busybox base/bin/$applet
            done
            for file in passwd group shadow; do cp \(accounts)/$file base/etc/; chmod 644 base/etc/$file; done
            tar -C base --numeric-owner --owner=0 --group=0 -cf context/base.tar .
            printf 'FROM scratch\\nADD base.tar /\\nCMD ["sh"]\\n' > context/Dockerfile
            """
        try Peer("sh").run(["-c", script], in: folder.path)
        let built = try run(["build", "-q", "-t", "busybox", folder.path + "/context"])
        guard built.status == 0 else { throw BuildTestError(text: "the base image: \(built.errors)") }
    }

    /// Runs shale to its end.
    @discardableResult
    func run(
        _ arguments: [String], input: [UInt8] = [], in directory: String? = nil, environment: [String: String] = [:],
        expecting status: Int32? = nil
    ) throws -> Run {
        let scratch = TemporaryDirectory()
        try Data(input).write(to: URL(filePath: scratch.path + "/in"))
        let child = try start(
            arguments, input: scratch.path + "/in", in: directory, environment: environment,
            output: scratch.path + "/out", errors: scratch.path + "/err")
        let result = Run(
            status: child.wait(), output: try text(scratch.path + "/out"), errors: try text(scratch.path + "/err"))
        if let status, result.status != status {
            throw BuildTestError(
                text:
                    "shale \(arguments.joined(separator: " ")): status \(result.status): \(result.output)\(result.errors)"
            )
        }
        return result
    }

    /// Starts shale.
    func start(
        _ arguments: [String], input: String = "/dev/null", in directory: String? = nil,
        environment: [String: String] = [:], output: String, errors: String
    ) throws -> Child {
        guard let program = BuiltShale.path else { throw BuildTestError(text: BuiltShale.absent) }
        let own = ["SHALE_HOME": path, "LC_ALL": "C", "TZ": "UTC"]
        return try Child(
            program, arguments, environment: own.merging(environment) { $1 }, in: directory ?? folder.path,
            input: input,
            output: output, errors: errors)
    }

    /// The lines of a command's output.
    func lines(_ arguments: [String]) throws -> [String] {
        try run(arguments, expecting: 0).output.split(separator: "\n").map(String.init)
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
}

/// Files of a build context, written under a folder of their own.
struct ContextFolder {
    let folder = TemporaryDirectory()
    var path: String { folder.path }

    init(_ files: [String: String] = [:]) throws {
        for (name, content) in files { try write(Array(content.utf8), to: name) }
    }

    func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o644) throws {
        let file = "\(path)/\(name)"
        try makeParent(of: name)
        try Data(bytes).write(to: URL(filePath: file))
        chmod(file, mode)
    }

    func makeParent(of name: String) throws {
        let parent = name.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: "\(path)/\(parent)", withIntermediateDirectories: true)
    }
}

/// What keeps a test from going on.
struct BuildTestError: Error, CustomStringConvertible {
    var text: String
    var description: String { text }
}
