import Basics

/// The pattern of `${x#p}`, `${x%p}` and `${x/p/r}`: `*` any text, `?` any character, no brackets.
struct ShellPattern {
    private let glob: Glob

    /// A backslash escapes `*`, `?` and itself; before `}` and `/`, which the braces need escaped, it just goes.
    init(_ pattern: String) throws(Complaint) {
        do throws(Glob.Malformed) {
            glob = try Glob(pattern, .parameter)
        } catch {
            let escape = if case .escape(let scalar?) = error { "\\\(scalar)" } else { "\\" }
            throw Complaint("invalid pattern (\(pattern)) in substitution: invalid escape '\(escape)'")
        }
    }

    func trimmingPrefix(of value: String, longest: Bool) -> String {
        let scalars = Array(value.unicodeScalars)
        guard let end = glob.matchEnd(in: scalars, from: 0, longest: longest) else { return value }
        return String(scalars[end...])
    }

    func trimmingSuffix(of value: String, longest: Bool) -> String {
        let scalars = Array(value.unicodeScalars.reversed())
        guard let end = glob.reversed.matchEnd(in: scalars, from: 0, longest: longest) else { return value }
        return String(scalars[end...].reversed())
    }

    /// Replaces the first match, or every one; matches are the leftmost and longest.
    ///
    /// `nil` for a result of more than `limit` characters.
    func replacing(in value: String, with replacement: String, everywhere: Bool, limit: Int) -> String? {
        let scalars = Array(value.unicodeScalars)
        let added = replacement.unicodeScalars.count
        var left = limit - scalars.count
        var result = String.UnicodeScalarView()
        var start = 0
        var lastEnd = -1
        while start <= scalars.count {
            if let end = glob.matchEnd(in: scalars, from: start, longest: true),
                end > start || start != lastEnd
            {
                left -= added
                guard left >= 0 else { return nil }
                result.append(contentsOf: replacement.unicodeScalars)
                if !everywhere {
                    result.append(contentsOf: scalars[end...])
                    return String(result)
                }
                lastEnd = end
                if end > start {
                    start = end
                    continue
                }
            }
            if start < scalars.count { result.append(scalars[start]) }
            start += 1
        }
        return String(result)
    }
}
