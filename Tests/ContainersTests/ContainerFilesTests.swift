import Basics
import FoundationEssentials
import Glibc
import Images
import Layers
import Linux
import OCI
import Registries
import Runtime
import Stores
import TestSupport
import Testing

@testable import Containers

/// A container whose record is damaged can be removed, as the hint says that everything else gives.
struct DamagedRecordTests {
    @Test func itCanBeRemoved() throws {
        let room = try ContainerRoom()
        let record = try room.create("damaged")
        try WholeFile.replace(room.store.containers.folder(record.id).config, with: Array("{\"id".utf8))
        let error = #expect(throws: ShaleError.self) { try room.store.containers.all() }
        #expect(error?.hint == "rm -f \(String(record.id.prefix(12)))" && error?.code == .corrupt)
        #expect(throws: ShaleError.self) { try room.containers.container("damaged") }
        try room.containers.removeDamaged(String(record.id.prefix(12)))
        #expect(try room.store.containers.all().isEmpty)
        #expect(try room.store.check().isEmpty)
    }
}

/// An image of a small tree, and containers of it that never ran.
struct ContainerRoom {
    let folder = TemporaryDirectory()
    let work: String
    let containers: ContainerEngine
    var store: Store { containers.store }

    init() throws {
        let store = try Store(home: folder.path + "/home", form: .current)
        let images = ImageEngine(
            store: store, registry: RegistryClient(RegistryConfiguration(credentials: CredentialStore(only: [:]))),
            settings: EngineSettings())
        containers = ContainerEngine(
            store: store, runtime: ContainerRuntime(runnerPath: "/nonexistent", cachePath: folder.path), images: images)
        work = folder.path + "/work"
        try sh(
            """
            mkdir -p ../work ../tree/etc ../tree/dir ../tree/empty ../outside; cd ../tree
            printf 'root:x:0:0::/root:/bin/sh\\nann:x:1000:1000::/:/bin/sh\\n' > etc/passwd
            printf 'root:x:0:\\nann:x:1000:\\n' > etc/group
            echo f > dir/f; ln -s dir ld; ln -s dir/f lf; ln -s nothing lb; ln -s /../../../../outside escape
            ln -s /etc/passwd abs; echo secret > ../outside/secret; tar -cf ../tree.tar .
            """, in: folder.path + "/home")
        let file = try OwnedFD.open(folder.path + "/tree.tar", O_RDONLY)
        var options = ImportOptions()
        options.reference = try Reference(parsing: "tree")
        options.changes = ["CMD [\"sh\"]", "ENV A=1"]
        _ = try containers.images.importTree(FDSource(file, subject: "tree"), options, OperationContext())
    }

    @discardableResult
    func sh(_ script: String, in folder: String? = nil) throws -> String {
        try Peer("sh").run(["-ec", script], in: folder ?? work).text
    }

