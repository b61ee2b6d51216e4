import Basics
import Linux
import OCI
import TestSupport
import Testing

@testable import Runtime

@Suite struct SeccompTests {
    private static let compiler = SeccompCompiler(cachePath: TemporaryDirectory().path)
    private static let sets: [Capabilities] = [
        .containerDefault, .all, [], Capabilities(name: "SYS_ADMIN") ?? [], Capabilities(name: "SYS_PTRACE") ?? [],
        Capabilities(name: "BPF") ?? [],
    ]

    /// Facts are facts: our table and docker's file make the same program.
    @Test(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
    func defaultIsDockers() throws {
        let profile = try SeccompProfile(json: Array(Corpus.data("oci-spec/seccomp/moby-default.json")))
        var same = 0
        for capabilities in Self.sets {
            let ours = try Self.compiler.compile(
                SeccompDefault.profile, capabilities: capabilities, architecture: .current)
            let theirs = try Self.compiler.compile(profile, capabilities: capabilities, architecture: .current)
            if ours == theirs { same += 1 }
            for name in ["amd64", "arm64", "s390x"] {
                let architecture = ["amd64": "x86_64", "arm64": "aarch64", "s390x": "s390x"][name] ?? ""
                let host = HostArchitecture(machine: architecture)
                #expect(
                    Self.flat(SeccompDefault.profile.effectiveRules(capabilities: capabilities, architecture: host))
                        == Self.flat(profile.effectiveRules(capabilities: capabilities, architecture: host)))
            }
        }
        Corpus.score("seccomp-default", same, of: Self.sets.count)
        #expect(same == Self.sets.count)
    }

    private static func flat(_ rules: [SeccompProfile.Rule]) -> Set<String> {
        Set(
            rules.flatMap { rule in
                rule.names.map { "\($0) \(rule.action) \(rule.errnoRet ?? 0) \(rule.arguments)" }
            })
    }

    @Test(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
    func otherFormsCompile() throws {
        let files = [
            "oci-spec/seccomp/fixtures/conditional_include.json", "oci-spec/seccomp/fixtures/default-old-format.json",
            "oci-spec/seccomp/containers-common-default.json",
        ]
        var compiled = 0
        for file in files {
            let profile = try SeccompProfile(json: Array(Corpus.data(file)))
            let program = try Self.compiler.compile(
                profile, capabilities: .containerDefault, architecture: .current)
            if !program.isEmpty, program.count % 8 == 0 { compiled += 1 }
        }
        // Read, but it asks for errno 12345, which no kernel returns and libseccomp refuses.
        let odd = try SeccompProfile(json: Array(Corpus.data("oci-spec/seccomp/fixtures/example.json")))
        #expect(throws: ShaleError.self) {
            try Self.compiler.compile(odd, capabilities: [], architecture: .current)
        }
        Corpus.score("seccomp-forms", compiled, of: files.count)
        #expect(compiled == files.count)
    }

    private static func badArgument(_ text: String) -> String {
        """
        {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"read","action":"SCMP_ACT_ERRNO","args":[\(text)]}]}
        """
    }

    @Test(arguments: [
        "", "[]", "{}", "{\"defaultAction\":\"SCMP_ACT_NOPE\"}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"X\"}]}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_NOPE\"]}",
        badArgument("{\"index\":9,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}"),
        badArgument("{\"index\":-1,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}"),
        badArgument("{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_NOPE\"}"),
    ])
    func refusesOtherThings(_ json: String) {
        #expect(throws: ShaleError.self) {
            let profile = try SeccompProfile(json: Array(json.utf8))
            _ = try Self.compiler.compile(profile, capabilities: [], architecture: .current)
        }
    }

    @Test func unknownCallsArePassedOver() throws {
        let profile = SeccompProfile(
            defaultAction: "SCMP_ACT_ERRNO", defaultErrno: 1, architectures: nil,
            rules: [
                SeccompProfile.Rule(names: ["no_such_call", "read"], action: "SCMP_ACT_ALLOW"),
                // The same as the default: nothing to say.
                SeccompProfile.Rule(names: ["write"], action: "SCMP_ACT_ERRNO", errnoRet: 1),
            ])
        #expect(!(try Self.compiler.compile(profile, capabilities: [], architecture: .current).isEmpty))
    }

    @Test func cacheIsUsedAndMendsItself() throws {
        let directory = TemporaryDirectory()
        let compiler = SeccompCompiler(cachePath: directory.path + "/cache")
        func program() throws -> [UInt8] {
            try compiler.program(for: SeccompDefault.profile, identity: "x", capabilities: .containerDefault)
        }
        let first = try program()
        let names = try DirectoryEntries.names(of: OwnedFD.open(directory.path + "/cache", 0))
        #expect(names.count == 1)
        #expect(try program() == first)
        // Cut short by a crash: compiled anew.
        try WholeFile.replace("\(directory.path)/cache/\(names[0])", with: Array(first.dropLast(3)))
        #expect(try program() == first)
    }
}
