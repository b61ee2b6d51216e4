import Basics
import OCI
import Stores

/// `images --tree`: each image below the one it was built on.
struct ImageTree {
    private let images: [ImageSummary]
    private let noTrunc: Bool
    private let children: [Digest: [ImageSummary]]

    init(images: [ImageSummary], noTrunc: Bool) {
        self.images = images
        self.noTrunc = noTrunc
        var children: [Digest: [ImageSummary]] = [:]
        for image in images { if let parent = image.parent { children[parent, default: []].append(image) } }
        self.children = children
    }

    var lines: [String] {
        let known = Set(images.map(\.id))
        let roots = images.filter { image in image.parent.map { !known.contains($0) } ?? true }
        return roots.flatMap { lines(of: $0, lead: "", own: "", depth: 0) }
    }

    private func lines(of image: ImageSummary, lead: String, own: String, depth: Int) -> [String] {
        var result = [own + title(image)]
        // Parents come from the store's notes; a cycle in them must not make a listing endless.
        guard depth < 200 else { return result }
        let below = children[image.id] ?? []
        for (position, child) in below.enumerated() {
            let isLast = position == below.count - 1
            result += lines(
                of: child, lead: lead + (isLast ? "   " : "│  "), own: lead + (isLast ? "└─ " : "├─ "),
                depth: depth + 1)
        }
        return result
    }

    private func title(_ image: ImageSummary) -> String {
        let names = image.references.map(\.familiar).joined(separator: ", ")
        let id = noTrunc ? image.id.description : image.id.short
        return "\(names.isEmpty ? "<untagged>" : names)  \(id)  \(HumanUnits.size(image.size))"
    }
}
