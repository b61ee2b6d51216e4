import FoundationEssentials
import Glibc
import OCI
import TestSupport

/// The base that stands for every image other people's Dockerfiles begin with: busybox, whose shell and package
/// managers are stand-ins.
///
/// There is no network, so most `RUN`s would end at their first word. Here what would fetch, install or compile writes
/// down how it was called and succeeds, and the shell writes down how its command ended and succeeds too: both sides
/// carry out every step of a file. With the build argument `no_proxy=strict`, which any `RUN` sees and no history tells,
/// both fail as they would without a network.
enum StandIns {
    static let log = "/var/log/stand-ins"
    static let strictly = ["--build-arg", "no_proxy=strict"]

    private static let folders = [
        "dev", "etc/apt/apt.conf.d", "etc/apt/sources.list.d", "etc/ssl/certs", "opt", "proc", "srv", "sys", "tmp",
        "usr/local/etc", "usr/local/lib", "usr/local/share", "usr/src", "var/cache", "var/lib/apt/lists", "var/log",
    ]

    private static let programs = [
        "apk", "apt", "apt-get", "apt-key", "apt-mark", "bundle", "cargo", "cmake", "composer", "conda", "curl", "dnf",
        "docker-php-ext-configure", "docker-php-ext-enable", "docker-php-ext-install", "dotnet", "dpkg", "dpkg-query",
        "file", "fix-permissions", "gcc", "gem", "git", "go", "gosu", "gpg", "gpgconf", "gradle", "groupadd", "java",
        "javac", "jq", "ldconfig", "make", "mamba", "meson", "microdnf", "mvn", "ninja", "npm", "objdump", "openssl",
        "patch", "pecl", "phpize", "pip", "pip3", "pnpm", "python", "python3", "rustup", "scanelf", "setcap", "strip",
        "tdnf", "unzip", "update-ca-certificates", "useradd", "usermod", "wget", "xx-apk", "xx-apt", "xx-go",
        "xx-verify", "yarn", "yum", "zypper",
    ]

    /// Runs the command with what would differ from one run to the next, or ask the network, replaced.
    private static let shell = #"""
        #!/bin/busybox ash
        before='mktemp() { case $1 in *d*) mkdir -p /tmp/made;; *) : > /tmp/made;; esac; echo /tmp/made; }
        date() { echo 1700000000; }; hostname() { echo host; }; wget() { /usr/local/bin/wget "$@"; }
        dpkg() { /usr/local/bin/dpkg "$@"; }; unzip() { /usr/local/bin/unzip "$@"; }
        patch() { /usr/local/bin/patch "$@"; }
        '
        first=$1 count=$# place=0
        for word; do
            place=$((place + 1))
            [ $place = 1 ] && set --
            case $first in -*) [ $place = $count ] && word=$before$word;; esac
            set -- "$@" "$word"
        done
        /bin/busybox ash "$@"
        status=$?
        echo "status $status" 2> /dev/null >> LOG
        [ "$no_proxy" = strict ] && exit $status
        exit 0

        """#
    /// Behind a pipe it waits for what stands before it, which writes its own line first.
    private static let program = """
        #!/bin/busybox ash
        [ -p /proc/self/fd/0 ] && head -c 1 > /dev/null
        echo "${0##*/} $*" 2> /dev/null >> LOG
        [ "$no_proxy" != strict ]

        """

    /// Makes the base in a home and gives it all these names; answers the archive that does the same for docker.
    static func make(in home: ShaleHome, names: Set<String>, holding inside: [NamedPath]) throws -> String {
        let context = try ContextFolder()
        func script(_ text: String, _ path: String) throws {
            try context.write(Array(text.replacing("LOG", with: log).utf8), to: "root/\(path)", mode: 0o755)
        }
        for folder in folders { try context.makeParent(of: "root/\(folder)/x") }
        for open in ["tmp", "var/log"] { chmod("\(context.path)/root/\(open)", 0o1777) }
        try script(shell, "bin/sh")
        try script(shell, "bin/bash")
        for name in programs { try script(program, "usr/local/bin/\(name)") }
        // The deepest first: what others lie in is a directory.
        for named in inside.sorted(by: { $0.path.count { $0 == "/" } > $1.path.count { $0 == "/" } }) {
            try context.makeUp(NamedPath(path: "root/\(named.path)", destination: named.destination))
        }
        try context.write(Array("FROM busybox\nCOPY root /\nCMD [\"/bin/sh\"]\n".utf8), to: "Dockerfile")
        try home.run(["build", "-q", "-t", "base", context.path])
        try home.run(["save", "-o", context.path + "/base.tar", "base"])
        let archive = home.work + "/names.tar"
        try rename(context, to: names, in: archive)
        try home.run(["load", "-q", "-i", archive])
        return archive
    }

    /// Writes the saved archive again, with other names in its manifest.
    private static func rename(_ context: ContextFolder, to names: Set<String>, in archive: String) throws {
        try context.makeParent(of: "archive/x")
        let folder = context.path + "/archive"
        try Peers.tar.run(["-xf", context.path + "/base.tar", "-C", folder])
        let manifest = URL(filePath: folder + "/manifest.json")
        let text = String(decoding: try Data(contentsOf: manifest), as: UTF8.self)
        let tags = names.compactMap { try? Reference(parsing: $0).withDefaultTag }.map { "\"\($0)\"" }.sorted()
        let changed = text.replacing(/"RepoTags":\[[^\]]*\]/, with: "\"RepoTags\":[\(tags.joined(separator: ","))]")
        try Data(changed.utf8).write(to: manifest)
        try Peer("sh").run(["-c", "cd \(folder) && tar -cf \(archive) *"])
    }
}
