package import Basics
import Layers
import OCI

/// One installed package, as its package manager's database lists it.
package struct InstalledPackage: Sendable, Hashable {
    package enum Manager: String, Sendable, Hashable, CaseIterable {
        case dpkg, apk, rpm, pip, npm, gem
    }

    package var manager: Manager
    package var name: String
    package var version: String
    package var architecture: String
    /// The installed size in bytes, when the database has it.
    package var size: Int64?
    /// The file from which it was read.
    package var path: String
    /// Other names for which it stands, without versions, as Debian's and Alpine's databases list them.
    package var provides: [String]

    package init(
        manager: Manager, name: String, version: String, architecture: String = "", size: Int64? = nil, path: String,
        provides: [String] = []
    ) {
        self.manager = manager
        self.name = name
        self.version = version
        self.architecture = architecture
        self.size = size
        self.path = path
        self.provides = provides
    }
}

/// Reads the databases of package managers from a tree.
///
/// No program is run.
package struct PackageList {
    private static let limit = 128 << 20
    private let view: PlaceView

    package init(_ view: PlaceView) { self.view = view }

    /// All packages, sorted by manager, name and version.
    ///
    /// `warn` is called for each database that exists and cannot be read. Throws `cancelled`, and what reading the tree
    /// throws.
    package func packages(
        _ cancellation: Cancellation, warn: (String) -> Void = { _ in }
    ) throws(ShaleError) -> [InstalledPackage] {
        var found: [InstalledPackage] = []
        found += try dpkg()
        for path in ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"] {
            guard let bytes = try text(path) else { continue }
            found += PackageDatabases.apk(bytes, path: path)
            break
        }
        found += try rpm(warn)
        found += try others(cancellation)
        return Array(Set(found)).sorted {
            ($0.manager.rawValue, $0.name, $0.version, $0.path) < ($1.manager.rawValue, $1.name, $1.version, $1.path)
        }
    }

    /// Whether a path can belong to a package manager's database.
    package static func isDatabase(_ path: String) -> Bool {
        let folders = ["/var/lib/dpkg/", "/lib/apk/db/", "/usr/lib/apk/db/", "/usr/lib/sysimage/rpm/", "/var/lib/rpm/"]
        return folders.contains { path.hasPrefix($0) || $0 == path + "/" }
            || path.contains(".dist-info") || path.contains(".egg-info") || path.contains("/node_modules")
            || path.contains("/specifications/")
    }

    private func text(_ path: String) throws(ShaleError) -> String? {
        try view.contents(of: path, limit: Self.limit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads `/var/lib/dpkg/status`, and `status.d`, which images without dpkg have.
    private func dpkg() throws(ShaleError) -> [InstalledPackage] {
        var found: [InstalledPackage] = []
        if let status = try text("/var/lib/dpkg/status") {
            found += PackageDatabases.dpkg(status, path: "/var/lib/dpkg/status", needsStatus: true)
        }
        guard let folder = try view.entry("/var/lib/dpkg/status.d", followingLinks: true), folder.kind == .directory
        else { return found }
        for entry in try view.children(of: folder) where entry.kind == .file && !entry.name.hasSuffix(".md5sums") {
            guard let status = try text(entry.path) else { continue }
            found += PackageDatabases.dpkg(status, path: entry.path, needsStatus: false)
        }
        return found
    }

    /// Reads rpm's database.
    ///
    /// Its folder moved; often one folder is a link to the other.
    private func rpm(_ warn: (String) -> Void) throws(ShaleError) -> [InstalledPackage] {
        for folder in ["/usr/lib/sysimage/rpm", "/var/lib/rpm"] {
            let path = "\(folder)/rpmdb.sqlite"
            if let bytes = try view.contents(of: path, limit: 1 << 30) {
                if let blobs = SQLiteTable(bytes)?.blobs(of: "Packages") {
                    return blobs.compactMap { RPMHeader($0)?.package(path: path) }
                }
                warn("\(path): not a database that shale can read: its packages are not listed")
            }
            if let found = try olderRPM(folder, warn) { return found }
        }
        return []
    }

    /// Reads the older formats `Packages.db` and `Packages`; `nil` when neither exists.
    private func olderRPM(_ folder: String, _ warn: (String) -> Void) throws(ShaleError) -> [InstalledPackage]? {
        for name in ["Packages.db", "Packages"] {
            let path = "\(folder)/\(name)"
            guard let bytes = try view.contents(of: path, limit: 1 << 30) else { continue }
            guard let values = PackageBlobs(bytes)?.values ?? BerkeleyHash(bytes)?.values else {
                warn("\(path): not a database that shale can read: its packages are not listed")
                return []
            }
            return values.compactMap { RPMHeader($0)?.package(path: path) }
        }
        return nil
    }

    /// Reads Python, Node and Ruby packages, which may be anywhere in the tree.
    private func others(_ cancellation: Cancellation) throws(ShaleError) -> [InstalledPackage] {
        var found: [InstalledPackage] = []
        try view.walk(try view.require("/"), cancellation) { entry throws(ShaleError) in
            if entry.kind == .directory { return !["/proc", "/sys", "/dev"].contains(entry.path) }
            guard entry.kind == .file, entry.size < 4 << 20 else { return false }
            let path = entry.path
            if path.hasSuffix(".dist-info/METADATA") || path.hasSuffix(".egg-info/PKG-INFO")
                || path.hasSuffix(".egg-info")
            {
                if let text = try text(path), let package = PackageDatabases.pip(text, path: path) {
                    found.append(package)
                }
            } else if PackageDatabases.isNodePackage(path), let bytes = try view.contents(of: path, limit: 4 << 20) {
                if let package = PackageDatabases.npm(bytes, path: path) { found.append(package) }
            } else if PackageDatabases.isGemSpecification(path), let text = try text(path) {
                if let package = PackageDatabases.gem(text, path: path) { found.append(package) }
            }
            return false
        }
        return found
    }
}
