package import Basics
package import Images
import Linux
import OCI
import RunnerProtocol
import Stores

extension ContainerEngine {
    /// Removes stopped containers, images without a name, cached build steps, and content that nothing needs.
    ///
    /// Throws what reading or changing the store throws.
    package func prune(_ request: PruneRequest, _ operation: OperationContext) throws(ShaleError) -> PruneReport {
        var report = PruneReport()
        if request.containers { try pruneContainers(request, into: &report, operation) }
        let containerBytes = report.bytes
        try images.prune(request, into: &report)
        guard !request.isDryRun else { return report }
        let rest = report.bytes &- containerBytes
        store.events.append(
            (request.containers ? [StoreEvent(.container, "prune", of: "", ["reclaimed": "\(containerBytes)"])] : [])
                + (request.images ? [StoreEvent(.image, "prune", of: "", ["reclaimed": "\(rest)"])] : [])
                + (request.cache ? [StoreEvent(.builder, "prune", of: "", ["reclaimed": "\(rest)"])] : []))
        return report
    }

    /// Removes only stopped containers.
    ///
    /// Throws what reading or changing the store throws.
    package func pruneContainers(_ request: PruneRequest, _ operation: OperationContext) throws(ShaleError) {
        var report = PruneReport()
        try pruneContainers(request, into: &report, operation)
    }

    private func pruneContainers(
        _ request: PruneRequest, into report: inout PruneReport, _ operation: OperationContext
    ) throws(ShaleError) {
        let exclusion = try store.exclusion()
        for record in try store.containers.all() {
            try operation.cancellation.check()
            guard request.takes(created: record.created, labels: record.labels) else { continue }
            // A container in use is leased: one that is being made, started, copied from or committed. A container that
            // is taken here cannot be started.
            guard exclusion.take(.container(record.id)) else { continue }
            defer { exclusion.give(.container(record.id)) }
            guard !view(of: record).state.isRunning, store.containers.isHere(record.id) else { continue }
            let bytes = (try? FileTree.usage(of: store.containers.folder(record.id).upper).bytes) ?? 0
            if !request.isDryRun { try remove(record, named: record.name) }
            report.containers.append(PruneReport.Container(id: record.id, name: record.name))
            report.bytes &+= bytes
        }
    }
}
