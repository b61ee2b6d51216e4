import Basics
import FoundationEssentials
import Glibc
import LineEditing
import ShellLanguage
import TestSupport
import Testing

@testable import Shell

private struct FixedSource: CompletionSource {
    var folder = ""

    func values(for request: CompletionRequest) -> [CompletionValue] {
        switch request.kind {
        case .image: [.init("alpine:3.13", "5.6MB"), .init("ubuntu:22.04"), .init("@", "the working image")]
        case .volume: [.init("data")]
        case .runningContainer: [.init("web")]
        case .stoppedContainer: [.init("old")]
        case .container: [.init("web", "Up 2 minutes"), .init("old")]
        case .object: [.init("alpine:3.13"), .init("web")]
        case .layer: [.init("alpine:3.13#1"), .init("alpine:3.13#2")]
        case .reference: [.init("alpine"), .init("alpine:3.13")]
        case .variable: [.init("img", "abc"), .init("ctr"), .init("_")]
        case .program: [.init("sh"), .init("ls")]
        case .platform: [.init("linux/amd64")]
        case .setting: [.init("teach"), .init("ps.format")]
        default: []
        }
    }

    func entries(in object: String, directory: String) -> [PathEntry] {
        switch (object, directory) {
        case (_, "/"): [.init("bin", isDirectory: true), .init("etc", isDirectory: true), .init("my file")]
        case ("alpine:3.13", "/etc/"), ("web", "/etc/"), ("@", "/etc/"):
            [.init("hosts"), .init("host.conf"), .init(".hidden")]
        default: []
        }
    }

    func hostEntries(in directory: String) -> [PathEntry] {
        HostDirectory.entries(in: directory.hasPrefix("/") ? directory : folder + "/" + directory)
    }
}

struct CompletionTests {
    private static let image = CommandModel.Value(.image, name: "image")

    private static func model() -> CommandModel {
        func verb(_ name: String, _ flags: [CommandModel.Flag], _ operands: [CommandModel.Operand]) -> CommandModel.Verb
        {
            CommandModel.Verb(name, summary: "\(name)s") { CommandModel.Description(flags: flags, operands: operands) }
        }
        return CommandModel([
            verb(
                "run",
                [
                    .init(["--interactive", "-i"], summary: "Keep stdin open"),
                    .init(["--tty", "-t"], summary: "A terminal"),
                    .init(["--name"], summary: "Its name", value: .init(.none, name: "name")),
                    .init(["--env", "-e"], summary: "Set a variable", value: .init(.environment, name: "env")),
                    .init(["--platform"], value: .init(.platform, name: "platform")),
                    .init(["--pull"], value: .init(.none, name: "policy", words: ["always", "missing", "never"])),
                ],
                OperandKinds.operands(
                    of: Run.self,
                    from: .init(.init(.image, name: "image-and-command"), isRepeating: true, takesRest: true)
                )),
            verb("images", [.init(["--all", "-a"])], [.init(image, isOptional: true)]),
            verb("tag", [], [.init(image), .init(.init(.reference, name: "target"))]),
            verb("rm", [.init(["--force", "-f"])], [.init(.init(.container, name: "container"), isRepeating: true)]),
            verb(
                "volume", [],
                OperandKinds.operands(
                    of: VolumeCommand.self, from: .init(.init(.none, name: "words"), isRepeating: true, takesRest: true)
                )),
            verb("volume rm", [.init(["--force", "-f"])], [.init(.init(.volume, name: "volumes"), isRepeating: true)]),
            verb("stop", [], [.init(.init(.runningContainer, name: "container"), isRepeating: true)]),
            verb("cat", [], [.init(.init(.place, name: "place"), isRepeating: true)]),
            verb(
                "cp", [],
                [.init(.init(.placeOrHostPath, name: "source")), .init(.init(.placeOrHostPath, name: "target"))]),
            verb("load", [.init(["--input"], value: .init(.hostPath, name: "file"))], []),
            verb("build", [], [.init(.init(.hostDirectory, name: "path"))]),
            CommandModel.Verb("hidden", isHidden: true) { .init() },
        ])
    }

    private func complete(_ text: String, folder: String = "") -> [String] {
        let completer = CommandCompleter(model: Self.model(), source: FixedSource(folder: folder))
        let found = completer.completions(for: text)
        let kept = String(String.UnicodeScalarView(text.unicodeScalars.prefix(found.span.lowerBound)))
        #expect(found.span.upperBound == text.unicodeScalars.count)
        return found.candidates.map { kept + $0.insertion + ($0.isWhole ? "|" : "") }
    }

