import RunnerProtocol

/// A container port that is published on the host.
package struct PublishedPort: Sendable, Hashable {
    /// `tcp` or `udp`.
    package var proto: String
    package var containerPort: UInt16
    /// An IPv4 address of the host.
    package var hostAddress: String
    /// The host ports, of which the first free one is used; `nil` for a port that the kernel chooses.
    package var hostPorts: ClosedRange<UInt16>?

    package init(
        proto: String, containerPort: UInt16, hostAddress: String = "0.0.0.0", hostPorts: ClosedRange<UInt16>? = nil
    ) {
        self.proto = proto
        self.containerPort = containerPort
        self.hostAddress = hostAddress
        self.hostPorts = hostPorts
    }

    var plan: PortPlan {
        PortPlan(
            proto: proto, hostAddress: hostAddress, firstHostPort: hostPorts?.lowerBound ?? 0,
            lastHostPort: hostPorts?.upperBound ?? 0, containerPort: containerPort)
    }
}

/// The addresses of a container with a private network.
package enum ContainerNetwork {
    package static let address = NetworkPlan.address
    package static let gateway = NetworkPlan.gateway
    package static let prefixLength = NetworkPlan.prefixLength
}
