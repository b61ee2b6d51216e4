import Explorer
import Testing

@testable import Recipes

struct PackageSpellingTests {
    private static let packages: [InstalledPackage] = [
        .init(manager: .dpkg, name: "curl", version: "7.88.1-10+deb12u5", architecture: "amd64", path: "/s"),
        .init(manager: .dpkg, name: "g++", version: "4:12.2.0-3", architecture: "amd64", path: "/s"),
        .init(manager: .dpkg, name: "libc6", version: "2.36-9", architecture: "amd64", path: "/s"),
        .init(manager: .dpkg, name: "libc6", version: "2.36-8", architecture: "i386", path: "/s"),
        .init(manager: .apk, name: "curl", version: "8.5.0-r0", architecture: "x86_64", path: "/s"),
        .init(manager: .rpm, name: "vim-enhanced", version: "2:9.0-1.el9", architecture: "x86_64", path: "/s"),
        .init(manager: .pip, name: "Flask_Login", version: "0.6.3", path: "/s"),
        .init(manager: .npm, name: "left-pad", version: "1.3.0", path: "/usr/lib/node_modules/left-pad/package.json"),
        .init(
            manager: .npm, name: "inner", version: "9.0.0",
            path: "/usr/lib/node_modules/left-pad/node_modules/inner/package.json"),
        .init(manager: .npm, name: "@a/b", version: "2.0.0", path: "/usr/lib/node_modules/@a/b/package.json"),
        .init(manager: .dpkg, name: "mawk", version: "1.3", path: "/s", provides: ["awk"]),
        .init(manager: .dpkg, name: "exim4", version: "4", path: "/s", provides: ["mail-transport-agent"]),
        .init(manager: .dpkg, name: "postfix", version: "3", path: "/s", provides: ["mail-transport-agent"]),
        .init(manager: .gem, name: "rake", version: "13.1.0", path: "/s"),
    ]

    @Test(arguments: [
        (Installer.apt, "curl", "curl=7.88.1-10+deb12u5"), (.apt, "g++", "g++=4:12.2.0-3"),
        (.apt, "curl/bookworm", "curl=7.88.1-10+deb12u5"), (.apt, "curl+", "curl=7.88.1-10+deb12u5"),
        (.apt, "libc6:i386", "libc6:i386=2.36-8"), (.apt, "awk", "mawk=1.3"), (.apk, "curl", "curl=8.5.0-r0"),
        (.apk, "curl~8", "curl=8.5.0-r0"), (.apk, "curl>=8", "curl=8.5.0-r0"),
        (.dnf, "vim-enhanced", "vim-enhanced-9.0-1.el9"),
        (.dnf, "vim-enhanced.x86_64", "vim-enhanced-9.0-1.el9.x86_64"),
        (.dnf, "vim-enhanced-9.0", "vim-enhanced-9.0-1.el9"), (.pip, "flask-login", "flask-login==0.6.3"),
        (.pip, "Flask.Login[x,y]>=0.5", "Flask.Login[x,y]==0.6.3"),
        (.pip, "flask_login ; python_version > '3'", "flask_login==0.6.3; python_version > '3'"),
        (.npm, "left-pad", "left-pad@1.3.0"), (.npm, "left-pad@latest", "left-pad@1.3.0"),
        (.npm, "left-pad@^1", "left-pad@1.3.0"), (.npm, "@a/b", "@a/b@2.0.0"), (.gem, "rake", "rake:13.1.0"),
    ])
    func pinned(_ installer: Installer, _ word: String, _ expected: String) {
        guard
            case .pinned(let text, _) = PackageSpelling(installer, Self.packages, added: Self.packages).pin(
                word, isPattern: false)
        else {
            Issue.record("\(word) is not pinned")
            return
        }
        #expect(text == expected)
    }

