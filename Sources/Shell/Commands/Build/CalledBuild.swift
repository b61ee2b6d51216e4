import Basics
import Building
import Dockerfiles
import FoundationEssentials
import Images
import OCI
import Recipes
import Rendering

/// What `--call` asks for: `outline`, or `targets,format=json`.
struct BuildCall {
    enum Kind: String, CaseIterable {
        case build, check, outline, targets
    }

    private(set) var kind = Kind.build
    private(set) var isJSON = false

    /// Throws `usage` for a call that there is not.
    init(_ text: String?) throws(ShaleError) {
        guard let text, !text.isEmpty else { return }
        for (position, field) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            if position == 0, let kind = Kind(rawValue: String(field)) {
                self.kind = kind
                continue
            }
            switch field {
            case "format=json": isJSON = true
            case "format=text", "": break
            default:
                throw ShaleError(
                    .usage, "build: --call \(text.visible): not one of build, check, outline, targets",
                    hint: "build --call outline,format=json .")
            }
        }
    }
}

/// `--call outline` and `--call targets`: what a Dockerfile takes and offers, and nothing is built (buildkit,
/// frontend/subrequests).
struct CalledBuild {
    private let call: BuildCall
    private let text: String
    private let outline: BuildOutline

    /// Throws docker's words for a Dockerfile that cannot be read or a target that is not there.
    init(_ request: BuildRequest, _ call: BuildCall, _ shell: ShellContext) throws(ShaleError) {
        self.call = call
        let engine = try shell.engine()
        let source = try engine.building.buildSource(request, OperationContext(cancellation: shell.cancellation))
        text = source.text
        do throws(DockerfileError) {
            let host = request.platform ?? Platform.host
            var options = Plan.Options(
                platform: PlannedPlatform(
                    os: host.os, architecture: host.architecture, variant: host.variant ?? ""))
            options.target = request.target
            options.arguments = request.arguments.compactMapValues { $0 }
            outline = try BuildOutline(of: Dockerfile(parsing: source.text), options: options) {
                engine.images.planned($0, platform: $1)
            }
        } catch {
            throw error.shaleError(inFile: source.fileName)
        }
    }

    func outcome() -> Outcome {
        let document = call.kind == .targets ? targetsDocument : document
        if call.isJSON { return .text(document.text(indent: 2) + "\n") }
        return .text(call.kind == .targets ? targetsText : outlineText)
    }

    // MARK: Text

    private var outlineText: String {
        var tables: [String] = []
        if outline.name != nil || outline.description != nil {
            var rows = [["TARGET:", (outline.name ?? "(default)").visible]]
            if let description = outline.description { rows.append(["DESCRIPTION:", description.visible]) }
            tables.append(Table(headers: [], rows: rows).text())
        }
        func add(_ headers: [String], _ rows: [[String]]) {
            if !rows.isEmpty { tables.append(Table(headers: headers, rows: rows).text()) }
        }
        add(
            ["BUILD ARG", "VALUE", "DESCRIPTION"],
            outline.arguments.map { [$0.name.visible, ($0.value ?? "").visible, ($0.description ?? "").visible] })
        add(["SECRET", "REQUIRED"], outline.secrets.map { [$0.name.visible, $0.isRequired ? "true" : ""] })
        add(["SSH", "REQUIRED"], outline.agents.map { [$0.name.visible, $0.isRequired ? "true" : ""] })
        return tables.map { $0 + "\n" }.joined()
    }

    private var targetsText: String {
        let rows = outline.targets.map { target in
            let name = target.name.map { target.isDefault ? "\($0) (default)" : $0 }
            return [(name ?? (target.isDefault ? "(default)" : "")).visible, (target.description ?? "").visible]
        }
        return Table(headers: ["TARGET", "DESCRIPTION"], rows: rows).text()
    }

    // MARK: JSON

    private var sources: JSONDocument { .array([.string(Data(text.utf8).base64EncodedString())]) }

    private var document: JSONDocument {
        func list(_ mounts: [BuildOutline.Mount]) -> JSONDocument {
            let rows = mounts.map { mount -> JSONDocument in
                var row: [JSONDocument.Member] = [.init("name", .string(mount.name))]
                if mount.isRequired { row.append(.init("required", .bool(true))) }
                return .object(row + [Self.location(mount.line, mount.endLine)])
            }
            return .array(rows)
        }
        var members: [JSONDocument.Member] = []
        if let name = outline.name { members.append(.init("name", .string(name))) }
        if let description = outline.description { members.append(.init("description", .string(description))) }
        if !outline.arguments.isEmpty {
            let rows = outline.arguments.map { argument -> JSONDocument in
                var row: [JSONDocument.Member] = [.init("name", .string(argument.name))]
                if let text = argument.description { row.append(.init("description", .string(text))) }
                if let value = argument.value, !value.isEmpty { row.append(.init("value", .string(value))) }
                return .object(row + [Self.location(argument.line, argument.endLine)])
            }
            members.append(.init("args", .array(rows)))
        }
        if !outline.secrets.isEmpty { members.append(.init("secrets", list(outline.secrets))) }
        if !outline.agents.isEmpty { members.append(.init("ssh", list(outline.agents))) }
        return .object(members + [.init("sources", sources)])
    }

    private var targetsDocument: JSONDocument {
        let rows = outline.targets.map { target -> JSONDocument in
            var row: [JSONDocument.Member] = []
            if let name = target.name { row.append(.init("name", .string(name))) }
            if target.isDefault { row.append(.init("default", .bool(true))) }
            if let text = target.description { row.append(.init("description", .string(text))) }
            row.append(.init("base", .string(target.base)))
            if let platform = target.platform { row.append(.init("platform", .string(platform))) }
            return .object(row + [Self.location(target.line, target.endLine)])
        }
        return .object([.init("targets", .array(rows)), .init("sources", sources)])
    }

    private static func location(_ line: Int, _ end: Int) -> JSONDocument.Member {
        func place(_ number: Int) -> JSONDocument { .members(["line": .integer(Int64(number))]) }
        return .init(
            "location",
            .members(["ranges": .array([.members(["start": place(line), "end": place(end)])])]))
    }
}
