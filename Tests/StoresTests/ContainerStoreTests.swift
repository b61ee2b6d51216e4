import Basics
import Glibc
import Linux
import OCI
import RunnerProtocol
import Stores
import TestSupport
import Testing

@Suite struct ContainerStoreTests {
    let fixture: Fixture
    let image: Image
    var store: Store { fixture.store }
    var containers: ContainerStore { store.containers }

    init() throws {
        fixture = try Fixture()
        image = try fixture.image(["a"], names: ["app"])
    }

    @Test func aRecordComesBackWhole() throws {
        var record = ContainerRecord(
            image: image, imageName: "app", config: image.containerConfig, path: "/bin/sh", arguments: ["-c", "true"])
        record.host.binds = ["/a:/b:ro"]
        record.host.memory = 1 << 20
        record.console.tty = true
        record.mountStubs = ["/etc/hosts"]
        let made = try containers.create(record)
        #expect(made.name.contains("_"))
        record.name = made.name
        #expect(try containers.record(made.id) == record)
        #expect(try containers.all() == [record])
        #expect(containers.state(made.id) == ContainerState(.created))
        #expect(made.hostname == String(made.id.prefix(12)))
    }

    @Test(.enabled(if: Peer("lsattr").isPresent, "needs lsattr"))
    func containersLieApartFromEachOtherOnExt4() throws {
        _ = try fixture.container(of: image)
        #expect(try fixture.spreads(fixture.home + "/containers") ?? true)
    }

    @Test func containersAreFoundByNameAndBeginning() throws {
        let record = try fixture.container(of: image, name: "web.1")
        for text in ["web.1", "/web.1", record.id, String(record.id.prefix(12)), String(record.id.prefix(3))] {
            #expect(try containers.find(text).id == record.id, "\(text)")
        }
        for text in ["web", "zz", "../web.1", "", "/", "names"] {
            #expect(message { _ = try containers.find(text) } == "No such container: \(text)")
        }
    }

    @Test func anAmbiguousBeginningIsSaid() throws {
        var ids: Set<Character> = []
        var ambiguous: Character?
        while ambiguous == nil {
            let first = try #require(try fixture.container(of: image).id.first)
            if !ids.insert(first).inserted { ambiguous = first }
        }
        let text = try String(#require(ambiguous))
        #expect(message { _ = try containers.find(text) } == "multiple IDs found with provided prefix: \(text)")
    }

    @Test func aTakenNameIsRefusedInDockersWords() throws {
        let first = try fixture.container(of: image, name: "web")
        #expect(
            message { _ = try fixture.container(of: image, name: "/web") }
                == "Conflict. The container name \"/web\" is already in use by container \"\(first.id)\". "
                + "You have to remove (or rename) that container to be able to reuse that name.")
        try containers.remove(first.id)
        _ = try fixture.container(of: image, name: "web")
        #expect(try containers.all().count == 1)
    }

