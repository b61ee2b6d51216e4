import FoundationEssentials
import Glibc

/// A registry that stands in for Docker Hub and quay.io, holding images named as the course names them.
///
/// umoci makes them from Debian's static busybox and skopeo puts them there: shale has no hand in them.
package final class CourseRegistry: Sendable {
    package static var isPossible: Bool {
        RegistryServer.isPresent && Peers.skopeo.isPresent && Peers.umoci.isPresent && access("/bin/busybox", X_OK) == 0
    }
    package static let impossible = "needs docker-registry, skopeo, umoci and busybox-static"

    package let registry: RegistryServer
    private let search: MisbehavingServer

    /// What `docker search hello-world` showed when the chapter was written, as the v1 search API answers.
    private static let found = """
        {"num_results":3,"num_pages":1,"page":1,"page_size":25,"results":[
        {"name":"hello-world","description":"Hello World! (an example of minimal Dockerization)","star_count":699,\
        "is_official":true,"is_automated":false},
        {"name":"kitematic/hello-world-nginx","description":"A light-weight nginx container that demonstrates",\
        "star_count":112,"is_official":false,"is_automated":false},
        {"name":"tutum/hello-world","description":"Image to test docker deployments.","star_count":56,\
        "is_official":false,"is_automated":true}]}
        """

    package init() throws {
        registry = try RegistryServer()
        search = try MisbehavingServer { request in
            request.path == "/v1/search" ? .json(Self.found) : .error(404, "NOT_FOUND", "not here")
        }
        let layers = try LayerTrees()
        try layers.image("alpine", ["busybox"], command: ["/bin/sh"])
        try layers.image("focal", ["busybox", "release", "motd"], command: ["/bin/sh"])
        try layers.image("bionic", ["busybox", "motd", "release", "empty"], command: ["/bin/sh"])
        try layers.image("jammy", ["release", "busybox"], command: ["/bin/sh"])
        try layers.image("hello", ["busybox", "hello"], command: ["/bin/cat", "/hello.txt"])
        for (image, name) in [
            ("alpine", "library/alpine:3.13"), ("focal", "library/ubuntu:latest"), ("bionic", "library/ubuntu:18.04"),
            ("jammy", "library/ubuntu:22.04"), ("hello", "library/hello-world:latest"),
            ("hello", "nordstrom/hello-world:2.0"),
        ] {
            try registry.fill("oci:\(layers.layout):\(image)", as: name)
        }
    }

    /// Lets shale ask this registry for what lies at Docker Hub and quay.io.
    package var environment: [String: String] {
        ["SHALE_MIRROR": "docker.io=\(registry.url),quay.io=\(registry.url)"]
    }

    /// For `set search.endpoint`.
    package var searchEndpoint: String { search.url }
}

/// Trees on the host, each of which becomes a layer, and the layout that holds the images made of them.
private final class LayerTrees {
    private let folder = TemporaryDirectory()
    var layout: String { folder.path + "/layout" }

    init() throws {
        for tool in ["bin", "etc", "root", "tmp", "usr"] { try make("busybox/\(tool)") }
        chmod(folder.path + "/busybox/tmp", 0o1777)
        try write(Array(Data(contentsOf: URL(filePath: "/bin/busybox"))), "busybox/bin/busybox", mode: 0o755)
        for applet in [
            "sh", "ash", "ls", "touch", "cat", "echo", "sleep", "stty", "true", "chmod", "grep", "mkdir", "rm", "tail",
        ] {
            symlink("busybox", folder.path + "/busybox/bin/\(applet)")
        }
        try write(Array("root:x:0:0:root:/root:/bin/ash\n".utf8), "busybox/etc/passwd")
        try write(Array("root:x:0:\n".utf8), "busybox/etc/group")
        for (tree, path, text) in [
            ("release", "etc/lsb-release", "DISTRIB_ID=Ubuntu\n"), ("motd", "usr/share/motd", "Welcome\n"),
            ("empty", "usr/share/empty", ""), ("hello", "hello.txt", "\nHello from Docker!\n"),
        ] {
            try make(tree + "/" + path.split(separator: "/").dropLast().joined(separator: "/"))
            try write(Array(text.utf8), "\(tree)/\(path)")
        }
        try Peers.umoci.run(["init", "--layout", layout])
    }

    func image(_ name: String, _ trees: [String], command: [String]) throws {
        try Peers.umoci.run(["new", "--image", "\(layout):\(name)"])
        for tree in trees {
            try Peers.umoci.run(["insert", "--image", "\(layout):\(name)", folder.path + "/" + tree, "/"])
        }
        try Peers.umoci.run(
            ["config", "--image", "\(layout):\(name)", "--config.env", "PATH=/usr/local/bin:/usr/bin:/bin"]
                + command.flatMap { ["--config.cmd", $0] })
    }

    private func make(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder.path + "/" + path, withIntermediateDirectories: true)
    }

    private func write(_ bytes: [UInt8], _ path: String, mode: mode_t = 0o644) throws {
        try Data(bytes).write(to: URL(filePath: folder.path + "/" + path))
        chmod(folder.path + "/" + path, mode)
    }
}
