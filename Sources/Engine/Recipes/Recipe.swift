package import Basics
package import OCI

/// A Dockerfile that makes an image again, and the files it needs beside it.
package struct Recipe: Sendable {
    /// One line or block of the Dockerfile.
    package enum Line: Sendable, Equatable {
        case comment(String)
        /// An instruction with whatever stands below it.
        case instruction(String)

        package var text: String {
            switch self {
            case .comment(let text): text.split(separator: "\n").map { "# \($0)" }.joined(separator: "\n")
            case .instruction(let text): text
            }
        }
    }

    /// A file or folder that lies beside the Dockerfile.
    package struct Attachment: Sendable {
        package enum Content: Sendable {
            /// A file of an image.
            case file(image: Digest, path: String, mode: UInt32)
            /// Some paths below a directory of an image.
            case tree(image: Digest, path: String, entries: [String])
            /// What an image's last layer adds and changes, as a tar; but not the paths in `leavingOut`.
            case layer(image: Digest, leavingOut: Set<String>)
        }

        /// Below the recipe's folder.
        package var path: String
        package var content: Content
    }

    package var lines: [Line] = []
    package var attachments: [Attachment] = []
    /// Variables whose value was taken out because its name says that it is a secret.
    package var masked: [String] = []

    /// The Dockerfile's text.
    package var dockerfile: String { lines.map { $0.text + "\n" }.joined() }
}
