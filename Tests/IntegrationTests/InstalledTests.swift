import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The program away from where it was built: copied, installed, packed.
@Suite("an installed shale", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct InstalledTests {
    private let folder = TemporaryDirectory()

    /// The folder that the built programs lie in.
    private static var build: String {
        "/" + (ShaleHome.program ?? "").split(separator: "/").dropLast().joined(separator: "/")
    }

    /// Runs one of the package's scripts, or any command, with the built programs.
    private func sh(_ script: String, _ environment: [String: String] = [:]) throws -> Peer.Outcome {
        let own = ["SHALE_BUILD": Self.build, "HOME": folder.path, "PACKAGE": Corpus.packageRoot, "NO_COLOR": "1"]
        return try Script.run(script, in: folder.path, environment: own.merging(environment) { $1 }, seconds: 300)
    }

    /// Every file below a folder, sorted.
    private func files(below path: String) throws -> [String] {
        try sh("cd '\(path)' && find . ! -type d -printf '%P\\n' | LC_ALL=C sort").text
            .split(separator: "\n").map(String.init)
    }

    @Test("has its runner in libexec, its first image inside, and needs no network", arguments: ["bin", "elsewhere"])
    func worksFromWhereItLies(link: String) throws {
        let said = try sh(
            """
            mkdir -p prefix/bin prefix/libexec/shale elsewhere
            cp "$SHALE_BUILD/shale" prefix/bin && cp "$SHALE_BUILD/shale-runner" prefix/libexec/shale
            ln -s ../prefix/bin/shale elsewhere/shale
            [ \(link) = bin ] || PATH=$PWD/elsewhere:$PATH
            [ \(link) != bin ] || PATH=$PWD/prefix/bin:$PATH
            cd / && shale --home "$HOME/home" --offline run --rm busybox echo hello
            """)
        #expect(said.status == 0 && said.text == "hello\n", "\(said)")
        #expect(said.errors.contains("made busybox from Debian's busybox-static"), "\(said.errors)")
    }

    @Test func aProgramWithoutItsRunnerSaysSo() throws {
        let said = try sh(
            """
            cp "$SHALE_BUILD/shale" . && ./shale --home home run --rm busybox true; echo "status $?"
            ./shale --home home doctor | grep -A 1 shale-runner
            """)
        #expect(said.text.contains("status 1\n"), "\(said)")
        #expect(said.errors.contains("hint: doctor   (says where shale-runner belongs)"), "\(said.errors)")
        #expect(said.text.contains("copy shale-runner beside shale"), "\(said.text)")
    }

    @Test(
        "answers help where no home and no namespace can be had",
        arguments: ["help run", "version", "manual", "completions bash"])
    func asksOnlyTheProgram(command: String) throws {
        let said = try sh("\"$SHALE_BUILD/shale\" --home /proc/nowhere \(command) | head -n 1 | grep -c .")
        #expect(said.text == "1\n" && said.errors.isEmpty, "\(said)")
    }

    @Test func installAndUninstallLeaveWhatWasThere() throws {
        let installed = try sh(
            """
            mkdir -p tree/bin tree/share/man && echo mine > tree/bin/other
            "$PACKAGE/scripts/install" --prefix "$PWD/tree"
            """)
        #expect(installed.status == 0, "\(installed.errors)")
        let all = try files(below: "tree")
        for file in [
            "bin/shale", "libexec/shale/shale-runner", "share/bash-completion/completions/shale",
            "share/zsh/site-functions/_shale", "share/fish/vendor_completions.d/shale.fish",
            "share/man/man1/shale.1.gz",
            "share/man/man1/shale-volume-create.1.gz", "share/shale/installed",
        ] {
            #expect(all.contains(file), "\(file)")
        }
        #expect(try sh("tree/bin/shale --home home --offline run --rm busybox echo hello").text == "hello\n")
        // Once more over itself, and then away.
        #expect(try sh("\"$PACKAGE/scripts/install\" --prefix=\"$PWD/tree\"").status == 0)
        #expect(try files(below: "tree") == all)
        let removed = try sh(
            "\"$PACKAGE/scripts/install\" --prefix \"$PWD/tree\" --uninstall; find tree | LC_ALL=C sort")
        #expect(removed.text == "tree\ntree/bin\ntree/bin/other\ntree/share\ntree/share/man\n", "\(removed)")
    }

    @Test func uninstallKeepsWhatWasChangedAndSaysSo() throws {
        let said = try sh(
            """
            "$PACKAGE/scripts/install" --prefix "$PWD/tree" && echo more >> tree/share/zsh/site-functions/_shale
            "$PACKAGE/scripts/install" --prefix "$PWD/tree" --uninstall
            """)
        #expect(
            said.status == 0 && said.errors.contains("tree/share/zsh/site-functions/_shale: it was changed"), "\(said)")
        #expect(try files(below: "tree") == ["share/zsh/site-functions/_shale"])
        let nothing = try sh("\"$PACKAGE/scripts/install\" --prefix \"$PWD/tree\" --uninstall")
        #expect(nothing.status == 1 && nothing.errors.contains("nothing was installed below"), "\(nothing)")
    }

    @Test func anUpgradeKeepsWhatWasChangedBesideIt() throws {
        let file = "share/zsh/site-functions/_shale"
        let said = try sh(
            """
            "$PACKAGE/scripts/install" --prefix "$PWD/tree" && cp tree/\(file) as-installed && echo mine >> tree/\(file)
            "$PACKAGE/scripts/install" --prefix "$PWD/tree" && tail -n 1 tree/\(file).old && cmp as-installed tree/\(file)
            """)
        #expect(said.status == 0 && said.text.hasSuffix("mine\n"), "\(said)")
        #expect(said.errors.contains("tree/\(file).old: it was changed after it was installed"), "\(said)")
    }

    @Test func anotherProgramsFileIsNotOverwritten() throws {
        let said = try sh(
            """
            mkdir -p tree/bin && echo other > tree/bin/shale
            "$PACKAGE/scripts/install" --prefix "$PWD/tree"
            """)
        #expect(
            said.status == 1 && said.errors.contains("tree/bin/shale is there, and not from this script"), "\(said)")
        #expect(try files(below: "tree") == ["bin/shale"])
    }

    @Test(arguments: ["--prefix", "--prefix relative", "--nothing"])
    func wrongWordsAreRefused(words: String) throws {
        let said = try sh("\"$PACKAGE/scripts/install\" \(words)")
        #expect(said.status == 64 && said.errors.split(separator: "\n").count == 1, "\(said)")
    }

    @Test("the package has everything, and needs no Swift")
    func package() throws {
        let made = try sh("\"$PACKAGE/scripts/package\" out && ls out")
        guard try sh("readelf -d \"$SHALE_BUILD/shale\"").text.contains("libswiftCore.so") == false else {
            // A debug build, which is linked with the libraries of Swift.
            #expect(made.status == 1 && made.errors.contains("build it with --static-swift-stdlib"), "\(made)")
            return
        }
        #expect(made.status == 0, "\(made.errors)")
        let said = try sh(
            """
            dpkg-deb -x out/shale_*.deb root && dpkg-deb -f out/shale_*.deb Depends
            ldd root/usr/bin/shale | grep -c swift; root/usr/bin/shale --home home --offline run --rm busybox echo hello
            """)
        let lines = said.text.split(separator: "\n")
        let depends = lines.first.map(String.init) ?? ""
        for name in ["libc6", "libcurl4", "libarchive13", "libedit2", "libseccomp2", "busybox-static", "uidmap"] {
            #expect(depends.contains(name), "\(depends)")
        }
        #expect(lines.dropFirst() == ["0", "hello"], "\(said)")
        let all = try files(below: "root/usr")
        for file in [
            "bin/shale", "libexec/shale/shale-runner", "share/bash-completion/completions/shale",
            "share/zsh/vendor-completions/_shale", "share/fish/vendor_completions.d/shale.fish",
            "share/man/man1/shale.1.gz", "share/doc/shale/copyright", "share/doc/shale/changelog.gz",
        ] {
            #expect(all.contains(file), "\(file)")
        }
    }
}

