package import Basics
import FoundationEssentials
import Linux
package import Runtime

extension ContainerEngine {
    /// The network of `RUN` by the name it was given.
    ///
    /// Throws `unsupported` for another than the host's, or none.
    @discardableResult
    package static func network(_ name: String?) throws(ShaleError) -> LaunchSpec.Network {
        switch name {
        case nil, "", "default", "host": return .host
        case "none": return .none
        case let name?:
            throw ShaleError(.unsupported, "network \(name.visible) is not supported", hint: "--network host")
        }
    }

    /// The mount points that the runner made in the layer: a JSON array beside the state.
    package static func stubs(in folder: String) -> Set<String> {
        guard let bytes = try? WholeFile.read("\(folder)/stubs.json", limit: 1 << 20) else { return [] }
        return Set((try? JSONDecoder().decode([String].self, from: Data(bytes))) ?? [])
    }
}
