import Basics
import Explorer
import Layers

/// A difference as a line: docker's `A`, `C` or `D`, the path, and the reasons.
enum DifferenceText {
    /// `reasons` follow in parentheses; that a layer deletes the path is always said.
    static func line(_ difference: TreeDifference, reasons: [String] = []) -> String {
        let line = "\(difference.kind.rawValue) \(difference.path.visible)"
        let words = deletion(difference).map { [$0] } ?? reasons
        return words.isEmpty ? line : "\(line)  (\(words.joined(separator: ", ")))"
    }

    /// When two layers are compared by themselves: what one of them deletes from the layers below it.
    private static func deletion(_ difference: TreeDifference) -> String? {
        switch (difference.before?.kind == .whiteout, difference.after?.kind == .whiteout) {
        case (false, false): nil
        case (true, true): nil
        case (false, true): difference.before == nil ? "whiteout" : "\(difference.before?.kind.noun ?? "") -> whiteout"
        case (true, false): difference.after == nil ? "whiteout" : "whiteout -> \(difference.after?.kind.noun ?? "")"
        }
    }
}
