/// Orders of tags, which are free text and mostly versions.
package enum TagOrder {
    /// Versions first, highest first (`2.10` before `2.9`, `2.0` before `2.0-rc1`); then the rest by name.
    package static func newestFirst(_ tags: [String]) -> [String] {
        let keyed = tags.map { (tag: $0, key: Key($0)) }
        return keyed.sorted { left, right in
            switch (left.key, right.key) {
            case (let left?, let right?) where left != right: right < left
            case (_?, nil): true
            case (nil, _?): false
            default: left.tag < right.tag
            }
        }.map(\.tag)
    }

    /// Lowest version first, tags that are none at the end.
    package static func byVersion(_ tags: [String]) -> [String] {
        let versions = tags.filter { Key($0) != nil }
        let others = tags.filter { Key($0) == nil }
        return newestFirst(versions).reversed() + others.sorted()
    }

    /// The numbers a tag starts with, and what follows them.
    private struct Key: Comparable {
        var numbers: [UInt64]
        var suffix: String

        /// `nil` for a tag that does not start with a number (after one `v`).
        init?(_ tag: String) {
            let text = tag.hasPrefix("v") ? tag.dropFirst() : tag[...]
            var numbers: [UInt64] = []
            var rest = text
            while true {
                let digits = rest.prefix { $0.isASCII && $0.isNumber }
                // Longer runs are dates with time, or digests: still numbers as far as they fit.
                guard !digits.isEmpty, let number = UInt64(digits) else { break }
                numbers.append(number)
                rest = rest[digits.endIndex...]
                guard rest.first == "." else { break }
                rest = rest.dropFirst()
            }
            guard !numbers.isEmpty, rest.isEmpty || !(rest.first?.isLetter ?? false) || numbers.count > 1 else {
                return nil
            }
            self.numbers = numbers
            suffix = String(rest)
        }

        static func < (left: Key, right: Key) -> Bool {
            if left.numbers != right.numbers { return left.numbers.lexicographicallyPrecedes(right.numbers) }
            // A release stands above its own pre-releases and variants.
            if left.suffix.isEmpty != right.suffix.isEmpty { return right.suffix.isEmpty }
            return left.suffix < right.suffix
        }
    }
}
