import FoundationEssentials

/// Makes small images without shale: a docker archive, as `docker save` writes it, for peers to copy from.
package enum SmallImage {
    /// One file of a layer.
    package struct File: Sendable {
        package var path: String
        package var content: [UInt8]
        package var mode: UInt32
        /// As a tar has it: `1` a hard link, `2` a symbolic one, `5` a folder, which a slash at the path's end makes, too.
        package var type: String?
        package var link = ""

        /// A link; `isHard` for another name of a file.
        package static func link(_ path: String, to target: String, isHard: Bool = false) -> File {
            var file = File(path, [])
            (file.type, file.link) = (isHard ? "1" : "2", target)
            return file
        }

        package init(_ path: String, _ content: [UInt8], mode: UInt32 = 0o644) {
            self.path = path
            self.content = content
            self.mode = mode
        }

        package init(_ path: String, _ text: String, mode: UInt32 = 0o644) {
            self.init(path, Array(text.utf8), mode: mode)
        }
    }

    /// Writes an image of these layers as a docker archive; `command` becomes its CMD.
    ///
    /// `told` is how many layers its history tells of, from the lowest on; all without it.
    package static func writeDockerArchive(
        _ path: String, layers: [[File]], command: [String] = ["sh"], tag: String = "small:1",
        instructions: [String] = [], told: Int? = nil
    ) throws {
        var entries: [File] = []
        var names: [String] = []
        var diffIDs: [String] = []
        for (number, files) in layers.enumerated() {
            let layer = tar(files)
            let name = "layer\(number).tar"
            entries.append(File(name, layer))
            names.append("\"\(name)\"")
            diffIDs.append("\"sha256:\(try Peers.sha256(layer))\"")
        }
        let words = command.map { "\"\($0)\"" }.joined(separator: ",")
        let history = layers.indices.prefix(told ?? layers.count).map {
            let instruction = $0 < instructions.count ? instructions[$0] : "COPY layer \($0)"
            return #"{"created":"2024-01-01T00:00:00Z","created_by":"\#(instruction)"}"#
        }
        let config = """
            {"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z","config":{"Cmd":[\(words)],\
            "Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":[\(diffIDs.joined(separator: ","))]},\
            "history":[\(history.joined(separator: ","))]}
            """
        let manifest = #"[{"Config":"config.json","RepoTags":["\#(tag)"],"Layers":[\#(names.joined(separator: ","))]}]"#
        entries.append(File("config.json", config))
        entries.append(File("manifest.json", manifest))
        try Data(tar(entries)).write(to: URL(filePath: path))
    }

    /// A ustar archive of regular files (and folders, whose paths end in a slash).
    package static func tar(_ files: [File]) -> [UInt8] {
        var archive: [UInt8] = []
        for file in files {
            archive += header(file) + file.content
            archive += [UInt8](repeating: 0, count: (512 - file.content.count % 512) % 512)
        }
        return archive + [UInt8](repeating: 0, count: 1024)
    }

    private static func header(_ file: File) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        put(String(file.path.prefix(100)), at: 0)
        put(octal(Int(file.mode), 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(file.content.count, 11), at: 124)
        put(octal(1_700_000_000, 11), at: 136)
        put("        ", at: 148)
        put(file.type ?? (file.path.hasSuffix("/") ? "5" : "0"), at: 156)
        put(file.link, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6), at: 148)
        block[154] = 0
        block[155] = 0x20
        return block
    }
}
