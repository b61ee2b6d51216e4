// swift-tools-version: 6.0
import PackageDescription

// The rooms of the house, in the order in which they may see each other: a target imports only what stands above it.
// scripts/check-imports holds this table against the sources.

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Options of every command, for the prompt, the host's shell, help and completion alike.
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
/// SHA-256 at the processor's speed (BoringSSL), for digests.
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

/// A module; `embedding` are folders of it whose files become a part of the program, as bytes in `PackageResources`.
func room(_ name: String, _ dependencies: [Target.Dependency] = [], embedding folders: [String] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, resources: folders.map { .embedInCode($0) }, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "shale",
    products: [
        .executable(name: "shale", targets: ["shale"]),
        .executable(name: "shale-runner", targets: ["ShaleRunner"]),
    ],
    dependencies: [
        // One option model feeds parsing, help, Tab and completions/.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Hashing every byte that enters or leaves the store.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        // Thin C: what Swift cannot reach (variadics, macros, hidden system calls). The four libraries are loaded on
        // first use through a function table, so that a command that needs none of them does not pay for them.
        .target(name: "CLinux"),
        .target(name: "CEditline"),
        .target(name: "CCurl"),
        .target(name: "CArchive"),
        .target(name: "CSeccomp"),

        room("Basics"),
        room("OCI", ["Basics", crypto]),
        room("GoTemplates", ["Basics", "OCI"]),
        room("Linux", ["Basics", "CLinux"]),
        room("RunnerProtocol"),
        room("Layers", ["Basics", "OCI", "Linux", "CArchive"]),
        room("Stores", ["Basics", "OCI", "Linux"]),
        room("Registries", ["Basics", "OCI", "CCurl"]),
        room("Runtime", ["Basics", "OCI", "Linux", "RunnerProtocol", "CSeccomp"]),
        room("Dockerfiles", ["Basics"]),
        room("ShellLanguage", ["Basics"]),
        room("Rendering", ["Basics", "OCI", "Linux", "GoTemplates"]),
        room("LineEditing", ["Basics", "Linux", "Rendering", "CEditline"]),
        room(
            "Engine",
            [
                "Basics", "OCI", "Linux", "Layers", "Stores", "Registries", "Runtime", "RunnerProtocol",
                "Dockerfiles",
            ]),
        room(
            "Explorer", ["Basics", "OCI", "Linux", "Layers", "Stores", "Engine"], embedding: ["Page/Resources"]),
        room("Sessions", ["Basics", "OCI", "Linux", "Layers", "Stores", "Runtime", "Dockerfiles", "Engine"]),
        room(
            "Shell",
            [
                "Basics", "OCI", "Linux", "Layers", "Stores", "Registries", "Runtime", "Dockerfiles", "Engine",
                "Explorer", "Sessions", "GoTemplates", "ShellLanguage", "Rendering", "LineEditing",
                argumentParser,
            ], embedding: ["Completion/HostShells/Resources"]),

        .executableTarget(
            name: "ShaleRunner", dependencies: ["Basics", "RunnerProtocol", "Linux"], swiftSettings: strict,
            // The runner starts once per container and is bind-mounted nowhere: static, it starts in a millisecond.
            linkerSettings: [.unsafeFlags(["-static-executable"])]),
        .executableTarget(name: "shale", dependencies: ["Shell"], swiftSettings: strict),

        // A program that does nothing but edit lines, for the terminal tests of LineEditing.
        .executableTarget(
            name: "EditorProbe", dependencies: ["Basics", "ShellLanguage", "Rendering", "LineEditing"],
            path: "Tests/EditorProbe", swiftSettings: strict),
        .target(name: "TestSupport", dependencies: ["Basics"], path: "Tests/TestSupport", swiftSettings: strict),
        tests("BasicsTests", ["TestSupport", "Basics"]),
        tests("OCITests", ["TestSupport", "Basics", "OCI"]),
        tests("LinuxTests", ["TestSupport", "Basics", "Linux"]),
        tests("LayersTests", ["TestSupport", "Basics", "OCI", "Linux", "Layers"]),
        tests("StoresTests", ["TestSupport", "Basics", "OCI", "Linux", "Stores"]),
        tests("RegistriesTests", ["TestSupport", "Basics", "OCI", "Registries"]),
        tests("RuntimeTests", ["TestSupport", "Basics", "OCI", "Linux", "RunnerProtocol", "Runtime"]),
        tests("DockerfilesTests", ["TestSupport", "Basics", "Dockerfiles"]),
        tests(
            "EngineTests",
            [
                "TestSupport", "Basics", "OCI", "Linux", "Layers", "Stores", "Registries", "Runtime", "Dockerfiles",
                "Engine",
            ]),
        tests(
            "ExplorerTests",
            ["TestSupport", "Basics", "OCI", "Linux", "Layers", "Stores", "Engine", "Explorer"]),
        tests("SessionsTests", ["TestSupport", "Basics", "OCI", "Engine", "Sessions", "Dockerfiles"]),
        tests("ShellLanguageTests", ["TestSupport", "Basics", "ShellLanguage"]),
        tests("RenderingTests", ["TestSupport", "Basics", "OCI", "Rendering"]),
        tests("LineEditingTests", ["TestSupport", "Basics", "Linux", "LineEditing"]),
        tests("GoTemplatesTests", ["TestSupport", "Basics", "OCI", "GoTemplates"]),
        tests(
            "ShellTests",
            [
                "TestSupport", "Basics", "OCI", "Engine", "Sessions", "GoTemplates", "ShellLanguage", "Rendering",
                "LineEditing", "Shell",
            ]),
        tests("IntegrationTests", ["TestSupport", "Basics", "Linux", "OCI", "Dockerfiles"]),
        tests("TerminalTests", ["TestSupport", "Basics", "OCI"]),
    ]
)
