package import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging
import OCI
package import RunnerProtocol

/// The containers of a home: a folder for each, and a symbolic link for each name.
package final class ContainerStore: Sendable {
    let paths: StorePaths
    let ingest: IngestFolder
    let leases: Leases
    let lock: StoreLock
    let writeAhead: WriteAhead
    let events: EventLog

    init(
        paths: StorePaths, ingest: IngestFolder, leases: Leases, lock: StoreLock, writeAhead: WriteAhead,
        events: EventLog
    ) {
        self.paths = paths
        self.ingest = ingest
        self.leases = leases
        self.lock = lock
        self.writeAhead = writeAhead
        self.events = events
    }

    /// The paths of a container's files, whether it exists or not.
    package func folder(_ id: String) -> ContainerFolder { ContainerFolder(path: "\(paths.containers)/\(id)") }

    // MARK: Making, changing, removing

    /// Creates a container's folder and takes its name, or generates a name when the record has none.
    ///
    /// `seed` makes generated names repeatable. Throws `invalid` for a malformed name and `conflict` for a name in use,
    /// in
    /// docker's wording, and `notFound` when one of its volumes was removed meanwhile.
    package func create(_ record: ContainerRecord, seed: UInt64? = nil) throws(ShaleError) -> ContainerRecord {
        var record = record
        guard ContainerName.isIdentifier(record.id) else {
            throw ShaleError(.invalid, "container id \"\(record.id)\": not 64 hexadecimal digits")
        }
        if !record.name.isEmpty { record.name = try ContainerName.validated(record.name) }
        try ingest.prepare()
        try leases.holdInUse([.container(record.id)])
        return try lock.exclusively { () throws(ShaleError) in
            for mount in record.host.mounts where mount.type == "volume" && access(mount.source, F_OK) != 0 {
                throw VolumeStore.noSuchVolume(mount.name ?? mount.source)
            }
            if record.name.isEmpty {
                record.name = try takeFreeName(for: record.id, seed: seed)
            } else {
                try take(record.name, for: record.id)
            }
            do throws(ShaleError) {
                try makeFolder(record)
            } catch {
                unlink(link(record.name))
                Logger.store.attempt("remove what there is of a container") {
                    try FileTree.remove(folder(record.id).path)
                }
                throw error
            }
            events.append(StoreEvent("create", of: record))
            return record
        }
    }

    /// Changes a record under the store's lock.
    ///
    /// The ID and the name stay as they are: `rename` changes a name. Throws what taking the lock, reading or writing
    /// the
    /// record, or `body` throws.
    @discardableResult
    package func update(
        _ id: String, _ body: (inout ContainerRecord) throws(ShaleError) -> Void
    ) throws(ShaleError) -> ContainerRecord {
        try lock.exclusively { () throws(ShaleError) in
            let old = try read(id)
            var record = old
            try body(&record)
            record.id = old.id
            record.name = old.name
            if record != old { try write(record) }
            return record
        }
    }

    /// Renames a container.
    ///
    /// Throws `invalid` for a malformed name, `conflict`, in docker's wording, when a container has it already, and
    /// what
    /// reading or writing the record throws.
    package func rename(_ id: String, to newName: String) throws(ShaleError) {
        let newName = try ContainerName.validated(newName)
        try ingest.prepare()
        try lock.exclusively { () throws(ShaleError) in
            var record = try read(id)
            let oldName = record.name
            guard oldName != newName else {
                throw ShaleError(.conflict, "Renaming a container with the same name as its current name")
            }
            try take(newName, for: id)
            record.name = newName
            do throws(ShaleError) {
                try write(record)
            } catch {
                unlink(link(newName))
                throw error
            }
            unlink(link(oldName))
            events.append(StoreEvent("rename", of: record, ["oldName": "/\(oldName)"]))
        }
    }

    /// Removes a container with all its files.
    ///
    /// The caller must know that it does not run. Throws what removing the folder throws.
    package func remove(_ id: String, named name: String? = nil) throws(ShaleError) {
        let record = try? read(id)
        let name = name ?? record?.name
        // The folder first: after an interruption a name without a container counts as free and is swept.
        let place = try ingest.moveAway(folder(id).path)
        if let name, target(of: name) == id { unlink(link(name)) }
        if let record { events.append(StoreEvent("destroy", of: record)) }
        if let place { try ingest.removeMoved(place) }
    }

    /// Records a container event.
    ///
    /// Throws `notFound` when there is no such container, and what writing the file throws.
    package func append(_ event: ContainerEvent, to id: String) throws(ShaleError) {
        var line = Array(try OCIDocument.encode(event))
        line.append(UInt8(ascii: "\n"))
        do throws(SystemCallError) {
            try OwnedFD.open(folder(id).events, O_WRONLY | O_APPEND | O_CREAT).write(line)
        } catch {
            throw error.errno == ENOENT ? Self.noSuchContainer(id) : error.shaleError("container \(id)")
        }
    }

    /// The events of a container, oldest first.
    ///
    /// Lines that cannot be read are logged and skipped.
    package func events(of id: String) -> [ContainerEvent] { events(in: folder(id)) }

    func events(in folder: ContainerFolder) -> [ContainerEvent] {
        Logger.store.attempt("read what was done to a container") { try readEvents(in: folder) } ?? []
    }

    /// Reads the events; throws when the file cannot be read.
    ///
    /// A single line that cannot be read is logged and skipped.
    func readEvents(in folder: ContainerFolder) throws(ShaleError) -> [ContainerEvent] {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(folder.events)
        } catch {
            if error.leavesUnseen { throw error.storeError("what was done to a container", at: folder.events) }
            return []
        }
        let decoder = JSONDecoder()
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            Logger.store.attempt("read a line of \(folder.events)") {
                try decoder.decode(ContainerEvent.self, from: Data(line))
            }
        }
    }

    // MARK: Reading

    /// All containers, newest first; incomplete ones are left out.
    ///
    /// Throws what reading the containers' folder throws, and the error of a record that cannot be read: what a
    /// container needs must not count as unused.
    package func all() throws(ShaleError) -> [ContainerRecord] {
        var failure: ShaleError?
        let records = try readable { failure = failure ?? $0 }
        if let failure { throw failure }
        return records
    }

    /// The same for listings, which go on: records that cannot be read are left out, and `passingOver` gets their
    /// errors.
    ///
    /// Throws what reading the containers' folder throws.
    package func readable(passingOver: (ShaleError) -> Void) throws(ShaleError) -> [ContainerRecord] {
        try Observer.measure(.store, "read the containers' records") { () throws(ShaleError) in
            var records: [ContainerRecord] = []
            for id in try identifiers() {
                do throws(ShaleError) {
                    records.append(try read(id))
                } catch {
                    if error.code == .notFound { continue }
                    passingOver(error.leavesUnseen ? error : error.hinting("rm -f \(Identifier.short(id))"))
                }
            }
            return records.sorted { ($0.created, $0.id) > ($1.created, $1.id) }
        }
    }

    /// The record of a container by its full ID.
    ///
    /// While a command runs, the container is leased.
    ///
    /// Throws what reading the record or locking the leases' file throws.
    package func record(_ id: String) throws(ShaleError) -> ContainerRecord {
        try leases.holdInUse([.container(id)])
        return try read(id)
    }

    /// The record without a lease, for listings and for callers with the store's lock.
    func read(_ id: String) throws(ShaleError) -> ContainerRecord {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(folder(id).config, limit: 16 << 20)
        } catch {
            throw error.errno == ENOENT
                ? Self.noSuchContainer(id) : error.storeError("container \(id)", at: folder(id).config)
        }
        return try ContainerRecord(reading: bytes, id: id)
    }

    package func state(_ id: String) -> ContainerState { ContainerState.read(folder(id).state) }

    /// The container with an ID, a name (a leading slash is allowed), or the beginning of an ID.
    ///
    /// Throws `notFound` (`No such container: x`), or `conflict` when several IDs begin with the text.
    package func find(_ text: String) throws(ShaleError) -> ContainerRecord { try record(id(of: text)) }

    /// The ID of the container that a text names.
    ///
    /// Throws `notFound` when there is no such container, and `conflict` when several IDs begin with the text.
    package func id(of text: String) throws(ShaleError) -> String {
        if let id = wholeName(text) { return id }
        let isHex = !text.isEmpty && text.hasOnlyLowercaseHexDigits
        guard isHex else { throw unknownContainer(text) }
        let fitting = try identifiers().filter { $0.hasPrefix(text) && access(folder($0).config, F_OK) == 0 }
        guard let found = fitting.first else { throw unknownContainer(text) }
        guard fitting.count == 1 else {
            throw ShaleError(.conflict, "multiple IDs found with provided prefix: \(text)")
        }
        return found
    }

    /// The ID of the container whose full ID or name is the text.
    func wholeName(_ text: String) -> String? {
        if ContainerName.isIdentifier(text), access(folder(text).config, F_OK) == 0 { return text }
        let name = text.hasPrefix("/") ? String(text.dropFirst()) : text
        return ContainerName.isValid(name) ? holder(of: name) : nil
    }

    /// The error for an unknown container, with a similar name as a hint.
    private func unknownContainer(_ text: String) -> ShaleError {
        let names = (try? StoreFolder.names(paths.containerNames)) ?? []
        let near = Suggestion.nearest(to: text, among: names).first
        let error = Self.noSuchContainer(text)
        return near.map { error.hinting("did you mean \($0)?") } ?? error
    }

    package static func noSuchContainer(_ text: String) -> ShaleError {
        ShaleError(.notFound, "No such container: \(text)")
    }

    /// All folder names that are container IDs, also of incomplete containers.
    func identifiers() throws(ShaleError) -> [String] {
        try StoreFolder.names(paths.containers).filter { ContainerName.isIdentifier($0) }
    }

    /// Removes what a process that died left incomplete: folders without a record, names without a container.
    ///
    /// Called under the store's lock. Returns descriptions of what was found.
    func sweepHalfMade(dryRun: Bool) throws(ShaleError) -> [String] {
        var found: [String] = []
        for id in try identifiers() {
            if access(folder(id).config, F_OK) == 0 {
                if !dryRun { removeHalfWritten(in: folder(id).path) }
                continue
            }
            found.append("container \(Identifier.short(id)): half-made")
            // It is still empty, so this is quick.
            if !dryRun {
                Logger.store.attempt("remove a half-made container") { try FileTree.remove(folder(id).path) }
            }
        }
        for name in try StoreFolder.names(paths.containerNames) {
            // An interrupted rename leaves a second name.
            if let id = holder(of: name), ((try? read(id))?.name ?? name) == name { continue }
            found.append("container name \"\(name)\": leads to no container")
            if !dryRun { unlink(link(name)) }
        }
        return found
    }

    /// Removes temporary files of records that were being replaced.
    ///
    /// The caller has the lock.
    private func removeHalfWritten(in folder: String) {
        for name in (try? StoreFolder.names(folder)) ?? [] where name.hasPrefix("config.json.") && name.hasSuffix("~") {
            unlink("\(folder)/\(name)")
        }
    }

    /// Whether a container's name leads to the container.
    func isNamed(_ record: ContainerRecord) -> Bool { holder(of: record.name) == record.id }

    /// Sets a container's name again.
    ///
    /// Called under the store's lock.
    func mendName(_ record: ContainerRecord) throws(ShaleError) { try take(record.name, for: record.id) }

    // MARK: Names

    func link(_ name: String) -> String { "\(paths.containerNames)/\(name)" }

    /// The ID of the container with a name; `nil` when the name leads to no container.
    func holder(of name: String) -> String? {
        guard let id = target(of: name), access(folder(id).config, F_OK) == 0 else { return nil }
        return id
    }

    func target(of name: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 128)
        let count = readlink(link(name), &buffer, buffer.count)
        guard count > 0 else { return nil }
        let id = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return ContainerName.isIdentifier(id) ? id : nil
    }

    func take(_ name: String, for id: String) throws(ShaleError) {
        if let holder = holder(of: name) {
            throw ShaleError(
                .conflict,
                "Conflict. The container name \"/\(name)\" is already in use by container \"\(holder)\". "
                    + "You have to remove (or rename) that container to be able to reuse that name.")
        }
        unlink(link(name))
        if symlink(id, link(name)) == -1 {
            throw SystemCallError("symlink", path: link(name)).shaleError("container name \"\(name)\"")
        }
    }

    private func takeFreeName(for id: String, seed: UInt64?) throws(ShaleError) -> String {
        var generator = SeededGenerator(seed: seed ?? UInt64.random(in: 0 ... .max))
        for attempt in 0..<6 {
            let name = ContainerName.random(using: &generator, attempt: attempt)
            if holder(of: name) == nil {
                try take(name, for: id)
                return name
            }
        }
        let name = Identifier.short(id)
        try take(name, for: id)
        return name
    }

    // MARK: Files

    private func makeFolder(_ record: ContainerRecord) throws(ShaleError) {
        let folder = folder(record.id)
        // The file system places the new folder away from the others, so that removed files' space is not reused at
        // once.
        try? OwnedFD.open(paths.containers, O_RDONLY | O_DIRECTORY).spreadSubdirectories()
        do throws(SystemCallError) {
            try check("mkdir", path: folder.path) { mkdir(folder.path, 0o700) }
            // The upper directory's mode becomes the mode of the container's root directory.
            try check("mkdir", path: folder.upper) { mkdir(folder.upper, 0o755) }
            try check("mkdir", path: folder.work) { mkdir(folder.work, 0o700) }
        } catch {
            if error.errno == EEXIST {
                throw ShaleError(.conflict, "container \(record.id): is there already")
            }
            throw error.shaleError("container \(record.id)")
        }
        // The file is synced while the container starts.
        try write(record, syncing: false)
        BackgroundSync.begin(folder.config)
    }

    private func write(_ record: ContainerRecord, syncing: Bool = true) throws(ShaleError) {
        let bytes = Array(try OCIDocument.encode(record))
        do throws(SystemCallError) {
            try WholeFile.replace(folder(record.id).config, with: bytes, syncing: syncing)
        } catch {
            throw error.errno == ENOENT
                ? Self.noSuchContainer(record.id) : error.shaleError("container \(record.id)")
        }
    }
}

/// The files of one container.
package struct ContainerFolder: Sendable, Hashable {
    package let path: String
    package var config: String { path + "/config.json" }
    /// Written by the runner.
    package var state: String { path + "/state.json" }
    /// The overlay's upper directory, with the container's changes.
    package var upper: String { path + "/upper" }
    package var work: String { path + "/work" }
    package var log: String { path + "/log" }
    /// The folder of the runner's control socket.
    ///
    /// The socket's own path may be too long to bind.
    package var socketDirectory: String { path }
    /// The container events, one JSON object per line.
    package var events: String { path + "/deeds.jsonl" }
    /// The stamp of the line that removed the container, while it is in the trash.
    package var removal: String { path + "/removed.json" }
}
