import Basics
import Glibc
import Images
import Linux

/// A socket to the SSH agent for one step.
///
/// It forwards requests for identities and signatures, and refuses requests that would change the agent.
///
/// The mount decides who may use the socket. The forwarder ends when the last reference to it is released.
final class AgentForwarder: Sendable {
    /// The socket's path.
    let path: String
    private let wakeUp: Int32
    private let thread: WorkerThread

    private static let name = "agent"

    init(to socket: String, in folder: ScratchFolder, _ mount: (user: UInt32, group: UInt32, mode: UInt32))
        throws(ShaleError)
    {
        let path = "\(folder.path)/\(Self.name)"
        let listening = try translating("ssh agent") {
            let listener = try UnixSocket.listen(in: OwnedFD.open(folder.path, O_RDONLY | O_DIRECTORY), name: Self.name)
            try check("chown", path: path) { chown(path, mount.user, mount.group) }
            try check("chmod", path: path) { chmod(path, mode_t(mount.mode)) }
            // From here on the forwarder's thread closes them.
            let ends = try PipeEnds.descriptors()
            return (socket: listener.release(), reading: ends.reading, writing: ends.writing)
        }
        let loop = AgentLoop(socket: socket, listener: listening.socket, wakeUp: listening.reading)
        self.path = path
        wakeUp = listening.writing
        do throws(ShaleError) {
            thread = try WorkerThread { loop.run() }
        } catch {
            for descriptor in [listening.socket, listening.reading, listening.writing] { close(descriptor) }
            throw error
        }
    }

    deinit {
        close(wakeUp)
        thread.join()
    }
}

/// The forwarder's loop.
///
/// Each client gets its own connection to the agent, and one request is answered at a time.
private struct AgentLoop: Sendable {
    let socket: String
    let listener: Int32
    /// The loop ends when the other end of this pipe is closed.
    let wakeUp: Int32

    /// The largest message in bytes, the same as OpenSSH's limit.
    private static let limit = 256 << 10
    /// The forwarded requests of the SSH agent protocol: list identities (11), sign (13), and extensions (27), one of
    /// which
    /// binds the connection to a session.
    private static let passed: Set<UInt8> = [11, 13, 27]
    private static let refusal: [UInt8] = [0, 0, 0, 1, 5]

    private struct Client {
        let ours: Int32
        var agents: Int32 = -1
        var bytes: [UInt8] = []
    }

    func run() {
        var clients: [Client] = []
        defer {
            for client in clients { end(client) }
            close(listener)
            close(wakeUp)
        }
        while true {
            var poller = Poller()
            poller.add(wakeUp, .input)
            poller.add(listener, .input)
            for client in clients { poller.add(client.ours, .input) }
            poller.wait(milliseconds: -1)
            if !poller.events(at: 0).isEmpty { return }
            let ready = clients.indices.filter { !poller.events(at: 2 + $0).isEmpty }
            if !poller.events(at: 1).isEmpty, let new = UnixSocket.accept(listener) {
                clients.append(Client(ours: new))
            }
            for index in ready.reversed() where !serve(&clients[index]) {
                end(clients[index])
                clients.remove(at: index)
            }
        }
    }

    private func end(_ client: Client) {
        close(client.ours)
        if client.agents >= 0 { close(client.agents) }
    }

    /// Answers every complete message; returns false when the connection must be closed.
    private func serve(_ client: inout Client) -> Bool {
        guard let more = read(client.ours), !more.isEmpty else { return false }
        client.bytes += more
        while let length = Self.messageLength(client.bytes) {
            guard length > 4, length <= Self.limit else { return false }
            guard client.bytes.count >= length else { return true }
            let message = Array(client.bytes[..<length])
            client.bytes.removeFirst(length)
            guard let answer = Self.passed.contains(message[4]) ? ask(message, &client) : Self.refusal,
                (try? UnixSocket.send(answer, to: client.ours)) != nil
            else { return false }
        }
        return true
    }

    /// Forwards a message and returns the agent's answer; `nil` when there is none or the step is over.
    private func ask(_ message: [UInt8], _ client: inout Client) -> [UInt8]? {
        if client.agents < 0 {
            guard let connection = try? UnixSocket.connectToAny(socket) else { return nil }
            client.agents = connection
        }
        guard (try? UnixSocket.send(message, to: client.agents)) != nil else { return nil }
        var answer: [UInt8] = []
        while true {
            if let length = Self.messageLength(answer) {
                if length > Self.limit { return nil }
                if answer.count >= length { return Array(answer[..<length]) }
            }
            var poller = Poller()
            poller.add(wakeUp, .input)
            poller.add(client.agents, .input)
            poller.wait(milliseconds: -1)
            if !poller.events(at: 0).isEmpty { return nil }
            guard !poller.events(at: 1).isEmpty else { continue }
            guard let more = read(client.agents), !more.isEmpty else { return nil }
            answer += more
        }
    }

    /// The length of a message including its four length bytes; `nil` before those have arrived.
    private static func messageLength(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return 4 + bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
    }

    /// Reads what is available: empty at the end of the stream, `nil` on an error.
    private func read(_ descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = try? checkLength("read") {
            buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        }
        return count.map { Array(buffer[..<$0]) }
    }
}
