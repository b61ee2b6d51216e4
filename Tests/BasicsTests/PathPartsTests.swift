import Basics
import Testing

@Suite struct PathPartsTests {
    @Test(arguments: [
        ("/", "/", "", "/"), ("/a", "/", "a", "a"), ("/a/b", "/a", "b", "b"), ("/a/b/", "/a/b", "b", ""),
        // The slash before a combining mark is a slash.
        ("/a/\u{301}b", "/a", "\u{301}b", "\u{301}b"),
    ])
    func parts(_ path: String, _ parent: String, _ part: String, _ component: String) {
        #expect(path.parentPath.utf8.elementsEqual(parent.utf8))
        #expect(path.lastPart.utf8.elementsEqual(part.utf8))
        #expect(path.lastPathComponent.utf8.elementsEqual(component.utf8))
    }

    @Test(arguments: [
        ("/a/b", "/a", true, true), ("/a", "/a", false, true), ("/ab", "/a", false, false), ("/a", "/", true, true),
        ("/", "/", false, true), ("/a/\u{301}b", "/a", true, true),
    ])
    func below(_ path: String, _ directory: String, _ isBelow: Bool, _ isAtOrBelow: Bool) {
        #expect(path.isBelow(directory) == isBelow)
        #expect(path.isAtOrBelow(directory) == isAtOrBelow)
    }

    @Test func appending() {
        #expect("/".appendingPath("a") == "/a")
        #expect("/a".appendingPath("b") == "/a/b")
        #expect("/a/".appendingPath("b") == "/a/b")
        #expect("".appendingPath("b") == "/b")
    }
}
