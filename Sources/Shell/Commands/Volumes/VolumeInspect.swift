package import ArgumentParser
package import Basics
import Containers
import Recipes
import Stores

/// `volume inspect VOLUME…`: what is known of volumes, as JSON.
package struct VolumeInspect: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "volume inspect", abstract: "Show all there is to know about volumes, as JSON",
        usage: "volume inspect [OPTIONS] VOLUME [VOLUME…]")
    package static let operandKinds: [ValueKind] = [.volume]
    package static let examples = [
        "volume inspect data", "volume inspect -f '{{.Mountpoint}}' data", "volume inspect data db-data",
    ]
    package static let differences = ["Nothing: its options, its output and its status are docker's."]

    @Option(name: .shortAndLong, help: "json, or a Go template") var format: String?
    @Argument(help: "Names") var volumes: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let containers = try shell.containers()
        var documents: [JSONDocument] = []
        var failures: [ShaleError] = []
        for name in volumes {
            do throws(ShaleError) {
                documents.append(Self.document(of: try containers.volume(named: name)))
            } catch {
                failures.append(error)
            }
        }
        return try shell.outcome(.documents(documents, template: format), failures: failures)
    }

    /// Docker's keys.
    static func document(of volume: Volume) -> JSONDocument {
        let labels = volume.labels.sorted { $0.key < $1.key }.map { JSONDocument.Member($0.key, .string($0.value)) }
        return .members([
            "CreatedAt": .string(Timestamp(seconds: volume.created.seconds).description), "Driver": "local",
            "Labels": labels.isEmpty ? nil : .object(labels), "Mountpoint": .string(volume.data),
            "Name": .string(volume.name), "Options": nil, "Scope": "local",
        ])
    }
}
