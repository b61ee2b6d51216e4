import Basics
import Explorer
import OCI
import Stores

/// Numbers and names in the words of the explanations.
enum Words {
    /// `1 layer`, `2 layers`.
    static func count(_ number: Int, _ thing: String, _ several: String? = nil) -> String {
        "\(number) \(number == 1 ? thing : several ?? thing + "s")"
    }

    static func size(_ bytes: Int64) -> String { HumanUnits.size(bytes) }

    /// `3 paths added, 1 changed`; `no file changed` for none.
    static func changes(_ count: ChangeCount) -> String {
        let parts = [(count.added, "added"), (count.changed, "changed"), (count.deleted, "removed")].filter { $0.0 > 0 }
        guard let first = parts.first else { return "no file changed" }
        return (["\(Self.count(first.0, "path")) \(first.1)"] + parts.dropFirst().map { "\($0.0) \($0.1)" })
            .joined(separator: ", ")
    }

    /// `a, b and 3 more`.
    static func list(_ names: [String], most: Int = 3) -> String {
        let shown = names.prefix(most).map(\.visible)
        if names.count > most { return shown.joined(separator: ", ") + " and \(names.count - most) more" }
        guard let last = shown.last, shown.count > 1 else { return shown.first ?? "" }
        return shown.dropLast().joined(separator: ", ") + " and " + last
    }

    /// `3a0e2b…` with its name, where it has one: `hello:latest (3a0e…)`.
    static func image(_ image: Image) -> String {
        image.references.first.map { "\(name($0)) (\(image.id.short))" } ?? image.id.short
    }

    /// `busybox` for `busybox:latest`.
    static func name(_ reference: Reference) -> String {
        reference.tag == Reference.defaultTag ? reference.familiarName : reference.familiar
    }

    static func id(_ entry: ImageEntry) -> String { (entry.image ?? entry.manifest.digest).short }
}
