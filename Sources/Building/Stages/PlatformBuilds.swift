import Basics
import Dockerfiles
import Glibc
import Images
import Linux
import OCI
import Stores

/// Builds one Dockerfile for several platforms; the images become one index.
extension BuildEngine {
    /// Builds for one platform after the other, and names the index of the images.
    ///
    /// Throws `unsupported`, before anything is built, for a `RUN` that this machine cannot carry out, and what the
    /// build
    /// throws.
    func buildIndex(
        _ request: BuildRequest, failedContainer: inout String?, _ operation: OperationContext
    ) throws(ShaleError) -> BuildOutcome {
        let prepared = try PreparedBuild(request, engine: self, operation)
        try requireProcessor(for: request.platforms, prepared, request)
        try tellContext(prepared, request, operation)
        var entries: [Descriptor] = []
        var ids: [Digest] = []
        var (built, taken): ([Digest], [TakenStep]) = ([], [])
        for platform in request.platforms {
            try operation.cancellation.check()
            operation.line("Platform: \(platform)")
            var single = request
            single.platforms = []
            single.steps.platforms = request.platforms
            single.platform = platform
            single.tags = []
            single.annotations = [:]
            let result = try build(prepared, single, failedContainer: &failedContainer, operation)
            built.append(result.image)
            taken += result.taken
            var image = try images.image(id: result.outcome.imageID)
            if !request.annotations.isEmpty {
                image = try images.annotated(image, with: request.annotations, as: [])
            }
            var entry = image.manifestDescriptor.bare
            entry.platform = platform
            entries.append(entry)
            ids.append(image.id)
        }
        let bytes = Array(Index(manifests: entries).document.text().utf8)
        let chosen = try store.images.add(
            index: bytes, mediaType: MediaType.ociIndex, brought: entries, references: request.tags, members: ids)
        for tag in request.tags {
            request.observe?(.tagged(tag.familiar))
            operation.line("Successfully tagged \(tag.familiar)")
        }
        try share(taken, of: built, to: request.cacheTo, operation)
        return BuildOutcome(imageID: chosen.id, tags: request.tags, index: chosen.index, images: ids)
    }

    /// Throws `unsupported` when a needed stage has a `RUN` for another processor and no emulator is registered for it.
    ///
    /// Where the local cache or a shared cache may have the step, the `RUN` itself says it. What a file does that cannot
    /// be planned, a build tells in its own words.
    func requireProcessor(
        for platforms: [Platform], _ prepared: PreparedBuild, _ request: BuildRequest
    ) throws(ShaleError) {
        let foreign = platforms.filter { !Emulator.isOwn($0.architecture) }
        let isShared = !request.cacheFrom.isEmpty && request.steps.usesCache
        guard !foreign.isEmpty, !isShared, let file = try? Dockerfile(parsing: prepared.text) else { return }
        let host = Self.planned(settings.platform)
        for platform in foreign {
            var options = Plan.Options(platform: Self.planned(platform))
            options.buildPlatform = host
            options.target = request.target
            options.arguments = request.arguments.compactMapValues { $0 }
            guard let plan = try? Plan(file, options: options, bases: { _, _ in nil }) else { continue }
            for stage in plan.stages where stage.isNeeded {
                try requireProcessor(for: stage, in: prepared.fileName, usesCache: request.steps.usesCache)
            }
        }
    }

    private func requireProcessor(
        for stage: Plan.StagePlan, in name: String, usesCache: Bool
    ) throws(ShaleError) {
        guard !Emulator.canRun(stage.platform.architecture),
            let step = stage.steps.first(where: { if case .run = $0.instruction { true } else { false } }),
            !usesCache || !mayBeCached(step.original, for: stage.platform.architecture)
        else { return }
        throw Emulator.missing(
            for: "\(stage.platform)", at: "\(name):\(step.line): \(step.original.prefix { $0 != "\n" }): ")
    }

