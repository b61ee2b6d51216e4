package import ArgumentParser
package import Basics
import Glibc
import Linux

/// `doctor`: what the host has and lacks, and the command that mends it.
package struct Doctor: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what the host lacks, and the command that mends it")
    package static let isWorthKeeping = false
    package static let examples = ["doctor"]
    package static let differences = ["Docker has no such command."]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let findings = HostFacts.examine()
        let lines = findings.map { finding in
            "\(finding.isGood ? "ok     " : "missing") \(finding.what)"
                + (finding.remedy.map { "\n        \($0)" } ?? "")
        }
        return Outcome(.lines(lines), status: findings.allSatisfy(\.isGood) ? 0 : 1)
    }
}

/// Facts about the host, as `doctor` and `info` tell them.
enum HostFacts {
    struct Finding {
        var what: String
        var isGood: Bool
        /// What to type, where something is missing.
        var remedy: String?
    }

    /// The kernel's release.
    static var kernel: String {
        let text = (try? WholeFile.read("/proc/sys/kernel/osrelease", limit: 4096)).map {
            String(decoding: $0, as: UTF8.self)
        }
        return text?.trimmingFinalNewlines ?? "unknown"
    }

    static func examine() -> [Finding] {
        [kernelAge, overlay, userNamespaces, idRanges, seccomp, cgroups] + libraries + [busybox, runner]
    }

    private static var kernelAge: Finding {
        let numbers = kernel.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let isNew = numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 11)
        return Finding(
            what: "kernel \(kernel) (5.11 or newer)", isGood: isNew,
            remedy: isNew ? nil : "run a newer kernel: overlayfs in user namespaces needs 5.11")
    }

    private static func text(_ path: String) -> String {
        (try? WholeFile.read(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private static var overlay: Finding {
        let has = text("/proc/filesystems").contains("overlay") || access("/sys/module/overlay", F_OK) == 0
        return Finding(what: "overlayfs", isGood: has, remedy: has ? nil : "as root: modprobe overlay")
    }

    private static var userNamespaces: Finding {
        let most = Int(text("/proc/sys/user/max_user_namespaces").trimmingFinalNewlines) ?? 0
        let isOff = text("/proc/sys/kernel/unprivileged_userns_clone").hasPrefix("0")
        let has = most > 0 && !isOff
        return Finding(
            what: "user namespaces for ordinary users", isGood: has,
            remedy: has ? nil : "as root: sysctl -w user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1")
    }

    private static var idRanges: Finding {
        if UserNamespace.isInside, geteuid() == 0 {
            let ids = text("/proc/self/uid_map").split(separator: "\n").count
            return Finding(
                what: "id ranges, for more than one user in a container", isGood: ids > 1,
                remedy: ids > 1
                    ? nil
                    : "as root: apt-get install uidmap; usermod --add-subuids 100000-165535"
                        + " --add-subgids 100000-165535 USER")
        }
        if geteuid() == 0 { return Finding(what: "id ranges (not needed for root)", isGood: true) }
        let has = access("/usr/bin/newuidmap", X_OK) == 0
        return Finding(
            what: "newuidmap, for more than one user in a container", isGood: has,
            remedy: has ? nil : "as root: apt-get install uidmap")
    }

    private static var seccomp: Finding {
        let has = access("/proc/sys/kernel/seccomp", F_OK) == 0
        return Finding(
            what: "seccomp filters", isGood: has, remedy: has ? nil : "run a kernel with CONFIG_SECCOMP_FILTER")
    }

    private static var cgroups: Finding {
        let has = access("/sys/fs/cgroup", F_OK) == 0
        return Finding(what: "control groups", isGood: has, remedy: has ? nil : "mount them at /sys/fs/cgroup")
    }

    private static var libraries: [Finding] {
        let known = [
            ("libcurl.so.4", "libcurl4", "pull and search"), ("libarchive.so.13", "libarchive13", "layers"),
            ("libseccomp.so.2", "libseccomp2", "containers"), ("libedit.so.2", "libedit2", "the prompt"),
        ]
        return known.map { name, package, use in
            let handle = dlopen(name, RTLD_LAZY)
            if let handle { dlclose(handle) }
            return Finding(
                what: "\(name), for \(use)", isGood: handle != nil,
                remedy: handle == nil ? "as root: apt-get install \(package)" : nil)
        }
    }

    private static var busybox: Finding {
        let has = access("/bin/busybox", X_OK) == 0
        return Finding(
            what: "busybox-static, for the first image", isGood: has,
            remedy: has ? nil : "as root: apt-get install busybox-static")
    }

    private static var runner: Finding {
        let path = "\(EngineOpening.programFolder)/shale-runner"
        let has = access(path, X_OK) == 0
        return Finding(
            what: "shale-runner beside shale", isGood: has, remedy: has ? nil : "scripts/shale builds both")
    }
}
