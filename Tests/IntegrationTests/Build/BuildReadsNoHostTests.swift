import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// A build reads its context and what it was given: no repository, configuration, hook or credential of the host.
@Suite(.serialized, .enabled(if: BuildProgram.path != nil, "\(BuildProgram.absent)"))
struct BuildReadsNoHostTests {
    private let home = BuildHome()
    private let git = "git -c user.name=a -c user.email=a@b -c protocol.file.allow=always"

    /// A repository of the host's that no build was given.
    private func privateRepository() throws -> ContextFolder {
        let folder = try ContextFolder(["secret": "canary-of-the-host\n"])
        try Peer("sh").run(["-c", "\(git) init -q -b main . && git add . && \(git) commit -qm 1"], in: folder.path)
        return folder
    }

    @Test(arguments: ["file://PATH", "file://PATH#main", "file://localhost/PATH"])
    func addDoesNotReadARepositoryOfTheHost(address: String) throws {
        let repository = try privateRepository()
        let named = address.replacing("PATH", with: repository.path)
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nADD \(named) /x\n"])
        let run = try home.run(["build", "-t", "made", "."], in: context.path)
        #expect(run.status == 1)
        #expect(run.errors.contains("a Dockerfile may not read repositories of the host"), "\(run.errors)")
        #expect(try home.run(["images", "-q", "made"], expecting: 0).output.isEmpty)
    }

    @Test(arguments: ["file://PATH", "PATH", "../NAME"])
    func aSubmoduleDoesNotReadTheHost(address: String) throws {
        let hidden = try privateRepository()
        let named = address.replacing("PATH", with: hidden.path).replacing("NAME", with: hidden.path.lastName)
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY . /all/\n"])
        let commands = """
            \(git) init -q -b main . && \(git) submodule --quiet add file://\(hidden.path) sub &&
            \(git) config -f .gitmodules submodule.sub.url '\(named)' && git add . && \(git) commit -qm 1
            """
        try Peer("sh").run(["-c", commands], in: context.path)
        let run = try home.run(["build", "-t", "made", "file://\(context.path)"])
        #expect(run.status == 1)
        #expect(run.errors.contains("transport 'file' not allowed"), "\(run.errors)")
        #expect(try home.run(["images", "-q", "made"], expecting: 0).output.isEmpty)
    }

    /// A person's `.gitconfig` may lead an address to another repository, and run hooks and helpers.
    @Test func thePersonsGitConfigurationTakesNoPart() throws {
        let hidden = try privateRepository()
        let person = try ContextFolder([
            ".gitconfig": """
            [url "file://\(hidden.path)"]
            \tinsteadOf = http://127.0.0.1:9/x.git
            [core]
            \thooksPath = ~/hooks
            [protocol "file"]
            \tallow = always
            [credential]
            \thelper = "!touch $HOME/asked;:"
            """
        ])
        try person.write(
            Array("#!/bin/sh\ntouch $HOME/ran \(person.path)/ran\n".utf8), to: "hooks/post-checkout", mode: 0o755)
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nADD http://127.0.0.1:9/x.git /x\n"])
        let added = try home.run(["build", "."], in: context.path, environment: ["HOME": person.path])
        #expect(added.status == 1, "\(added.output)")
        let own = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY . /all/\n"])
        try Peer("sh").run(["-c", "\(git) init -q -b main . && git add . && \(git) commit -qm 1"], in: own.path)
        try home.run(["build", "file://\(own.path)"], environment: ["HOME": person.path], expecting: 0)
        #expect(access("\(person.path)/ran", F_OK) != 0)
        #expect(access("\(person.path)/asked", F_OK) != 0)
    }
}

extension String {
    fileprivate var lastName: String { split(separator: "/").last.map(String.init) ?? "" }
}
