// swift-tools-version: 6.0
import PackageDescription

// The modules, in the order in which they may see each other: a target imports only what stands above it.
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
/// The log's levels, labels and metadata, in the API that every Swift server knows.
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// A module; `embedding` are folders of it whose files become a part of the program, as bytes in `PackageResources`.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], embedding folders: [String] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, resources: folders.map { .embedInCode($0) }, swiftSettings: strict)
}

/// A module in C.
///
/// It handles what strangers send, so a function with an array on its stack checks the stack before it returns.
func cModule(_ name: String) -> Target {
    .target(name: name, cSettings: [.unsafeFlags(["-fstack-protector-strong"])])
}

/// The plug-in behind scripts/docs, which alone sets the variable: no build fetches or compiles it.
let documentation: [Package.Dependency] =
    Context.environment["SHALE_DOCS"] == nil
    ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0")]

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
        // What the log's callers write against; no Foundation, and the runner does not link it.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ] + documentation,
    targets: [
        // Thin C: what Swift cannot reach (variadics, macros, hidden system calls). The four libraries are loaded on
        // first use through a function table, so that a command that needs none of them does not pay for them.
        cModule("CLinux"),
        cModule("CEditline"),
        cModule("CCurl"),
        cModule("CArchive"),
        cModule("CSeccomp"),

        module("Basics"),
        module("OCI", ["Basics", crypto]),
        module("GoTemplates", ["Basics"]),
        module("Linux", ["Basics", "CLinux"]),
        module("Diagnostics", ["Basics", "Linux", logging]),
        module("RunnerProtocol", ["Basics", "Linux"]),
        module("Layers", ["Basics", "OCI", "Linux", "CArchive"]),
        module("Stores", ["Basics", "OCI", "Linux", "RunnerProtocol", "Diagnostics", logging]),
        module("Registries", ["Basics", "OCI", "Linux", "CCurl", "Diagnostics", logging]),
        module("Runtime", ["Basics", "OCI", "Linux", "RunnerProtocol", "CSeccomp", "Diagnostics", logging]),
        module("Dockerfiles", ["Basics"]),
        module("ShellLanguage", ["Basics"]),
        module("Rendering", ["Basics", "Linux", "GoTemplates"]),
        module("LineEditing", ["Basics", "Linux", "Rendering", "CEditline", "Diagnostics", logging]),
        module(
            "Images",
            [
                "Basics", "OCI", "Linux", "Layers", "Stores", "Registries", "RunnerProtocol", "Dockerfiles",
                "Diagnostics", logging,
            ]),
        module(
            "Containers",
            [
                "Basics", "OCI", "Linux", "Layers", "Stores", "Runtime", "RunnerProtocol", "Dockerfiles", "Images",
                "Diagnostics", logging,
            ]),
        module(
            "Explorer", ["Basics", "OCI", "Linux", "Layers", "Stores", "Images", "Containers"],
            embedding: ["Page/Resources"]),
        module(
            "Building",
            [
                "Basics", "OCI", "Linux", "Layers", "Stores", "Registries", "Runtime", "RunnerProtocol",
                "Dockerfiles", "Images", "Containers", "Diagnostics", logging,
            ], embedding: ["Stages/Resources"]),
        module(
            "Recipes",
            [
                "Basics", "OCI", "Linux", "Layers", "Stores", "Registries", "Runtime", "Dockerfiles", "Images",
                "Containers", "Explorer", "Building", "Diagnostics", logging,
            ], embedding: ["Resources"]),
        module(
            "Sessions",
            [
                "Basics", "OCI", "Linux", "Layers", "Stores", "Runtime", "Dockerfiles", "Images",
                "Containers", "Building", "Recipes", "Diagnostics", logging,
            ]),
        module(
            "Lessons",
            [
                "Basics", "OCI", "Linux", "Layers", "Stores", "Images", "Containers", "Building", "Recipes", "Explorer",
                "Sessions",
            ], embedding: ["Explanations/Resources", "Courses/Resources"]),
        module(
            "Shell",
            [
                "Basics", "OCI", "Linux", "Layers", "Stores", "Registries", "RunnerProtocol", "Runtime", "Dockerfiles",
                "Images", "Containers", "Building", "Recipes", "Explorer", "Sessions", "Lessons", "GoTemplates",
                "ShellLanguage", "Rendering", "LineEditing", "Diagnostics", logging, argumentParser,
            ],
            embedding: [
                "Completion/HostShells/Resources", "Commands/Shell/Resources", "Manual/Resources",
                "Recording/Page/Resources",
            ]),

        .executableTarget(
            name: "ShaleRunner", dependencies: ["Basics", "RunnerProtocol", "Linux"], swiftSettings: strict,
            // The runner starts once per container and is bind-mounted nowhere: static, it starts in a millisecond.
            linkerSettings: [.unsafeFlags(["-static-executable"])]),
        .executableTarget(
            name: "shale", dependencies: ["Shell"], swiftSettings: strict,
            // All addresses are bound at the start and their tables are then read-only (full RELRO): 0.05 ms.
            linkerSettings: [.unsafeFlags(["-Xlinker", "-z", "-Xlinker", "now"])]),

        // A program that does nothing but edit lines, for the terminal tests of LineEditing.
        .executableTarget(
            name: "EditorProbe", dependencies: ["Basics", "ShellLanguage", "Rendering", "LineEditing"],
            path: "Tests/EditorProbe", swiftSettings: strict),
        .target(name: "TestSupport", dependencies: ["Basics"], path: "Tests/TestSupport", swiftSettings: strict),
        tests("BasicsTests", ["TestSupport", "Basics"]),
        tests("DiagnosticsTests", ["TestSupport", "Basics", "Linux", "Diagnostics", logging]),
        tests("OCITests", ["TestSupport", "Basics", "OCI"]),
        tests("LinuxTests", ["TestSupport", "Basics", "Linux"]),
        tests("LayersTests", ["TestSupport", "Basics", "OCI", "Linux", "Layers"]),
        tests("StoresTests", ["TestSupport", "Basics", "OCI", "Linux", "RunnerProtocol", "Stores"]),
        tests("RegistriesTests", ["TestSupport", "Basics", "OCI", "Registries"]),
        tests("RuntimeTests", ["TestSupport", "Basics", "OCI", "Linux", "RunnerProtocol", "Runtime"]),
        tests("DockerfilesTests", ["TestSupport", "Basics", "Dockerfiles"]),
        tests(
            "ImagesTests",
            ["TestSupport", "Basics", "OCI", "Linux", "Layers", "Stores", "Registries", "Dockerfiles", "Images"]),
        tests(
            "ContainersTests",
            [
                "TestSupport", "Basics", "OCI", "Linux", "Layers", "Stores", "Registries", "RunnerProtocol", "Runtime",
                "Dockerfiles", "Images", "Containers",
            ]),
        tests(
            "RecipesTests",
            ["TestSupport", "Basics", "OCI", "Linux", "Layers", "Stores", "Dockerfiles", "Explorer", "Recipes"]),
        tests(
            "ExplorerTests",
            [
                "TestSupport", "Basics", "OCI", "Linux", "Layers", "Stores", "Registries", "Images", "Containers",
                "Explorer",
            ]),
        tests(
            "SessionsTests",
            [
                "TestSupport", "Basics", "OCI", "Stores", "Linux", "Registries", "Runtime", "Images", "Containers",
                "Building", "Recipes", "Sessions", "Dockerfiles",
            ]),
        tests("LessonsTests", ["TestSupport", "Basics", "Lessons"]),
        tests("ShellLanguageTests", ["TestSupport", "Basics", "ShellLanguage"]),
        tests("RenderingTests", ["TestSupport", "Basics", "OCI", "Rendering"]),
        tests("LineEditingTests", ["TestSupport", "Basics", "Linux", "LineEditing"]),
        tests("GoTemplatesTests", ["TestSupport", "Basics", "GoTemplates"]),
        tests(
            "ShellTests",
            [
                "TestSupport", "Basics", "OCI", "RunnerProtocol", "Stores", "Registries", "Images", "Containers",
                "Building", "Recipes", "Sessions",
                "GoTemplates", "ShellLanguage", "Rendering", "LineEditing", "Shell",
            ]),
        tests("IntegrationTests", ["TestSupport", "Basics", "Linux", "OCI", "Dockerfiles"]),
        tests("TerminalTests", ["TestSupport", "Basics", "OCI"]),
    ]
)
