import Basics
import FoundationEssentials
import Glibc

/// What one transfer's callbacks share; lives on the thread that performs it.
final class Exchange {
    enum Stop {
        case sink(ShaleError)
        case tooLarge
        case stalled
        /// Fewer bytes arrived than the slowest accepted rate; `bytes` in the last period.
        case tooSlow(bytes: Int)
        case cancelled
    }

    private(set) var head = HTTPHead()
    private(set) var body = Data()
    private(set) var stop: Stop?
    /// Whether the sink needs no more bytes: the transfer then ends early, without an error.
    private(set) var hasEnough = false
    private let limit: Int
    /// Bodies of errors are never needed beyond this.
    private let errorLimit = 64 << 10
    private let sink: BodySink?
    private let source: BodySource?
    private let cancellation: Cancellation
    private let stallNanoseconds: UInt64
    private var lastActivity = Exchange.now()
    /// When the bytes in `paceBytes` began to be counted; `nil` before the answer began.
    private var paceStart: UInt64?
    private var paceBytes = 0
    /// Bytes of the answer so far, its head included.
    private(set) var received = 0
    /// The slowest accepted rate, in bytes a second: with a byte now and then a transfer would never end.
    private static let slowestPace = 100

    init(
        limit: Int, sink: BodySink?, source: BodySource?, cancellation: Cancellation, stallTimeout: Double
    ) {
        self.limit = limit
        self.sink = sink
        self.source = source
        self.cancellation = cancellation
        stallNanoseconds = UInt64(min(max(stallTimeout, 0.01), 86_400) * 1e9)
    }

    /// Monotonic nanoseconds.
    static func now() -> UInt64 { SteadyTime.now() }

    /// Called between two waits; returns false to end the transfer.
    func proceeds() -> Bool {
        if cancellation.isCancelled {
            stop = .cancelled
        } else if Exchange.now() &- lastActivity > stallNanoseconds {
            stop = .stalled
        } else {
            checkPace()
        }
        return stop == nil
    }

    /// Ends a transfer that was slower than ``slowestPace`` for as long as a silent server is waited for.
    private func checkPace() {
        let now = Exchange.now()
        guard let start = paceStart, now &- start > stallNanoseconds else { return }
        let seconds = Double(now &- start) / 1e9
        if Double(paceBytes) < seconds * Double(Self.slowestPace) { stop = .tooSlow(bytes: paceBytes) }
        (paceStart, paceBytes) = (now, 0)
    }

    private func count(_ bytes: Int) {
        if paceStart == nil { paceStart = Exchange.now() }
        paceBytes &+= bytes
        received &+= bytes
    }

    /// Takes one header line; a new status line begins a new answer (100 Continue, a proxy's CONNECT).
    func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Bool {
        lastActivity = Exchange.now()
        count(bytes.count)
        var line = String(decoding: bytes, as: UTF8.self)
        while let last = line.unicodeScalars.last, last == "\r" || last == "\n" { line.unicodeScalars.removeLast() }
        if line.hasPrefix("HTTP/") {
            let words = line.split(separator: " ")
            head = HTTPHead(status: words.count > 1 ? Int(words[1]) ?? 0 : 0, headers: HTTPHeaders())
        } else if let colon = line.firstIndex(of: ":") {
            guard head.headers.fields.count < 256 else {
                stop = .tooLarge
                return false
            }
            head.headers.append(
                line[..<colon].trimmingBlanks, line[line.index(after: colon)...].trimmingBlanks)
        }
        return true
    }

    /// Takes bytes of the body: a success's into the sink where there is one, all others into memory.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        lastActivity = Exchange.now()
        count(bytes.count)
        if cancellation.isCancelled {
            stop = .cancelled
            return false
        }
        if let sink, head.isSuccess {
            do throws(ShaleError) {
                hasEnough = try sink(head, bytes) == .enough
            } catch {
                stop = .sink(error)
            }
            let now = Exchange.now()
            // The time that the sink needed does not count as time of the server.
            paceStart = paceStart.map { $0 &+ (now &- lastActivity) }
            lastActivity = now
            return stop == nil && !hasEnough
        }
        if head.isSuccess {
            guard bytes.count <= limit - body.count else {
                stop = .tooLarge
                return false
            }
            body.append(contentsOf: bytes)
        } else {
            body.append(contentsOf: bytes.prefix(max(0, errorLimit - body.count)))
        }
        return true
    }

    /// Gives bytes to send; `nil` ends the transfer.
    func giveBody(_ bytes: UnsafeMutableRawBufferPointer) -> Int? {
        lastActivity = Exchange.now()
        guard let source else { return 0 }
        if cancellation.isCancelled {
            stop = .cancelled
            return nil
        }
        do throws(ShaleError) {
            return try source(bytes)
        } catch {
            stop = .sink(error)
            return nil
        }
    }
}
