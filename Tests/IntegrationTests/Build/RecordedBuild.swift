import FoundationEssentials
import Glibc
import TestSupport

/// One step of a recorded build: its context, the options, and what docker made of it.
struct RecordedBuild {
    private let step: JSONValue
    private let files: JSONValue?

    init(_ step: JSONValue) {
        self.step = step
        files = step["files"]
    }

    /// What the build must come to: the classic builder's result, or BuildKit's for what the classic one lacks.
    struct Expected {
        var result: JSONValue
        var isClassic: Bool
        var isGood: Bool { result["ok"]?.bool ?? false }
    }

    var expected: Expected? {
        let classic = step["results"]?["docker-20.10.24-classic"]
        let modern = step["results"]?["buildkit-0.24"]
        let error = classic?["error"]?.string ?? ""
        let isUnknown =
            error.contains("Unknown flag") || error.contains("unknown instruction: (ROBOTS")
            || error.contains("unknown instruction: VARB=VALUEB")
        if let classic, !isUnknown { return Expected(result: classic, isClassic: true) }
        return modern.map { Expected(result: $0, isClassic: false) }
    }

    /// Writes the context: files 0644 unless told otherwise, everything from 2024-01-01.
    func context() throws -> ContextFolder {
        let context = try ContextFolder()
        for (name, _) in step["dirs"]?.object ?? [:] { try context.makeParent(of: name + "/x") }
        for (name, content) in files?.object ?? [:] { try context.write(Array((content.string ?? "").utf8), to: name) }
        for (name, content) in step["b64"]?.object ?? [:] {
            guard let data = Data(base64Encoded: content.string ?? "") else { continue }
            try context.write([UInt8](data), to: name)
        }
        for (name, target) in step["symlinks"]?.object ?? [:] {
            try context.makeParent(of: name)
            symlink(target.string ?? "", "\(context.path)/\(name)")
        }
        for key in ["modes", "dirs"] {
            for (name, mode) in step[key]?.object ?? [:] {
                chmod("\(context.path)/\(name)", mode_t(mode.string ?? "", radix: 8) ?? 0o644)
            }
        }
        for (name, owner) in step["owners"]?.object ?? [:] {
            let ids = owner.array?.compactMap(\.int) ?? []
            if ids.count == 2 { chown("\(context.path)/\(name)", uid_t(ids[0]), gid_t(ids[1])) }
        }
        try Peer("find").run([context.path, "-exec", "touch", "-h", "-d", "2024-01-01T00:00:00Z", "{}", "+"])
        return context
    }

    /// A base for builds of several platforms: the files of busybox as an image of each.
    private static let platformBase = "busybox-of-all:1"

    static func addPlatformBase(to home: ShaleHome) throws {
        let text = "FROM --platform=$BUILDPLATFORM busybox AS here\nFROM scratch\nCOPY --from=here / /\n"
        try home.run(
            ["build", "-q", "--platform", "linux/amd64,linux/arm64", "-t", platformBase, "-"], input: Array(text.utf8))
    }

    /// Options of `build` and what comes on its standard input instead of a context.
    func command(in context: ContextFolder) throws -> (arguments: [String], input: [UInt8]) {
        var arguments: [String] = []
        if let tag = step["tag"]?.string { arguments += ["-t", tag] }
        for (name, value) in (step["attrs"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            let value = value.string ?? ""
            if name.hasPrefix("build-arg:") { arguments += ["--build-arg", "\(name.dropFirst(10))=\(value)"] }
            if name.hasPrefix("label:") { arguments += ["--label", "\(name.dropFirst(6))=\(value)"] }
            if name == "filename" { arguments += ["-f", value] }
            if name == "platform", value.contains(",") {
                arguments += ["--build-context", "busybox:latest=docker-image://\(Self.platformBase)"]
            }
            if ["target", "platform", "shm-size", "ulimit"].contains(name) { arguments += ["--\(name)", value] }
        }
        arguments += step["flags"]?.strings ?? []
        if let path = step["dockerfile_path"]?.string { arguments += ["-f", "\(context.path)/\(path)"] }
        guard let text = step["dockerfile"]?.string else { return (arguments + ["."], []) }
        if files == nil { return (arguments + ["-"], Array(text.utf8)) }
        try context.write(Array(text.utf8), to: "Dockerfile")
        return (arguments + ["."], [])
    }

    /// Builds it with shale and answers what differs, a line each.
    func differences(in home: ShaleHome, base: BuiltImage, volatile: Set<String>) throws -> [String] {
        guard let expected else { return ["there is no recorded result"] }
        let context = try context()
        let (arguments, input) = try command(in: context)
        let idFile = home.work + "/iid"
        let run = try home.run(
            ["build", "--iidfile", idFile] + arguments, input: input, in: context.path, expecting: nil)
        guard expected.isGood == (run.status == 0) else {
            return ["status \(run.status): \(run.errors) instead of \(expected.result["error"]?.string ?? "success")"]
        }
        guard expected.isGood else { return BuildComparison.errors(run, expected) }
        let id = String(decoding: try Data(contentsOf: URL(filePath: idFile)), as: UTF8.self)
        let image = try BuiltImage(id, home: home.home)
        return BuildComparison(expected: expected, image: image, base: base, volatile: volatile).differences
    }
}

/// A built image against the recorded one.
struct BuildComparison {
    let expected: RecordedBuild.Expected
    let image: BuiltImage
    let base: BuiltImage
    /// Files whose content is another one with each build.
    let volatile: Set<String>

    var differences: [String] { config + author + history + layers + files }

