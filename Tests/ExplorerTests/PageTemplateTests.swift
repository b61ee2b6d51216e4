import Basics
import Testing

@testable import Explorer

struct PageTemplateTests {
    @Test func thePageHasEveryFileOnceAndNoOpenPlace() {
        let page = LayerPage.template.page(["title": "app:1", "data": "{}"])
        for (name, bytes) in LayerPage.parts {
            let file = String(decoding: bytes, as: UTF8.self)
            #expect(!file.isEmpty && page.ranges(of: file).count == 1, "\(name)")
        }
        #expect(page.hasPrefix("<!DOCTYPE html>\n") && page.hasSuffix("</html>\n"))
        #expect(page.contains("<title>app:1 · layers</title>"))
        #expect(page.contains("id=\"data\">\n{}\n</script>"))
        #expect(page.ranges(of: "{{").isEmpty)
    }

    @Test func aTextIsNoPlace() {
        let page = LayerPage.template.page(["title": "{{page.css}}", "data": "\"{{title}} }} {{\""])
        #expect(page.contains("<title>{{page.css}} · layers</title>"))
        #expect(page.contains("id=\"data\">\n\"{{title}} }} {{\"\n</script>"))
    }

    @Test func aRealPageHasItsData() throws {
        let fixture = try ExplorerFixture()
        try fixture.image("app:1", [.init("COPY a /a", [.file("a", bytes: 10)])])
        let page = try LayerPage(fixture.layers("app:1"), Cancellation()).text
        #expect(page.contains("<title>app:1 · layers</title>") && page.contains("COPY a /a"))
    }
}
