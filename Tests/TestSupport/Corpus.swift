package import FoundationEssentials
import Glibc

/// The corpora that others wrote, read where they lie: `SHALE_CORPORA`, or `../shared/corpora` beside the package.
package enum Corpus {
    /// The corpora's folder, or `nil` where it is absent.
    package static let root: String? = {
        let beside = packageRoot + "/../shared/corpora"
        let path = getenv("SHALE_CORPORA").map { String(cString: $0) } ?? beside
        return access(path, R_OK) == 0 ? path : nil
    }()

    /// Whether there are any; for `.enabled(if:)`, with `absent` as its words.
    package static var isPresent: Bool { root != nil }
    package static let absent = "the corpora are not here (set SHALE_CORPORA)"

    /// The package's own folder: `SHALE_PACKAGE`, or where it was built.
    package static let packageRoot: String = {
        if let given = getenv("SHALE_PACKAGE") { return String(cString: given) }
        var parts = #filePath.split(separator: "/")
        parts.removeLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// The bytes of one file below the corpora's folder.
    package static func data(_ path: String) throws -> Data {
        guard let root else { throw CorpusError.absent }
        return try Data(contentsOf: URL(filePath: root + "/" + path))
    }

    package static func text(_ path: String) throws -> String {
        String(decoding: try data(path), as: UTF8.self)
    }

    /// The `rows` of a corpus file.
    package static func rows(_ path: String) throws -> [JSONValue] {
        try JSONDecoder().decode(JSONValue.self, from: data(path))["rows"]?.array ?? []
    }

    /// A whole corpus file.
    package static func json(_ path: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: data(path))
    }

    /// Prints the score of one corpus, as the test run's reader looks for it.
    package static func score(_ name: String, _ passed: Int, of total: Int) {
        print("corpus \(name): \(passed)/\(total)")
    }
}

package enum CorpusError: Error { case absent }

/// Any JSON, for reading test data without a type for each shape.
package enum JSONValue: Sendable, Hashable, Decodable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    package subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var int: Int? { if case .number(let value) = self { Int(exactly: value) } else { nil } }
    package var double: Double? { if case .number(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
    package var strings: [String]? { array.map { $0.compactMap(\.string) } }
    package var isNull: Bool { self == .null }
}
