/// A user-mode network for a container's namespace: a program of the host's that carries its packets (`slirp4netns`).
package struct NetworkPlan: Sendable, Equatable {
    /// The container's own address, the gateway to the host, and the name server that asks the host's.
    package static let address = "10.0.2.100"
    package static let gateway = "10.0.2.2"
    package static let nameServer = "10.0.2.3"
    package static let prefixLength = 24

    /// The host's path of `slirp4netns`.
    package var program: String
    package var ports: [PortPlan]

    package init(program: String, ports: [PortPlan] = []) {
        self.program = program
        self.ports = ports
    }
}

/// A port of the host's that leads to one of the container's.
package struct PortPlan: Sendable, Equatable {
    /// `tcp` or `udp`.
    package var proto: String
    /// An IPv4 address of the host's.
    package var hostAddress: String
    /// The first that is free of these; 0 lets the kernel choose.
    package var firstHostPort: UInt16
    package var lastHostPort: UInt16
    package var containerPort: UInt16

    package init(
        proto: String, hostAddress: String, firstHostPort: UInt16, lastHostPort: UInt16, containerPort: UInt16
    ) {
        self.proto = proto
        self.hostAddress = hostAddress
        self.firstHostPort = firstHostPort
        self.lastHostPort = lastHostPort
        self.containerPort = containerPort
    }
}

/// A command that is run in the container again and again to check its health (docker's health check).
///
/// Times are milliseconds.
package struct HealthPlan: Sendable, Equatable {
    package var process: ProcessPlan
    package var interval: Int64
    package var timeout: Int64
    /// Failures this soon after the start do not count.
    package var startPeriod: Int64
    /// Between two checks while it starts.
    package var startInterval: Int64
    /// Failures in a row after which it is unhealthy.
    package var retries: Int32

    package init(
        process: ProcessPlan, interval: Int64, timeout: Int64, startPeriod: Int64, startInterval: Int64,
        retries: Int32
    ) {
        self.process = process
        self.interval = interval
        self.timeout = timeout
        self.startPeriod = startPeriod
        self.startInterval = startInterval
        self.retries = retries
    }
}

extension NetworkPlan {
    func encode(to out: inout WireWriter) {
        out.put(program)
        out.putList(ports) {
            $0.put($1.proto)
            $0.put($1.hostAddress)
            $0.put($1.firstHostPort)
            $0.put($1.lastHostPort)
            $0.put($1.containerPort)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        program = try reader.string()
        ports = try reader.list { (reader) throws(WireError) in
            PortPlan(
                proto: try reader.string(), hostAddress: try reader.string(), firstHostPort: try reader.integer(),
                lastHostPort: try reader.integer(), containerPort: try reader.integer())
        }
    }
}

extension HealthPlan {
    func encode(to out: inout WireWriter) {
        process.encode(to: &out)
        for value in [interval, timeout, startPeriod, startInterval] { out.put(value) }
        out.put(retries)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            process: try ProcessPlan(from: &reader), interval: try reader.integer(), timeout: try reader.integer(),
            startPeriod: try reader.integer(), startInterval: try reader.integer(), retries: try reader.integer())
    }
}
