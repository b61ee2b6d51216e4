import FoundationEssentials
import Glibc

/// What programs that tests start get instead of the machine's own folders, settings and language.
///
/// A test must not pass or fail by what root once did on this machine: `/run/containers` after a run of podman's,
/// `~/.docker`, `/etc/containers`, a proxy, a locale.
package enum HostNeutral {
    private static let folder = TemporaryDirectory()

    /// The folder that stands for a home and all that hangs on it; made once for all programs of this test process.
    package static let home: String = {
        let paths = ["home", "run", "tmp", "etc", "etc/registries.d", "storage", "storage-run"]
        for path in paths { mkdir("\(folder.path)/\(path)", 0o700) }
        let files = [
            ("etc/containers.conf", ""), ("etc/registries.conf", ""), ("etc/daemon.json", "{}\n"),
            (
                "etc/storage.conf",
                "[storage]\ndriver = \"vfs\"\ngraphroot = \"\(folder.path)/storage\"\n"
                    + "runroot = \"\(folder.path)/storage-run\"\n"
            ),
        ]
        for (path, text) in files { try? Data(text.utf8).write(to: URL(filePath: "\(folder.path)/\(path)")) }
        return folder.path
    }()

    /// Names that a person's shell may have set, and no program of a test's is to see.
    private static let foreign: Set<String> = [
        "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_BUILDKIT", "DOCKER_CERT_PATH",
        "DOCKER_TLS_VERIFY", "DOCKER_DEFAULT_PLATFORM", "BUILDKIT_PROGRESS", "CONTAINER_HOST", "XDG_CONFIG_HOME",
        "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "SHALE_HOME", "SHALE_MIRROR", "SHALE_HISTORY",
        "SOURCE_DATE_EPOCH", "SSH_AUTH_SOCK", "LANGUAGE", "LANG", "PAGER", "LESS", "GREP_OPTIONS", "TAR_OPTIONS",
        "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
        "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_DIR", "GIT_SSH_COMMAND",
    ]

    /// The environment of a program that a test starts; what the test itself gives comes over it.
    package static func environment(
        of process: [String: String] = ProcessInfo.processInfo.environment
    ) -> [String: String] {
        var variables = process.filter { name, _ in !foreign.contains(name) && !name.hasPrefix("LC_") }
        variables.merge([
            "HOME": "\(home)/home", "XDG_RUNTIME_DIR": "\(home)/run", "TMPDIR": "\(home)/tmp", "LC_ALL": "C.UTF-8",
            "TZ": "UTC", "CONTAINERS_CONF": "\(home)/etc/containers.conf",
            "CONTAINERS_REGISTRIES_CONF": "\(home)/etc/registries.conf",
            "CONTAINERS_STORAGE_CONF": "\(home)/etc/storage.conf", "GIT_CONFIG_NOSYSTEM": "1",
        ]) { $1 }
        return variables
    }
}