    /// A file's text in an image, as all its layers together show it.
    func text(_ path: String, in image: Image) throws -> String? {
        let images = containers.images
        let layers = try images.directories(images.lowerPaths(of: image))
        return try MergedTree(layers: layers, form: images.form).contents(of: path).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    func create(_ name: String, _ change: (inout RunOptions) -> Void = { _ in }) throws -> ContainerRecord {
        var options = RunOptions(image: "tree")
        options.name = name
        change(&options)
        return try containers.createContainer(options, OperationContext())
    }

    func cp(_ words: String..., change: (inout CopyRequest) -> Void = { _ in }) throws(ShaleError) {
        var request = CopyRequest(
            from: words.dropLast().map { CopyOperand(parsing: $0) }, to: CopyOperand(parsing: words[words.count - 1]),
            hostDirectory: work)
        change(&request)
        _ = try containers.copy(request, OperationContext())
    }

    /// The error's words, or what `script` prints afterwards.
    func outcome(_ from: String, _ to: String, _ script: String) throws -> String {
        do throws(ShaleError) {
            try cp(from, to)
        } catch {
            return error.description
        }
        return try sh(script)
    }
}

@Suite("files of containers", .enabled(if: geteuid() == 0, "needs root to mount overlays"))
struct ContainerFilesTests {
    @Test(
        "cp to a container, docker's table",
        arguments: [
            ("file", "cc:/new", "A /new"), ("file", "cc:/dir", "C /dir|A /dir/file"),
            ("file", "cc:/dir/f", "C /dir|C /dir/f"),
            ("file", "cc:/ld", "C /dir|A /dir/file"), ("file", "cc:/lf", "C /dir|C /dir/f"),
            ("file", "cc:/lb", "A /nothing"),
            ("file", "cc:/new/", "no such directory"),
            ("file", "cc:/nope/x", "Could not find the file /nope in container cc"),
            ("file", "cc:/etc/passwd/", "no such directory"), ("tree", "cc:/new", "A /new|A /new/in"),
            ("tree", "cc:/dir", "C /dir|A /dir/tree|A /dir/tree/in"), ("tree/.", "cc:/dir", "C /dir|A /dir/in"),
            ("tree", "cc:/dir/f", "cannot copy directory"), ("tree/.", "cc:/new", "A /new|A /new/in"),
            ("nope", "cc:/", "lstat PWD/nope: no such file or directory"), ("file/", "cc:/dir", "not a directory"),
            ("file", "cc:relative", "A /relative"), ("file", "cc:/escape/x", "C /outside"),
            ("file", "d", "must specify at least one"),
            ("link", "cc:/new", "A /new"),
        ])
    func copyIn(from: String, to: String, expected: String) throws {
        let room = try ContainerRoom()
        let record = try room.create("cc")
        try room.sh("echo file > file; mkdir tree; echo in > tree/in; ln -s file link")
        var result: String
        do throws(ShaleError) {
            try room.cp(from, to)
            result = try room.containers.changes(of: record).map(\.line).joined(separator: "|")
        } catch {
            result = error.description.replacing(room.work, with: "PWD")
        }
        // A link that leads out of the container leads to nothing in it.
        if to.hasPrefix("cc:/escape") {
            #expect(result.contains("Could not find"))
        } else {
            #expect(result.hasPrefix(expected), "\(result)")
        }
        #expect(try room.sh("ls ../outside") == "secret\n")
    }

