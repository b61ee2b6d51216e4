import OCI
import Testing

@testable import Images

/// The instructions between two configs say what they mean to every byte, or are left out.
struct ConfigInstructionTests {
    private func plan(
        _ old: (inout ContainerConfig) -> Void = { _ in }, _ new: (inout ContainerConfig) -> Void
    ) -> ConfigInstructions.Plan {
        var (before, after) = (ContainerConfig(), ContainerConfig())
        old(&before)
        new(&after)
        return ConfigInstructions.plan(from: before, to: after)
    }

    @Test func twoSpellingsOfALetterAreTwo() {
        let (one, two) = ("\u{e9}", "e\u{301}")
        let plan = plan {
            $0.env = ["A=\(one)"]
            $0.labels = ["l": one]
            $0.cmd = [one]
            $0.workingDir = "/\(one)"
        } _: {
            $0.env = ["A=\(two)"]
            $0.labels = ["l": two]
            $0.cmd = [two]
            $0.workingDir = "/\(two)"
        }
        #expect(plan.unsaid.isEmpty)
        #expect(
            plan.lines.map { Array($0.utf8) }
                == ["ENV A=\"\(two)\"", "LABEL l=\"\(two)\"", "WORKDIR \"/\(two)\"", "CMD [\"\(two)\"]"]
                .map { Array($0.utf8) })
        var names = ContainerConfig()
        names.setEnvironment(one, "1")
        names.setEnvironment(two, "2")
        #expect(names.env?.count == 2)
    }

    @Test func namesAreQuoted() {
        let plan = plan {
            $0.env = ["A B=c", "\"Q\"=c", "A$B=c", "A\\=1", "--x=1"]
            $0.labels = ["x y": "1"]
            $0.volumes = ["/p$x": EmptyObject(), "/p\"q": EmptyObject()]
            $0.stopSignal = "SIGUSR1"
            $0.shell = ["/bin/ash", "-c"]
        }
        #expect(plan.unsaid.isEmpty)
        #expect(
            plan.lines == [
                #"ENV "A B"=c"#, #"ENV "\"Q\""=c"#, #"ENV "A\$B"=c"#, #"ENV "A\\"=1"#, #"ENV "--x"=1"#,
                #"LABEL "x y"=1"#, #"VOLUME ["\"/p\\\"q\"", "\"/p\\$x\""]"#, #"SHELL ["/bin/ash", "-c"]"#,
                "STOPSIGNAL SIGUSR1",
            ])
    }

    @Test func whatCannotBeSaidIsTold() {
        let plan = plan {
            $0.labels = ["gone": "1"]
        } _: {
            $0.env = ["A=a\r\nb", "C=1"]
            $0.labels = ["a=b": "c"]
            $0.workingDir = "/w\r\nRUN touch /injected"
            $0.user = "a\nb"
            $0.stopTimeout = 5
            $0.stopSignal = "NOSUCH"
            $0.healthcheck = HealthConfig(test: ["CMD-SHELL", "a\nb"])
            $0.onBuild = ["RUN a", "RUN b\nRUN c"]
        }
        #expect(plan.lines == ["ENV C=1", "ONBUILD RUN a"])
        #expect(
            plan.unsaid == [
                "Env", "Healthcheck", "Labels", "OnBuild", "StopSignal", "StopTimeout", "User", "WorkingDir",
            ])
    }

    @Test(arguments: ["foo\\", "a\r\nRUN touch /x", "a\nb", "  b", "b  "])
    func noLineHoldsSuchAnAuthor(_ author: String) {
        #expect(ConfigInstructions.maintainer(author) == nil)
        #expect(ConfigInstructions.maintainer("A \"B\" <a@b.c>") == "MAINTAINER A \"B\" <a@b.c>")
    }

    /// Shale reads the bytes back; docker does not, and a comment tells it.
    @Test func bytesThatAreNoTextAreSaid() {
        let plan = plan { _ in
        } _: {
            $0.env = ["B=\u{10ffff}"]
            $0.workingDir = "/w-\u{10ffe9}"
        }
        #expect(plan.lines == ["ENV B=\"\u{10ffff}\"", "WORKDIR \"/w-\u{10ffe9}\""])
        #expect(plan.unsaid == [])
    }
}
