import Linux

/// The difference of two texts as `diff -u` writes it.
package enum UnifiedDiff {
    private enum Line {
        case same(String)
        case removed(String)
        case added(String)
    }

    /// The differing lines without their line ends; empty for equal contents.
    ///
    /// - Parameters:
    ///   - old: The bytes before; `nil` for a file that did not exist.
    ///   - new: The bytes now; `nil` for a file that does not exist.
    ///   - names: The names after `---` and `+++`.
    ///   - context: The number of context lines around each change.
    /// - Returns: Header and hunks; a single line for binary files.
    package static func lines(
        _ old: [UInt8]?, _ new: [UInt8]?, names: (old: String, new: String), context: Int = 3
    ) -> [String] {
        if old == new { return [] }
        if (old ?? []).prefix(8192).contains(0) || (new ?? []).prefix(8192).contains(0) {
            return ["Binary files \(names.old) and \(names.new) differ"]
        }
        let before = textLines(old ?? [])
        let after = textLines(new ?? [])
        let script = script(before, after)
        var out = ["--- \(old == nil ? "/dev/null" : names.old)", "+++ \(new == nil ? "/dev/null" : names.new)"]
        out += hunks(script, context: context)
        return out
    }

    /// Splits into lines.
    ///
    /// As in diff, a last line without a newline differs from the same line with one.
    private static func textLines(_ bytes: [UInt8]) -> [String] {
        if bytes.isEmpty { return [] }
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map {
            String(pathBytes: $0)
        }
        if lines.last == "" { lines.removeLast() } else { lines[lines.count - 1] += "\n\\ No newline at end of file" }
        return lines
    }

    private static func script(_ before: [String], _ after: [String]) -> [Line] {
        // For more lines the shortest script takes too long: all old lines are removed and all new ones added.
        guard before.count &+ after.count <= 40_000 else {
            return before.map { .removed($0) } + after.map { .added($0) }
        }
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for change in after.difference(from: before) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var lines: [Line] = []
        var left = 0
        var right = 0
        while left < before.count || right < after.count {
            if left < before.count, removed.contains(left) {
                lines.append(.removed(before[left]))
                left += 1
            } else if right < after.count, added.contains(right) {
                lines.append(.added(after[right]))
                right += 1
            } else if left < before.count {
                lines.append(.same(before[left]))
                left += 1
                right += 1
            } else {
                break
            }
        }
        return lines
    }

    private static func hunks(_ script: [Line], context: Int) -> [String] {
        let changed = script.indices.filter { if case .same = script[$0] { false } else { true } }
        var out: [String] = []
        var position = 0
        var before = 1
        var after = 1
        var next = changed[...]
        while let first = next.first {
            let start = max(position, first - context)
            var end = first
            while let change = next.first, change <= end + 2 * context + 1 || change == first {
                end = change
                next = next.dropFirst()
            }
            let stop = min(script.count, end + context + 1)
            for line in script[position..<start] { count(line, &before, &after) }
            let (from, to) = (before, after)
            var body: [String] = []
            for line in script[start..<stop] {
                count(line, &before, &after)
                switch line {
                case .same(let text): body.append(" " + text)
                case .removed(let text): body.append("-" + text)
                case .added(let text): body.append("+" + text)
                }
            }
            out.append("@@ -\(range(from, before - from)) +\(range(to, after - to)) @@")
            out += body.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
            position = stop
        }
        return out
    }

    private static func count(_ line: Line, _ before: inout Int, _ after: inout Int) {
        switch line {
        case .same:
            before += 1
            after += 1
        case .removed: before += 1
        case .added: after += 1
        }
    }

    private static func range(_ start: Int, _ count: Int) -> String {
        count == 1 ? "\(start)" : "\(count == 0 ? start - 1 : start),\(count)"
    }
}
