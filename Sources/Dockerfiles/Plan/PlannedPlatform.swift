/// `OS/ARCHITECTURE[/VARIANT]`, in the spelling images use.
package struct PlannedPlatform: Sendable, Hashable, CustomStringConvertible {
    package var os: String
    package var architecture: String
    package var variant: String

    package init(os: String, architecture: String, variant: String = "") {
        self.os = os
        self.architecture = architecture
        self.variant = variant
    }

    private static let systems: Set<String> = [
        "aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd", "openbsd",
        "plan9", "solaris", "wasip1", "windows", "zos",
    ]
    private static let architectures: Set<String> = [
        "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
        "riscv64", "s390x", "wasm",
    ]

    /// Reads a platform; a system or an architecture alone is completed from `host`.
    package init?(_ text: String, host: PlannedPlatform) {
        // A version in parentheses after the system makes no difference for the files, so it is dropped.
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { String($0.prefix { $0 != "(" }) }
        guard parts.count <= 3, parts.allSatisfy(Self.isWord) else { return nil }
        let first = parts[0].lowercased() == "macos" ? "darwin" : parts[0].lowercased()
        if parts.count == 1 {
            if Self.systems.contains(first) {
                self.init(os: first, architecture: host.architecture, variant: host.variant)
            } else {
                self.init(os: host.os, architecture: first)
                normalize()
                guard Self.architectures.contains(architecture) else { return nil }
            }
            return
        }
        self.init(os: first, architecture: parts[1].lowercased(), variant: parts.count > 2 ? parts[2].lowercased() : "")
        normalize()
    }

    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isDigit || "_.-".unicodeScalars.contains($0))
            }
    }

    private mutating func normalize() {
        switch architecture {
        case "x86_64", "x86-64": architecture = "amd64"
        case "i386": architecture = "386"
        case "aarch64": architecture = "arm64"
        case "armhf": (architecture, variant) = ("arm", "v7")
        case "armel": (architecture, variant) = ("arm", "v6")
        default: break
        }
        switch (architecture, variant) {
        case ("arm64", "8"), ("arm64", "v8"): variant = ""
        case ("arm", ""), ("arm", "7"): variant = "v7"
        case ("arm", "5"), ("arm", "6"), ("arm", "8"): variant = "v" + variant
        case ("amd64", "v1"), ("386", _): variant = ""
        default: break
        }
    }

    package var description: String {
        "\(os)/\(architecture)" + (variant.isEmpty ? "" : "/\(variant)")
    }
}
