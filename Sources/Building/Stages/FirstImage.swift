package import Basics
import Containers
import Glibc
import Images
import Linux
import OCI
import Stores

// The first image: busybox, which exists without a network. It is built at the first start from a recipe.
extension BuildEngine {
    /// The name of the first image.
    package static let firstImageName = "busybox"

    /// Builds the image busybox once in each home, from Debian's busybox-static and the recipe in `Stages/Resources`,
    /// which
    /// is embedded in the program.
    ///
    /// When two processes start at once, one waits for the other. When the user removes the image later, it is not
    /// built
    /// again.
    ///
    /// Throws what the build throws, and the file system's error when the lock or the mark cannot be written.
    package func makeFirstImage(_ operation: OperationContext) throws(ShaleError) {
        let mark = "\(store.home)/first-image"
        if access(mark, F_OK) == 0 { return }
        let lock = try translating("first image") { try FileLock.waiting(on: "\(mark).lock", exclusive: true) }
        defer { withExtendedLifetime(lock) {} }
        if access(mark, F_OK) == 0 { return }
        try buildFirstImage(operation)
        try translating("first image") { try WholeFile.replace(mark, with: []) }
    }

    private func buildFirstImage(_ operation: OperationContext) throws(ShaleError) {
        let name = try Reference(parsing: Self.firstImageName).withDefaultTag
        if try store.names.resolve(name) != nil { return }
        let scratch = try ScratchFolder(in: store)
        for (file, bytes) in Self.recipe { try scratch.write(bytes, as: file) }
        try copyBusybox(to: scratch)
        var request = BuildRequest(source: .directory(scratch.path))
        request.tags = [name]
        var failed: String?
        let made = try atTimeOfBusybox().build(
            request, failedContainer: &failed, OperationContext(cancellation: operation.cancellation))
        // Without provenance a recipe treats it as a pulled base: it writes `FROM busybox`.
        images.forgetProvenance(of: made.imageID)
        operation.note(
            "made \(Self.firstImageName) from Debian's busybox-static; `dockerfile \(Self.firstImageName)` shows how")
    }

    /// The files of the build's context by name.
    ///
    /// The busybox program itself comes from the host.
    private static let recipe: [(String, [UInt8])] = [
        ("Dockerfile", PackageResources.Dockerfile), ("passwd", PackageResources.passwd),
        ("group", PackageResources.group),
    ]

    /// The engine with the creation time set to the busybox program's modification time.
    ///
    /// So every home with the same program makes the same image, and `FROM busybox` in an imported session means the
    /// same image.
    private func atTimeOfBusybox() -> BuildEngine {
        guard settings.sourceDateEpoch == nil, let path = StaticBusybox.path,
            let status = try? FileStatus.of(hostPath: path, followingLink: true)
        else { return self }
        return at(Timestamp(seconds: status.modified.seconds))
    }

    /// Copies the static program of Debian's package.
    ///
    /// Another `busybox` would need libraries that are not in the image.
    private func copyBusybox(to scratch: ScratchFolder) throws(ShaleError) {
        guard let path = StaticBusybox.path else {
            throw ShaleError(
                .notFound, "the image busybox is made from Debian's busybox-static, which is not installed",
                hint: "apt-get install busybox-static")
        }
        let bytes = try translating(path) { try WholeFile.read(path) }
        try scratch.write(bytes, as: "busybox")
        let target = "\(scratch.path)/busybox"
        try translating(target) { try Linux.check("chmod", path: target) { chmod(target, 0o755) } }
    }
}
