package import Basics
import Dockerfiles
import FoundationEssentials
import Layers
import Linux
import OCI
package import Stores

extension Engine {
    /// Builds an image from a Dockerfile and its context, with the classic builder's lines told on the way.
    ///
    /// Throws docker's words; finished steps stay in the cache, and nothing is named before the whole is done.
    /// `failedContainer` is set to the container that a failed `RUN` left.
    package func build(
        _ request: BuildRequest, failedContainer: inout String?, _ talk: Conversation
    ) throws(ShaleError) -> BuildOutcome {
        let prepared = try PreparedBuild(request, engine: self, talk)
        if let context = prepared.context {
            let size = HumanUnits.preciseSize(try context.transferSize())
            talk.line("Sending build context to Docker daemon  \(size)")
        }
        let builder = Builder(file: prepared.file, engine: self, request: request, context: prepared.context, talk)
        let image: Image
        do throws(ShaleError) {
            image = try builder.run()
        } catch {
            guard let container = builder.failedContainer else { throw error }
            failedContainer = container
            let id = Identifier.short(container)
            throw error.hinting("diff \(id)   (what the failed step did; it is $failed)")
        }
        talk.line("Successfully built \(image.id.short)")
        for tag in request.tags {
            try store.images.tag(image.id, as: tag.withDefaultTag)
            talk.line("Successfully tagged \(tag.withDefaultTag.familiar)")
        }
        return BuildOutcome(imageID: image.id, tags: request.tags.map(\.withDefaultTag))
    }

}

/// A Dockerfile read and its context opened.
struct PreparedBuild {
    let file: StagedFile
    let context: BuildContext?
    /// Where the Dockerfile came from, for messages.
    let fileName: String

    init(_ request: BuildRequest, engine: Engine, _ talk: Conversation) throws(ShaleError) {
        let text: String
        switch request.source {
        case .directory(let directory):
            let path = Self.dockerfilePath(request.dockerfile, in: directory)
            guard (try? FileStatus.of(hostPath: directory, followingLink: true))?.kind == .directory else {
                throw ShaleError(.notFound, "unable to prepare context: path \"\(directory)\" not found")
            }
            if let given = request.dockerfileText { text = given } else { text = try Self.read(path) }
            fileName = request.dockerfileText == nil ? path : "-"
            context = try BuildContext(directory: directory, dockerfile: path)
        case .bytes(let bytes):
            let scratch = try ScratchFolder(in: engine.store)
            if TreeArchive.isArchive(BytesSource(bytes)) {
                _ = try TreeArchive.unpack(
                    BytesSource(bytes), into: scratch.root, subject: "build context", cancellation: talk.cancellation)
                let name = request.dockerfile ?? "Dockerfile"
                guard let read = try? scratch.root.contents(of: name, limit: 1 << 22) else {
                    throw Self.missing(name)
                }
                text = String(decoding: read, as: UTF8.self)
                context = try BuildContext(scratch: scratch)
                fileName = name
            } else {
                text = String(decoding: bytes, as: UTF8.self)
                context = try BuildContext(scratch: scratch)
                fileName = "-"
            }
        }
        file = try Self.parse(text, named: fileName)
    }

    static func parse(_ text: String, named fileName: String) throws(ShaleError) -> StagedFile {
        do throws(DockerfileError) {
            return try StagedFile(Dockerfile(parsing: text))
        } catch {
            throw error.shaleError(inFile: fileName)
        }
    }

    private static func dockerfilePath(_ name: String?, in directory: String) -> String {
        guard let name else {
            let usual = "\(directory)/Dockerfile"
            let lower = "\(directory)/dockerfile"
            let isLower = (try? FileStatus.of(hostPath: usual)) == nil && (try? FileStatus.of(hostPath: lower)) != nil
            return isLower ? lower : usual
        }
        if name.hasPrefix("/") || (try? FileStatus.of(hostPath: name)) != nil { return name }
        return "\(directory)/\(name)"
    }

    private static func read(_ path: String) throws(ShaleError) -> String {
        do throws(SystemCallError) {
            return String(decoding: try WholeFile.read(path, limit: 1 << 22), as: UTF8.self)
        } catch {
            throw missing(path, cause: error.reason)
        }
    }

    private static func missing(_ path: String, cause: String = "no such file or directory") -> ShaleError {
        ShaleError(
            .notFound,
            "unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat \(path)", cause: cause)
    }
}

extension DockerfileError {
    /// The failure with its place in front and the line itself below, as `FILE:LINE: message`.
    package func shaleError(inFile name: String) -> ShaleError {
        var text = "\(name):\(line): dockerfile parse error on line \(line): \(message)"
        if let sourceLine, !sourceLine.isEmpty { text += "\n    \(sourceLine.visible)" }
        return ShaleError(.invalid, text)
    }
}
