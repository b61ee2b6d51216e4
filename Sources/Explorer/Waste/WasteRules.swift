package import Basics
import Images

/// The rules of a `.dive-ci` file, and their results for an image.
package struct WasteRules: Sendable, Hashable {
    /// The defaults of dive.
    package var lowestEfficiency: String = "0.9"
    package var highestWastedBytes: String = "disabled"
    package var highestUserWastedShare: String = "0.1"

    package struct Result: Sendable, Hashable {
        package enum Status: String, Sendable, Hashable {
            case pass = "PASS"
            case fail = "FAIL"
            case skip = "SKIP"
        }

        package var rule: String
        package var status: Status
        package var reason: String

        package var line: String {
            reason.isEmpty ? "\(status.rawValue): \(rule)" : "\(status.rawValue): \(rule): \(reason)"
        }
    }

    package init() {}

    /// Reads a `.dive-ci`: keys with a number or `disabled` below `rules:`, in dive's old and new spelling.
    ///
    /// Throws `invalid`, with the line, for a malformed file. `warn` is called for every unknown key.
    package init(parsing text: String, file: String, warn: (String) -> Void = { _ in }) throws(ShaleError) {
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = Self.withoutComment(line).trimmedBlanks
            if content.isEmpty || content == "---" || content == "rules:" { continue }
            let parts = content.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw ShaleError(.invalid, "\(file):\(number + 1): not KEY: VALUE: \(content.visible)")
            }
            var value = String(parts[1]).trimmedBlanks
            for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
                value = String(value.dropFirst().dropLast())
            }
            if parts[0] == "rules", !["", "{}", "~", "null"].contains(value) {
                // A rule in an unknown notation must not be ignored.
                throw ShaleError(
                    .invalid, "\(file):\(number + 1): not lines of KEY: VALUE below rules: \(value.visible)")
            }
            switch String(parts[0]).trimmedBlanks.filter({ $0 != "-" && $0 != "_" }).lowercased() {
            case "lowestefficiency", "lowestefficiencythreshold": lowestEfficiency = value
            case "highestwastedbytes": highestWastedBytes = value
            case "highestuserwastedpercent": highestUserWastedShare = value
            default: warn("\(file):\(number + 1): no such rule: \(String(parts[0]).trimmedBlanks.visible)")
            }
        }
    }

    private static func withoutComment(_ line: Substring) -> String {
        if line.trimmingPrefix(while: \.isWhitespace).hasPrefix("#") { return "" }
        return line.firstRange(of: " #").map { String(line[..<$0.lowerBound]) } ?? String(line)
    }

    /// The result of each rule; throws `invalid` for a malformed threshold.
    package func results(_ efficiency: DiveEfficiency) throws(ShaleError) -> [Result] {
        [
            try result("lowestEfficiency", lowestEfficiency) { text throws(ShaleError) in
                let limit = try Self.share(text, "lowestEfficiency")
                return efficiency.score < limit
                    ? "image efficiency is too low (efficiency=\(Self.two(efficiency.score)) < threshold=\(text))" : nil
            },
            try result("highestWastedBytes", highestWastedBytes) { text throws(ShaleError) in
                let limit = try Self.bytes(text)
                return efficiency.wastedBytes > limit
                    ? "too many bytes wasted (wasted-bytes=\(efficiency.wastedBytes) > threshold=\(limit))" : nil
            },
            try result("highestUserWastedPercent", highestUserWastedShare) { text throws(ShaleError) in
                let limit = try Self.share(text, "highestUserWastedPercent")
                let share = efficiency.wastedUserShare
                return share > limit
                    ? "too many bytes wasted, relative to the user bytes added "
                        + "(%-user-wasted-bytes=\(Self.two(share)) > threshold=\(text))" : nil
            },
        ]
    }

    private func result(
        _ rule: String, _ value: String, _ failure: (String) throws(ShaleError) -> String?
    ) throws(ShaleError) -> Result {
        if ["", "disabled", "off", "false"].contains(value.lowercased()) {
            return Result(rule: rule, status: .skip, reason: "rule disabled")
        }
        let reason = try failure(value)
        return Result(rule: rule, status: reason == nil ? .pass : .fail, reason: reason ?? "")
    }

    private static func share(_ text: String, _ rule: String) throws(ShaleError) -> Double {
        guard let value = Double(text), value >= 0, value <= 1 else {
            throw ShaleError(.invalid, "\(rule): not a number from 0 to 1: \(text.visible)")
        }
        return value
    }

    private static func bytes(_ text: String) throws(ShaleError) -> Int64 {
        let spelling = text.lowercased()
        return try ByteSize.bytes(text, spelling.hasSuffix("ib") || spelling.hasSuffix("i") ? .binary : .decimal)
    }

    /// The number with two decimals.
    package static func two(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "inf" }
        let hundredths = Int64((value * 100).rounded())
        let rest = abs(hundredths % 100)
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
