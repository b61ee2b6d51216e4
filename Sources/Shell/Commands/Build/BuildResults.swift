import Basics
import Building
import Containers
import Images
import Layers
import Linux
import OCI
import Rendering
import Stores

/// Writes what was built where `--output`, `--metadata-file` and `--iidfile` say.
struct BuildResults {
    let outputs: [BuildOutput]
    /// The names of `-t`, which an archive holds too.
    let tags: [Reference]
    let metadataFile: String?
    let imageIDFile: String?
    /// Several platforms that are built for, else none.
    var platforms: [Platform] = []
    var isQuiet = false

    /// Whether standard output is taken: lines go to standard error then.
    var takesStandardOutput: Bool { outputs.contains(where: \.isStandardOutput) }

    /// The names that the image gets in the home: none where it goes elsewhere.
    var storedTags: [Reference] {
        guard !outputs.isEmpty else { return tags }
        let stored = outputs.filter(\.isStored)
        return stored.isEmpty ? [] : tags + stored.flatMap(\.names)
    }

    /// Throws, in buildx's words, for a place that cannot be written to, before anything is built.
    func check(_ shell: ShellContext) throws(ShaleError) {
        if let output = outputs.first(where: \.isStandardOutput), shell.console.isTerminal(.output) {
            throw ShaleError(
                .usage,
                "dest file is required for \(output.kind.rawValue) exporter. refusing to write to console",
                hint: "build -o type=\(output.kind.rawValue),dest=FILE …", exitStatus: 1)
        }
        if outputs.contains(where: \.isPushed), storedTags.isEmpty {
            throw ShaleError(.usage, "tag is needed when pushing to registry", hint: "build -t HOST/NAME --push .")
        }
        if !platforms.isEmpty { try checkSeveral() }
        for output in outputs {
            guard let path = output.destination,
                let status = try? FileStatus.of(hostPath: path, followingLink: true)
            else { continue }
            let wantsFolder = output.kind == .local || output.isFolder
            if wantsFolder, status.kind != .directory {
                throw ShaleError(.conflict, "destination directory \(path.visible) is a file")
            }
            if !wantsFolder, status.kind == .directory {
                throw ShaleError(.conflict, "destination file \(path.visible) is a directory")
            }
        }
    }

    /// Throws for an output that holds one platform.
    private func checkSeveral() throws(ShaleError) {
        for output in outputs {
            switch output.kind {
            case .docker:
                throw ShaleError(
                    .unsupported, "docker exporter does not currently support exporting manifest lists",
                    hint: "build -o type=oci,dest=FILE …")
            case .local, .tar, .oci, .image, .cacheonly: break
            }
        }
    }

    func write(_ outcome: BuildOutcome, _ shell: ShellContext) throws(ShaleError) {
        var pushed: Descriptor?
        for output in outputs {
            try write(output, outcome, shell)
            if output.isPushed { pushed = try push(tags + output.names, shell) ?? pushed }
        }
        let own = outcome.index?.digest ?? outcome.imageID
        if let imageIDFile { try Self.write("\(own)", to: imageIDFile, for: "--iidfile") }
        if let metadataFile {
            let image = try shell.images().find("\(outcome.imageID)")
            let names = storedTags.isEmpty ? tags : storedTags
            let text = Self.metadata(
                pushed ?? outcome.index ?? image.manifestDescriptor,
                of: outcome.index == nil ? outcome.imageID : nil, names)
            try Self.write(text.text(indent: 2) + "\n", to: metadataFile, for: "--metadata-file")
        }
    }

    private func write(_ output: BuildOutput, _ outcome: BuildOutcome, _ shell: ShellContext) throws(ShaleError) {
        let operation = OperationContext(cancellation: shell.cancellation)
        let names = tags + output.names
        switch output.kind {
        case .image, .cacheonly: return
        case .local:
            guard let path = output.destination else { return }
            for (folder, image) in zip(platformFolders, outcome.images) {
                try shell.building().writeFiles(of: image, to: "\(path)/\(folder)", operation)
            }
            if platforms.isEmpty { try shell.building().writeFiles(of: outcome.imageID, to: path, operation) }
        case .tar:
            try writeTar(output, outcome, shell)
        case .oci, .docker:
            guard output.destination != nil || output.kind == .oci else { return }
            let images = try shell.images()
            let image =
                if let index = outcome.index {
                    try images.image(manifest: index)
                } else {
                    try images.find("\(outcome.imageID)")
                }
            if output.isFolder, let path = output.destination {
                return try images.save(image, as: names, toLayout: path, operation)
            }
            let format: ArchiveFormat = output.kind == .oci ? .oci : .both
            try archive(output, shell) { sink throws(ShaleError) in
                try images.save(image, as: names, format: format, to: sink, operation)
            }
        }
    }

    /// The folders of several platforms in one output, as buildx names them: `linux_arm64`.
    private var platformFolders: [String] { platforms.map { $0.description.replacing("/", with: "_") } }

    private func writeTar(_ output: BuildOutput, _ outcome: BuildOutcome, _ shell: ShellContext) throws(ShaleError) {
        let containers = try shell.containers()
        if platforms.isEmpty {
            let tree = try containers.tree(of: "\(outcome.imageID)")
            return try archive(output, shell) { sink throws(ShaleError) in
                try containers.export(tree, cancellation: shell.cancellation, to: sink)
            }
        }
        var trees: [(folder: String, tree: MergedTree)] = []
        for (folder, image) in zip(platformFolders, outcome.images) {
            trees.append((folder, try containers.tree(of: "\(image)")))
        }
        let all = trees
        try archive(output, shell) { sink throws(ShaleError) in
            try containers.export(all, cancellation: shell.cancellation, to: sink)
        }
    }

    /// Pushes the image under its names; returns the manifest that the last registry has of it.
    private func push(_ names: [Reference], _ shell: ShellContext) throws(ShaleError) -> Descriptor? {
        let images = try shell.images()
        let lines: Console.Stream = takesStandardOutput ? .errors : .output
        var manifest: Descriptor?
        for name in names {
            manifest = try shell.withOperation(lines: lines, isQuiet: isQuiet) { operation throws(ShaleError) in
                try images.push(name, operation).manifest
            }
        }
        return manifest
    }

    private func archive(
        _ output: BuildOutput, _ shell: ShellContext, _ body: (@escaping ByteSink) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        try ArchiveOutput.write(
            to: output.destination, doing: "export", mode: CallersUmask.applied(to: 0o644), shell, body)
    }

    /// What buildx writes: members by name, their values as they are.
    private static func metadata(
        _ manifest: Descriptor, of image: Digest?, _ names: [Reference]
    ) -> JSONDocument {
        var members: [JSONDocument.Member] = []
        if let image { members.append(.init("containerimage.config.digest", .string(image.description))) }
        members += [
            .init("containerimage.descriptor", manifest.document),
            .init("containerimage.digest", .string(manifest.digest.description)),
        ]
        if !names.isEmpty {
            let text = names.map(\.description).joined(separator: ",")
            members.append(.init("image.name", .string(text)))
        }
        return .object(members)
    }

    private static func write(_ text: String, to path: String, for option: String) throws(ShaleError) {
        try translating(option) {
            try UnnamedFile.write(
                text.pathBytes, to: path, mode: CallersUmask.applied(to: 0o644), followingLink: true)
        }
    }
}