    @Test(arguments: ["a", "-x", "_x", ".x", "a b", "a/b", "é", "x\u{0}y", "/"])
    func malformedNamesAreRefused(_ name: String) {
        #expect(
            message { _ = try fixture.container(of: image, name: name) }
                == "Invalid container name (\(name)), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    }

    @Test func renamingMovesTheName() throws {
        let one = try fixture.container(of: image, name: "one")
        _ = try fixture.container(of: image, name: "two")
        #expect(code { try containers.rename(one.id, to: "two") } == .conflict)
        try containers.rename(one.id, to: "three")
        #expect(try containers.find("three").id == one.id)
        #expect(code { _ = try containers.find("one") } == .notFound)
    }

    @Test func namesRepeatWithASeedAndNeverBoreWozniak() throws {
        var left = SeededGenerator(seed: 7)
        var right = SeededGenerator(seed: 7)
        var seen: Set<String> = []
        for _ in 0..<2000 {
            let name = ContainerName.random(using: &left)
            #expect(name == ContainerName.random(using: &right))
            seen.insert(name)
        }
        #expect(seen.count > 1800)
        #expect(!seen.contains("boring_wozniak"))
        #expect(seen.allSatisfy { ContainerName.isValid($0) && $0.split(separator: "_").count == 2 })
        let one = try containers.create(blank(), seed: 42)
        let two = try containers.create(blank(), seed: 42)
        #expect(two.name.hasPrefix(one.name) || two.name != one.name)
        #expect(one.name != two.name)
    }

    private func blank() -> ContainerRecord {
        ContainerRecord(image: image, imageName: "app", config: ContainerConfig(), path: "sh", arguments: [])
    }

    @Test(arguments: [
        ("", ContainerState.Status.created), ("{", .dead), ("{\"status\":\"runn", .dead), ("null", .dead),
        ("{\"status\":\"flying\"}", .dead), ("{\"status\":\"running\",\"pid\":12}", .running),
        ("{\"status\":\"exited\",\"exitCode\":137,\"finishedAt\":\"2024-01-01T00:00:00Z\"}", .exited),
    ])
    func statesAreReadWhateverIsThere(_ text: String, _ status: ContainerState.Status) throws {
        let record = try fixture.container(of: image)
        try fixture.write(text, to: containers.folder(record.id).state)
        let state = containers.state(record.id)
        #expect(state.status == status)
        if status != .dead { #expect(ContainerState(parsing: state.bytes) == state) }
    }

    @Test func deedsAreKeptInOrderAndATornOneIsPassedOver() throws {
        let record = try fixture.container(of: image)
        try containers.append(
            ContainerEvent(.exec, arguments: ["touch", "/a"], at: Timestamp(seconds: 1)), to: record.id)
        var copy = ContainerEvent(.copyIn, arguments: ["x"], at: Timestamp(seconds: 2))
        copy.destination = "/y"
        try containers.append(copy, to: record.id)
        let path = containers.folder(record.id).events
        try fixture.write(try fixture.text(of: path) + "{\"kind\":\"ex", to: path)
        #expect(containers.events(of: record.id).map(\.kind) == [.exec, .copyIn])
        #expect(containers.events(of: record.id).last?.destination == "/y")
    }

    @Test func oneNameIsTakenOnceByManyThreads() throws {
        let home = fixture.home
        let record = blank()
        let image = image
        try withThreads(4) { _ in
            let store = try Store(home: home, form: .current)
            for number in 0..<10 {
                var copy = ContainerRecord(
                    image: image, imageName: "app", config: record.config, path: "sh", arguments: [])
                copy.name = "name\(number)"
                do { _ = try store.containers.create(copy) } catch {
                    #expect((error as? ShaleError)?.code == .conflict)
                }
            }
        }
        #expect(try containers.all().count == 10)
    }
}

@Suite struct SessionFolderTests {
    let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test func theJournalKeepsWholeLines() throws {
        let session = try fixture.store.session("work")
        try session.append("one")
        try session.append("two", syncing: false)
        let torn = try fixture.text(of: session.journal) + "thr"
        try fixture.write(torn, to: session.journal)
        #expect(try session.lines() == ["one", "two"])
        try session.append("three")
        #expect(try session.lines() == ["one", "two", "three"])
        #expect(try fixture.store.sessionNames() == ["work"])
    }

    @Test(arguments: ["", ".", "..", "../x", "a/b", "-a", "a b", "\n"])
    func namesThatCouldLeaveAreRefused(_ name: String) {
        #expect(code { _ = try fixture.store.session(name) } == .invalid)
    }

    @Test func oneShaleHasASession() throws {
        let session = try fixture.store.session("work")
        let held = try session.tryLock()
        let second = try session.tryLock()
        let isRefused = second == nil
        #expect(isRefused)
        withExtendedLifetime(held) {}
    }
}