    @Test(arguments: [
        ("im", ["images|"]), ("docker ru", ["docker run|"]), ("$ sudo docker ru", ["$ sudo docker run|"]),
        ("hid", []), ("ps; ru", ["ps; run|"]), ("ps && ru", ["ps && run|"]), ("x = ru", ["x = run|"]),
        ("FR", ["FROM|"]), ("docker image hi", ["docker image history|"]), ("image ta", ["image tag|"]),
        ("docker image ls al", ["docker image ls alpine:3.13|"]),
        ("run al", ["run alpine:3.13|"]), ("run --na", ["run --name|"]), ("run -it ub", ["run -it ubuntu:22.04|"]),
        (
            "run -",
            [
                "run --interactive|", "run -i|", "run --tty|", "run -t|", "run --name|", "run --env|", "run -e|",
                "run --platform|", "run --pull|",
            ]
        ),
        ("run --name x al", ["run --name x alpine:3.13|"]), ("run --name x", []),
        ("run --platform l", ["run --platform linux/amd64|"]),
        ("run --pull=ne", ["run --pull=never|"]), ("run --pull m", ["run --pull missing|"]),
        ("run --name=x al", ["run --name=x alpine:3.13|"]),
        ("run -ite A=1 al", ["run -ite A=1 alpine:3.13|"]),
        ("run alpine:3.13 s", ["run alpine:3.13 sh|"]), ("run alpine:3.13 -", []), ("run alpine:3.13 sh -c", []),
        ("run alpine:3.13 cat /etc/h", ["run alpine:3.13 cat /etc/hosts|", "run alpine:3.13 cat /etc/host.conf|"]),
        ("tag ubuntu:22.04 al", ["tag ubuntu:22.04 alpine|", "tag ubuntu:22.04 alpine:3.13|"]), ("tag a b c", []),
        ("rm web o", ["rm web old|"]), ("volume r", ["volume rm|"]),
        ("docker volume rm x d", ["docker volume rm x data|"]), ("volume rm --f", ["volume rm --force|"]),
        ("stop ", ["stop web|"]),
        ("cat al", ["cat alpine:3.13:/"]), ("cat alpine:3.13:/e", ["cat alpine:3.13:/etc/"]),
        ("cat alpine:3.13:/etc/host.", ["cat alpine:3.13:/etc/host.conf|"]),
        ("cat alpine:3.13:/etc/.", ["cat alpine:3.13:/etc/.hidden|"]),
        ("cat alpine:3.13:/m", ["cat alpine:3.13:/my\\ file|"]),
        ("cat 'alpine:3.13:/m", ["cat 'alpine:3.13:/my file'|"]),
        ("cat \"alpine:3.13:/e", ["cat \"alpine:3.13:/etc/"]),
        ("cat alpine:3.13#", ["cat alpine:3.13#1:/", "cat alpine:3.13#2:/"]),
        ("echo $im", ["echo $img|"]), ("rm ${c", ["rm ${ctr}|"]), ("rm \"$c", ["rm \"$ctr|"]), ("rm '$c", []),
        ("images al", ["images alpine:3.13|"]),
        ("FROM ub", ["FROM ubuntu:22.04|"]), ("ONBUILD WOR", ["ONBUILD WORKDIR|"]), ("WORKDIR /e", ["WORKDIR /etc/"]),
        ("RUN cat /etc/host.", ["RUN cat /etc/host.conf|"]),
        ("RUN a && \\\n  cat /etc/hosts", ["RUN a && \\\n  cat /etc/hosts|"]),
        ("COPY --from=ub", ["COPY --from=ubuntu:22.04|"]),
        ("FROM alpine\nFROM ub", ["FROM alpine\nFROM ubuntu:22.04|"]),
        ("# comm", []), ("STOPSIGNAL SIGUS", ["STOPSIGNAL SIGUSR1|", "STOPSIGNAL SIGUSR2|"]),
    ])
    func completes(text: String, expected: [String]) {
        #expect(complete(text) == expected)
    }

