package import ArgumentParser
package import Basics
import Containers
import Images
import OCI
import Recipes
import Stores

/// `inspect NAME…`: everything that is known of images, containers and volumes.
package struct Inspect: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show all there is to know about images, containers and volumes, as JSON",
        usage: "inspect [OPTIONS] NAME|ID [NAME|ID…]")
    package static let operandKinds: [ValueKind] = [.object]
    package static let managementNames: [ManagementName] = ["image inspect", "container inspect"]
    package static let examples = [
        "inspect ubuntu:22.04", "inspect -f '{{.Config.Cmd}}' ubuntu:22.04", "inspect --remote alpine",
    ]
    package static let differences = ["--remote asks the registry and fetches no layer"]
    package static let isWorthKeeping = false

    @Option(name: .shortAndLong, help: "json, or a Go template")
    var format: String?
    @Option(help: "image, container or volume")
    var type: String?
    @Flag(name: .shortAndLong, help: "Show the sizes of a container too")
    var size = false
    @Flag(help: "Look at the image in its registry; no layer is fetched")
    var remote = false
    @Option(help: "The platform of an image of several, here or with --remote")
    var platform: String?
    @Argument(help: "Names or ids")
    var names: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if let type, !["image", "container", "volume"].contains(type) {
            throw ShaleError(.usage, "\"\(type)\" is not a valid value for --type")
        }
        let platform = try Platform.option(platform)
        let engine = try shell.engine()
        var documents: [JSONDocument] = []
        var failures: [ShaleError] = []
        for name in names {
            do throws(ShaleError) {
                documents.append(try document(of: name, platform, engine, shell))
            } catch {
                guard error.code == .notFound || names.count > 1 else { throw error }
                failures.append(error)
            }
        }
        return try shell.outcome(.documents(documents, template: format), failures: failures)
    }

    private func document(
        of name: String, _ platform: Platform?, _ engine: Engine, _ shell: ShellContext
    ) throws(ShaleError) -> JSONDocument {
        if remote {
            let reference = try Reference(parsing: name)
            let image = try shell.withOperation { operation throws(ShaleError) in
                try engine.images.remoteImage(reference, platform: platform, keeping: true, operation)
            }
            return engine.images.document(of: image)
        }
        if type == "volume" { return VolumeInspect.document(of: try engine.containers.volume(named: name)) }
        if type == "container" {
            return try engine.containers.document(of: engine.containers.find(name), includingSizes: size)
        }
        if type == nil, platform == nil, let meant = try engine.containers.container(meantBy: name) {
            return try engine.containers.document(of: meant.record, includingSizes: size)
        }
        do throws(ShaleError) {
            return try engine.images.document(of: engine.images.find(name, platform: platform))
        } catch {
            // Docker says here what was typed, with no tag added.
            guard error.code == .notFound || (error.code == .invalid && type == nil) else { throw error }
            if type == nil, let volume = try? engine.containers.volume(named: name) {
                return VolumeInspect.document(of: volume)
            }
            if platform != nil, (try? engine.images.find(name)) != nil { throw error }
            throw ShaleError(.notFound, "No such \(type ?? "object"): \(name)", hint: error.hint)
        }
    }
}
