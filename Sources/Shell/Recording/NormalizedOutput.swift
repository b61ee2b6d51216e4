import Basics
import Stores

/// Lines of output in which everything that differs between runs is replaced: ids, ages, dates, sizes, durations,
/// progress, and whether the cache was used.
struct NormalizedOutput {
    /// The lines that are compared, as they were and made equal.
    private(set) var lines: [(text: String, equal: String)] = []
    /// Whether a step came from the cache: then what its command would have printed is missing.
    let isCached: Bool

    init(_ texts: [String], comparedWith other: NormalizedOutput? = nil) {
        isCached = texts.contains { $0.hasSuffix("  (cached)") || $0 == " ---> Using cache" }
        var texts = texts.filter { !Self.isPassing($0) }
        if isCached || other?.isCached ?? false { texts = Self.withoutCommandOutput(texts) }
        lines = texts.map { ($0, Self.equal($0)) }
    }

    // MARK: Lines

    /// Lines about progress and not about the result.
    private static func isPassing(_ line: String) -> Bool {
        if line == " ---> Using cache" { return true }
        for prefix in [
            " ---> Running in ", "Removing intermediate container ", " ---> Removed intermediate container ",
        ] where line.hasPrefix(prefix) { return true }
        guard let colon = line.firstIndex(of: ":"), isIdentifier(line[..<colon]) else { return false }
        let state = line[line.index(after: colon)...].drop { $0 == " " }
        let states = [
            "Pulling fs layer", "Waiting", "Downloading", "Verifying Checksum", "Download complete", "Extracting",
            "Pull complete", "Already exists", "Preparing", "Pushing", "Pushed", "Layer already exists", "Mounted from",
            "Retrying",
        ]
        return states.contains { state.hasPrefix($0) }
    }

    /// A build's own lines, or a step's from its arrow on.
    private static func withoutCommandOutput(_ lines: [String]) -> [String] {
        if lines.contains(where: { $0.hasPrefix("Step ") }) {
            return lines.filter { line in
                ["Step ", " ---> ", "Successfully "].contains { line.hasPrefix($0) }
            }
        }
        return Array(lines.drop { !$0.hasPrefix(" ---> ") })
    }

    static func equal(_ line: String) -> String {
        var line = line
        if line.hasSuffix("  (cached)") { line.removeLast("  (cached)".count) }
        for status in ["Status: Downloaded newer image for ", "Status: Image is up to date for "]
        where line.hasPrefix(status) { line = "Status: <pulled> " + line.dropFirst(status.count) }
        line = Self.withoutBase(line)
        // Columns are as wide as what stands in them.
        let isIndented = line.first?.isWhitespace ?? false
        var words = line.split(whereSeparator: \.isWhitespace)[...]
        var result: [String] = []
        while let word = words.first {
            if let count = phrase(words) {
                result.append("<age>")
                words = words.dropFirst(count)
            } else {
                words = words.dropFirst()
                if let unit = words.first, isNumber(word), sizeUnits.contains(String(unit)) {
                    words = words.dropFirst()
                    result.append("<size>")
                } else {
                    result.append(equalWord(String(word)))
                }
            }
        }
        // The last column of `steps`: it came from the cache.
        if result.last == "yes", result.dropLast().last == "<time>" { result.removeLast() }
        return (isIndented ? " " : "") + result.joined(separator: " ")
    }

    /// The arrow of a typed `FROM` without what the base is.
    ///
    /// Recordings that were made before this was printed have the id alone.
    private static func withoutBase(_ line: String) -> String {
        guard line.hasPrefix(" ---> "), line.hasSuffix(" layer") || line.hasSuffix(" layers") else { return line }
        let words = line.split(separator: " ")
        return words.count == 7 && words[4] == "in" ? " \(words[0]) \(words[1])" : line
    }