    @Test
    func hostFiles() throws {
        let folder = TemporaryDirectory()
        for name in ["a b.txt", "a'c", "$x", "plain.tar", "#h", "~t"] {
            try "".write(toFile: folder.path + "/" + name, atomically: false, encoding: .utf8)
        }
        mkdir(folder.path + "/sub dir", 0o755)
        let expected: [(String, [String])] = [
            ("load --input pl", ["load --input plain.tar|"]), ("load --input=pl", ["load --input=plain.tar|"]),
            ("load --input a", ["load --input a\\ b.txt|", "load --input a\\'c|"]),
            ("load --input 'a", ["load --input 'a b.txt'|", "load --input 'a'\\''c'|"]),
            ("load --input \"$x", []), ("load --input \\$", ["load --input \\$x|"]),
            ("load --input \\#", ["load --input \\#h|"]),
            ("load --input '~", ["load --input '~t'|"]), ("load --input \\~", ["load --input \\~t|"]),
            ("build ", ["build sub\\ dir/"]), ("images > pl", ["images > plain.tar|"]),
            ("images | tar xf pl", ["images | tar xf plain.tar|"]), ("!cat pl", ["!cat plain.tar|"]),
            ("cp pl", ["cp plain.tar|"]), ("cp we", ["cp web:/"]), ("COPY pl", ["COPY plain.tar|"]),
        ]
        for (text, candidates) in expected { #expect(complete(text, folder: folder.path) == candidates, "\(text)") }
        // What is offered reads back as the name it stands for.
        for entry in HostDirectory.entries(in: folder.path) {
            let words = try LineParser().statements(in: "load " + entry.name.shellEscaped)
            guard case .command(let command)? = words.first?.body else { continue }
            #expect(command.words.last?.constant == entry.name)
        }
    }

    @Test(
        arguments: [
            ("run", "[OPTIONS] IMAGE [COMMAND…]"), ("run ", "[OPTIONS] IMAGE [COMMAND…]"),
            ("run -i ", "IMAGE [COMMAND…]"),
            ("run --name ", "NAME  Its name"), ("run alpine ", "[COMMAND…]"), ("docker tag a", "TARGET"),
            ("tag", "IMAGE TARGET"),
            ("tag a b", nil), ("rm", "[OPTIONS] CONTAINER…"), ("rm a ", "[CONTAINER…]"), ("nope", nil), ("", nil),
            ("FROM x", nil),
            ("run 'x", nil), ("ps | grep", nil),
        ] as [(String, String?)])
    func hints(text: String, hint: String?) {
        #expect(CommandCompleter(model: Self.model(), source: FixedSource()).hint(for: text) == hint)
    }

    @Test
    func readsToolInfo() {
        let json = """
            {"serializationVersion":0,"command":{"commandName":"run","arguments":[
              {"kind":"option","shouldDisplay":true,"isOptional":true,"isRepeating":true,"parsingStrategy":"default",
               "names":[{"kind":"short","name":"e"},{"kind":"long","name":"env"}],"preferredName":{"kind":"long","name":"env"},
               "valueName":"env","abstract":"Set a variable"},
              {"kind":"option","isOptional":true,"names":[{"kind":"long","name":"pull"}],"valueName":"policy",
               "allValues":["always","never"],"completionKind":{"list":{"values":["always","never"]}}},
              {"kind":"option","isOptional":true,"names":[{"kind":"long","name":"from"}],"valueName":"x",
               "completionKind":{"shellCommand":{"command":"shale complete container.running"}}},
              {"kind":"flag","shouldDisplay":false,"isOptional":true,"names":[{"kind":"long","name":"secret"}],"valueName":"secret"},
              {"kind":"flag","isOptional":true,"names":[{"kind":"short","name":"i"}],"valueName":"i"},
              {"kind":"positional","isOptional":false,"isRepeating":true,"parsingStrategy":"allRemainingInput",
               "valueName":"image-and-command"}]}}
            """
        let description = CommandModel.Description(toolInfo: json, of: Run.self)
        #expect(
            description.flags == [
                .init(["--env", "-e"], summary: "Set a variable", value: .init(.environment, name: "env")),
                .init(["--pull"], value: .init(.none, name: "policy", words: ["always", "never"])),
                .init(["--from"], value: .init(.runningContainer, name: "x")),
                .init(["-i"]),
            ])
        #expect(description.operands.map(\.usage) == ["IMAGE", "[COMMAND…]"])
        #expect(CommandModel.Description(toolInfo: "not json", of: Run.self) == CommandModel.Description())
    }

    @Test
    func neverFails() {
        let completer = CommandCompleter(model: Self.model(), source: FixedSource())
        let line = "$ run -e \"a ${b} $(c\" 'd' \\ | x > y <<E && !z; FROM q \\\n # é🐳 \u{1b}"
        let scalars = Array(line.unicodeScalars)
        for start in 0..<scalars.count {
            for end in start...scalars.count {
                let text = String(String.UnicodeScalarView(scalars[start..<end]))
                let found = completer.completions(for: text)
                #expect(found.span.lowerBound <= found.span.upperBound)
                _ = completer.hint(for: text)
            }
        }
    }
}
