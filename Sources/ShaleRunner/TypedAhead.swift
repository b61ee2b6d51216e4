import Glibc
import Linux
import RunnerProtocol

/// What is typed while a program runs and nobody reads: kept for whoever reads the terminal next.
///
/// The kernel drops it with the session whose leader ends (`disassociate_ctty`), so process 1 leads the session and
/// not the program, and looks at what is left when the program has ended.
struct TypedAhead {
    private let terminal: Int32
    private let file: Int32

    /// Begins the session on a terminal; the file is made now, before any process of the container can interfere.
    init(path: String, terminal: Int32) throws(StepFailure) {
        self.terminal = terminal
        setsid()
        try step("stdio") { () throws(SystemCallError) in
            try check("TIOCSCTTY") { PseudoTerminal.takeControl(terminal) }
        }
        file = try step("open", path) { () throws(SystemCallError) in
            try OwnedFD.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600).release()
        }
    }

    /// In the program's process, its signals blocked: it has the terminal.
    func handOver() {
        setpgid(0, 0)
        tcsetpgrp(terminal, getpid())
    }

    /// In process 1: takes both descriptors to 0 and 1, where they stay.
    func keep() {
        try? ProcessCalls.place(terminal, at: 0)
        try? ProcessCalls.place(file, at: 1)
    }

    /// In process 1: a program that Ctrl-Z stopped goes on, since nobody could ever tell it to.
    static func wake(_ program: pid_t) {
        var info = siginfo_t()
        guard waitid(P_PID, id_t(program), &info, WSTOPPED | WNOHANG) == 0, info.si_signo == SIGCHLD else { return }
        kill(-program, SIGCONT)
    }

    /// In process 1, its signals blocked, once the program has ended: writes down what nobody read.
    static func save() {
        tcsetpgrp(0, getpgrp())
        var modes = termios()
        guard tcgetattr(0, &modes) == 0 else { return }
        // Half a line too, and at once.
        modes.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        withUnsafeMutableBytes(of: &modes.c_cc) { codes in
            codes[Int(VMIN)] = 0
            codes[Int(VTIME)] = 0
        }
        guard tcsetattr(0, TCSANOW, &modes) == 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(0, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            _ = write(1, buffer, count)
        }
    }
}