    /// docker's words without its name in front; newer wording says `error on line`, and suggests.
    static func errors(_ run: Peer.Outcome, _ expected: RecordedBuild.Expected) -> [String] {
        var wanted = expected.result["error"]?.string ?? ""
        for prefix in ["Error response from daemon: ", "error: failed to solve: "] where wanted.hasPrefix(prefix) {
            wanted.removeFirst(prefix.count)
        }
        let said = run.errors.replacing(" on line ", with: " line ").replacing(#/ \(did you mean [^)]*\)/#, with: "")
        wanted = wanted.replacing(" on line ", with: " line ").replacing(#/ \(did you mean [^)]*\)/#, with: "")
        var found: [String] = []
        if !said.contains(wanted.trimmingEnd) { found.append("error: \(said) instead of \(wanted)") }
        if expected.isClassic, let exit = expected.result["exit"]?.int, exit != Int(run.status) {
            found.append("exit status \(run.status) instead of \(exit)")
        }
        return found
    }

    private var config: [String] {
        func settings(_ value: JSONValue?) -> [String: JSONValue] {
            var members = (value?.object ?? [:]).filter { !$0.value.isUnset }
            if !expected.isClassic {
                members["ArgsEscaped"] = nil
                if members["WorkingDir"] == .string("/") { members["WorkingDir"] = nil }
            }
            return members
        }
        let wanted = settings(expected.result["config"])
        let got = settings(image.config["config"])
        return Set(wanted.keys).union(got.keys).sorted().filter { wanted[$0] != got[$0] }
            .map { "config \($0): \(String(describing: got[$0])) instead of \(String(describing: wanted[$0]))" }
    }

    private var author: [String] {
        let wanted = expected.result["author"]?.string ?? ""
        let got = image.config["author"]?.string ?? ""
        return wanted == got ? [] : ["author \(got) instead of \(wanted)"]
    }

    /// BuildKit words its history otherwise, so only the classic one is compared.
    private var history: [String] {
        guard expected.isClassic else { return [] }
        let wanted = Self.historyLines(expected.result["history"])
        let got = Self.historyLines(image.config["history"])
        return (0..<max(wanted.count, got.count)).compactMap { index in
            let (old, new) = (wanted.at(index) ?? "nothing", got.at(index) ?? "nothing")
            return old == new ? nil : "history \(index): \(new) instead of \(old)"
        }
    }

    /// A history's instructions, the hashes of what was copied left away.
    static func historyLines(_ list: JSONValue?) -> [String] {
        (list?.array ?? []).map { entry in
            let text = (entry["created_by"]?.string ?? "").replacing(/(file|dir|multi):[0-9a-f]{64}/) {
                "\($0.output.1):<id>"
            }
            return "\(text.replacing("<id64>", with: "<id>"))\(entry["empty_layer"]?.bool == true ? " (empty)" : "")"
        }
    }

    /// Docker's driver marks a directory that replaces something else opaque, which says nothing: left aside.
    private var layers: [String] {
        guard expected.isClassic else { return [] }
        let wanted = (expected.result["layers"]?.array ?? []).map { layer in
            Set((layer.array ?? []).compactMap { $0.strings?.joined(separator: " ") })
                .filter { !$0.contains(".wh..wh..opq") }
        }
        let got = image.layers.dropFirst(expected.result["base_layers"]?.int ?? 0).map { layer in
            Set(layer.map { "\($0.key) \($0.value)" }).filter { !$0.contains(".wh..wh..opq") }
        }
        return (0..<max(wanted.count, got.count)).compactMap { index in
            let (old, new) = (wanted.at(index) ?? [], Array(got).at(index) ?? [])
            if old == new { return nil }
            let (lacks, has) = (old.subtracting(new).sorted(), new.subtracting(old).sorted())
            return "layer \(index) lacks \(lacks.prefix(6)), has \(has.prefix(6))"
        }
    }

    private var files: [String] {
        let base = expected.result["base"]?.string == "busybox" ? self.base.files : [:]
        var wanted: [String: ImageFile] = [:]
        for entry in expected.result["files"]?.array ?? [] {
            guard let path = entry["path"]?.string else { continue }
            wanted[path] = ImageFile(
                type: entry["type"]?.string ?? "", mode: Int(entry["mode"]?.string ?? "", radix: 8) ?? 0,
                uid: entry["uid"]?.int ?? 0, gid: entry["gid"]?.int ?? 0, size: entry["size"]?.int,
                sha256: entry["sha256"]?.string, target: entry["target"]?.string ?? entry["link"]?.string)
        }
        var got = image.files.filter { base[$0.key] != $0.value }
        if !expected.isClassic {
            // Mount points that BuildKit leaves behind after RUN.
            for stub in ["/proc", "/sys"] where got[stub] == nil { wanted[stub] = nil }
        }
        for path in volatile {
            wanted[path]?.sha256 = nil
            wanted[path]?.size = nil
            got[path]?.sha256 = nil
            got[path]?.size = nil
        }
        var found = Set(wanted.keys).union(got.keys).sorted().filter { wanted[$0] != got[$0] }.map { path in
            "\(path): \(got[path]?.description ?? "missing") instead of \(wanted[path]?.description ?? "nothing")"
        }
        let removed = Set(expected.result["removed_from_base"]?.strings ?? [])
        let gone = Set(base.keys.filter { image.files[$0] == nil })
        if removed != gone {
            found.append(
                "removed \(gone.subtracting(removed).sorted().prefix(5)), not \(removed.subtracting(gone).sorted().prefix(5))"
            )
        }
        return found
    }
}

extension Array {
    fileprivate func at(_ index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

extension String {
    fileprivate var trimmingEnd: String {
        var text = self
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