/// The manual pages, made from the option model that `help` has.
@Suite("the manual", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct ManualTests {
    private let shale = ShaleHome(["SOURCE_DATE_EPOCH": "1700000000"])

    private func pages() throws -> [String] {
        try shale.run(["manual", "--to", "pages"])
        return try FileManager.default.contentsOfDirectory(atPath: shale.work + "/pages").sorted()
    }

    private func text(_ page: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: "\(shale.work)/pages/\(page)")), as: UTF8.self)
    }

    @Test func thereIsAPageForEachCommandThatHelpLists() throws {
        let pages = try pages()
        let overview = try shale.run(["help"]).text
        let verbs = overview.split(separator: "\n").filter { $0.hasPrefix("  ") }
            .compactMap { $0.split(separator: " ").first }.filter { $0 != "quit" }
        #expect(verbs.count > 80)
        #expect(verbs.filter { !pages.contains("shale-\($0).1") } == [])
        #expect(pages.contains("shale.1") && pages.contains("shale-manifest-annotate.1"))
        #expect(try pages == self.pages() && text("shale.1") == shale.run(["manual"]).text)
        #expect(try text("shale-run.1").hasPrefix(".TH SHALE\\-RUN 1 \"2023-11-14\""))
    }

    @Test func everyOptionOfHelpStandsInThePage() throws {
        _ = try pages()
        for verb in ["run", "build", "push", "ps"] {
            let help = try shale.run(["help", verb]).text
            let flags = help.split(separator: "\n").filter { $0.hasPrefix("  -") }
                .flatMap { $0.split(whereSeparator: { " ,/".contains($0) }).filter { $0.hasPrefix("--") } }
            let page = try text("shale-\(verb).1")
            #expect(flags.filter { !page.contains($0.replacing("-", with: "\\-")) } == [], "\(verb)")
        }
    }

    @Test("every variable that the sources read has its line in the page")
    func variables() throws {
        let page = try shale.run(["manual"]).text
        let found = try Script.run(
            "grep -rhoE '\"SHALE_[A-Z_]+\"' Sources --include='*.swift' | sort -u | tr -d '\"'", in: Corpus.packageRoot)
        let names = found.text.split(separator: "\n")
        #expect(names.count > 5 && names.filter { !page.contains($0) } == [])
    }

    @Test(
        "the programs that show them find no mistake in them",
        .enabled(if: Peer("mandoc").isPresent, "mandoc is not installed"))
    func lint() throws {
        _ = try pages()
        let said = try Script.run(
            "mandoc -T lint -W warning *.1; ! command -v groff >/dev/null || groff -man -ww -z -K utf-8 *.1",
            in: shale.work + "/pages")
        #expect(
            said.status == 0 && said.text.isEmpty && said.errors.isEmpty,
            "\(said.text.prefix(3000))\(said.errors.prefix(3000))")
    }

    @Test func aPageOfWhatIsNoCommandIsRefused() throws {
        let said = try shale.run(["manual", "imagse"], expecting: nil)
        #expect(said.status == 64 && said.errors == "shale: unknown command: imagse\nhint: images\n")
        #expect(try shale.run(["manual", "volume", "create"]).text.contains("shale volume create"))
    }
}
