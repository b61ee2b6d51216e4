package import ArgumentParser
package import Basics
import Explorer
import Images
import OCI
import Rendering

/// `packages IMAGE`: what package managers installed.
package struct Packages: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "packages", abstract: "List installed packages: dpkg, apk, rpm, pip, npm",
        usage: "packages IMAGE|CONTAINER")
    package static let operandKinds: [ValueKind] = [.object]
    package static let isWorthKeeping = false
    package static let examples = [
        "packages ubuntu:22.04", "packages --manager pip app:1",
        "packages --remote --format spdx-json debian:12 > debian.spdx.json",
    ]
    package static let differences = [
        "Docker needs its scout for this. Here only files are read, and no network.",
        "spdx-json (2.3) and cyclonedx-json (1.5) are the same bytes for the same image.",
    ]

    @Option(help: "dpkg, apk, rpm, pip or npm alone.") var manager: String?
    @Flag(name: .shortAndLong, help: "Names only.") var quiet = false
    @Option(help: "json, spdx-json, cyclonedx-json, or a template.") var format: String?
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "An image, a layer or a container.") var subject: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if let manager, InstalledPackage.Manager(rawValue: manager) == nil {
            let known = InstalledPackage.Manager.allCases.map(\.rawValue).joined(separator: ", ")
            throw ShaleError(.usage, "packages: \(manager.visible) is none of \(known)")
        }
        let words = try PlaceWords(shell, remote)
        let view = try words.view(words.thing(subject, for: "packages"))
        var packages = try PackageList(view).packages(shell.cancellation) { shell.console.warning($0) }
        if let manager { packages.removeAll { $0.manager.rawValue != manager } }
        if let form = format.flatMap({ BillOfMaterials.Form(rawValue: $0) }) {
            let epoch = try shell.images().settings.sourceDateEpoch
            let bill = try BillOfMaterials(of: view, packages: packages, created: epoch, version: Version.current)
            return .text(bill.document(form).text(indent: 2) + "\n")
        }
        if quiet { return .lines(packages.map(\.name.visible)) }
        var rows = Rows([
            .init(key: "name", header: "NAME", shrinks: true), .init(key: "version", header: "VERSION", shrinks: true),
            .init(key: "arch", header: "ARCH"), .init(key: "size", header: "SIZE"),
            .init(key: "manager", header: "MANAGER"),
        ])
        for package in packages {
            rows.add(
                [
                    package.name, package.version, package.architecture, package.size.map { HumanUnits.size($0) } ?? "",
                    package.manager.rawValue,
                ],
                .members([
                    "name": .string(package.name), "version": .string(package.version),
                    "arch": .string(package.architecture), "size": package.size.map { .integer($0) } ?? .null,
                    "manager": .string(package.manager.rawValue), "path": .string(package.path),
                ]))
        }
        return rows.outcome(format: format, width: shell.console.width)
    }
}
