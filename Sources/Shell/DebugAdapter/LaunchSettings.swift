import Basics
import Linux

/// The attributes of a `launch` request, named as buildx's debug adapter names them (docs/dap.md of docker/buildx), and
/// as buildg's where buildx has none.
struct LaunchSettings {
    /// A Dockerfile, or `nil` for the context's own.
    var dockerfile: String?
    /// The build context.
    var contextPath: String?
    var target: String?
    /// A Dockerfile or a script of shale's.
    var program: String?
    /// Further words for `build` or `replay`, as they are typed at the prompt.
    var arguments: [String] = []
    /// Stops before the first instruction.
    var stopOnEntry = false
    /// Runs through without stopping.
    var noDebug = false

    /// Reads the attributes; those of editors and plugins that are unknown are passed over.
    ///
    /// `words` stood on shale's command line. Throws `usage` for an attribute of another type.
    init(_ attributes: JSONDocument, words: [String]) throws(ShaleError) {
        dockerfile = try Self.text(attributes, "dockerfile")
        contextPath = try Self.text(attributes, "contextPath")
        target = try Self.text(attributes, "target")
        program = try Self.text(attributes, "program")
        stopOnEntry = try Self.flag(attributes, "stopOnEntry")
        noDebug = try Self.flag(attributes, "noDebug")
        arguments = words + (try Self.texts(attributes, "args"))
        for (attribute, option) in [("build-args", "--build-arg"), ("secrets", "--secret"), ("ssh", "--ssh")] {
            for value in try Self.texts(attributes, attribute) { arguments += [option, value] }
        }
    }

    private static func text(_ attributes: JSONDocument, _ name: String) throws(ShaleError) -> String? {
        switch attributes[name] {
        case nil, .null?: return nil
        case .string(let text)?: return text.isEmpty ? nil : text
        default: throw wrong(name, "a string")
        }
    }

    private static func flag(_ attributes: JSONDocument, _ name: String) throws(ShaleError) -> Bool {
        switch attributes[name] {
        case nil, .null?: return false
        case .bool(let value)?: return value
        default: throw wrong(name, "true or false")
        }
    }

    private static func texts(_ attributes: JSONDocument, _ name: String) throws(ShaleError) -> [String] {
        switch attributes[name] {
        case nil, .null?: return []
        case .array(let values)?:
            let texts = values.compactMap(\.string)
            guard texts.count == values.count else { throw wrong(name, "an array of strings") }
            return texts
        default: throw wrong(name, "an array of strings")
        }
    }

    private static func wrong(_ name: String, _ kind: String) -> ShaleError {
        ShaleError(.usage, "launch: \"\(name)\" must be \(kind)", hint: "help dap")
    }
}

extension LaunchSettings {
    /// Opens the program: nothing of it is carried out.
    ///
    /// Throws what `build` and `replay` throw for the same words.
    func open(_ shell: ShellContext) throws(ShaleError) -> DebuggedProgram {
        if dockerfile == nil, let program {
            // The words are for `build` where it is a Dockerfile.
            let words = isScript(program) ? arguments : []
            if let script = try Replay.parsed(words + [program]).stepped(shell) { return DebuggedProgram(script) {} }
        }
        var build = try Build.parsed(arguments)
        build.step = true
        build.file = dockerfile ?? program ?? build.file
        build.target = target ?? build.target
        build.path = contextPath ?? build.path ?? build.file.map(Self.folder)
        build.path = build.path ?? "."
        let stepped = try build.stepped(shell)
        let finished = build
        return DebuggedProgram(stepped) { () throws(ShaleError) in try finished.writeResults(of: stepped, shell) }
    }

    private func isScript(_ path: String) -> Bool {
        guard let bytes = try? WholeFile.read(path, limit: 1 << 22) else { return false }
        return !ReplaySource.isDockerfile(path, String(pathBytes: bytes))
    }

    private static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }
}

/// A program under the debugger, and what is left to do at its end.
struct DebuggedProgram {
    let steps: any SteppedProgram
    let path: String
    let writeResults: () throws(ShaleError) -> Void

    init(_ steps: any SteppedProgram, writeResults: @escaping () throws(ShaleError) -> Void) {
        self.steps = steps
        self.writeResults = writeResults
        let name = steps.fileName
        path = name.hasPrefix("/") ? name : "\(ProcessCalls.workingDirectory() ?? "")/\(name)"
    }
}
