package import ArgumentParser
package import Basics
import Explorer
import Glibc
import Linux
import Rendering

/// `cat PLACE…`: the bytes of files.
package struct Cat: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Print files of an image, a layer or a container", usage: "cat PLACE...")
    package static let operandKinds: [ValueKind] = [.place]
    package static let isWorthKeeping = false
    package static let examples = [
        "cat ubuntu:22.04:/etc/os-release", "cat app:1#2:/root/secret", "cat @:/bin/ls > ls",
    ]
    package static let differences = [
        "Docker has no such command. A file that a later layer deleted can still be read: IMAGE#N:/path."
    ]

    @Flag(name: [.customShort("f"), .customLong("force")], help: "Also what is no text, on a terminal.") var force =
        false
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "IMAGE:/path, IMAGE#N:/path or CONTAINER:/path.") var places: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        // `-` reads the process's own input only where that is no script.
        let readsInput = shell.input != 0 || !places.isEmpty && shell.mode == .single
        if readsInput, places.allSatisfy({ $0 == "-" }) { return try copyInput(shell) }
        if places.isEmpty { throw ShaleError(.usage, "cat takes at least one place", hint: "cat @:/etc/os-release") }
        let words = try PlaceWords(shell, remote)
        var status: Int32 = 0
        var text: [String] = []
        for place in places {
            do throws(ShaleError) {
                let place = try words.place(place)
                text += try print(words.view(place), place.path, shell)
            } catch {
                // As in cat, the other files are still printed.
                guard places.count > 1, error.code != .cancelled else { throw error }
                shell.console.report(error)
                status = 1
            }
        }
        return Outcome(text.isEmpty ? .none : .paged(text), status: status)
    }

    /// `cat > FILE <<EOF`: what was given to read, as it is.
    private func copyInput(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while !shell.console.isOutputClosed {
            try shell.cancellation.check()
            let count = chunk.withUnsafeMutableBytes { read(shell.input, $0.baseAddress, $0.count) }
            if count == -1, errno == EINTR { continue }
            guard count >= 0 else { throw SystemCallError("read").shaleError("cat: standard input") }
            if count == 0 { break }
            shell.console.write(Array(chunk[..<count]), to: .output)
        }
        return .done
    }

    /// The largest file in bytes that is kept in memory for the pager.
    private static let longestPaged: Int64 = 4 << 20

    /// Writes a file; on a terminal the lines of a text are answered for the pager.
    private func print(_ view: PlaceView, _ path: String, _ shell: ShellContext) throws(ShaleError) -> [String] {
        let entry = try view.require(path)
        let file = try view.open(entry)
        let isTerminal = shell.console.isTerminal(.output) && !force
        let isPaged = isTerminal && entry.size <= Self.longestPaged
        var rest: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        var isFirst = true
        while !shell.console.isOutputClosed {
            try shell.cancellation.check()
            let count = try translating("\(view.label):\(entry.path)") { try file.read(into: buffer) }
            if count == 0 { break }
            let bytes = Array(buffer[..<count])
            guard isTerminal else {
                shell.console.write(bytes, to: .output)
                continue
            }
            if isFirst, bytes.prefix(8192).contains(0) {
                throw ShaleError(
                    .invalid,
                    "\(view.label):\(entry.path): binary file (\(HumanUnits.size(entry.size))), not for a terminal",
                    hint: "cat \(view.label):\(entry.path) > FILE")
            }
            isFirst = false
            rest += bytes
            if isPaged { continue }
            guard let end = rest.lastIndex(of: 0x0A) else { continue }
            shell.console.write(TerminalText.visible(rest[...end]))
            rest.removeSubrange(...end)
        }
        if rest.isEmpty { return [] }
        let text = TerminalText.visible(rest[...])
        guard isPaged else {
            shell.console.write(text)
            return []
        }
        // Whole lines: the last line of a file may have no newline.
        return (text.hasSuffix("\n") ? text.dropLast() : text[...]).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
    }
}

/// Bytes of a file as a terminal may have them: newlines and tabs as they are, other controls made visible.
enum TerminalText {
    static func visible(_ bytes: ArraySlice<UInt8>) -> String {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        // A carriage return before the newline is how some systems end a line.
        for position in lines.indices.dropLast() where lines[position].last == 0x0D { lines[position].removeLast() }
        return lines.map { String(pathBytes: $0).visible }.joined(separator: "\n")
    }
}
