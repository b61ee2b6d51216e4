package import Basics
import Diagnostics
import Glibc
import Images
import Linux
import Logging
import OCI
package import Stores

extension ContainerEngine {
    /// Makes a container, not started: brings the image where it is missing, checks every option, makes volumes.
    ///
    /// - Throws: docker's words; `unsupported`, by name, for a flag this engine cannot honour.
    package func createContainer(_ options: RunOptions, _ operation: OperationContext) throws(ShaleError)
        -> ContainerRecord
    {
        let plan = try ContainerPlan(options)
        let image = try images.ensureImage(options.image, platform: options.platform, policy: options.pull, operation)
        if !image.config.os.isEmpty, image.config.os != "linux" {
            throw ShaleError(
                .unsupported, "image operating system \"\(image.config.os)\" cannot be used on this platform")
        }
        let wanted = options.platform ?? .host
        if options.platform == nil, image.config.architecture != wanted.architecture {
            operation.note(
                "WARNING: The requested image's platform (\(image.config.platform)) does not match the detected host "
                    + "platform (\(wanted)) and no specific platform was requested")
        }
        for note in plan.notes { operation.note(note) }
        try rememberLowers(of: image)
        var record = try plan.record(for: image)
        if let name = record.host.networkContainer {
            record.host.networkMode = "container:\(try store.containers.find(name).id)"
        }
        record = try make(record, of: plan, image)
        do throws(ShaleError) {
            if record.config.workingDir != image.containerConfig.workingDir { try makeWorkingDirectory(of: record) }
        } catch {
            discard(record)
            removeAnonymousVolumes(of: record)
            throw error
        }
        if let file = options.host.containerIDFile {
            do throws(SystemCallError) {
                let made = try OwnedFD.open(file, O_WRONLY | O_CREAT | O_EXCL, mode: CallersUmask.applied(to: 0o644))
                try made.write(Array(record.id.utf8))
            } catch {
                discard(record)
                throw error.shaleError("failed to write the container ID file \(file)")
            }
        }
        return record
    }

    /// Deletes a container that could not be made whole.
    private func discard(_ record: ContainerRecord) {
        Logger.container.attempt("remove container \(record.name)") { try store.containers.remove(record.id) }
    }

    /// Makes a container's mounts and writes its record; again, when another process removed a volume in between.
    private func make(
        _ record: ContainerRecord, of plan: ContainerPlan, _ image: Image
    ) throws(ShaleError) -> ContainerRecord {
        var record = record
        var attempts = 0
        while true {
            do throws(ShaleError) {
                record.host.mounts = try mounts(of: plan, for: record, image: image)
                return try store.containers.create(record)
            } catch {
                removeAnonymousVolumes(of: record)
                attempts += 1
                guard error.code == .notFound, attempts < 10 else { throw error }
            }
        }
    }

    /// Makes a container's working directory where its image has none; docker does so before the first start.
    private func makeWorkingDirectory(of record: ContainerRecord) throws(ShaleError) {
        guard let path = record.config.workingDir, !path.isEmpty else { return }
        let (before, _) = try stoppedRoot(of: record, forWriting: false)
        do throws(SystemCallError) {
            guard try before.resolvedStatus(path).kind != .directory else { return }
        } catch {
            if error.errno == ENOENT {
                let (root, lease) = try stoppedRoot(of: record, forWriting: true)
                defer { withExtendedLifetime(lease) {} }
                // A dangling link in it is reported when it is entered.
                Logger.container.attempt("make \(path)") { try root.makeDirectories(path) }
                return
            }
            guard error.errno == ENOTDIR else { throw error.shaleError("mkdir \(path)") }
        }
        throw ShaleError(.invalid, "Cannot mkdir: \(path) is not a directory")
    }
}
