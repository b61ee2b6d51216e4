package import Basics
import Glibc
package import Layers
package import Linux
import OCI
import Stores

extension ImageEngine {
    /// Gives `body` a writable view of unpacked layers (top first, or none), and makes what it changed a layer; `nil`
    /// when that is nothing.
    ///
    /// `keepingRewritten` keeps files that were written again with the same content in the layer. `accepting` gets the
    /// changes; when it returns false, they are deleted.
    ///
    /// The view is an overlay mount that no path leads to: it goes with its descriptor. Throws what `body`, mounting
    /// the view or writing the layer throws, and `cancelled` when the operation is stopped.
    package func changing(
        _ paths: [String], keepingRewritten: Bool = false, _ operation: OperationContext,
        accepting: ([Change]) -> Bool = { _ in true },
        _ body: (RootDirectory) throws(ShaleError) -> Void
    ) throws(ShaleError) -> StepLayer? {
        let staging = try store.layers.beginUnpack()
        do throws(ShaleError) {
            if paths.isEmpty {
                try body(staging.root())
            } else {
                try staging.makeWorkFolder()
                // Volatile: otherwise the unmount syncs the whole file system of the upper directory and waits for it.
                // `LayerSyncing` takes care of the layer's files.
                let mount = try Overlay.detachedMount(
                    lowers: paths, upper: staging.fsPath, work: staging.workPath, form: form, volatile: true)
                try body(RootDirectory(mount))
            }
            try operation.cancellation.check()
            guard
                let layer = try makeLayer(
                    staging, over: directories(paths), stubs: [], keepingRewritten: keepingRewritten, operation,
                    accepting: accepting)
            else {
                store.layers.discard(staging)
                return nil
            }
            return layer
        } catch {
            store.layers.discard(staging)
            throw error
        }
    }

    /// Folders of unpacked layers, open.
    ///
    /// Throws what opening a folder throws.
    package func directories(_ paths: [String]) throws(ShaleError) -> [RootDirectory] {
        do throws(SystemCallError) {
            var directories: [RootDirectory] = []
            for path in paths { directories.append(try RootDirectory(hostPath: path)) }
            return directories
        } catch {
            throw error.shaleError("opening a layer")
        }
    }
}

extension LayerStaging {
    /// The work directory that an overlay mount wants beside its upper one.
    ///
    /// Throws what making the directory throws.
    package func makeWorkFolder() throws(ShaleError) {
        let path = workPath
        try translating("overlay work directory") { try check("mkdir", path: path) { mkdir(path, 0o700) } }
    }
}
