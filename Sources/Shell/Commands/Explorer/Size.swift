package import ArgumentParser
package import Basics
import Explorer
import OCI
import Recipes
import Rendering

/// `size IMAGE|CONTAINER`: how large it is, and why.
package struct Size: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "size", abstract: "Show the size of an image, layer or container: on disk, shared, hidden",
        usage: "size [--remote] IMAGE|CONTAINER...")
    package static let operandKinds: [ValueKind] = [.object]
    package static let isWorthKeeping = false
    package static let examples = ["size app:1", "size app:1#3 web", "size --remote ubuntu:22.04"]
    package static let differences = ["Docker shows one number: what is on disk."]

    @Option(help: "json, or a template.") var format: String?
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "Images, layers or containers; @ is the working image.") var images: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if remote.isRemote {
            return try RemoteSizes(images: images, platform: remote.platform, format: format).outcome(shell)
        }
        let words = try PlaceWords(shell, remote)
        var lines: [String] = []
        var rows = Rows(
            ["image", "download", "onDisk", "shared", "unique", "visible", "hidden"].map {
                .init(key: $0, header: $0.uppercased())
            })
        for word in images.isEmpty ? [nil] : images.map(Optional.some) {
            let (layers, only) = try words.stack(word, for: "size")
            let size = try ImageSize(layers, only: only)
            let name = only.map { "\(layers.subject)#\($0)" } ?? layers.subject
            rows.add(
                [name]
                    + [size.download, size.onDisk, size.shared, size.unique, size.visible, size.hidden].map {
                        String($0)
                    },
                document(size, name))
            if !lines.isEmpty { lines.append("") }
            if images.count > 1 { lines.append("\(name.visible):") }
            lines += self.lines(size, of: only != nil ? .layer : layers.own != nil ? .container : .image)
        }
        return format == nil ? .lines(lines) : rows.outcome(format: format, width: shell.console.width)
    }

    private enum Subject {
        case image, layer, container
    }

    private func lines(_ size: ImageSize, of subject: Subject) -> [String] {
        let words =
            switch subject {
            case .image:
                (
                    "the layers' blobs as they are stored here", "the files of all layers",
                    "in layers that other images here have too", "in no other image: what removing it would free"
                )
            case .layer:
                (
                    "the layer's blob as it is stored here", "its files", "other images here have the layer too",
                    "no other image has the layer"
                )
            case .container:
                (
                    "the blobs of its image's layers", "the files of all layers, its own among them",
                    "in layers of images that are here", "its own: what removing it would free"
                )
            }
        func line(_ name: String, _ bytes: Int64, _ what: String) -> String {
            name.padded(to: 10) + HumanUnits.preciseSize(bytes).rightAligned(in: 9) + "  " + what
        }
        var lines = [
            line("download", size.download, words.0),
            line("on disk", size.onDisk, words.1),
            line("shared", size.shared, words.2),
            line("unique", size.unique, words.3),
            line("visible", size.visible, "files that can be seen in a container"),
            line("hidden", size.hidden, "deleted or written again by later layers"),
        ]
        if subject != .layer, !size.largestLayers.isEmpty {
            lines += ["", "largest layers"]
            lines += size.largestLayers.map {
                "  #\($0.number)".padded(to: 6) + HumanUnits.size($0.bytes).rightAligned(in: 8)
                    + "  " + $0.headline.ellipsis(60).singleLine
            }
        }
        if !size.largestFiles.isEmpty {
            lines += ["", "largest files"]
            lines += size.largestFiles.map {
                "  #\($0.layer)".padded(to: 6) + HumanUnits.size($0.bytes).rightAligned(in: 8) + "  " + $0.path.visible
            }
        }
        return lines
    }

    private func document(_ size: ImageSize, _ name: String) -> JSONDocument {
        .members([
            "image": .string(name), "download": .integer(size.download), "onDisk": .integer(size.onDisk),
            "shared": .integer(size.shared), "unique": .integer(size.unique), "visible": .integer(size.visible),
            "hidden": .integer(size.hidden),
            "largestLayers": .array(
                size.largestLayers.map {
                    .members([
                        "layer": .integer(Int64($0.number)), "size": .integer($0.bytes),
                        "instruction": .string($0.instruction),
                    ])
                }),
            "largestFiles": .array(
                size.largestFiles.map {
                    .members(["path": .string($0.path), "size": .integer($0.bytes), "layer": .integer(Int64($0.layer))])
                }),
        ])
    }
}
