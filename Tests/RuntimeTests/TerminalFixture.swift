import Basics
import Glibc
import Linux
import Runtime
import Synchronization

/// A terminal of the test's own, as the user's would be: what is typed, and what is seen.
final class TerminalFixture: Sendable {
    let master: Int32
    let slave: Int32
    private let seen = Mutex<[UInt8]>([])

    init(rows: UInt16 = 24, columns: UInt16 = 80) throws {
        let ends = try PseudoTerminal(multiplexer: "/dev/ptmx").release()
        master = ends.master
        slave = ends.slave
        Terminal.resize(slave, to: TerminalSize(rows: rows, columns: columns))
        Thread.detach { [self] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(master, &buffer, buffer.count)
                if count <= 0 { break }
                seen.withLock { $0 += buffer[..<count] }
            }
        }
    }

    var streams: AttachStreams { AttachStreams(stdin: slave, stdout: slave, stderr: slave) }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        write(master, bytes, bytes.count)
    }

    var text: String { seen.withLock { String(decoding: $0, as: UTF8.self) } }

    /// Waits until a text has been seen.
    func sees(_ wanted: String) -> Bool { ContainerFixture.eventually { self.text.contains(wanted) } }

    /// Whether the terminal echoes and edits lines.
    var isCooked: Bool {
        var modes = termios()
        tcgetattr(slave, &modes)
        return modes.c_lflag & UInt32(ECHO | ICANON) == UInt32(ECHO | ICANON)
    }
}

/// Something that runs beside the test and is waited for.
final class Background<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)

    init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detach { [self] in
            let value = Result { try body() }
            result.withLock { $0 = value }
        }
    }

    func get() throws -> Value {
        guard ContainerFixture.eventually({ self.result.withLock { $0 != nil } }) else { throw TooLong() }
        guard let value = result.withLock({ $0 }) else { throw TooLong() }
        return try value.get()
    }

    struct TooLong: Error {}
}
