import Basics
import Linux
import Rendering
import Synchronization

/// Writes responses and events of the Debug Adapter Protocol to a descriptor, from any thread.
///
/// A client that went away is no error here: the reader of its requests sees their end.
final class AdapterWriter: Sendable {
    private struct State {
        /// The number of the last message, counted from 1.
        var sequence: Int64 = 0
        var isClosed = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    /// The descriptor stays the caller's.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func respond(to request: AdapterRequest, _ body: JSONDocument? = nil) {
        send(.response) { members in
            members.append(.init("request_seq", .integer(request.sequence)))
            members.append(.init("success", true))
            members.append(.init("command", .string(request.command)))
            if let body { members.append(.init("body", body)) }
        }
    }

    /// Says that a request failed; `message` is one of the protocol's words or `nil`, `error` is shown to the user.
    func refuse(_ request: AdapterRequest, _ error: ShaleError, message: String? = nil, isShown: Bool = false) {
        let masked = Secrets.masked(error.description, isProse: true).text.visibleLines
        let text = error.hint.map { "\(masked)\nhint: \($0.visibleLines)" } ?? masked
        send(.response) { members in
            members.append(.init("request_seq", .integer(request.sequence)))
            members.append(.init("success", false))
            members.append(.init("command", .string(request.command)))
            members.append(.init("message", .string(message ?? masked)))
            // In `format` a name in braces would be a variable.
            let shown: JSONDocument = .members([
                "id": 1, "format": "{text}", "variables": .members(["text": .string(text)]),
                "showUser": .bool(isShown),
            ])
            members.append(.init("body", .members(["error": shown])))
        }
    }

    func event(_ name: String, _ body: JSONDocument? = nil) {
        send(.event) { members in
            members.append(.init("event", .string(name)))
            if let body { members.append(.init("body", body)) }
        }
    }

    private func send(_ type: AdapterReader.MessageType, _ fill: (inout [JSONDocument.Member]) -> Void) {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.sequence += 1
            var members: [JSONDocument.Member] = [
                .init("seq", .integer(state.sequence)), .init("type", .string(type.rawValue)),
            ]
            fill(&members)
            let content = Array(JSONDocument.object(members).text().utf8)
            do throws(SystemCallError) {
                try BorrowedFD(descriptor).write(Array("Content-Length: \(content.count)\r\n\r\n".utf8) + content)
            } catch {
                state.isClosed = true
            }
        }
    }
}
