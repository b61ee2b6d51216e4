package import Basics

/// An option written as comma-separated fields, `type=local,dest=DIR`; a field may stand in double quotes.
package struct OptionFields: Sendable, Hashable {
    /// The fields as they stand there.
    package let fields: [String]

    /// Throws `usage`, in docker's words, for quotes that do not end.
    package init(parsing text: String) throws(ShaleError) {
        do throws(Complaint) {
            fields = try CommaSeparated.fields(text, of: "value")
        } catch {
            throw ShaleError(.usage, error.message)
        }
    }

    /// Each field as a key in lower case and its value; of a key that stands there twice the last counts.
    ///
    /// Throws `usage`, in docker's words, for a field that is no pair.
    package func values() throws(ShaleError) -> [String: String] {
        var values: [String: String] = [:]
        for field in fields {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw ShaleError(.usage, "invalid value \(field.visible)") }
            values[parts[0].lowercased().filter { $0 != " " }] = String(parts[1])
        }
        return values
    }
}