    @Test(
        "cp from a container or an image, docker's table",
        arguments: [
            ("cc:/dir/f", "out", "cat out", "f\n"), ("cc:/dir/f", "here", "cat here/f", "f\n"),
            ("cc:/dir", "out", "ls out", "f\n"),
            ("cc:/dir", "here", "ls here here/dir", "here:\ndir\n\nhere/dir:\nf\n"),
            ("cc:/dir/.", "here", "ls here", "f\n"), ("cc:/lf", "out", "readlink out", "dir/f\n"),
            ("cc:/ld/", "out", "ls out", "f\n"), ("cc:/lb", "out", "readlink out", "nothing\n"),
            ("cc:/abs", "out", "readlink out", "/etc/passwd\n"), ("cc:/ld/f", "out", "cat out", "f\n"),
            ("cc:/dir", "old", "", "cannot copy directory"),
            ("cc:/nope", "out", "", "Could not find the file /nope in container cc"),
            ("cc:/dir/f", "nope/out", "", "invalid output path: directory \"PWD/nope\" does not exist"),
            ("cc:/escape/secret", "out", "", "Could not find the file"), ("tree:/dir/f", "out", "cat out", "f\n"),
            ("tree:latest:/dir/f", "out", "cat out", "f\n"), ("nosuch:/x", "out", "", "No such container: nosuch"),
            ("cc:/di*", "here", "ls here", "dir\n"), ("cc:/dir/f", "cc2:/g", "", ""),
        ])
    func copyOut(from: String, to: String, script: String, expected: String) throws {
        let room = try ContainerRoom()
        _ = try room.create("cc")
        let second = try room.create("cc2")
        try room.sh("mkdir here; echo old > old")
        let result = try room.outcome(from, to, script.isEmpty ? "true" : script)
        #expect(result.replacing(room.work, with: "PWD").hasPrefix(expected), "\(result)")
        if to.hasPrefix("cc2:") { #expect(try room.containers.changes(of: second).map(\.line) == ["A /g"]) }
    }

    @Test(
        "cp from a place to itself or into itself is refused and changes nothing",
        arguments: [
            ("cc:/dir", "cc:/dir", "into itself"), ("cc:/dir", "cc:/dir/new", "into itself"),
            ("cc:/dir/.", "cc:/dir", "into itself"), ("cc:/", "cc:/dir", "into itself"),
            ("cc:/dir/f", "cc:/dir/f", "the same file"), ("cc:/dir/f", "cc:/dir", "the same file"),
            ("cc:/lf", "cc:/lf", ""), ("cc:/dir/f", "cc:/again", ""), ("cc:/dir", "cc:/again", ""),
            ("cc:/dir", "cc:/", "into itself"), ("cc:/vol/a", "cc:/vol/a", "the same file"),
            ("shared/a", "cc:/vol", "the same file"), ("shared", "cc:/vol/sub", "into itself"),
        ])
    func copyToItself(from: String, to: String, expected: String) throws {
        let room = try ContainerRoom()
        try room.sh("mkdir shared shared/sub; echo kept > shared/a; ln shared/a shared/b")
        let record = try room.create("cc") { $0.volumes = ["\(room.work)/shared:/vol"] }
        let before = try room.containers.changes(of: record).map(\.line)
        let result = try room.outcome(from, to, "true")
        #expect(result.hasSuffix(expected) || result.contains(expected + ", /"), "\(result)")
        if !expected.isEmpty { #expect(try room.containers.changes(of: record).map(\.line) == before) }
        #expect(try room.sh("cat shared/a shared/b; find shared | wc -l") == "kept\nkept\n4\n")
    }

    /// Seen only when the walk comes to it: the files before it are copied.
    @Test func copyAboveABindMountEnds() throws {
        let room = try ContainerRoom()
        try room.sh("mkdir -p shared/sub")
        _ = try room.create("cc") { $0.volumes = ["\(room.work)/shared:/vol"] }
        #expect(try room.outcome(".", "cc:/vol/sub", "true").contains("into itself"))
        #expect(try room.sh("find shared -mindepth 4 | wc -l") == "0\n")
    }

    @Test("owners are root's in a container, kept with -a, chosen with --chown")
    func owners() throws {
        let room = try ContainerRoom()
        let record = try room.create("cc")
        try room.sh("echo x > file; chown 7:8 file")
        try room.cp("file", "cc:/root")
        try room.cp("file", "cc:/kept") { $0.keepsOwners = true }
        try room.cp("file", "cc:/ann") { $0.owner = "ann" }
        let owners = try room.containers.changes(of: record).map { "\($0.path) \($0.status?.uid ?? 99)" }
        #expect(owners == ["/ann 1000", "/kept 7", "/root 0"])
    }

    @Test("an archive goes in and comes out")
    func archives() throws {
        let room = try ContainerRoom()
        _ = try room.create("cc")
        try room.sh("mkdir t; echo x > t/x; tar -cf in.tar t")
        let input = try OwnedFD.open(room.work + "/in.tar", O_RDONLY)
        var request = CopyRequest(from: [.stream], to: .inside(name: "cc", path: "/dir"), hostDirectory: room.work)
        _ = try room.containers.copy(request, input: input.raw, OperationContext())
        request = CopyRequest(from: [.inside(name: "cc", path: "/dir")], to: .stream, hostDirectory: room.work)
        let output = try OwnedFD.open(room.work + "/out.tar", O_WRONLY | O_CREAT)
        let file = output.raw
        _ = try room.containers.copy(request, OperationContext()) { bytes throws(ShaleError) in
            _ = try translating("out.tar") {
                try Linux.checkLength("write") { write(file, bytes.baseAddress, bytes.count) }
            }
        }
        #expect(try room.sh("tar -tf out.tar") == "dir/\ndir/f\ndir/t/\ndir/t/x\n")
        request = CopyRequest(from: [.stream], to: .inside(name: "cc", path: "/dir/f"), hostDirectory: room.work)
        #expect(throws: ShaleError.self) { try room.containers.copy(request, input: input.raw, OperationContext()) }
    }

    @Test("read-only containers and mounts refuse in docker's words")
    func refusals() throws {
        let room = try ContainerRoom()
        try room.sh("echo x > file; mkdir bound")
        _ = try room.create("ro") { $0.host.readOnlyRoot = true }
        _ = try room.create("mounted") { $0.volumes = ["\(room.work)/bound:/b:ro", "\(room.work)/bound:/w"] }
        #expect(try room.outcome("file", "ro:/x", "") == "container rootfs is marked read-only")
        #expect(try room.outcome("file", "mounted:/b/x", "") == "mounted volume is marked read-only")
        #expect(try room.outcome("file", "mounted:/w/x", "ls bound") == "x\n")
    }

    @Test("commit takes the container's changes and settings, and says what that changes")
    func commit() throws {
        let room = try ContainerRoom()
        let record = try room.create("cc") {
            $0.command = ["run", "me"]
            $0.environment = ["B=2"]
        }
        try room.sh("echo x > file")
        try room.cp("file", "cc:/new")
        let talk = RecordedOperation()
        var options = CommitOptions()
        options.reference = "made:v1"
        options.message = "why"
        options.author = "who"
        let image = try room.containers.commit(record, options, talk.context)
        #expect(image.config.config?.cmd == ["run", "me"])
        #expect(image.config.config?.env == ["B=2", "A=1"])
        #expect(image.config.history?.last?.createdBy == "run me")
        #expect(image.config.history?.last?.comment == "why")
        #expect(image.config.rootfs.diffIDs.count == 2)
        #expect(image.references.map(\.familiar) == ["made:v1"])
        #expect(talk.notes.contains { $0.contains("--keep-config") })
        #expect(try room.text("/new", in: image) == "x\n")
        options.keepsConfig = true
        options.reference = nil
        let kept = try room.containers.commit(record, options, RecordedOperation().context)
        #expect(kept.config.config?.cmd == ["sh"])
        // Nothing changed: no layer.
        let untouched = try room.containers.commit(room.create("dd"), CommitOptions(), RecordedOperation().context)
        #expect(untouched.config.rootfs.diffIDs.count == 1 && untouched.config.history?.last?.emptyLayer == true)
        #expect(room.store.containers.events(of: record.id).map(\.kind) == [.copyIn, .commit, .commit])
    }

    @Test(
        "changes that commit applies or refuses",
        arguments: [
            ("RUN ls", "run is not a valid change command"), ("COPY a b", "copy is not a valid change command"),
            ("ENV", "ENV requires at least one argument"), ("NOPE x", "nope is not a valid change command"),
        ])
    func badChanges(change: String, words: String) {
        var config = ContainerConfig()
        #expect {
            try ConfigChange.apply([change], to: &config)
        } throws: {
            ($0 as? ShaleError)?.description.contains(words) == true
        }
    }

    @Test("a volume starts with what the image has, and goes with its container")
    func volumes() throws {
        let room = try ContainerRoom()
        let record = try room.create("cc") { $0.volumes = ["/dir", "named:/etc"] }
        #expect(record.host.mounts.map(\.destination) == ["/dir", "/etc"] || record.host.mounts.count == 2)
        for mount in record.host.mounts {
            let names = try RootDirectory(hostPath: mount.source).names(in: "/")
            #expect(names == (mount.destination == "/dir" ? ["f"] : ["group", "passwd"]))
        }
        let other = try room.create("dd") { $0.volumesFrom = ["cc:ro"] }
        #expect(other.host.mounts.allSatisfy(\.readOnly) && other.host.mounts.count == 2)
        try room.containers.remove(record, named: "cc")
        #expect(other.host.mounts.allSatisfy { access($0.source, F_OK) == 0 })
        try room.containers.remove(other, named: "dd")
        #expect(other.host.mounts.count { access($0.source, F_OK) == 0 } == 1)
    }
}
