import Basics
import Glibc
import Linux

/// The requests of a client, read by a thread of its own, so that breakpoints, `pause` and `disconnect` count while a
/// step is carried out.
///
/// What needs no more than ``StopRules`` is answered in that thread; the rest waits for the main thread.
final class AdapterInbox: Sendable {
    enum Message: Sendable {
        case request(AdapterRequest, AdapterCommand)
        /// No more requests: the client went away, or sent what is no message of the protocol.
        case end(ShaleError?)
    }

    private let waiting = Condition<[Message]>([])
    /// The requests that wait for the main thread at most: an editor has a few under way.
    private static let mostWaiting = 1000
    /// How long a step or a command has to end by itself once the client has left, in milliseconds.
    private static let patience: Int32 = 300
    /// Between two signals, in milliseconds: shale ends at once at a second Ctrl-C within two seconds.
    private static let interval: Int32 = 3000

    /// Starts to read.
    ///
    /// `cancellation` stops the step under way when the client leaves. Throws `unavailable` when the host has no thread
    /// left. The thread ends with the input; a client that keeps it open ends it with the process.
    init(
        reading descriptor: Int32, _ writer: AdapterWriter, _ rules: StopRules, _ cancellation: Cancellation
    ) throws(ShaleError) {
        let waiting = self.waiting
        _ = try WorkerThread {
            var reader = AdapterReader(descriptor)
            let immediate = ImmediateRequests(writer: writer, rules: rules)
            func leave(_ message: Message) {
                rules.leave()
                cancellation.cancel()
                waiting.update { $0.append(message) }
                // A container that a command waits for hears of a Ctrl-C alone, and of a second one at the latest.
                poll(nil, 0, Self.patience)
                while waiting.read({ !$0.isEmpty }) {
                    kill(getpid(), SIGINT)
                    poll(nil, 0, Self.interval)
                }
            }
            while true {
                do throws(ShaleError) {
                    guard let request = try reader.next() else { return leave(.end(nil)) }
                    guard let command = AdapterCommand(rawValue: request.command) else {
                        let name = request.command.prefix(100)
                        writer.refuse(request, ShaleError(.unsupported, "dap: there is no request \"\(name)\" here"))
                        continue
                    }
                    if immediate.answer(request, command) { continue }
                    switch command {
                    case .disconnect: return leave(.request(request, command))
                    case .terminate: leave(.request(request, command))
                    default:
                        guard waiting.read({ $0.count < Self.mostWaiting }) else {
                            writer.refuse(request, ShaleError(.conflict, "dap: too many requests wait"))
                            continue
                        }
                        if command.resumes { rules.setRunning(true) }
                        waiting.update { $0.append(.request(request, command)) }
                    }
                } catch {
                    return leave(.end(error))
                }
            }
        }
    }

    /// Waits for the next message.
    func next() -> Message {
        waiting.wait { messages in messages.isEmpty ? nil : messages.removeFirst() }
    }
}

/// Requests that are answered while the program runs.
private struct ImmediateRequests: Sendable {
    let writer: AdapterWriter
    let rules: StopRules

    /// The one thread that a program of steps has.
    static let threads: JSONDocument = .members(["threads": [.members(["id": 1, "name": "steps"])]])

    /// Whether the request was one of these.
    func answer(_ request: AdapterRequest, _ command: AdapterCommand) -> Bool {
        let arguments = request.arguments
        switch command {
        case .threads: writer.respond(to: request, Self.threads)
        case .setBreakpoints: setBreakpoints(request)
        case .setFunctionBreakpoints:
            let names = (arguments["breakpoints"]?.array ?? []).map { $0["name"]?.string ?? "" }
            let set = rules.setWords(names).map { breakpoint in
                JSONDocument.members(["id": .integer(breakpoint.id), "verified": true])
            }
            writer.respond(to: request, .members(["breakpoints": .array(set)]))
        case .setExceptionBreakpoints:
            let filters = (arguments["filters"]?.array ?? []).compactMap(\.string)
            let options = (arguments["filterOptions"]?.array ?? []).compactMap { $0["filterId"]?.string }
            rules.setStopsOnFailure((filters + options).contains(AdapterCapabilities.failureFilter))
            writer.respond(to: request)
        case .breakpointLocations:
            let first = rules.line(arguments["line"])
            let last = arguments["endLine"].map { rules.line($0) } ?? first
            let lines = rules.stops(from: first, through: last).map { line in
                JSONDocument.members(["line": .integer(Int64(rules.shown(line)))])
            }
            writer.respond(to: request, .members(["breakpoints": .array(lines)]))
        case .pause:
            guard rules.pause() else {
                writer.refuse(request, ShaleError(.conflict, "nothing runs"))
                return true
            }
            writer.respond(to: request)
        default:
            guard command.needsStop, rules.isRunning else { return false }
            writer.refuse(request, ShaleError(.conflict, "the program runs"), message: "notStopped")
        }
        return true
    }

    private func setBreakpoints(_ request: AdapterRequest) {
        let path = request.arguments["source"]?["path"]?.string
        let wanted: [Int] =
            if let breakpoints = request.arguments["breakpoints"]?.array {
                breakpoints.map { rules.line($0["line"]) }
            } else {
                (request.arguments["lines"]?.array ?? []).map { rules.line($0) }
            }
        guard rules.isProgram(path) else {
            // Only the file itself is stepped through, not what it includes or copies.
            let none = wanted.map { _ in
                JSONDocument.members(["verified": false, "message": "this file is not the one that is stepped through"])
            }
            return writer.respond(to: request, .members(["breakpoints": .array(none)]))
        }
        let set = rules.setLines(wanted).map { rules.document($0) }
        writer.respond(to: request, .members(["breakpoints": .array(set)]))
    }
}

extension StopRules {
    /// A breakpoint as the protocol has it.
    func document(_ breakpoint: LineBreakpoint) -> JSONDocument {
        guard let line = breakpoint.line else {
            return .members([
                "id": .integer(breakpoint.id), "verified": false,
                "message": "there is no instruction at or below this line",
            ])
        }
        return .members([
            "id": .integer(breakpoint.id), "verified": true, "line": .integer(Int64(shown(line))),
        ])
    }
}
