import Basics
import Building
import Containers
import Explorer
import Layers
import OCI
import Recipes
import Rendering
import Stores

/// What `diff` compares: a container with its image, a layer with those below it, or any two.
struct DiffSubjects {
    private enum Pair {
        case container(String, PlaceView)
        case layer(Int, ImageLayers)
        case two(PlaceView, PlaceView)
    }

    private let pair: Pair
    private let shell: ShellContext

    init(_ subjects: [String], _ shell: ShellContext) throws(ShaleError) {
        self.shell = shell
        let words = try PlaceWords(shell)
        switch subjects.count {
        case 1:
            let place = try words.thing(subjects[0], for: "diff")
            if let number = place.layer {
                let layers = try words.view(place).layers
                let isOwn = number > layers.layers.count
                pair =
                    isOwn
                    ? .container(place.subject, try PlaceView(layers, layer: nil, label: place.subject))
                    : .layer(number, layers)
                return
            }
            // Docker's words where there is no such container; an image alone has nothing to be compared with.
            let record: ContainerRecord
            do throws(ShaleError) {
                record = try shell.containers().container(subjects[0]).record
            } catch {
                if let meant = words.meant(by: subjects[0]) { throw error.hinting("diff \(meant.shellQuoted)") }
                guard error.code == .notFound, (try? words.whole(subjects[0], for: "diff")) != nil else { throw error }
                throw error.hinting("diff \(subjects[0])#N is what a layer changed, diff A B how two images differ")
            }
            let layers = try words.view(Place(subject: record.id)).layers
            pair = .container(record.id, try PlaceView(layers, layer: nil, label: place.label))
        case 2:
            let views = try words.things(subjects, for: "diff")
            pair = .two(views[0], views[1])
        default:
            throw ShaleError(
                .usage, "diff takes a container, a layer, or two to compare",
                hint: "diff web; diff app:1#2; diff app:1 app:2")
        }
    }

    /// The paths that differ, sorted, with the directories they are in.
    ///
    /// `linked`: also files of a container that only got another name, which docker does not show.
    func differences(linked: Bool) throws(ShaleError) -> [TreeDifference] {
        switch pair {
        case .container(let name, _):
            let containers = try shell.containers()
            let changes = try containers.changes(of: containers.container(name).record)
            return (linked ? changes : changes.withoutLinkedNames).map { TreeDifference($0) }
        case .layer(let number, let layers): return try TreeDifference.ofLayer(number, layers)
        case .two(let old, let new): return try TreeComparison(old, new).differences(shell.cancellation)
        }
    }

    /// A file's bytes on both sides; `nil` where it is not there.
    func contents(of path: String) throws(ShaleError) -> (old: [UInt8]?, new: [UInt8]?) {
        let limit = 64 << 20
        switch pair {
        case .container(_, let view):
            let image = try PlaceView(.image(view.layers), label: view.layers.name)
            return (try image.contents(of: path, limit: limit), try view.contents(of: path, limit: limit))
        case .layer(let number, let layers):
            func side(_ top: Int) throws(ShaleError) -> [UInt8]? {
                try PlaceView(.image(layers), upTo: top, label: "\(layers.name)#\(top)").contents(
                    of: path, limit: limit)
            }
            return (number > 1 ? try side(number - 1) : nil, try side(number))
        case .two(let old, let new):
            return (try old.contents(of: path, limit: limit), try new.contents(of: path, limit: limit))
        }
    }
}

/// `diff --stat`: paths and bytes by the directory they are in.
enum DiffStatistics {
    private struct Sum {
        var added = 0
        var changed = 0
        var deleted = 0
        var bytes: Int64 = 0

        mutating func add(_ difference: TreeDifference, growth: Int64) {
            switch difference.kind {
            case .added: added += 1
            case .changed: changed += 1
            case .deleted: deleted += 1
            }
            bytes &+= growth
        }

        var cells: [String] {
            ["+\(added) ~\(changed) -\(deleted)", (bytes < 0 ? "-" : "+") + HumanUnits.size(abs(bytes))]
        }
    }

    static func lines(_ differences: [TreeDifference], width: Int) -> [String] {
        let (directories, total) = sums(differences)
        if directories.isEmpty { return ["no differences"] }
        var table = Table(headers: ["FILES", "BYTES", "DIRECTORY"], shrinkable: [2])
        for (path, sum) in directories { table.rows.append(sum.cells + [path.visible]) }
        table.rows.append(total.cells + ["in all"])
        return table.text(width: width).split(separator: "\n").map(String.init)
    }

    /// A document a directory.
    static func rows(_ differences: [TreeDifference]) -> Rows {
        var rows = Rows(
            ["directory", "added", "changed", "deleted", "bytes"].map { .init(key: $0, header: $0.uppercased()) })
        for (path, sum) in sums(differences).directories {
            let numbers = [Int64(sum.added), Int64(sum.changed), Int64(sum.deleted), sum.bytes]
            rows.add(
                [path] + numbers.map { String($0) },
                .members([
                    "directory": .string(path), "added": .integer(numbers[0]), "changed": .integer(numbers[1]),
                    "deleted": .integer(numbers[2]), "bytes": .integer(numbers[3]),
                ]))
        }
        return rows
    }

    private static func sums(_ differences: [TreeDifference]) -> (directories: [(String, Sum)], total: Sum) {
        var total = Sum()
        var counted = DifferenceBytes()
        var directories: [String: Sum] = [:]
        for difference in differences where !difference.isParentOnly {
            let growth = counted.growth(difference)
            total.add(difference, growth: growth)
            directories[difference.path.parentPath, default: Sum()].add(difference, growth: growth)
        }
        return (directories.sorted { PathOrder.precedes($0.key, $1.key) }.map { ($0.key, $0.value) }, total)
    }
}
