/// The nearest of several names to one that does not exist.
package enum Suggestion {
    /// Up to `limit` candidates that begin with the word or are near it, nearest first.
    ///
    /// Near is one edit (a letter more, less, other, or two swapped), two in a word of six letters, three in one of
    /// nine: `pause` is no help for `push`. A word of one or two letters is near what it begins, before what shares a
    /// letter with it.
    package static func nearest(to word: String, among candidates: some Sequence<String>, limit: Int = 1) -> [String] {
        let floor = min(3, max(1, word.count / 3))
        let scored = candidates.map { name in
            let continues = !word.isEmpty && name.hasPrefix(word)
            return (name: name, distance: continues ? 0 : distance(word, name))
        }
        // When every letter must be changed, the words are not similar.
        return scored.filter { $0.distance <= floor && $0.distance < max(1, word.count) }.sorted {
            ($0.distance, $0.name) < ($1.distance, $1.name)
        }
        .prefix(limit).map(\.name)
    }

    /// Edit distance with transpositions of neighbours counted once (optimal string alignment).
    package static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.unicodeScalars)
        let right = Array(right.unicodeScalars)
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for row in 1...left.count {
            var current = [row]
            for column in 1...right.count {
                let same = left[row - 1] == right[column - 1]
                var best = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + (same ? 0 : 1))
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    best = min(best, beforePrevious[column - 2] + 1)
                }
                current.append(best)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[right.count]
    }
}
