import Glibc

/// The descriptors 0, 1 and 2.
package enum StandardDescriptors {
    /// Gives each that was closed when this process started the null device; call it before anything is opened.
    ///
    /// Otherwise the next file opened gets the free number: what is meant for standard output is then written into it,
    /// and a command that reads standard input waits for a socket of ours. Programs started from here inherit them.
    package static func reserve() {
        // In this order: the lowest free number is given.
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) == -1 {
            _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
        }
    }
}
