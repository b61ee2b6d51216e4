import TestSupport
import Testing

/// Tables, the prompt's text, and pasted prompts.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct PromptWordsTests {
    @Test func aTableIsTallOnceAsked() throws {
        let shale = ShaleHome()
        let text = try shale.run(["-c", "tall\nimages\n\\x\nimages\ntall on\nlesson list"]).text
        #expect(text.contains("-[ 1 ]--") && text.contains("REPOSITORY  busybox\nTAG         latest\n"), "\(text)")
        #expect(text.contains("tables are tables again\nREPOSITORY   TAG       IMAGE ID"), "\(text)")
        #expect(text.contains("LESSON  images\n"), "\(text)")
        #expect(try shale.run(["tall", "sideways"], expecting: 64).errors.contains("neither on nor off"))
        // What is asked for with --format stays.
        #expect(try shale.run(["-c", "tall\nimages --format json"]).text.contains("{\"Containers\""))
    }

    @Test func aPromptIsChecked() throws {
        let shale = ShaleHome()
        try shale.run(["set", "prompt", "{image}{place}> "])
        #expect(try shale.run(["set", "prompt"]).text.contains("{image}{place}>"))
        for (text, words) in [
            ("{where}> ", "{session} {status} {image} {place}"), ("{image", "without its }"), (" ", "some text"),
        ] {
            #expect(try shale.run(["set", "prompt", text], expecting: 64).errors.contains(words), "\(text)")
        }
    }

    /// A pasted session of shale's own runs its lines alone.
    @Test func ownPromptsArePromptSigns() throws {
        let pasted = """
            shale> FROM busybox
             ---> 225597f8caab
            busybox+0 shale> RUN echo hi > /note
             ---> 0e55acffd84f  +1 ~0 -0  3B
            (two) [64] busybox+1 app:/etc shale> cat @:/note
            hi
            """
        let run = try ShaleHome().run(["-"], input: Array(pasted.utf8))
        #expect(run.text.hasSuffix("\nhi\n"), "\(run.text)\(run.errors)")
    }
}
