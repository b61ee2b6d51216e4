package import Basics
import Diagnostics
package import Dockerfiles
import FoundationEssentials
import Images
import Layers
import Linux
import Logging
package import OCI
package import Stores

extension BuildEngine {
    /// Builds an image from a Dockerfile and its context, and reports progress in the lines of docker's classic
    /// builder.
    ///
    /// When it fails, finished steps stay in the cache and no tag is set; `failedContainer` is set to the container
    /// that a
    /// failed `RUN` left. Throws what the steps throw, in docker's wording.
    package func build(
        _ request: BuildRequest, failedContainer: inout String?, _ operation: OperationContext
    ) throws(ShaleError) -> BuildOutcome {
        if request.platforms.count > 1 {
            return try buildIndex(request, failedContainer: &failedContainer, operation)
        }
        let prepared = try PreparedBuild(request, engine: self, operation)
        if let platform = request.platform { try requireProcessor(for: [platform], prepared, request) }
        try tellContext(prepared, request, operation)
        let built = try build(prepared, request, failedContainer: &failedContainer, operation)
        try share(built.taken, of: [built.image], to: request.cacheTo, operation)
        return built.outcome
    }

    /// Builds for one platform from a context that is opened already.
    func build(
        _ prepared: PreparedBuild, _ request: BuildRequest, failedContainer: inout String?,
        _ operation: OperationContext
    ) throws(ShaleError) -> PlatformBuild {
        let builder = try Builder(prepared, engine: self, request: request, operation)
        var image: Image
        do throws(ShaleError) {
            image = try builder.run()
        } catch {
            guard let container = builder.failedContainer else { throw error }
            if request.steps.forceRemove {
                Logger.build.attempt("remove container \(container)") { try store.containers.remove(container) }
                throw error
            }
            failedContainer = container
            let id = Identifier.short(container)
            throw error.hinting("diff \(id)   (what the failed step did; it is $failed)")
        }
        let built = image.id
        // No step in the last stage: the image is the base itself, which has nothing to squash.
        if request.squashes, let first = builder.takenByTarget.first {
            image = try dated(for: prepared.file, request).images.squashBuild(image.id, onto: first.parent, operation)
        }
        let outcome = try finish(image, request, operation)
        return PlatformBuild(outcome: outcome, image: built, taken: builder.taken)
    }

    /// Builds an image, passes it to `body`, and removes the images that were made.
    ///
    /// No name is set. Images in `known` are kept.
    ///
    /// Throws what the build throws, and what `body` throws.
    package func withTrialBuild<Result>(
        _ request: BuildRequest, known: Set<Digest>, _ operation: OperationContext,
        _ body: (Image) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        let prepared = try PreparedBuild(request, engine: self, operation)
        let builder = try Builder(prepared, engine: self, request: request, operation)
        defer {
            for id in builder.made.reversed() where !known.contains(id) { images.discardImage(id) }
            if let container = builder.failedContainer {
                Logger.build.attempt("remove container \(container)") { try store.containers.remove(container) }
            }
        }
        return try body(builder.run())
    }

    /// Reads the Dockerfile of a build and the ignore file of its context, without building.
    ///
    /// Throws `notFound` when the context or the Dockerfile is not there, `invalid` when the Dockerfile cannot be
    /// parsed, and what fetching a remote context throws.
    package func buildSource(
        _ request: BuildRequest, _ operation: OperationContext
    ) throws(ShaleError) -> (text: String, fileName: String, ignored: IgnoreList?) {
        let prepared = try PreparedBuild(request, engine: self, operation)
        return (prepared.text, prepared.fileName, prepared.context?.ignored)
    }

    func tellContext(
        _ prepared: PreparedBuild, _ request: BuildRequest, _ operation: OperationContext
    ) throws(ShaleError) {
        if let context = prepared.context {
            let bytes = try context.transferSize(operation)
            request.observe?(.context(bytes: bytes))
            operation.line("Sending build context to Docker daemon  \(HumanUnits.preciseSize(bytes))")
        }
        for line in prepared.warnings {
            request.observe?(.note(line))
            operation.line(line)
        }
    }

    /// Tags a finished image and reports that it is built.
    func finish(
        _ image: Image, _ request: BuildRequest, _ operation: OperationContext
    ) throws(ShaleError) -> BuildOutcome {
        request.observe?(.built(image: image.id))
        operation.line("Successfully built \(image.id.short)")
        if !request.annotations.isEmpty {
            _ = try images.annotated(image, with: request.annotations, as: request.tags)
        }
        for tag in request.tags {
            if request.annotations.isEmpty { try store.images.tag(image.id, as: tag) }
            request.observe?(.tagged(tag.familiar))
            operation.line("Successfully tagged \(tag.familiar)")
        }
        let names = request.tags.map(\.familiar).joined(separator: ",")
        store.events.append([
            StoreEvent(.image, "create", of: "\(image.id)", ["name": names.isEmpty ? "\(image.id)" : names]),
            StoreEvent(.builder, "build", of: "\(image.id)", names.isEmpty ? [:] : ["name": names]),
        ])
        return BuildOutcome(imageID: image.id, tags: request.tags)
    }
}

/// What the build for one platform made.
struct PlatformBuild {
    let outcome: BuildOutcome
    /// The image before its layers were squashed.
    let image: Digest
    /// The steps, for shared caches.
    let taken: [TakenStep]
}

/// A Dockerfile that was read, and its context, opened.
struct PreparedBuild: Sendable {
    private(set) var file: StagedFile
    /// The text of the Dockerfile.
    private(set) var text: String
    let context: BuildContext?
    /// The Dockerfile's name in messages.
    let fileName: String

