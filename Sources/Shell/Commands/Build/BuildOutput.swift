import Basics
import Dockerfiles
import Images
import OCI

/// One `--output`: where the result of a build goes.
struct BuildOutput: Sendable, Hashable {
    enum Kind: String, Sendable {
        /// The image's files in a folder.
        case local
        /// The image's files as a tar.
        case tar
        /// An OCI layout, as a tar or in a folder.
        case oci
        /// Docker's archive; without a path, the image in the home.
        case docker
        /// The image in the home.
        case image
        case cacheonly
    }

    var kind: Kind
    /// A path; `nil` for standard output, or the home.
    var destination: String?
    /// More names for the image.
    var names: [Reference] = []
    /// `tar=false`: a layout in a folder.
    var isFolder = false
    /// Whether the image is sent to the registries of its names.
    var isPushed = false

    /// Whether it goes to standard output.
    var isStandardOutput: Bool { isArchive && destination == nil }
    /// Whether the image is to have its names in the home.
    var isStored: Bool { kind == .image || (kind == .docker && destination == nil) }
    private var isArchive: Bool { kind == .tar || kind == .oci }

    /// Reads the values of the option, in buildx's forms.
    ///
    /// Throws `usage`, in buildx's words where it has them, and `unsupported` for what is not done here.
    static func parse(_ texts: [String], pushing: Bool) throws(ShaleError) -> [BuildOutput] {
        var outputs = pushing ? [BuildOutput.registry] : []
        for text in texts where !text.isEmpty { outputs.append(try BuildOutput(parsing: text)) }
        guard outputs.count(where: \.isStandardOutput) <= 1 else {
            throw ShaleError(.usage, "multiple outputs configured to write to stdout")
        }
        return outputs
    }

    /// `--push`.
    private static let registry: BuildOutput = {
        var output = BuildOutput(kind: .image)
        output.isPushed = true
        return output
    }()

    private init(kind: Kind) { self.kind = kind }

    private init(parsing text: String) throws(ShaleError) {
        if text == "-" {
            kind = .tar
            return
        }
        let fields = try OptionFields(parsing: text)
        if fields.fields == [text], !text.hasPrefix("type=") {
            kind = .local
            destination = text
            return
        }
        var values = try fields.values()
        let written = values.removeValue(forKey: "type") ?? ""
        guard !written.isEmpty else { throw ShaleError(.usage, "type is required for output") }
        guard let kind = written == "registry" ? Kind.image : Kind(rawValue: written) else {
            throw ShaleError(
                .usage, "unsupported output type \(written.visible)",
                hint: "type=local, tar, oci, docker, image, registry or cacheonly")
        }
        self.kind = kind
        isPushed = written == "registry"
        destination = values.removeValue(forKey: "dest").flatMap { $0 == "-" || $0.isEmpty ? nil : $0 }
        try readRest(of: values)
        if kind == .local || isFolder, destination == nil {
            throw ShaleError(.usage, "dest is required for \(kind.rawValue) exporter")
        }
    }

    private mutating func readRest(of values: [String: String]) throws(ShaleError) {
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            switch (kind, key, value) {
            case (.oci, "tar", "false"), (.docker, "tar", "false"): isFolder = true
            case (.oci, "tar", "true"), (.docker, "tar", "true"): isFolder = false
            case (.image, "push", "true"): isPushed = true
            case (.image, "push", "false"): isPushed = false
            case (.image, "store", "true"), (.image, "unpack", _): break
            case (.local, "mode", "copy"): break
            case (.oci, "name", _), (.docker, "name", _), (.image, "name", _):
                for name in value.split(separator: ",") { names.append(try Self.name(String(name))) }
            default:
                throw ShaleError(
                    .unsupported,
                    "--output type=\(kind.rawValue): \(key.visible)=\(value.visible) is not supported")
            }
        }
    }

    private static func name(_ text: String) throws(ShaleError) -> Reference {
        do throws(ShaleError) {
            return try Reference(parsing: text).asTarget()
        } catch {
            throw ShaleError(.usage, "--output: invalid name \"\(text.visible)\": \(error.message)")
        }
    }
}
