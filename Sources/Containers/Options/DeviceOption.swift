package import Basics
import Glibc
package import Linux

/// `--device HOST[:CONTAINER[:MODE]]`: a device node of the host.
package struct DeviceOption: Sendable, Equatable {
    package var hostPath: String
    package var containerPath: String
    /// A text of the letters `r`, `w` and `m`.
    package var permissions: String

    /// Reads the value of `--device`.
    ///
    /// Throws `usage`, in docker's words, for a text of another form.
    package init(parsing text: String) throws(ShaleError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let host = parts.first, !host.isEmpty, parts.count <= 3, !(parts.count > 1 && text.hasPrefix(":")) else {
            throw ShaleError(.usage, "bad format for path: \(text)")
        }
        hostPath = host
        containerPath = host
        permissions = "rwm"
        if parts.count == 3 {
            containerPath = parts[1]
            permissions = parts[2]
        } else if parts.count == 2 {
            if Self.isMode(parts[1]) { permissions = parts[1] } else { containerPath = parts[1] }
        }
        guard containerPath.hasPrefix("/") else {
            throw ShaleError(.usage, "\(containerPath) is not an absolute path")
        }
        guard Self.isMode(permissions) else { throw ShaleError(.usage, "bad mode specified: \(permissions)") }
    }

    private static func isMode(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { "rwm".contains($0) } && Set(text).count == text.count
    }

    /// The device node, or all device nodes in a directory.
    ///
    /// Throws `invalid` when there is nothing at the path, or no device node.
    package func nodes() throws(ShaleError) -> [(path: String, hostPath: String, status: FileStatus)] {
        let gathering = "error gathering device information while adding custom device \"\(hostPath)\""
        let status: FileStatus
        do throws(SystemCallError) {
            status = try FileStatus.of(hostPath: hostPath, followingLink: true)
        } catch {
            throw ShaleError(.invalid, gathering, cause: error.reason)
        }
        switch status.kind {
        case .characterDevice, .blockDevice: return [(containerPath, hostPath, status)]
        case .directory:
            let nodes = try nodesInDirectory()
            if !nodes.isEmpty { return nodes }
            fallthrough
        default: throw ShaleError(.invalid, gathering, cause: "not a device node")
        }
    }

    private func nodesInDirectory() throws(ShaleError) -> [(path: String, hostPath: String, status: FileStatus)] {
        guard let folder = try? OwnedFD.open(hostPath, O_RDONLY | O_DIRECTORY),
            let names = try? DirectoryEntries.names(of: folder)
        else { return [] }
        return names.compactMap { name in
            let path = "\(hostPath)/\(name)"
            guard let status = try? FileStatus.of(hostPath: path),
                status.kind == .characterDevice || status.kind == .blockDevice
            else { return nil }
            return ("\(containerPath)/\(name)", path, status)
        }
    }
}
