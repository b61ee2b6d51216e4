import Basics
package import OCI

/// A Dockerfile that makes an image again, and the files it needs beside it.
package struct Recipe: Sendable {
    /// One line or block of the Dockerfile.
    package enum Line: Sendable, Hashable {
        case comment(String)
        /// An instruction with whatever stands below it.
        case instruction(String)

        /// An instruction's name; empty for a comment.
        package var keyword: String {
            if case .instruction(let text) = self { String(text.prefix { $0 != " " }) } else { "" }
        }

        package var text: String {
            switch self {
            case .comment(let text):
                // Not by letters: `String` holds CR LF for one that is no line break.
                text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
                    $0.isEmpty ? "#" : "# \(String($0).visible.withBytesShown)"
                }
                .joined(separator: "\n")
            case .instruction(let text): text
            }
        }

        /// How many lines of the Dockerfile it takes.
        package var height: Int { 1 + text.utf8.count { $0 == UInt8(ascii: "\n") } }
    }

    /// A file or folder that lies beside the Dockerfile.
    package struct Attachment: Sendable, Hashable {
        package enum Content: Sendable, Hashable {
            /// A file of an image; a link that stands there is followed.
            case file(image: Digest, path: String, mode: UInt32)
            /// Some paths below a directory of an image.
            case tree(image: Digest, path: String, entries: [String])
            /// A path of a layer with all in it that the layer holds.
            case piece(of: LayerOwner, path: String)
            /// Paths of a layer, as a tar.
            case tar(of: LayerOwner, paths: [String])
            /// Bytes of a tar that was kept when something was copied.
            case kept(Digest)
            /// One path of such a tar.
            case keptPiece(Digest, path: String)
            /// Everything the tree of an image or a container holds, as a tar.
            case whole(LayerOwner)
        }

        /// Below the recipe's folder.
        package var path: String
        package var content: Content
    }

    /// Whose own layer it is.
    package enum LayerOwner: Sendable, Hashable {
        /// The topmost of an image.
        case image(Digest)
        /// What a container changed so far.
        case container(String)
    }

    package var lines: [Line] = []
    /// Of each line, what the original was once its step was done; empty where that is not known.
    package var sources: [LayerOwner?] = []
    package var attachments: [Attachment] = []
    /// Directories of package lists that were cleaned to make it shorter.
    package var cleaned: [String] = []
    /// Working directories that the original does not have and that `WORKDIR` makes; a container has them all the same.
    var madeByWorkdir: [String] = []

    /// The Dockerfile's text.
    package var dockerfile: String { lines.map { $0.text + "\n" }.joined() }
}

extension String {
    /// Bytes that are no text as escapes: not every builder reads a file that has them.
    fileprivate var withBytesShown: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            guard OddByte.isOnPage(scalar) else { return text.unicodeScalars.append(scalar) }
            text += "\\x" + String(scalar.value & 0xFF, radix: 16)
        }
    }
}
