/// Whether the container's program is started again when it ends; docker's restart policies.
package struct RestartPlan: Sendable, Hashable {
    /// Also after an end without failure.
    package var always: Bool
    /// How often at most; 0 for no bound.
    package var limit: Int32
    /// What `stop` sends, after which it is not started again.
    package var stopSignal: Int32

    package init(always: Bool, limit: Int32 = 0, stopSignal: Int32) {
        self.always = always
        self.limit = limit
        self.stopSignal = stopSignal
    }

    func encode(to out: inout WireWriter) {
        out.put(always)
        out.put(limit)
        out.put(stopSignal)
    }

    init(from reader: inout WireReader) throws(WireError) {
        always = try reader.bool()
        limit = try reader.integer()
        stopSignal = try reader.integer()
    }
}

/// The container whose network namespace is joined.
package struct SharedNetwork: Sendable, Equatable {
    package var containerID: String
    /// The folder of its control socket.
    package var folder: String

    package init(containerID: String, folder: String) {
        self.containerID = containerID
        self.folder = folder
    }

    func encode(to out: inout WireWriter) {
        out.put(containerID)
        out.put(folder)
    }

    init(from reader: inout WireReader) throws(WireError) {
        containerID = try reader.string()
        folder = try reader.string()
    }
}
