import Basics
import TestSupport
import Testing

@testable import Dockerfiles

/// Counts the rows of one corpus that agree, and names those that do not.
struct Score {
    private let name: String
    /// Rows that differ on purpose, each with its reason.
    private let exceptions: [String: String]
    private var passed = 0
    private var total = 0
    private var failures: [String] = []

    init(_ name: String, exceptions: [String: String] = [:]) {
        self.name = name
        self.exceptions = exceptions
    }

    mutating func check<Value: Equatable>(_ id: String?, _ got: Value, _ wanted: Value) {
        total += 1
        if got == wanted {
            passed += 1
        } else if exceptions[id ?? ""] == nil {
            failures.append("\(id ?? "?")\n  got    \(got)\n  wanted \(wanted)")
        }
    }

    /// The same for documents, of which only the first difference is shown.
    mutating func check(_ id: String?, _ got: [JSONValue], _ wanted: [JSONValue]) {
        let difference = JSONValue.array(got).difference(from: .array(wanted))
        check(id, difference, nil)
    }

    func finish() {
        Corpus.score(name, passed, of: total)
        for failure in failures.prefix(20) { Issue.record("\(failure.prefix(3_000))") }
        #expect(failures.isEmpty && passed + exceptions.count >= total && total > 0)
    }
}

/// The words of the error a piece of code throws, or `nil`.
func message(_ part: KeyPath<DockerfileError, String> = \.message, _ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as DockerfileError {
        return error[keyPath: part]
    } catch let error as ShaleError {
        return error.description
    } catch let error as Complaint {
        return error.message
    } catch {
        return "\(error)"
    }
}

extension JSONValue {
    /// Where two documents first differ, and how.
    fileprivate func difference(from other: JSONValue, at path: String = "") -> String? {
        switch (self, other) {
        case (.array(let left), .array(let right)):
            for index in 0..<max(left.count, right.count) {
                let (one, two) = (index < left.count ? left[index] : .null, index < right.count ? right[index] : .null)
                if let found = one.difference(from: two, at: "\(path)[\(index)]") { return found }
            }
            return left.count == right.count ? nil : "\(path): \(left.count) and \(right.count) elements"
        case (.object(let left), .object(let right)):
            for key in Set(left.keys).union(right.keys).sorted() {
                let (one, two) = (left[key] ?? .null, right[key] ?? .null)
                if let found = one.difference(from: two, at: "\(path).\(key)") { return found }
            }
            return nil
        default:
            return self == other ? nil : "\(path): \(self) and not \(other)"
        }
    }
}