    /// How many words an age takes: `Less than a second ago`, `About an hour`, `3 weeks ago`.
    private static func phrase(_ words: ArraySlice<Substring>) -> Int? {
        let next = words.prefix(5).map(String.init)
        func withAgo(_ count: Int) -> Int { next.count > count && next[count] == "ago" ? count + 1 : count }
        if next.starts(with: ["Less", "than", "a", "second"]) { return withAgo(4) }
        if next.count >= 3, next[0] == "About", ["a", "an"].contains(next[1]), ageUnits.contains(next[2]) {
            return withAgo(3)
        }
        guard next.count >= 2, next[0].allSatisfy(\.isNumber), ageUnits.contains(next[1]) else { return nil }
        return withAgo(2)
    }

    private static let ageUnits: Set<String> = Set(
        ["second", "minute", "hour", "day", "week", "month", "year"].flatMap { [$0, $0 + "s"] })
    private static let sizeUnits: Set<String> = [
        "B", "kB", "KB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "bytes",
    ]
    private static let timeUnits: Set<String> = ["ns", "µs", "us", "ms", "s", "m", "h"]

    // MARK: Words

    /// The parts of a word, each replaced when it differs between runs.
    private static func equalWord(_ word: String) -> String {
        var result = ""
        var rest = word[...]
        while let first = rest.first {
            guard isPart(first) else {
                result.append(first)
                rest = rest.dropFirst()
                continue
            }
            if let date = datePrefix(rest) {
                result += "<date>"
                rest = rest.dropFirst(date)
                continue
            }
            let part = rest.prefix { isPart($0) || $0 == "." || $0 == "_" }
            result += equalPart(part)
            rest = rest.dropFirst(part.count)
        }
        return result.replacing("sha256:<id>", with: "<id>")
    }

    private static func isPart(_ character: Character) -> Bool { character.isLetter || character.isNumber }

    private static func equalPart(_ part: Substring) -> String {
        // A point at the end ends a sentence.
        let core = part.hasSuffix(".") ? part.dropLast() : part
        let end = String(part.dropFirst(core.count))
        if isIdentifier(core) { return "<id>" + end }
        if ContainerName.looksFound(String(core)) { return "<name>" + end }
        let unit = String(core.drop { $0.isNumber || $0 == "." })
        if unit.count < core.count, isNumber(core.dropLast(unit.count)) {
            if sizeUnits.contains(unit) { return "<size>" + end }
            if timeUnits.contains(unit) { return "<time>" + end }
        }
        return String(part)
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isNumber || $0 == "." } && text.first != "." && text.last != "."
    }

    /// Twelve or sixty-four hexadecimal digits.
    private static func isIdentifier(_ text: Substring) -> Bool {
        (text.utf8.count == 12 || text.utf8.count == 64)
            && text.hasOnlyLowercaseHexDigits
    }

    /// How many characters a moment takes: `2026-11-26`, `11:10:08`, or both with a zone.
    private static func datePrefix(_ text: Substring) -> Int? {
        let characters = Array(text.prefix(64))
        func matches(_ pattern: String, at start: Int) -> Bool {
            let pattern = Array(pattern)
            guard start + pattern.count <= characters.count else { return false }
            return pattern.indices.allSatisfy { index in
                let character = characters[start + index]
                return pattern[index] == "0" ? character.isASCII && character.isNumber : character == pattern[index]
            }
        }
        var end = 0
        if matches("0000-00-00", at: 0) { end = 10 }
        let hasDay = end > 0
        if hasDay, end < characters.count, characters[end] == "T" { end += 1 }
        if hasDay == (end == 11) || !hasDay, matches("00:00:00", at: end) {
            end += 8
            if end < characters.count, characters[end] == "." {
                end += 1
                while end < characters.count, characters[end].isNumber { end += 1 }
            }
            if end < characters.count, characters[end] == "Z" {
                end += 1
            } else if matches("+00:00", at: end) || matches("-00:00", at: end) {
                end += 6
            }
        } else if hasDay, end == 11 {
            end = 10
        }
        return end == 0 ? nil : end
    }
}