    init(_ request: BuildRequest, engine: BuildEngine, _ operation: OperationContext) throws(ShaleError) {
        let text: String
        switch request.source {
        case .directory(let directory):
            let path = Self.dockerfilePath(request.dockerfile, in: directory)
            guard (try? FileStatus.of(hostPath: directory, followingLink: true))?.kind == .directory else {
                throw ShaleError(.notFound, "unable to prepare context: path \"\(directory)\" not found")
            }
            if let given = request.dockerfileText { text = given } else { text = try Self.read(path) }
            fileName = request.dockerfileText != nil ? "-" : path.hasPrefix("./") ? String(path.dropFirst(2)) : path
            context = try BuildContext(directory: directory, dockerfile: path, cache: engine.store.cache)
        case .bytes(let bytes):
            (text, context, fileName) = try Self.unpack(bytes, request, engine, operation)
        case .remote(.file(let address)):
            let bytes = try Self.translatingFetch(address) { () throws(ShaleError) in
                let progress = CopyProgress("build context", operation)
                progress.begin("Downloading")
                let download = try engine.download(
                    address, checksum: nil, isContext: true, operation, moved: progress.moved)
                return try translating(address) {
                    try download.folder.root.contents(of: download.fileName, limit: 1 << 30)
                }
            }
            (text, context, fileName) = try Self.unpack(bytes, request, engine, operation)
        case .remote(.git(let address)):
            let keeps = request.arguments["BUILDKIT_CONTEXT_KEEP_GIT_DIR"].flatMap { $0 } == "1"
            let access = GitAccess(request.steps, context: address)
            let scratch = try engine.gitContext(address, access, keepsGitFolder: keeps, operation)
            fileName = request.dockerfile ?? "Dockerfile"
            text = try Self.text(of: fileName, in: scratch, request)
            context = try BuildContext(scratch: scratch)
        }
        self.text = text
        file = try Self.parse(text, named: fileName)
    }

    private static func translatingFetch<Result>(
        _ address: String, _ body: () throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        do throws(ShaleError) {
            return try body()
        } catch {
            var copy = error
            copy.message =
                "unable to prepare context: unable to download remote context \(address): \(error.description)"
            copy.cause = nil
            throw copy
        }
    }

    /// Opens a context that came as one file: a tar, compressed or not, or a Dockerfile without other files.
    private static func unpack(
        _ bytes: [UInt8], _ request: BuildRequest, _ engine: BuildEngine, _ operation: OperationContext
    ) throws(ShaleError) -> (text: String, context: BuildContext, fileName: String) {
        let scratch = try ScratchFolder(in: engine.store)
        guard TreeArchive.isArchive(BytesSource(bytes)) else {
            let text = request.dockerfileText ?? String(pathBytes: bytes)
            return (text, try BuildContext(scratch: scratch), "-")
        }
        _ = try TreeArchive.unpack(
            BytesSource(bytes), into: scratch.root, subject: "build context", cancellation: operation.cancellation)
        let name = request.dockerfile ?? "Dockerfile"
        let text = try Self.text(of: name, in: scratch, request)
        return (text, try BuildContext(scratch: scratch), name)
    }

    private static func text(
        of name: String, in scratch: ScratchFolder, _ request: BuildRequest
    ) throws(ShaleError) -> String {
        if let given = request.dockerfileText { return given }
        guard let read = try? scratch.root.contents(of: name, limit: 1 << 22) else {
            throw ShaleError(.notFound, "Cannot locate specified Dockerfile: \(name)")
        }
        return String(pathBytes: read)
    }

    /// The parser's warnings in the words of docker's classic builder.
    ///
    /// Each detail is given once, at the end.
    var warnings: [String] {
        var lines: [String] = []
        for warning in file.warnings {
            let parts = warning.message.split(separator: ": ", maxSplits: 1)
            lines.append("[WARNING]: \(parts.first ?? ""):")
            lines += parts.dropFirst().map { "    \($0)" }
        }
        for detail in Set(file.warnings.map(\.detail)).sorted() { lines.append("[WARNING]: \(detail).") }
        return lines
    }

    /// The same build with another Dockerfile.
    func with(text: String) throws(ShaleError) -> PreparedBuild {
        var copy = self
        copy.text = text
        copy.file = try Self.parse(text, named: fileName)
        return copy
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
        // For a file that does not exist the error names the path in the current directory, as docker's does.
        let inContext = "\(directory)/\(name)"
        return (try? FileStatus.of(hostPath: inContext)) != nil ? inContext : name
    }

    private static func read(_ path: String) throws(ShaleError) -> String {
        do throws(SystemCallError) {
            return String(pathBytes: try WholeFile.read(path, limit: 1 << 22))
        } catch {
            throw error.cancelled ?? missing(path, cause: error.reason)
        }
    }

    private static func missing(_ path: String, cause: String = "no such file or directory") -> ShaleError {
        // Docker reports the absolute path.
        var whole = path
        if !path.hasPrefix("/"), let here = ProcessCalls.workingDirectory() {
            whole = ImagePath.clean(path, relativeTo: here)
        }
        return ShaleError(
            .notFound,
            "unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat \(whole)", cause: cause)
    }
}

extension DockerfileError {
    /// The error with its place in front, as `FILE:LINE: message`, and the line of the file below.
    package func shaleError(inFile name: String) -> ShaleError {
        var text = "\(name):\(line): dockerfile parse error on line \(line): \(message)"
        if let sourceLine, !sourceLine.isEmpty { text += "\n    \(sourceLine.visible)" }
        return ShaleError(.invalid, text)
    }
}
