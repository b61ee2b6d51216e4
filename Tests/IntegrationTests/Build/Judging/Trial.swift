import FoundationEssentials
import Glibc
import TestSupport

/// One Dockerfile before one judge.
struct Trial: Sendable {
    let name: String
    let text: String
    let judge: DockerJudge
    /// Whether commands fail as they do without a network.
    var isStrict = false
    /// Options of `build` beside those all have.
    var options: [String] = []
    let context: ContextFolder

    var id: String { "\(judge.rawValue)\(isStrict ? " strict" : "") \(name)" }

    func arguments(idFile: String) -> [String] {
        ["build", "--iidfile", idFile] + options + (isStrict ? StandIns.strictly : []) + [context.path]
    }
}

/// What one side made of a trial.
struct Made: Sendable {
    var status: Int32
    var output: String
    var errors: String
    /// The image's id.
    var image: String?

    init(status: Int32, output: String, errors: String, idFile: String) {
        self.status = status
        self.output = output
        self.errors = errors
        let id = (try? Data(contentsOf: URL(filePath: idFile))).map { String(decoding: $0, as: UTF8.self) }
        image = status == 0 ? id : nil
    }

    /// `Step N/M : …`, the last one begun.
    var lastStep: String { output.split(separator: "\n").last { $0.hasPrefix("Step ") }.map(String.init) ?? "none" }

    /// The line that says why it failed, in docker's words without what stands around them.
    ///
    /// A resolver's address, Go's `Get "…"` and what the runtime's layers say of each other are left away.
    var complaint: String {
        var line = errors.split(separator: "\n").last.map(String.init) ?? ""
        for prefix in ["Error response from daemon: ", "failed to create shim task: "] where line.hasPrefix(prefix) {
            line.removeFirst(prefix.count)
        }
        line = line.replacing(/Get "([^"]*)"/) { $0.output.1 }.replacing(/\ on [0-9.:]+:53/, with: "")
        return line.replacing(/^OCI runtime create failed: .*: (exec: .*): unknown$/) { $0.output.1 }
    }
}

/// What differs between two sides of a trial, a line each.
struct Verdict {
    private(set) var differences: [String] = []
    private let trial: Trial

    init(_ trial: Trial, docker: Made, shale: Made) {
        self.trial = trial
        if docker.status != shale.status {
            let said = docker.status == 0 ? shale.errors : docker.errors
            differences.append("status: docker \(docker.status), shale \(shale.status): \(said.suffix(600))")
        } else if docker.status != 0, trial.judge == .classic {
            if docker.lastStep != shale.lastStep {
                differences.append("step: docker \(docker.lastStep), shale \(shale.lastStep)")
            }
            if !shale.errors.contains(docker.complaint) {
                differences.append("error: docker \(docker.complaint), shale \(shale.errors.suffix(600))")
            }
        }
    }

    mutating func compare(_ docker: BuiltImage, _ shale: BuiltImage) {
        compareConfig(docker.config, shale.config)
        // BuildKit words its history otherwise.
        if trial.judge == .classic {
            let (theirs, ours) = (docker.config["history"], shale.config["history"])
            compare("history", BuildComparison.historyLines(theirs), BuildComparison.historyLines(ours))
        }
        let changed = docker.files.filter { shale.files[$0.key] != $0.value }.map(\.key)
        let added = shale.files.keys.filter { docker.files[$0] == nil }
        for path in (changed + added).sorted() {
            let (theirs, ours) = (docker.files[path]?.description, shale.files[path]?.description)
            differences.append("\(path): docker \(theirs ?? "nothing"), shale \(ours ?? "nothing")")
        }
    }

    private mutating func compareConfig(_ docker: JSONValue, _ shale: JSONValue) {
        for field in ["architecture", "os", "variant", "author"] {
            compare(field, [docker[field]?.string ?? ""], [shale[field]?.string ?? ""])
        }
        let (theirs, ours) = (settings(docker["config"]), settings(shale["config"]))
        for field in Set(theirs.keys).union(ours.keys).sorted() where theirs[field] != ours[field] {
            let (old, new) = (String(describing: theirs[field]), String(describing: ours[field]))
            differences.append("config \(field): docker \(old), shale \(new)")
        }
    }

    /// What is set; the classic builder writes the container's own fields and its parent as well.
    private func settings(_ config: JSONValue?) -> [String: JSONValue] {
        var members = (config?.object ?? [:]).filter { !$0.value.isUnset }
        for field in ["Hostname", "Image"] { members[field] = nil }
        if trial.judge == .buildkit {
            // Set by BuildKit for every shell form, and for a directory nobody asked for: they say nothing on Linux.
            members["ArgsEscaped"] = nil
            if members["WorkingDir"] == .string("/") { members["WorkingDir"] = nil }
        }
        return members
    }

    private mutating func compare(_ what: String, _ docker: [String], _ shale: [String]) {
        for place in 0..<max(docker.count, shale.count) {
            let theirs = docker.indices.contains(place) ? docker[place] : "nothing"
            let ours = shale.indices.contains(place) ? shale[place] : "nothing"
            if theirs != ours { differences.append("\(what) \(place): docker \(theirs), shale \(ours)") }
        }
    }
}

extension JSONValue {
    /// Whether it says no more than being absent would.
    var isUnset: Bool {
        switch self {
        case .null, .bool(false): true
        case .string(let text): text.isEmpty
        case .array(let list): list.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}
