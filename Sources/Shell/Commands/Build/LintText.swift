import Basics
import Building
import Dockerfiles
import OCI

/// What `recipe check` and `build --check` print: docker's words, each warning with its place and the lines around it.
struct LintText {
    let file: Dockerfile
    let name: String
    let warnings: [LintWarning]
    let error: DockerfileError?

    /// Looks at a file.
    ///
    /// Throws what docker could not read at all.
    init(
        checking text: String, named name: String, target: String?, arguments: [String: String],
        ignoring: IgnoreList? = nil, bases: (String, PlannedPlatform) -> PlannedImage?
    ) throws(ShaleError) {
        do throws(DockerfileError) {
            file = try Dockerfile(parsing: text)
            let platform = PlannedPlatform(os: Platform.host.os, architecture: Platform.host.architecture)
            let found = try Lint.check(
                file, target: target, arguments: arguments, platform: platform, ignoring: ignoring, bases: bases)
            (warnings, error) = (found.warnings.sorted { $0.line < $1.line }, found.error)
        } catch {
            throw error.shaleError(inFile: name)
        }
        self.name = name
    }

    /// The warnings, a JSON object a line.
    var rows: [String] {
        warnings.map { warning in
            JSONDocument.object([
                .init("rule", .string(warning.rule)), .init("detail", .string(warning.detail)),
                .init("description", .string(warning.description)), .init("file", .string(name)),
                .init("line", .integer(Int64(warning.line))), .init("endLine", .integer(Int64(warning.endLine))),
                .init("level", .integer(Int64(warning.level))), .init("url", .string(warning.url)),
            ]).text()
        }
    }

    /// As `docker build --check` prints it.
    var lines: [String] {
        if warnings.isEmpty { return ["Check complete, no warnings found."] }
        let count = warnings.count
        var lines = ["Check complete, \(count) warning\(count == 1 ? " has" : "s have") been found!"]
        for warning in warnings {
            lines.append("")
            lines.append("WARNING: \(warning.rule)\(warning.url.isEmpty ? "" : " - \(warning.url)")")
            lines.append(warning.detail.visible)
            lines.append("\(name):\(warning.line)")
            lines += excerpt(warning)
        }
        return lines
    }

    private static let rule = String(repeating: "-", count: 20)

    private func excerpt(_ warning: LintWarning) -> [String] {
        guard warning.line > 0 else { return [] }
        var lines = [Self.rule]
        for number in max(1, warning.line - 2)...warning.endLine + 2 {
            guard let text = file.sourceLine(number) else { continue }
            let mark = (warning.line...warning.endLine).contains(number) ? ">>>" : "   "
            let digits = String(number)
            let place = String(repeating: " ", count: max(0, 4 - digits.count)) + digits
            lines.append("\(place) | \(mark) \(text.visible)")
        }
        return lines + [Self.rule]
    }

    /// The result of the check: status 1 when there is a warning.
    ///
    /// Throws an error that only a build would meet; when the warnings are printed as JSON, `report` is called with it
    /// instead.
    func outcome(format: String?, report: (ShaleError) -> Void) throws(ShaleError) -> Outcome {
        if let error, warnings.isEmpty { throw error.shaleError(inFile: name) }
        var lines = format == "json" ? rows : self.lines
        if let error {
            let told = error.shaleError(inFile: name)
            if format == "json" { report(told) } else { lines += ["", "ERROR: \(told.message)"] }
        }
        return Outcome(.lines(lines), status: warnings.isEmpty ? 0 : 1)
    }
}
