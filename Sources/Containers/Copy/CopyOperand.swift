/// A source or destination of `cp`.
package enum CopyOperand: Sendable, Equatable {
    /// `-`: a tar on standard input or output.
    case stream
    /// A path of the host, as written.
    case host(String)
    /// `CONTAINER:PATH` or `IMAGE:PATH`.
    case inside(name: String, path: String)

    /// Reads an argument of `cp`.
    ///
    /// A text that begins with `/` or `.` is a path of the host, also with a colon in it. The tag of an image keeps its
    /// colon when the path begins with `/`.
    package init(parsing text: String) {
        if text == "-" {
            self = .stream
            return
        }
        let separator = text.range(of: ":/").map(\.lowerBound) ?? text.firstIndex(of: ":")
        guard !text.hasPrefix("/"), !text.hasPrefix("."), let separator, separator != text.startIndex else {
            self = .host(text)
            return
        }
        self = .inside(name: String(text[..<separator]), path: String(text[text.index(after: separator)...]))
    }

    package var text: String {
        switch self {
        case .stream: "-"
        case .host(let path): path
        case .inside(let name, let path): "\(name):\(path)"
        }
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// The options of one `cp`.
package struct CopyRequest: Sendable {
    package var sources: [CopyOperand]
    package var destination: CopyOperand
    /// `-a`: owners are kept.
    ///
    /// Otherwise files belong to root in a container, and to the caller on the host.
    package var keepsOwners = false
    /// `-L`: a link that is a source is followed.
    package var followsLinks = false
    /// `--chown USER[:GROUP]`.
    package var owner: String?
    /// The directory to which relative host paths are relative.
    package var hostDirectory: String

    package init(from sources: [CopyOperand], to destination: CopyOperand, hostDirectory: String) {
        self.sources = sources
        self.destination = destination
        self.hostDirectory = hostDirectory
    }
}

/// The result of `cp` for one source.
package struct CopyOutcome: Sendable, Equatable {
    package var destination: String
    /// The size of file content, and that of the tar that docker would send, in bytes.
    package var content: Int64
    package var transferred: Int64
}
