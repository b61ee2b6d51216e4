import Basics

/// Variables in the words of a stage's instructions.
extension Planner {
    /// Replaces variables, with a warning for each that nothing defines.
    mutating func expand(
        _ word: String, in place: Int, for located: Located<Instruction>, isText: Bool = false
    ) throws(Complaint) -> String {
        let variables = stages[place].variables
        let plain = variables.expander(escape: isText ? "\\" : staged.escape)
        do throws(ShaleError) {
            let expansion = try (isText ? plain.forHeredocs : plain).expand(word)
            let declared = Set(stages[place].arguments.map(\.key)).union(Self.unsetArguments)
            for name in expansion.unmatched.sorted() where !declared.contains(name) {
                let nearest = Nearest.name(to: name, among: variables.names).map { " (did you mean $\($0)?)" } ?? ""
                report.add(.undefinedVar, "Usage of undefined variable '$\(name)'\(nearest)", at: located)
            }
            return expansion.text
        } catch {
            throw Complaint(error.message)
        }
    }

    /// Arguments that direct the build and never become variables.
    static let unsetArguments: Set = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]

    mutating func expand(
        _ pairs: [KeyValue], in place: Int, for located: Located<Instruction>
    ) throws(Complaint) -> [KeyValue] {
        var expanded: [KeyValue] = []
        for pair in pairs {
            let key = try expand(pair.key, in: place, for: located)
            let value = try expand(pair.value, in: place, for: located)
            expanded.append(KeyValue(key: key, value: value, isLegacy: pair.isLegacy))
        }
        return expanded
    }

    mutating func expand(
        _ words: [String], in place: Int, for located: Located<Instruction>
    ) throws(Complaint) -> [String] {
        var expanded: [String] = []
        for word in words { expanded.append(try expand(word, in: place, for: located)) }
        return expanded
    }

    mutating func expand(
        _ files: FileSources, in place: Int, for located: Located<Instruction>
    ) throws(Complaint) -> FileSources {
        var files = files
        if let owner = files.owner { files.owner = try expand(owner, in: place, for: located) }
        if let mode = files.mode { files.mode = try expand(mode, in: place, for: located) }
        files.paths = try expand(files.paths, in: place, for: located)
        files.destination = try expand(files.destination, in: place, for: located)
        for index in files.inline.indices where files.inline[index].expand {
            files.inline[index].content = try expand(
                files.inline[index].content, in: place, for: located, isText: true)
        }
        return files
    }
}
