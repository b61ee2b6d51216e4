import Basics
import Testing

@testable import Dockerfiles

private let platform = PlannedPlatform(os: "linux", architecture: "arm64")

private func plan(_ text: String, _ change: (inout Plan.Options) -> Void = { _ in }) throws -> Plan {
    var options = Plan.Options(platform: platform)
    change(&options)
    return try Plan(Dockerfile(parsing: text), options: options) { name, platform in
        guard name.hasPrefix("docker.io/library/base") else { return nil }
        var config = PlannedConfig()
        config.environment = ["PATH=/bin", "LANG=C"]
        config.onbuild = name.hasSuffix(":triggers") ? ["ENV from=trigger", "COPY --from=tools /t /t"] : []
        return PlannedImage(config: config, platform: platform)
    }
}

struct PlanTests {
    @Test func stagesTheTargetDoesNotNeedAreLeftOut() throws {
        let plan = try plan(
            """
            ARG TAG=1
            FROM base:$TAG AS tools
            FROM other AS unused
            RUN make
            FROM tools AS mid
            ENV A=1
            FROM base
            COPY --from=mid /a /b
            RUN --mount=type=bind,from=extra,target=/x true
            """)
        #expect(plan.stages.map(\.isNeeded) == [true, false, true, true])
        #expect(
            plan.baseImages == [
                "docker.io/library/base:1", "docker.io/library/base:latest", "docker.io/library/extra:latest",
            ])
        #expect(plan.unknownBases == ["docker.io/library/extra:latest"])
        #expect(plan.stages[2].base == .stage(0))
        #expect(
            plan.stages[3].steps.map(\.original) == [
                "COPY --from=mid /a /b", "RUN --mount=type=bind,from=extra,target=/x true",
            ])
        #expect(plan.metaArguments.map(\.key) == ["TAG"])
    }

    @Test func triggersOfTheBaseComeFirst() throws {
        let plan = try plan("FROM scratch AS tools\nFROM base:triggers\nRUN echo $from\nONBUILD RUN x")
        #expect(plan.stages.map(\.isNeeded) == [true, true])
        #expect(plan.stages[1].steps.map(\.isTrigger) == [true, true, false, false])
        #expect(plan.image.config.environment == ["PATH=/bin", "LANG=C", "from=trigger"])
        #expect(plan.image.config.onbuild == ["RUN x"])
    }

    @Test func argumentsAndTheirHistory() throws {
        let text = "FROM base\nARG A=x\nARG B\nARG TARGETARCH\nRUN ./make $A\nENV C=$B"
        let plan = try plan(text) { $0.arguments = ["A": "given", "B": "b", "Z": "nobody"] }
        #expect(
            plan.image.history.map(\.createdBy) == [
                "ARG A=given", "ARG B=b", "ARG TARGETARCH=arm64",
                "RUN |3 A=given B=b TARGETARCH=arm64 /bin/sh -c ./make $A # buildkit", "ENV C=b",
            ])
        #expect(plan.unusedArguments == ["Z"])
    }

    @Test(arguments: [
        ("FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /", "circular dependency detected on stage: x"),
        (
            "FROM a AS x\nCOPY --from=y / /\nFROM b AS y",
            "cannot copy from stage \"y\", it needs to be defined before current stage \"x\""
        ),
        ("FROM a\nCOPY --from=7 / /", "invalid stage index 7"),
        ("FROM $NOTHING", "base name ($NOTHING) should not be blank"),
        ("FROM UPPER", "failed to parse stage name \"UPPER\": invalid reference format"),
        ("FROM a\nSTOPSIGNAL SIGNONE", "invalid signal: SIGNONE"),
        ("FROM a\nENV A=${B:?missing}", "failed to process \"${B:?missing}\": B: missing"),
        ("FROM a\nADD --checksum=sha256:00 x /", "checksum requires HTTP(S) or Git sources"),
        (
            "FROM a\nCOPY --chmod=9 x /",
            "invalid chmod parameter: '9'. it should be octal string and between 0 and 07777"
        ),
        ("FROM a\nEXPOSE 1:2:3:70000", "invalid IP address: 1:2"),
        ("FROM a\nEXPOSE 70000", "invalid containerPort: 70000"),
        ("FROM a\nRUN --mount=type=secret x", "invalid secret mount. one of source, target required"),
        ("FROM --platform=$X a", "empty platform value from expression $X"),
    ])
    func refusals(_ text: String, _ wanted: String) {
        #expect(message { _ = try plan(text) { $0.includesAllStages = true } } == wanted)
    }

    @Test func unknownTargetNamesTheNearest() {
        let found = message { _ = try plan("FROM base AS build\nFROM base") { $0.target = "bulid" } }
        #expect(found == "target stage \"bulid\" could not be found (did you mean build?)")
    }

    @Test func configurationAsJSON() throws {
        let plan = try plan("FROM scratch\nCMD [\"a\",\"b\"]\nLABEL z=1 a=\"x y\"\nEXPOSE 80\nUSER 1")
        #expect(
            plan.image.config.json
                == "{\"ArgsEscaped\":true,\"Cmd\":[\"a\",\"b\"],\"Env\":[\"PATH=\(DefaultPath.value)\"],"
                + "\"ExposedPorts\":{\"80/tcp\":{}},\"Labels\":{\"a\":\"x y\",\"z\":\"1\"},\"User\":\"1\",\"WorkingDir\":\"/\"}"
        )
    }

    @Test func hostileChainsEnd() throws {
        // Many stages, each on the one before: no recursion, no quadratic graph walk worth noticing.
        let text = "FROM scratch AS s0\n" + (1..<2_000).map { "FROM s\($0 - 1) AS s\($0)\n" }.joined()
        #expect(try plan(text).stages.count == 2_000)
        // A stage that copies from itself.
        #expect(message { _ = try plan("FROM base AS a\nCOPY --from=a / /") } != nil)
    }
}

struct ImageNameTests {
    @Test(arguments: [
        ("busybox", "docker.io/library/busybox:latest"), ("a/b:1", "docker.io/a/b:1"),
        ("localhost/a", "localhost/a:latest"),
        ("h:5000/a/b_c__d-e.f", "h:5000/a/b_c__d-e.f:latest"), ("[::1]:5000/x:t", "[::1]:5000/x:t"),
        (
            "x@sha256:" + String(repeating: "a", count: 64),
            "docker.io/library/x@sha256:" + String(repeating: "a", count: 64)
        ),
        ("index.docker.io/x", "docker.io/library/x:latest"),
    ])
    func complete(_ text: String, _ wanted: String) {
        #expect(ImageName(text)?.complete == wanted)
    }

    @Test(arguments: [
        "", "A", "a:", "a/", "/a", "a..b", "a___b", "a@sha256:1", "a:b:c", "-a", "a-",
        String(repeating: "a", count: 64),
    ])
    func refused(_ text: String) {
        #expect(ImageName(text) == nil)
    }
}