    @Test func ofSeveralVersionsTheNewOneIsMeant() {
        let old = InstalledPackage(manager: .gem, name: "json", version: "2.9.1", path: "/default")
        let new = InstalledPackage(manager: .gem, name: "json", version: "2.10.0", path: "/s")
        #expect(
            PackageSpelling(.gem, [old, new], added: [new]).pin("json", isPattern: false) == .pinned("json:2.10.0", new)
        )
        guard case .impossible = PackageSpelling(.gem, [old, new], added: []).pin("json", isPattern: false) else {
            Issue.record("two versions, and none of them new")
            return
        }
    }

    @Test(arguments: [
        (Installer.apt, "curl=1"), (.apt, "./x.deb"), (.apt, "/x/y.deb"), (.apt, "nano-"), (.apk, "curl=8"),
        (.apk, "!nano"), (.dnf, "vim-enhanced-9.0-1.el9"), (.dnf, "https://h/x.rpm"), (.pip, "flask==1"), (.pip, "."),
        (.pip, "./x.whl"), (.npm, "left-pad@1.2.0"), (.npm, "./x"), (.gem, "rake:12"), (.gem, "./x.gem"),
    ])
    func unchanged(_ installer: Installer, _ word: String) {
        #expect(
            PackageSpelling(installer, Self.packages, added: Self.packages).pin(word, isPattern: false) == .unchanged)
    }

    @Test(arguments: [
        (Installer.apt, "mail-transport-agent"), (.apt, "none"), (.apt, "lamp^"), (.apk, "x@edge"), (.dnf, "@dev"),
        (.dnf, "/usr/bin/x"),
        (.pip, "git+https://h/x.git"), (.pip, "none"), (.npm, "user/repo"), (.npm, "inner"), (.gem, "none"),
    ])
    func impossible(_ installer: Installer, _ word: String) {
        guard
            case .impossible = PackageSpelling(installer, Self.packages, added: Self.packages).pin(
                word, isPattern: false)
        else {
            Issue.record("\(word)")
            return
        }
    }

    @Test(arguments: [
        ("apt-get install -y --no-install-recommends a b", Installer.apt, [4, 5]),
        ("sudo DEBIAN_FRONTEND=x apt-get -o A=b install a", .apt, [6]),
        ("apk add --no-cache -t .deps a b", .apk, [5, 6]), ("microdnf install --setopt x=y a", .dnf, [4]),
        ("python3 -m pip install -r f a", .pip, [6]), ("pip3.11 install a", .pip, [2]),
        ("npm i -g a", .npm, [3]), ("gem install a --no-document", .gem, [2]),
    ])
    func calls(_ text: String, _ installer: Installer, _ packages: [Int]) {
        let call = Installer.call(text.split(separator: " ").map { String($0) })
        #expect(call?.installer == installer)
        #expect(call?.packages == packages)
    }

    @Test(arguments: [
        "apt-get update", "apt-get remove a", "npm install a", "pip list", "gem list", "echo apt-get", "pipx",
    ])
    func noCalls(_ text: String) { #expect(Installer.call(text.split(separator: " ").map { String($0) }) == nil) }
}

struct DownloadTests {
    @Test(arguments: [
        ("curl -fsSLo /x/f https://h/a.tgz", "/x/f"), ("curl -O https://h/p/a.tgz?x=1", "a.tgz"),
        ("curl https://h/a > b", "b"), ("curl -o f -H 'A: b' https://h/a", "f"), ("wget https://h/p/a.zip", "a.zip"),
        ("wget -qO f https://h/a", "f"), ("wget -P /d https://h/a", "/d/a"), ("wget -qO- https://h/a >f", "f"),
        ("curl --output f --retry 3 https://h/a", "f"), ("curl --output-dir /d -O https://h/a", "/d/a"),
    ])
    func files(_ text: String, _ file: String) {
        guard let command = ShellCommands(text).commands.first, case .file(let found)? = Download.reading(command)
        else {
            Issue.record("\(text)")
            return
        }
        #expect(found.file == file)
    }

    @Test(arguments: [
        "curl https://h/a | sh", "curl https://h/a", "wget -qO- https://h/a | tar xz", "curl -o $F https://h/a",
        "curl -O https://h/a -O https://h/b", "wget https://h/", "curl -o f $URL", "wget -i list",
    ])
    func impossible(_ text: String) {
        guard let command = ShellCommands(text).commands.first, case .impossible? = Download.reading(command) else {
            Issue.record("\(text)")
            return
        }
    }

    @Test(arguments: ["curl --version", "wget --help", "echo curl https://h/a"])
    func none(_ text: String) { #expect(ShellCommands(text).commands.first.map(Download.reading) == .some(nil)) }
}
