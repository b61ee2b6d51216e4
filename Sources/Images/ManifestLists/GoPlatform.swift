import OCI

/// The operating systems and processors that Go programs are made for; docker lists manifests for no others.
enum GoPlatform {
    /// `go tool dist list`, with the ones that docker takes beside them.
    private static let processors: [String: Set<String>] = [
        "aix": ["ppc64"], "android": ["386", "amd64", "arm", "arm64"], "darwin": ["386", "amd64", "arm", "arm64"],
        "dragonfly": ["amd64"], "freebsd": ["386", "amd64", "arm", "arm64", "riscv64"], "illumos": ["amd64"],
        "ios": ["amd64", "arm64"], "js": ["wasm"],
        "linux": [
            "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
            "riscv64", "s390x",
        ],
        "netbsd": ["386", "amd64", "arm", "arm64"], "openbsd": ["386", "amd64", "arm", "arm64", "ppc64", "riscv64"],
        "plan9": ["386", "amd64", "arm"], "solaris": ["amd64"], "wasip1": ["wasm"],
        "windows": ["386", "amd64", "arm", "arm64"],
    ]

    static func isKnown(_ platform: Platform) -> Bool {
        processors[platform.os]?.contains(platform.architecture) ?? false
    }
}
