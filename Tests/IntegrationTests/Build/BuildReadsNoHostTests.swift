import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// A build reads its context and what it was given: no repository, configuration, hook or credential of the host.
@Suite(.serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct BuildReadsNoHostTests {
    private let home = ShaleHome()
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
        let run = try home.run(["build", "-t", "made", "."], in: context.path, expecting: nil)
        #expect(run.status == 1)
        #expect(run.errors.contains("a Dockerfile may not read repositories of the host"), "\(run.errors)")
        #expect(try home.run(["images", "-q", "made"]).text.isEmpty)
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
        let run = try home.run(["build", "-t", "made", "file://\(context.path)"], expecting: nil)
        #expect(run.status == 1)
        #expect(run.errors.contains("transport 'file' not allowed"), "\(run.errors)")
        #expect(try home.run(["images", "-q", "made"]).text.isEmpty)
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
        let added = try home.run(["build", "."], in: context.path, environment: ["HOME": person.path], expecting: nil)
        #expect(added.status == 1, "\(added.text)")
        let own = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY . /all/\n"])
        try Peer("sh").run(["-c", "\(git) init -q -b main . && git add . && \(git) commit -qm 1"], in: own.path)
        try home.run(["build", "file://\(own.path)"], environment: ["HOME": person.path])
        #expect(access("\(person.path)/ran", F_OK) != 0)
        #expect(access("\(person.path)/asked", F_OK) != 0)
    }

    /// A folder that came from a stranger may be a repository whose own files lead to another one of the person's.
    @Test(arguments: [
        "echo HIDDEN/.git/objects > .git/objects/info/alternates", "echo HIDDEN/.git > .git/commondir",
        "rm -rf .git/objects/pack && ln -s HIDDEN/.git/objects/pack .git/objects/pack",
        "rm -rf .git/refs && ln -s HIDDEN/.git/refs .git/refs", "rm -rf .git && ln -s HIDDEN/.git .git",
        "rm -rf .git && echo gitdir: HIDDEN/.git > .git", "mkfifo .git/refs/heads/pipe",
        "rm -rf .git/objects && ln -s HIDDEN/.git/objects .git/objects",
        "ln -sf HIDDEN/.git/HEAD .git/HEAD", "ln -s HIDDEN/.git/packed-refs .git/packed-refs",
    ])
    func aRepositoryLeadsToNoOther(trick: String) throws {
        let hidden = try privateRepository()
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY . /all/\n"])
        let change = trick.replacing("HIDDEN", with: hidden.path)
        try Peer("sh").run(
            ["-c", "\(git) init -q -b main . && git add . && \(git) commit -qm 1 && \(change)"], in: context.path)
        let run = try home.run(["build", "file://\(context.path)"], expecting: nil)
        #expect(run.status == 1)
        #expect(run.errors.contains("a build reads no other repository of the host"), "\(run.errors)")
    }

    /// git looks for a repository in more places than in the folder named: in none of them here.
    @Test func noOtherFolderIsTakenForTheRepository() throws {
        let hidden = try privateRepository()
        let context = try ContextFolder([:])
        let commands = """
            mkdir one two two/.git three && ln -s \(hidden.path)/.git one.git && ln -s \(hidden.path)/.git four.git
            cd two && ln -s ../../\(hidden.path.lastName)/.git/* . && cd ..
            cd three && \(git) init -q -b main . && mkdir -p .git/.git && mv .git/HEAD .git/.git/
            """
        try Peer("sh").run(["-c", commands], in: context.path)
        for name in ["one", "two", "three", "four"] {
            let run = try home.run(["build", "file://\(context.path)/\(name)"], expecting: nil)
            #expect(run.status == 1)
            let isNone = run.errors.contains("is not a git repository")
            #expect(isNone || run.errors.contains("no such file or directory"), "\(name): \(run.errors)")
        }
    }

    /// What the configuration of a stranger's repository could make git read or start.
    @Test(arguments: [
        "core.worktree HIDDEN", "include.path HIDDEN/.git/config", "core.fsmonitor 'touch RAN;:'",
        "core.sshCommand 'touch RAN;:'", "uploadpack.packObjectsHook 'touch RAN;:'", "http.proxy http://127.0.0.1:9",
        "url.HIDDEN.insteadOf NAMED", "url.file://HIDDEN.insteadOf file://NAMED", "core.hooksPath HIDDEN",
        "core.alternateRefsCommand 'touch RAN;:'", "core.bare maybe", "core.gitProxy RAN", "gc.recentObjectsHook RAN",
        "filter.lfs.smudge 'touch RAN;cat'", "extensions.worktreeConfig true", "core.excludesFile HIDDEN/secret",
    ])
    func theRepositorysConfigurationIsNotRead(setting: String) throws {
        let hidden = try privateRepository()
        let context = try ContextFolder([
            "Dockerfile": "FROM busybox\nCOPY . /all/\n", ".gitattributes": "* filter=lfs diff=lfs merge=lfs -text\n",
        ])
        let change = setting.replacing("HIDDEN", with: hidden.path).replacing("NAMED", with: context.path).replacing(
            "RAN", with: "\(hidden.path)/ran")
        let commands = """
            \(git) init -q -b main . && git add . && \(git) commit -qm 1 && git config \(change)
            echo hostile > .git/config.worktree
            printf '#!/bin/sh\\ntouch \(hidden.path)/ran\\n' > .git/hooks/post-checkout
            cd .git/hooks && chmod +x post-checkout && cp post-checkout reference-transaction && cp post-checkout pre-commit
            """
        try Peer("sh").run(["-c", commands], in: context.path)
        unlink("\(hidden.path)/ran")
        try home.run(["build", "-t", "made", "file://\(context.path)"])
        let files = try home.run(["find", "made:/all"]).text
        #expect(files.contains("/all/Dockerfile") && !files.contains("secret"), "\(files)")
        #expect(access("\(hidden.path)/ran", F_OK) != 0)
    }

    /// Objects left out of a partial clone would be fetched from wherever its configuration says, by what it says.
    @Test func missingObjectsAreNotFetched() throws {
        let hidden = try privateRepository()
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY . /all/\n"])
        let commands = """
            \(git) init -q -b main . && git add . && \(git) commit -qm 1
            secret=$(git -C \(hidden.path) rev-parse HEAD:secret)
            git update-index --add --cacheinfo 100644,$secret,secret && \(git) write-tree --missing-ok > tree
            git update-ref refs/heads/main $(\(git) commit-tree -m 2 $(cat tree))
            git config extensions.partialClone origin && git config remote.origin.promisor true
            git config remote.origin.url \(hidden.path) && git config remote.origin.uploadpack 'touch \(hidden.path)/ran; git-upload-pack'
            """
        try Peer("sh").run(["-c", commands], in: context.path)
        let run = try home.run(["build", "file://\(context.path)"], expecting: nil)
        #expect(run.status == 1, "\(run.text)")
        #expect(access("\(hidden.path)/ran", F_OK) != 0)
    }

    /// What is left of a repository without its configuration is read whole: packed names and objects, long hashes, a
    /// bare folder, a path of odd letters.
    @Test func aRepositoryIsReadWhole() throws {
        let folder = try ContextFolder(["work/Dockerfile": "FROM busybox\nCOPY . /all/\n"])
        let commands = """
            cd work && \(git) init -q -b main . && git add . && \(git) commit -qm 1 && git tag v1 && echo 2 > two && git add . &&
            \(git) commit -qm 2 && \(git) pack-refs --all && \(git) gc -q && cd .. &&
            \(git) clone -q --bare work 'ba re:ö.git' && cp -a work long && cd long && rm -rf .git &&
            \(git) init -q -b main --object-format=sha256 . && git add . && \(git) commit -qm 1
            """
        try Peer("sh").run(["-c", commands], in: folder.path)
        for (name, holdsTwo) in [
            ("work", true), ("work#v1", false), ("ba%20re:ö.git", true), ("ba re:ö.git#main", true), ("long", true),
        ] {
            try home.run(["build", "-t", "made", "file://\(folder.path)/\(name)"])
            let files = try home.run(["find", "made:/all"]).text
            #expect(files.contains("/all/Dockerfile") && files.contains("/all/two") == holdsTwo, "\(name): \(files)")
        }
        let kept = ["--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1", "file://\(folder.path)/work"]
        try home.run(["build", "-t", "made"] + kept)
        let config = try home.run(["cat", "made:/all/.git/config"]).text
        #expect(config.contains("url = file://\(folder.path)/work"), "\(config)")
    }

    /// Words that git would take for options.
    @Test(arguments: ["file://PATH#--upload-pack=touch RAN", "file://PATH#-q", "git@-oProxyCommand=touch RAN:x"])
    func anAddressIsNoOption(address: String) throws {
        let repository = try privateRepository()
        let named = address.replacing("PATH", with: repository.path).replacing("RAN", with: "\(repository.path)/ran")
        #expect(try home.run(["build", named], expecting: nil).status == 1)
        #expect(access("\(repository.path)/ran", F_OK) != 0)
    }

    /// An address in a Dockerfile gets no agent; one that the person names brings theirs; `--ssh` gives one to both.
    @Test func anAgentIsGivenAndNotFound() throws {
        let folder = try ContextFolder(["Dockerfile": "FROM busybox\nADD git@127.0.0.1:x.git /x\n"])
        try folder.write(
            Array("#!/bin/sh\necho \"agent=$SSH_AUTH_SOCK home=$HOME $*\" >> \(folder.path)/said\nexit 255\n".utf8),
            to: "bin/ssh", mode: 0o755)
        let path = "\(folder.path)/bin:/usr/bin:/bin"
        let environment = ["PATH": path, "SSH_AUTH_SOCK": "/own/agent"]
        func said(_ words: [String]) throws -> String {
            unlink("\(folder.path)/said")
            try home.run(["build"] + words, in: folder.path, environment: environment, expecting: 1)
            return (try? String(contentsOfFile: "\(folder.path)/said", encoding: .utf8)) ?? ""
        }
        let added = try said(["."])
        #expect(added.hasPrefix("agent= ") && added.contains("-F /dev/null"), "\(added)")
        #expect(added.contains("IdentityAgent=none") && added.contains("IdentityFile=/dev/null"), "\(added)")
        #expect(try said(["git@127.0.0.1:x.git"]).hasPrefix("agent=/own/agent "))
        #expect(try said(["--ssh", "default", "."]).hasPrefix("agent=/own/agent "))
    }
}

extension String {
    fileprivate var lastName: String { split(separator: "/").last.map(String.init) ?? "" }
}
