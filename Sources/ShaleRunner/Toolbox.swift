import Glibc
import Linux
import RunnerProtocol

/// The folder on which a debugging process mounts its tools: made for it, unmade after the last one.
///
/// The mount itself is in a namespace of that process's own, so that the container's programs never see the tools.
struct ToolboxMount {
    let path: String
    let plan: LaunchPlan

    /// Makes it where it is missing, and notes it among what `diff` and `commit` pass over.
    func make(in container: Int32) throws(StepFailure) {
        try step("mkdir", path) { () throws(SystemCallError) in
            var points = MountPoints(root: try RootDirectory(hostPath: "/proc/\(container)/root"))
            _ = try points.placeWithoutLink(path)
            StubList.add(points.stubs, in: plan.folder)
        }
    }

    /// Takes it away; one that is not empty, for it is the container's own, stays.
    func remove(from container: Int32?) {
        if let container, let root = try? RootDirectory(hostPath: "/proc/\(container)/root") {
            Self.unmake(path, in: root)
        } else if let upper = try? RootDirectory(hostPath: plan.root.upper) {
            Self.unmake(path, in: upper)
        }
    }

    private static func unmake(_ path: String, in root: RootDirectory) {
        guard let parent = try? root.parent(of: path), let before = try? FileStatus.of(parent.directory) else { return }
        let raw = parent.directory.raw
        if parent.name.withPath({ unlinkat(raw, $0, AT_REMOVEDIR) }) == 0 {
            parent.directory.restoreModified(before.modified)
        }
    }
}

/// The host's folder of tools, on its way into a container.
struct Toolbox {
    let place: String
    private let tree: OwnedFDBox

    /// Takes it before the host's files are out of sight; `nil` when the process wants none.
    init?(_ plan: ProcessPlan) throws(StepFailure) {
        guard !plan.toolbox.isEmpty else { return nil }
        place = plan.toolboxPlace
        tree = try step("mount", plan.toolbox) { () throws(SystemCallError) in
            let tree = try Mounts.clone(plan.toolbox, recursive: false)
            try Mounts.setReadOnly(tree, recursive: false)
            return OwnedFDBox(tree)
        }
    }

    /// Mounts it in a namespace of this process's own, which has joined the container's.
    func mount() throws(StepFailure) {
        try step("mount", place) { () throws(SystemCallError) in
            try Namespaces.unshare(.mount)
            try Mounts.mount(target: "/", flags: [.private, .recursive])
            let root = try RootDirectory(hostPath: "/")
            try Mounts.attach(tree.fd, on: root.open(place, OpenFlags.link | O_DIRECTORY))
        }
    }
}

/// The paths the runner made in the container to mount on, kept beside its record.
enum StubList {
    static func add(_ stubs: [String], in folder: String) {
        guard !stubs.isEmpty else { return }
        let path = folder + "/stubs.json"
        var text: [UInt8] = []
        for stub in stubs {
            text.append(text.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
            JSONText.append(quoting: Array(stub.utf8)[...], to: &text)
        }
        // Those of earlier starts are still there and were not made again.
        if let old = try? WholeFile.read(path, limit: 1 << 20), old.count > 2, old[0] == 0x5B {
            text += [UInt8(ascii: ",")] + old.dropFirst()
        } else {
            text.append(UInt8(ascii: "]"))
        }
        try? OwnedFD.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW).write(text)
    }
}
