import Basics
import OCI
import Stores
import Testing

/// What a word means that could name an image or a container.
@Suite struct MeantContainerTests {
    private let fixture: Fixture
    private var store: Store { fixture.store }

    init() throws { fixture = try Fixture() }

    @Test func aContainersWholeNameGoesFirst() throws {
        let image = try fixture.image(["a"], names: ["web"])
        let digits = String(image.id.hex.prefix(4))
        let byImage = try fixture.container(of: image, name: "web")
        let byDigits = try fixture.container(of: image, name: digits)
        for text in ["web", "/web", byImage.id] {
            #expect(try store.container(meantBy: text)?.record.id == byImage.id, "\(text)")
        }
        #expect(try store.container(meantBy: "web")?.image == "web:latest")
        #expect(try store.container(meantBy: "web")?.note("web")?.contains("web:latest is the image") == true)
        #expect(try store.container(meantBy: digits)?.record.id == byDigits.id)
        #expect(try store.container(meantBy: byImage.id)?.image == nil)
    }

    @Test func anImagesWholeNameGoesBeforeAContainersId() throws {
        let image = try fixture.image(["a"], names: ["web"])
        let container = try fixture.container(of: image, name: "other")
        let digits = String(container.id.prefix(6))
        #expect(try store.container(meantBy: digits)?.record.id == container.id)
        try store.images.tag(image.id, as: try .init(parsing: "\(digits):latest"))
        #expect(try store.container(meantBy: digits) == nil)
        for text in [
            image.id.hex, image.id.description, "web:latest", "docker.io/library/web", "@", "@~1", "nosuch", "",
        ] {
            #expect(try store.container(meantBy: text) == nil, "\(text)")
        }
    }

    /// One hexadecimal digit that begins a container's id and an image's, as docker has it: the container.
    @Test func whereBothBeginSoItIsToldAndTheContainerMeant() throws {
        let image = try fixture.image(["a"], names: ["web"])
        let digit = String(image.id.hex.prefix(1))
        var container = try fixture.container(of: image)
        while !container.id.hasPrefix(digit) {
            try store.containers.remove(container.id)
            container = try fixture.container(of: image)
        }
        let meant = try #require(try store.container(meantBy: digit))
        #expect(meant.record.id == container.id)
        #expect(meant.image == "sha256:\(image.id.short)")
        #expect(try store.images.find(#require(meant.image)).id == image.id)
        var second = try fixture.container(of: image)
        while !second.id.hasPrefix(digit) { second = try fixture.container(of: image) }
        #expect(throws: ShaleError.self) { try store.container(meantBy: digit) }
    }
}
