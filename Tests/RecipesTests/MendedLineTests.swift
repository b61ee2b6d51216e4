import Testing

@testable import Recipes

struct MendedLineTests {
    @Test(arguments: [
        ("RUN a", "RUN a && z"), ("RUN a; b;", "RUN a; b && z"), ("RUN a || b", "RUN a || b && z"),
        ("RUN for i in 1; do a; done", "RUN for i in 1; do a; done && z"), ("RUN ( a )", "RUN ( a ) && z"),
        ("RUN a \\\n  && b", "RUN a \\\n  && b && z"), (#"RUN ["a","b c"]"#, "RUN a 'b c' && z"),
        (#"RUN ["/bin/sh","-c","a"]"#, #"RUN ["/bin/sh", "-c", "a && z"]"#),
    ])
    func mended(_ line: String, _ expected: String) {
        #expect(MendedLine.text(line, endingWith: "z") == expected)
    }

    @Test(arguments: ["RUN a &", "RUN a # b", "RUN a <<E\nb\nE", "COPY a b", "RUN case a in a) b;; esac", "RUN 'a"])
    func whatTakesNone(_ line: String) { #expect(MendedLine.text(line, endingWith: "z") == nil) }
}
