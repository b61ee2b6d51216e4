import Basics
package import OCI

/// A Dockerfile that makes an image again, with the files it copies.
package struct Recipe: Sendable {
    /// One line or block of the Dockerfile.
    package enum Line: Sendable, Hashable {
        case comment(String)
        /// An instruction, with its continuation lines and heredocs.
        case instruction(String)

        /// The instruction's keyword; empty for a comment.
        package var keyword: String {
            if case .instruction(let text) = self { String(text.prefix { $0 != " " }) } else { "" }
        }

        package var text: String {
            switch self {
            case .comment(let text):
                // Split by Unicode scalars, because `String` treats CR LF as one character that is no line break.
                text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
                    $0.isEmpty ? "#" : "# \(String($0).visible.withBytesShown)"
                }
                .joined(separator: "\n")
            case .instruction(let text): text
            }
        }

        /// The number of lines in the Dockerfile.
        package var height: Int { 1 + text.utf8.count { $0 == UInt8(ascii: "\n") } }
    }

    /// A file or folder beside the Dockerfile.
    package struct Attachment: Sendable, Hashable {
        package enum Content: Sendable, Hashable {
            /// A file of an image. A link at the path is followed.
            case file(image: Digest, path: String, mode: UInt32)
            /// Some paths below a directory of an image.
            case tree(image: Digest, path: String, entries: [String])
            /// A path of a layer, with everything below it in the layer.
            case piece(of: LayerOwner, path: String)
            /// Paths of a layer, as a tar.
            case tar(of: LayerOwner, paths: [String])
            /// The blob of a tar that was kept when files were copied into a container.
            case kept(Digest)
            /// One path of such a tar.
            case keptPiece(Digest, path: String)
            /// All files of an image or a container, as a tar.
            case whole(LayerOwner)
        }

        /// The path relative to the recipe's folder.
        package var path: String
        package var content: Content
    }

    /// Where a layer belongs.
    package enum LayerOwner: Sendable, Hashable {
        /// The image's top layer.
        case image(Digest)
        /// The changes of the container so far.
        case container(String)
    }

    package var lines: [Line] = []
    /// For each line the image or container that its step made; `nil` when that is not known.
    package var sources: [LayerOwner?] = []
    package var attachments: [Attachment] = []
    /// Directories of package lists that `tidied` cleans.
    package var cleaned: [String] = []
    /// `NAME=VERSION` of packages that were pinned: such a word is no secret, whatever the package is called.
    var pins: Set<String> = []
    /// Directories that `WORKDIR` creates and the original image does not have.
    var madeByWorkdir: [String] = []

    /// The text of the Dockerfile.
    package var dockerfile: String { lines.map { $0.text + "\n" }.joined() }
}

extension String {
    /// The text with bytes that are not valid UTF-8 as escapes, because not every builder reads a file with such bytes.
    fileprivate var withBytesShown: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            guard OddByte.isOnPage(scalar) else { return text.unicodeScalars.append(scalar) }
            text += "\\x" + String(scalar.value & 0xFF, radix: 16)
        }
    }
}
