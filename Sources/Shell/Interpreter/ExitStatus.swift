package import Basics

extension ShaleError {
    /// The exit status a failure stands for, after the verb that failed.
    ///
    /// `run`, `create` and `exec` keep docker's: 125 for the engine's own failures, 126 and 127 for the command's.
    package func status(of verb: String?) -> Int32 {
        if let exitStatus { return exitStatus }
        let startsContainers = verb.flatMap(CommandTable.shared.find)?.holdsContainerCommand ?? false
        switch code {
        case .usage: return 64
        case .notExecutable: return 126
        case .commandNotFound: return 127
        case .cancelled: return Interrupt.status
        case .readerLeft: return 141
        case _ where startsContainers: return 125
        default: return 1
        }
    }

}
