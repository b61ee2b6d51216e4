import Basics
import Glibc
import Linux
import RunnerProtocol

/// From the plan's arrival to the container's start, then the supervisor's loop.
enum RunnerProgram {
    static func main(channel: Int32) -> Never {
        ProcessCalls.setName("shale-runner")
        if CommandLine.arguments.count > 3, CommandLine.arguments[1] == "--inside" {
            runInside(home: CommandLine.arguments[2], Array(CommandLine.arguments[3...]))
        }
        var reader = ChannelReader(fd: channel)
        guard fcntl(channel, F_SETFD, FD_CLOEXEC) != -1, case .launch(let plan)? = reader.next() else {
            fputsToError("shale-runner: started by shale, not by hand\n")
            exit(125)
        }
        if plan.detached { leaveParent() }
        if plan.timesSteps { StepClock.start(isOfChild: false) }
        do throws(StepFailure) {
            let supervisor = try Supervisor(plan: plan, channel: channel, unread: reader.parser)
            supervisor.run()
        } catch {
            StateFile(path: plan.statePath).write(.failed(error))
            StepClock.report(to: channel)
            try? UnixSocket.send(Message.failed(error).frame(), to: channel)
            exit(125)
        }
    }

    /// Runs a program in the user namespace of a home's shells, to look at its files as they do.
    private static func runInside(home: String, _ words: [String]) -> Never {
        umask(0o022)
        do throws(ShaleError) {
            try UserNamespace.enter(home: home)
        } catch {
            fputsToError("shale-runner: \(error)\n")
            exit(125)
        }
        let error = ProcessCalls.execute(words[0], arguments: words, environment: ownEnvironment())
        fputsToError("shale-runner: \(words[0]): \(SystemCallError.words(of: error))\n")
        exit(error == ENOENT ? 127 : 126)
    }

    /// The environment this program was started with.
    static func ownEnvironment() -> [String] {
        guard let bytes = try? WholeFile.read("/proc/self/environ", limit: 4 << 20) else { return [] }
        return bytes.split(separator: 0).map { String(pathBytes: $0) }
    }

    /// Goes on as a child of init, so that the shell has no one to wait for and may end.
    private static func leaveParent() {
        guard let pid = try? ProcessCalls.fork(), pid != 0 else { return }
        _exit(0)
    }

    private static func fputsToError(_ text: String) {
        _ = text.withCString { write(2, $0, strlen($0)) }
    }
}

/// Whole messages from a descriptor, waiting for each.
struct ChannelReader {
    let fd: Int32
    private(set) var parser = FrameParser()

    init(fd: Int32) { self.fd = fd }

    /// `nil` at the end, and for anything that is not a message.
    mutating func next() -> Message? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            do {
                if let message = try parser.next() { return message }
            } catch {
                return nil
            }
            let count = read(fd, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            parser.append(buffer[..<count])
        }
    }
}

/// A descriptor with an owner that can be shared.
final class Handle {
    let raw: Int32
    init(_ raw: Int32) { self.raw = raw }
    convenience init(_ fd: consuming OwnedFD) { self.init(fd.release()) }
    deinit { close(raw) }
}

extension StepFailure {
    /// A system call's failure as a step's.
    init(_ step: String, _ error: SystemCallError, path: String? = nil) {
        self.init(step: step, path: path ?? error.path ?? "", errno: error.errno)
    }
}
