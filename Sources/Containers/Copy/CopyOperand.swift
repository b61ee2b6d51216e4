/// Where `cp` copies from or to.
package enum CopyOperand: Sendable, Equatable {
    /// `-`: a tar on standard input or output.
    case stream
    /// A path of the host's, as written.
    case host(String)
    /// `CONTAINER:PATH` or `IMAGE:PATH`.
    case inside(name: String, path: String)

    /// Reads an argument of `cp`: what begins with `/` or `.` is the host's, also with a colon in it; an image's tag
    /// keeps its colon when the path begins with `/`.
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

/// What `cp` was asked for.
package struct CopyRequest: Sendable {
    package var sources: [CopyOperand]
    package var destination: CopyOperand
    /// `-a`: owners are kept; otherwise files become root's in a container and the caller's on the host.
    package var keepsOwners = false
    /// `-L`: a link named as source is followed.
    package var followsLinks = false
    /// `--chown USER[:GROUP]`.
    package var owner: String?
    /// What relative host paths are relative to.
    package var hostDirectory: String

    package init(from sources: [CopyOperand], to destination: CopyOperand, hostDirectory: String) {
        self.sources = sources
        self.destination = destination
        self.hostDirectory = hostDirectory
    }
}

/// What one source of `cp` brought.
package struct CopyOutcome: Sendable, Equatable {
    package var destination: String
    /// Bytes of file content, and of the tar stream docker would have sent.
    package var content: Int64
    package var transferred: Int64
}
