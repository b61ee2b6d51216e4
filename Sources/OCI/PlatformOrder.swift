/// What runs on a platform, the best first: containerd's order.
///
/// An ARM processor runs its own variant and the lower ones down to v5, an x86-64 one its own level, the lower ones and
/// 32-bit programs, a 64-bit ARM one v8 and then 32-bit programs.
package struct PlatformOrder: Sendable {
    private let order: [Platform]
    private let isVariantAsked: Bool

    package init(_ platform: Platform) {
        var wanted = platform
        wanted.normalise()
        isVariantAsked = wanted.variant != nil
        order = Self.order(wanted)
    }

    /// How well an entry of an index serves, 0 the best; `nil` where it cannot run.
    package func rank(_ offered: Platform) -> Int? {
        let offer = Self.withVariant(offered)
        return order.firstIndex {
            $0.os == offer.os && $0.architecture == offer.architecture && $0.variant == offer.variant
        }
    }

    /// Whether an image whose config names this platform serves.
    ///
    /// Many configs leave the variant out, so one without a variant serves any; so does any where none was asked for.
    package func accepts(_ image: Platform) -> Bool {
        if rank(image) != nil { return true }
        var offer = image
        offer.normalise()
        guard !isVariantAsked || offer.variant == nil else { return false }
        return order.contains { $0.os == offer.os && $0.architecture == offer.architecture }
    }

    private static func order(_ wanted: Platform) -> [Platform] {
        let make = { (architecture: String, variant: String?) in
            Platform(os: wanted.os, architecture: architecture, variant: variant)
        }
        switch wanted.architecture {
        case "amd64":
            let level = number(wanted.variant) ?? 1
            let own = wanted.variant.map { [make("amd64", $0)] } ?? []
            let lower = level > 2 && level <= 9 ? (2..<level).reversed().map { make("amd64", "v\($0)") } : []
            return own + lower + [make("amd64", nil), make("386", nil)]
        case "arm":
            let variant = wanted.variant ?? "v7"
            let level = number(variant) ?? 0
            let lower = level > 5 && level <= 9 ? (5..<level).reversed().map { make("arm", "v\($0)") } : []
            return [make("arm", variant)] + lower
        case "arm64":
            let own = wanted.variant.map { [make("arm64", $0)] } ?? []
            return own + [make("arm64", nil)] + order(make("arm", "v8"))
        default:
            return [wanted]
        }
    }

    /// An offer as containerd reads it: 32-bit ARM without a variant is v7.
    private static func withVariant(_ platform: Platform) -> Platform {
        var platform = platform
        platform.normalise()
        if platform.architecture == "arm", platform.variant == nil { platform.variant = "v7" }
        return platform
    }

    private static func number(_ variant: String?) -> Int? {
        variant.flatMap { $0.hasPrefix("v") ? Int($0.dropFirst()) : nil }
    }
}
