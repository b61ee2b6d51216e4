import Basics
import FoundationEssentials
import TestSupport
import Testing

@testable import Shell

/// What a setting may be, and what becomes of stored ones that are not right.
struct SettingTests {
    @Test(arguments: [
        ("offline", "on", "on"), ("offline", "TRUE", "on"), ("offline", "0", "off"), ("offline", "banana", nil),
        ("offline", "", nil), ("build.wording", "moby", "moby"), ("build.wording", "true", nil), ("teach", "yes", "on"),
        ("pager", "less -R", "less -R"), ("pager", "off", "off"), ("pager", " ", nil), ("pager", "a\nb", nil),
        ("undo.limit", "0", "0"), ("undo.limit", "007", "7"), ("undo.limit", "-1", nil), ("undo.limit", "abc", nil),
        ("undo.limit", "1e3", nil), ("undo.limit", "99999999999999999999", nil), ("undo.limit", "٣", nil),
        ("registry.mirror", "docker.io=http://127.0.0.1:5000", "docker.io=http://127.0.0.1:5000"),
        ("registry.mirror", "docker.io=mirror.example", "docker.io=mirror.example"),
        ("registry.mirror", "garbage", nil),
        ("registry.mirror", "", nil), ("registry.mirror", "docker.io=", nil), ("registry.mirror", "=http://x", nil),
        ("registry.mirror", "a/b=http://x", nil), ("registry.mirror", "docker.io=ftp://x", nil),
        ("registry.mirror", "docker.io=http://u:p@x", nil), ("registry.mirror", "docker.io=http://x?q", nil),
        ("registry.insecure", "localhost:5000", "localhost:5000"), ("registry.insecure", "[::1]:5000", "[::1]:5000"),
        ("registry.insecure", "http://x", nil), ("registry.insecure", "x/y", nil),
        ("registry.insecure", "x:99999", nil),
        ("registry.insecure", "", nil), ("registry.insecure", "a b", nil), ("registry.insecure", "x:", nil),
        ("search.endpoint", "https://index.docker.io", "https://index.docker.io"), ("search.endpoint", "index", nil),
        ("search.endpoint", "file:///etc/passwd", nil),
    ])
    func values(name: String, value: String, kept: String?) throws {
        let setting = try #require(Setting.named(name))
        #expect((try? setting.checked(value)) == kept)
    }

    @Test func everySettingTakesWhatItsHintSays() throws {
        for setting in Setting.all {
            let value = try #require(setting.usage.split(separator: " ").last)
            for word in value.split(separator: "|") { _ = try setting.checked(String(word)) }
        }
    }

    @Test func aBadStoredOneIsToldOnceAndMended() throws {
        let home = TemporaryDirectory()
        let file = URL(filePath: home.path + "/settings")
        let stored = "registry.mirror = garbage\noffline = banana\nno.such = 1\nundo.limit = 3\nnonsense\n# a comment\n"
        try Data(stored.utf8).write(to: file)
        var settings = SavedSettings.load(home: home.path)
        #expect(
            settings.ignoreInvalid().map(\.line).sorted() == [
                "no.such = 1", "nonsense", "offline = banana", "registry.mirror = garbage",
            ])
        #expect(settings.ignoreInvalid().isEmpty)
        #expect(settings["offline"] == nil && settings.list(of: "registry.mirror").isEmpty)
        #expect(settings["undo.limit"] == "3")
        try settings.set("registry.mirror", to: "docker.io=http://127.0.0.1:5000")
        try settings.set("offline", to: "off")
        try settings.set("no.such", to: nil)
        var again = SavedSettings.load(home: home.path)
        #expect(again.ignoreInvalid().isEmpty)
        #expect(again.list(of: "registry.mirror") == ["docker.io=http://127.0.0.1:5000"])
        #expect(again["offline"] == "off" && again["undo.limit"] == "3")
        // A registry has one mirror; several may lack encryption.
        try again.set("registry.mirror", to: "docker.io=http://127.0.0.1:6000")
        try again.set("registry.insecure", to: "a:1")
        try again.set("registry.insecure", to: "b:1")
        #expect(again.list(of: "registry.mirror") == ["docker.io=http://127.0.0.1:6000"])
        try again.remove("a:1", of: "registry.insecure")
        #expect(again.list(of: "registry.insecure") == ["b:1"])
        #expect(throws: ShaleError.self) { try again.remove("a:1", of: "registry.insecure") }
        #expect(throws: ShaleError.self) { try again.set("no.such", to: "1") }
        #expect(throws: ShaleError.self) { try again.set("offline", to: "banana") }
        #expect(again["offline"] == "off")
    }
}
