import Basics
import Containers
import Dockerfiles
import Images
import Layers
import Linux
import Synchronization

/// What reading and copying files tells while it goes on: nothing for half a second, then how far it is.
///
/// One of it is for one instruction, or for the walk of one context. From any thread.
final class CopyProgress: Sendable {
    private struct State {
        var word = ""
        var total: (@Sendable () -> Int64?)?
        var knownTotal: Int64?
        var current: Int64 = 0
        var told: Int64?
    }

    /// So many nanoseconds nothing is told: most steps are over by then.
    private static let silence: Int64 = 500_000_000
    /// How many bytes are between two reports.
    private static let reportEvery: Int64 = 256 << 10

    private let name: String
    private let operation: OperationContext
    private let start = Timestamp.now()
    private let state = Mutex(State())

    /// `name` stands in front of what is told.
    init(_ name: String, _ operation: OperationContext) {
        self.name = name
        self.operation = operation
    }

    /// Begins a part of the work; `total` is only asked for once something is told.
    func begin(_ word: String, of total: @escaping @Sendable () -> Int64? = { nil }) {
        state.withLock { $0 = State(word: word, total: total) }
    }

    /// So many bytes more are done.
    func moved(_ bytes: Int64) {
        state.withLock { state in
            state.current = state.current.addingClamped(bytes)
            if let told = state.told {
                guard state.current - told >= Self.reportEvery || state.current == state.knownTotal else { return }
            } else {
                guard Timestamp.now().wholeNanoseconds(since: start) > Self.silence else { return }
                state.knownTotal = state.total?()
            }
            state.told = state.current
            tell(state)
        }
    }

    /// Begins a part of which no bytes are counted, when something was told before it.
    func beginUncounted(_ word: String) {
        state.withLock { state in
            let isShown = Timestamp.now().wholeNanoseconds(since: start) > Self.silence
            state = State(word: word)
            if isShown { tell(state) }
        }
    }

    /// How many bytes of the part at hand are done.
    var current: Int64 { state.withLock(\.current) }

    private func tell(_ state: State) {
        operation.tell(.bytes(id: name, state: state.word, current: state.current, total: state.knownTotal))
    }
}

extension FilePlacement {
    /// Whether `--exclude` excludes a path.
    ///
    /// Its patterns are relative to the copied directory.
    func isExcluded(_ path: String, below directory: String) -> Bool {
        guard let excluded else { return false }
        if directory.isEmpty || PathOrder.same(path, directory) { return excluded.matches(path) != nil }
        let rest = String(path.utf8.dropFirst(directory.utf8.count + 1)) ?? ""
        return excluded.matches(path) != nil || excluded.matches(rest) != nil
    }

    /// Bytes of the files of the sources; `nil` with a pattern or an address among them, or when the walk is stopped.
    func bytesOfSources(_ cancellation: Cancellation) -> Int64? {
        guard let source else { return nil }
        var bytes: Int64 = 0
        for written in paths {
            guard RemoteContext(written) == nil, !written.leavesRoot else { return nil }
            let path = ImagePath.clean(written).withoutLeadingSlash
            guard !path.hasPatternCharacters, let top = try? source.root.pathBehindLinks(path),
                let status = try? source.root.status(top)
            else { return nil }
            if status.kind == .regular { bytes = bytes.addingClamped(status.size) }
            guard status.kind == .directory else { continue }
            let walked: Void? = try? source.walk(from: top == "/" ? "" : top) { path, status throws(ShaleError) in
                try cancellation.check()
                if status.kind == .regular, !isExcluded(path, below: top) { bytes = bytes.addingClamped(status.size) }
            }
            if walked == nil { return nil }
        }
        return bytes
    }
}
