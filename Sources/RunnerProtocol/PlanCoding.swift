extension LaunchPlan {
    package func encode() -> [UInt8] {
        var out = WireWriter()
        out.put(LaunchPlan.version)
        for text in [
            containerID, hostname, domainname, statePath, logPath, folder, holderFolder, eventsPath, eventAttributes,
        ] {
            out.put(text)
        }
        out.put(eventVolumes)
        out.put(logLimit)
        out.put(logFiles)
        root.encode(to: &out)
        process.encode(to: &out)
        out.putList(mounts) { $1.encode(to: &$0) }
        out.put(maskedPaths)
        out.put(readOnlyPaths)
        out.putList(devices) { $1.encode(to: &$0) }
        out.putList(sysctls) {
            $0.put($1.key)
            $0.put($1.value)
        }
        out.putOptional(cgroup) { $1.encode(to: &$0) }
        out.putOptional(network) { $1.encode(to: &$0) }
        out.putOptional(sharedNetwork) { $1.encode(to: &$0) }
        out.putOptional(health) { $1.encode(to: &$0) }
        out.putOptional(restart) { $1.encode(to: &$0) }
        for flag in [
            ownNetwork, hostUTS, detached, attached, openStdin, stdinOnce, reaper, endsWithLauncher,
            restrictsDevices, timesSteps,
        ] {
            out.put(flag)
        }
        out.put(afterExit)
        out.put(typedAhead)
        return out.bytes
    }

    /// Reads a plan.
    ///
    /// Throws `version` for one of another encoding, and what reading a value throws.
    package init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        let version: UInt16 = try reader.integer()
        guard version == LaunchPlan.version else { throw .version(version) }
        containerID = try reader.string()
        hostname = try reader.string()
        domainname = try reader.string()
        statePath = try reader.string()
        logPath = try reader.string()
        folder = try reader.string()
        holderFolder = try reader.string()
        eventsPath = try reader.string()
        eventAttributes = try reader.string()
        eventVolumes = try reader.strings()
        logLimit = try reader.integer()
        logFiles = try reader.integer()
        root = try RootPlan(from: &reader)
        process = try ProcessPlan(from: &reader)
        mounts = try reader.list { (reader) throws(WireError) in try MountPlan(from: &reader) }
        maskedPaths = try reader.strings()
        readOnlyPaths = try reader.strings()
        devices = try reader.list { (reader) throws(WireError) in try DevicePlan(from: &reader) }
        sysctls = try reader.list { (reader) throws(WireError) in
            SysctlPlan(key: try reader.string(), value: try reader.string())
        }
        cgroup = try reader.optional { (reader) throws(WireError) in try CgroupPlan(from: &reader) }
        network = try reader.optional { (reader) throws(WireError) in try NetworkPlan(from: &reader) }
        sharedNetwork = try reader.optional { (reader) throws(WireError) in try SharedNetwork(from: &reader) }
        health = try reader.optional { (reader) throws(WireError) in try HealthPlan(from: &reader) }
        restart = try reader.optional { (reader) throws(WireError) in try RestartPlan(from: &reader) }
        ownNetwork = try reader.bool()
        hostUTS = try reader.bool()
        detached = try reader.bool()
        attached = try reader.bool()
        openStdin = try reader.bool()
        stdinOnce = try reader.bool()
        reaper = try reader.bool()
        endsWithLauncher = try reader.bool()
        restrictsDevices = try reader.bool()
        timesSteps = try reader.bool()
        afterExit = try reader.strings()
        typedAhead = try reader.string()
        try reader.end()
    }
}

extension RootPlan {
    fileprivate func encode(to out: inout WireWriter) {
        out.put(lowers)
        out.put(upper)
        out.put(work)
        out.put(userXattr)
        out.put(volatile)
        out.put(readOnly)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        lowers = try reader.strings()
        upper = try reader.string()
        work = try reader.string()
        userXattr = try reader.bool()
        volatile = try reader.bool()
        readOnly = try reader.bool()
    }
}

extension ProcessPlan {
    func encode(to out: inout WireWriter) {
        out.put(arguments)
        out.put(environment)
        out.put(workingDirectory)
        out.put(user)
        out.put(additionalGroups)
        out.put(capabilities)
        out.put(noNewPrivileges)
        out.putList(limits) {
            $0.put($1.resource)
            $0.put($1.soft)
            $0.put($1.hard)
        }
        out.putList(kernelFiles) {
            $0.put($1.name)
            $0.put($1.value)
        }
        out.put(seccomp)
        out.put(terminal)
        out.put(rows)
        out.put(columns)
        out.put(openStdin)
        out.put(toolbox)
        out.put(toolboxPlace)
    }

    init(from reader: inout WireReader) throws(WireError) {
        arguments = try reader.strings()
        environment = try reader.strings()
        workingDirectory = try reader.string()
        user = try reader.string()
        additionalGroups = try reader.strings()
        capabilities = try reader.integer()
        noNewPrivileges = try reader.bool()
        limits = try reader.list { (reader) throws(WireError) in
            LimitPlan(resource: try reader.integer(), soft: try reader.integer(), hard: try reader.integer())
        }
        kernelFiles = try reader.list { (reader) throws(WireError) in
            KernelFilePlan(name: try reader.string(), value: try reader.string())
        }
        seccomp = try reader.data()
        terminal = try reader.bool()
        rows = try reader.integer()
        columns = try reader.integer()
        openStdin = try reader.bool()
        toolbox = try reader.string()
        toolboxPlace = try reader.string()
    }
}

extension MountPlan {
    fileprivate func encode(to out: inout WireWriter) {
        out.put(kind.rawValue)
        out.put(source)
        out.put(label)
        out.put(destination)
        out.put(flags)
        out.put(data)
        out.put(readOnly)
        out.put(required)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let number = try reader.byte()
        guard let kind = Kind(rawValue: number) else { throw .unknown(number) }
        self.kind = kind
        source = try reader.string()
        label = try reader.string()
        destination = try reader.string()
        flags = try reader.integer()
        data = try reader.string()
        readOnly = try reader.bool()
        required = try reader.bool()
    }
}

extension DevicePlan {
    fileprivate func encode(to out: inout WireWriter) {
        out.put(path)
        out.put(hostPath)
        out.put(isBlock)
        out.put(major)
        out.put(minor)
        out.put(mode)
        out.put(access)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        path = try reader.string()
        hostPath = try reader.string()
        isBlock = try reader.bool()
        major = try reader.integer()
        minor = try reader.integer()
        mode = try reader.integer()
        access = try reader.integer()
    }
}

extension CgroupPlan {
    func encode(to out: inout WireWriter) {
        out.put(unified)
        out.put(legacy)
        out.putList(settings) {
            $0.put($1.path)
            $0.put($1.value)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        unified = try reader.string()
        legacy = try reader.strings()
        settings = try reader.list { (reader) throws(WireError) in
            CgroupSetting(path: try reader.string(), value: try reader.string())
        }
    }
}
