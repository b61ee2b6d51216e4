package import Basics

/// An operating system and processor (image-spec v1.1, image-index.md), written `linux/arm/v7`.
package struct Platform: Sendable, Hashable, Codable, CustomStringConvertible {
    package var architecture: String
    package var os: String
    package var osVersion: String?
    package var osFeatures: [String]?
    package var variant: String?

    private enum CodingKeys: String, CodingKey {
        case architecture, os, variant
        case osVersion = "os.version"
        case osFeatures = "os.features"
    }

    package init(os: String, architecture: String, variant: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
    }

    /// Parses `os/arch[/variant]`, or an architecture alone; names are normalised as containerd does.
    ///
    /// Throws `invalid` when the text is not of that form.
    package init(parsing text: String) throws(ShaleError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { $0.lowercased() }
        let isWord = { (part: String) in
            !part.isEmpty && part.utf8.allSatisfy { $0 == 45 || $0 == 46 || $0 == 95 || $0.isASCIIAlphanumeric }
        }
        guard (1...3).contains(parts.count), parts.allSatisfy(isWord) else {
            throw ShaleError(.invalid, "\"\(text)\" is an invalid platform: it must be OS/ARCH or OS/ARCH/VARIANT")
        }
        if parts.count == 1 {
            if parts[0] == "linux" {
                self = .host
            } else {
                self.init(os: "linux", architecture: parts[0])
            }
        } else {
            self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
        }
        normalise()
    }

    /// The platform this program runs on.
    package static var host: Platform {
        #if arch(x86_64)
        Platform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
        Platform(os: "linux", architecture: "arm64", variant: "v8")
        #elseif arch(arm)
        Platform(os: "linux", architecture: "arm", variant: "v7")
        #else
        Platform(os: "linux", architecture: "unknown")
        #endif
    }

    package var description: String { ([os, architecture] + (variant.map { [$0] } ?? [])).joined(separator: "/") }

    /// The same by the names containerd gives: two spellings of one platform are equal then.
    package var normalised: Platform {
        var platform = self
        platform.normalise()
        return platform
    }

    /// The names containerd gives an architecture's spellings.
    mutating func normalise() {
        switch architecture {
        case "x86_64", "x86-64": architecture = "amd64"
        case "aarch64": architecture = "arm64"
        case "i386", "i686": architecture = "386"
        case "armhf": (architecture, variant) = ("arm", "v7")
        case "armel": (architecture, variant) = ("arm", "v6")
        default: break
        }
        if variant?.isEmpty == true { variant = nil }
        if let number = variant, Int(number) != nil { variant = "v\(number)" }
        if architecture == "arm64", variant == "v8" { variant = nil }
        if architecture == "amd64", variant == "v1" { variant = nil }
    }
}
