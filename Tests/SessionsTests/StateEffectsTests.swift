import Basics
import Building
import Containers
import Glibc
import Images
import Linux
import OCI
import Recipes
import Registries
import Runtime
import Stores
import TestSupport
import Testing

@testable import Sessions

/// Moves that fail half way: names, images and containers are as before.
struct StateEffectsTests {
    private let directory = TemporaryDirectory()
    private let store: Store
    private let engine: Engine
    private let folder: SessionFolder

    init() throws {
        store = try Store(home: directory.path + "/home", form: .current)
        engine = Engine(
            store: store,
            registry: RegistryClient(RegistryConfiguration(credentials: CredentialStore(only: [:]))),
            runtime: ContainerRuntime(runnerPath: "/nonexistent", cachePath: directory.path),
            settings: EngineSettings())
        folder = try store.session("default")
    }

    private func image(_ text: String) throws -> Image {
        var config = ImageConfig()
        config.config = ContainerConfig()
        config.config?.cmd = [text]
        return try store.images.add(config: config, layers: [], parent: nil, references: [])
    }

    private func removed(_ name: String, of image: Image) throws -> ContainerRecord {
        var record = ContainerRecord(
            image: image, imageName: image.id.short, config: image.containerConfig, path: "sh", arguments: [])
        record.name = name
        record = try store.containers.create(record)
        #expect(try engine.containers.remove(record, named: name, retainedBy: folder))
        return record
    }

    private func undo(of containers: [ContainerRecord], _ more: StateChange...) -> StateMove {
        let removals = containers.map { StateChange.removed(container: $0.id, name: $0.name) }
        return .takingBack(
            StateTree.Node(
                number: 1, parent: 0, line: "rm", time: .epoch, changes: more + removals, base: nil, image: nil))
    }

    /// The second of two containers cannot be brought back: the first is in the trash again, and no name moves.
    @Test func aMoveIsMadeWholeOrNotAtAll() throws {
        let image = try image("a")
        let (first, second) = (try removed("one", of: image), try removed("two", of: image))
        // Undo brings the last one back first, so it is the first one whose place is taken.
        let place = store.containers.folder(first.id).path
        #expect(mkdir(place, 0o700) == 0 && mkdir(place + "/upper", 0o700) == 0)
        let name = try Reference(parsing: "app:1")
        _ = try store.images.tag(image.id, as: Reference(parsing: "old:1"))
        let entry = try #require(try store.names.table().entry(named: Reference(parsing: "old:1")))
        let move = undo(of: [first, second], .name(name, before: entry, after: nil))
        var effects = try StateEffects(engine: engine, folder: folder)
        try effects.check(move)
        #expect(throws: ShaleError.self) { try effects.apply(move) }
        #expect(try store.containers.trashIdentifiers().sorted() == [first.id, second.id].sorted())
        try effects.finish()
        #expect(try store.names.table().entry(named: name) == nil)
    }

    /// Another process moves a name while containers are brought back: they go to the trash again.
    @Test func aConflictMovesTheContainersBack() throws {
        let (image, other) = (try image("a"), try image("b"))
        let container = try removed("one", of: image)
        let name = try Reference(parsing: "app:1")
        _ = try store.images.tag(image.id, as: name)
        let entry = try #require(try store.names.table().entry(named: name))
        let move = undo(of: [container], .name(name, before: nil, after: entry))
        var effects = try StateEffects(engine: engine, folder: folder)
        try effects.check(move)
        try effects.apply(move)
        #expect(try store.containers.trashIdentifiers() == [])
        _ = try store.images.tag(other.id, as: name)
        let error = #expect(throws: ShaleError.self) { try effects.finish() }
        #expect(error?.code == .conflict)
        #expect(try store.containers.trashIdentifiers() == [container.id])
        #expect(try store.names.table().entry(named: name)?.image == other.id)
    }

    /// A container that was back before the move stays.
    @Test func whatWasThereBeforeStays() throws {
        let (image, other) = (try image("a"), try image("b"))
        let container = try removed("one", of: image)
        #expect(try engine.containers.bringBack(container.id))
        let name = try Reference(parsing: "app:1")
        _ = try store.images.tag(image.id, as: name)
        let entry = try #require(try store.names.table().entry(named: name))
        var effects = try StateEffects(engine: engine, folder: folder)
        try effects.apply(undo(of: [container], .name(name, before: nil, after: entry)))
        _ = try store.images.tag(other.id, as: name)
        #expect(throws: ShaleError.self) { try effects.finish() }
        #expect(try store.containers.trashIdentifiers() == [])
    }
}