    /// Whether the local cache has a step of this instruction for a processor.
    ///
    /// Whether it is the step of the same parent, only the build can say.
    private func mayBeCached(_ instruction: String, for architecture: String) -> Bool {
        cachedSteps.contains { step in
            step.record.instruction == instruction
                && (try? images.image(id: step.record.image))?.config.architecture == architecture
        }
    }

    private static func planned(_ platform: Platform) -> PlannedPlatform {
        PlannedPlatform(os: platform.os, architecture: platform.architecture, variant: platform.variant ?? "")
    }
}

/// Emulators of other processors that the kernel starts for programs of those processors (binfmt_misc).
enum Emulator {
    private static let folder = "/proc/sys/fs/binfmt_misc"

    /// The field `e_machine` of ELF and whether it is big-endian, by Go's names of processors.
    private static let machines: [String: (number: Int, isBig: Bool)] = [
        "386": (3, false), "amd64": (62, false), "arm": (40, false), "arm64": (183, false), "loong64": (258, false),
        "mips64le": (8, false), "ppc64le": (21, false), "riscv64": (243, false), "s390x": (22, true),
    ]

    /// Whether this machine's processor runs programs of an architecture itself.
    static func isOwn(_ architecture: String) -> Bool {
        let host = Platform.host.architecture
        if architecture == host { return true }
        // 32-bit programs. Not every 64-bit ARM processor runs them; the first RUN then fails.
        return (host == "amd64" && architecture == "386") || (host == "arm64" && architecture == "arm")
    }

    /// Whether programs of an architecture can be started here, by the processor or an emulator.
    static func canRun(_ architecture: String) -> Bool { isOwn(architecture) || isRegistered(for: architecture) }

    /// The error for a step that starts a program for a platform of another processor; `place` tells which step.
    static func missing(for platform: String, at place: String = "") -> ShaleError {
        ShaleError(
            .unsupported, "\(place)this machine runs nothing for \(platform)",
            hint: "apt install qemu-user-static binfmt-support (it registers an emulator), or FROM "
                + "--platform=$BUILDPLATFORM")
    }

    /// Whether the kernel has an emulator that works in a container: enabled, and opened when it was registered (`F`).
    static func isRegistered(for architecture: String) -> Bool {
        guard let machine = machines[architecture],
            (try? WholeFile.read("\(folder)/status", limit: 64)).map({ $0.starts(with: Array("enabled".utf8)) })
                ?? false, let names = try? DirectoryEntries.names(of: OwnedFD.open(folder, O_RDONLY | O_DIRECTORY))
        else { return false }
        return names.contains { name in
            guard name != "register", name != "status",
                let bytes = try? WholeFile.read("\(folder)/\(name)", limit: 4096)
            else { return false }
            return matches(String(decoding: bytes, as: UTF8.self), machine)
        }
    }

    /// Whether the text of a binfmt_misc entry (kernel documentation, admin-guide/binfmt-misc.rst) matches a processor.
    static func matches(_ text: String, _ machine: (number: Int, isBig: Bool)) -> Bool {
        let lines = text.split(separator: "\n").map(String.init)
        guard lines.first == "enabled",
            let flags = lines.first(where: { $0.hasPrefix("flags:") }), flags.contains("F"),
            let magic = lines.first(where: { $0.hasPrefix("magic ") })?.dropFirst("magic ".count)
        else { return false }
        let digits = Array(magic.utf8.prefix(40))
        guard magic.hasPrefix("7f454c46"), digits.count == 40,
            let first = UInt8(String(decoding: digits[36..<38], as: UTF8.self), radix: 16),
            let second = UInt8(String(decoding: digits[38..<40], as: UTF8.self), radix: 16)
        else { return false }
        let number = machine.isBig ? Int(first) << 8 | Int(second) : Int(second) << 8 | Int(first)
        return number == machine.number
    }
}
