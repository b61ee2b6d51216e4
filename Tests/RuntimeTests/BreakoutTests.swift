import Basics
import FoundationEssentials
import Glibc
import Linux
import OCI
import Runtime
import TestSupport
import Testing

extension RunTests {
    /// The known ways out of a container, tried from inside.
    @Suite(.serialized, .enabled(if: ContainerFixture.isPossible, "containers cannot run here"))
    struct BreakoutTests {
        let fixture = ContainerFixture()

        /// A node of the host's may be made, as docker's containers may, and not opened.
        @Test(.enabled(if: !UserNamespace.isInside, "in a user namespace no node can be made at all"))
        func devicesAreTheHosts() throws {
            let script = """
                for d in 'b 7 0' 'b 8 0' 'b 254 0' 'c 1 1' 'c 1 2' 'c 1 11' 'c 10 200' 'c 10 229' 'c 10 232' 'c 4 0'; do
                  rm -f /d /dev/d; mknod /d $d; mknod /dev/d $d
                  (exec 3</d) 2>/dev/null && echo "opened $d"
                  (exec 3</dev/d) 2>/dev/null && echo "opened $d in /dev"
                done
                mknod /n c 1 3 && echo x > /n && head -c 2 /dev/zero | wc -c
                """
            #expect(try fixture.run(fixture.spec("sh", "-c", script)).output == "2\n")
        }

        /// What is handed in may be used, and that alone.
        @Test(
            .enabled(if: !UserNamespace.isInside, "in a user namespace no node can be made at all"),
            .enabled(if: access("/dev/net/tun", R_OK) == 0, "there is no /dev/net/tun"))
        func devicesThatAreHandedIn() throws {
            var spec = fixture.spec(
                "sh", "-c", "(exec 3<>/dev/t) && echo tun; mknod /f c 10 229; (exec 3</f) 2>/dev/null && echo fuse")
            spec.host.devices = ["/dev/net/tun:/dev/t"]
            #expect(try fixture.run(spec).output == "tun\n")
            spec.host.devices = ["/dev/net/tun:/dev/t:r"]
            #expect(try fixture.run(spec).output == "")
        }

        /// The same for a process that joins later, and for one in a group of its own making.
        @Test(.enabled(if: !UserNamespace.isInside, "in a user namespace no node can be made at all"))
        func devicesOfJoiningProcesses() throws {
            let spec = fixture.spec("sleep", "30")
            _ = try fixture.runtime.start(spec, attach: nil)
            let result = try fixture.exec(
                spec, ExecSpec(arguments: ["sh", "-c", "mknod /d c 10 229; (exec 3</d) 2>/dev/null || echo refused"]))
            #expect(result.output == "refused\n")
            _ = try fixture.runtime.stop(socketDirectory: spec.socketDirectory, timeout: 0)
        }

        @Test func kernelFilesAreNotWritten() throws {
            let script = """
                for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/overcommit_memory \
                    /proc/sys/fs/binfmt_misc/register /proc/sysrq-trigger /proc/irq/default_smp_affinity \
                    /sys/kernel/uevent_helper /sys/power/state /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/release_agent \
                    /proc/kcore /proc/keys /proc/1/oom_score_adj; do
                  case $f in /proc/1/*) (echo -999 > $f) 2>/dev/null && echo "wrote $f"; continue;; esac
                  test -e $f || continue
                  (echo 1 >> $f) 2>/dev/null && test "$f" != /proc/kcore -a "$f" != /proc/keys && echo "wrote $f"
                done
                for f in /proc/kcore /proc/keys; do test -e $f && test "$(head -c 1 $f | wc -c)" != 0 && echo "read $f"; done
                mount -o remount,rw /proc/sys 2>/dev/null && echo remounted; umount /proc/kcore 2>/dev/null && echo bared
                mount -t proc p /tmp 2>/dev/null && echo proc; mount --bind / /tmp 2>/dev/null && echo bind
                true
                """
            #expect(try fixture.run(fixture.spec("sh", "-c", script)).output == "")
        }

        /// Another root does not lead out, and neither does a way up from it.
        @Test func anotherRootStaysInside() throws {
            let marker = fixture.directory.path + "/outside"
            ContainerFixture.write(marker, "x")
            let script = """
                mkdir -p /jail; cp -a /bin /jail 2>/dev/null
                for up in .. ../../../../../.. /proc/1/root /proc/1/cwd /proc/self/root/../../..; do
                  test -e $up\(marker) && echo "seen from $up"
                  chroot /jail /bin/test -e $up\(marker) && echo "seen from the jail"
                done; true
                """
            #expect(try fixture.run(fixture.spec("sh", "-c", script)).output == "")
        }

        /// Neither the runner nor any of the host's processes can be seen, signalled or traced.
        @Test func processesOfTheHost() throws {
            var spec = fixture.spec(
                "sh", "-c",
                "set -- /proc/[0-9]*; echo $#; kill -9 -1; for p in 2 3 \(getpid()); do test -e /proc/$p/mem && echo seen; done; true"
            )
            spec.capabilities = Capabilities.containerDefault.union(.sysPtrace)
            #expect(try fixture.run(spec).output.hasPrefix("1\n"))
            #expect(try fixture.run(spec).output.contains("seen") == false)
        }

        @Test func capabilitiesAreBound() throws {
            let rights = fixture.spec("sh", "-c", "grep -E 'CapBnd|CapInh|CapAmb' /proc/self/status")
            #expect(
                try fixture.run(rights).output
                    == "CapInh:\t0000000000000000\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n")
        }

        // MARK: System calls

        #if arch(x86_64)
        /// A static program that makes the calls of a table and writes what each answered.
        ///
        /// Made of bytes, for no compiler is there where tests run: for each entry (number and four arguments, eight
        /// bytes each) `syscall`, the answer in the number's place; then `write(1, table)` and `exit(0)`. `legacy` makes
        /// the calls of the table as a 32-bit program does (`int 0x80`).
        private static func prober(_ calls: [[Int64]], legacy: Bool = false) -> [UInt8] {
            func bytes(_ values: [UInt64]) -> [UInt8] {
                values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
            }
            var code: [UInt8] = [
                0x4C, 0x8D, 0x25, 0x71, 0, 0, 0, 0x4C, 0x8B, 0x2D, 0x5A, 0, 0, 0, 0x4D, 0x85, 0xED, 0x74, 0x2D, 0x49,
                0x8B, 0x04, 0x24, 0x49, 0x8B, 0x7C, 0x24, 0x08, 0x49, 0x8B, 0x74, 0x24, 0x10, 0x49, 0x8B, 0x54, 0x24,
                0x18, 0x4D, 0x8B, 0x54, 0x24, 0x20, 0x45, 0x31, 0xC0, 0x45, 0x31, 0xC9, 0x0F, 0x05, 0x49, 0x89, 0x04,
                0x24, 0x49, 0x83, 0xC4, 0x28, 0x49, 0xFF, 0xCD, 0xEB, 0xCE, 0xB8, 1, 0, 0, 0, 0xBF, 1, 0, 0, 0, 0x48,
                0x8D, 0x35, 0x27, 0, 0, 0, 0x48, 0x8B, 0x15, 0x18, 0, 0, 0, 0x0F, 0x05, 0xB8, 0x3C, 0, 0, 0, 0x31,
                0xFF, 0x0F, 0x05, 0x0F, 0x1F, 0x44, 0, 0,
            ]
            if legacy, let call = code.indices.first(where: { code[$0...].starts(with: [0x0F, 0x05]) }) {
                code.replaceSubrange(call...call + 1, with: [0xCD, 0x80])
            }
            let table = calls.flatMap { call in
                (call + [0, 0, 0, 0]).prefix(5).map { UInt64(bitPattern: $0) }
            }
            let body = code + bytes([UInt64(calls.count), UInt64(calls.count * 40)] + table)
            let start: UInt64 = 0x40_0000
            var file: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0, 1, 0, 0, 0]
            file += bytes([start + 120, 64, 0]) + [0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]
            // One segment that may be read, written and run.
            file += [1, 0, 0, 0, 7, 0, 0, 0]
            let size = UInt64(120 + body.count)
            return file + bytes([0, start, start, size, size, 4096]) + body
        }

        private func answers(
            _ calls: [[Int64]], legacy: Bool = false, _ change: (inout LaunchSpec) -> Void = { _ in }
        ) throws -> [Int64] {
            var spec = fixture.spec("/probe")
            let layer = spec.socketDirectory + "/layer"
            mkdir(layer, 0o755)
            try Data(Self.prober(calls, legacy: legacy)).write(to: URL(filePath: layer + "/probe"))
            chmod(layer + "/probe", 0o4755)
            spec.lowerPaths = [layer, ContainerFixture.lower]
            // Read as bytes that need not be text.
            spec.arguments = ["sh", "-c", "/probe | od -A n -v -t d8 -w40"]
            change(&spec)
            let output = try fixture.run(spec).output
            return output.split(separator: "\n").compactMap { $0.split(separator: " ").first.flatMap { Int64($0) } }
        }

        /// Calls that docker's profile keeps from a container with the usual capabilities, by name and number.
        private static let blocked: [(name: String, number: Int64)] = [
            ("_sysctl", 156), ("acct", 163), ("add_key", 248), ("bpf", 321), ("clock_settime", 227),
            ("create_module", 174), ("delete_module", 176), ("fanotify_init", 300),
            ("finit_module", 313), ("fsconfig", 431), ("fsmount", 432), ("fsopen", 430), ("fspick", 433),
            ("get_kernel_syms", 177), ("get_mempolicy", 239), ("init_module", 175), ("ioperm", 173), ("iopl", 172),
            ("kexec_file_load", 320), ("kexec_load", 246), ("keyctl", 250), ("lookup_dcookie", 212), ("mbind", 237),
            ("mount", 165), ("mount_setattr", 442), ("move_mount", 429), ("move_pages", 279), ("nfsservctl", 180),
            ("open_by_handle_at", 304), ("open_tree", 428), ("perf_event_open", 298), ("pivot_root", 155),
            ("query_module", 178), ("quotactl", 179), ("reboot", 169), ("request_key", 249), ("set_mempolicy", 238),
            ("setdomainname", 171), ("sethostname", 170), ("setns", 308), ("settimeofday", 164), ("swapoff", 168),
            ("swapon", 167), ("sysfs", 139), ("syslog", 103), ("umount2", 166), ("unshare", 272), ("uselib", 134),
            ("userfaultfd", 323), ("ustat", 136), ("vhangup", 153), ("clone3", 435),
        ]

        @Test func blockedCallsAreRefused() throws {
            let results = try answers(Self.blocked.map { [$0.number, 0, 0, 0, 0] })
            #expect(results.count == Self.blocked.count)
            for (call, result) in zip(Self.blocked, results) {
                // clone3's flags cannot be seen by a filter: "no such call" makes libraries try the older one.
                #expect(result == -Int64(call.name == "clone3" ? ENOSYS : EPERM), "\(call.name): \(result)")
            }
        }

        /// The same by the numbers of 32-bit programs and of x32: one door closed, the others too.
        @Test func otherNumbersAreRefused() throws {
            let legacy: [(name: String, number: Int64)] = [
                ("mount", 21), ("umount2", 52), ("reboot", 88), ("init_module", 128), ("delete_module", 129),
                ("pivot_root", 217), ("kexec_load", 283), ("add_key", 286), ("keyctl", 288), ("unshare", 310),
                ("perf_event_open", 336), ("open_by_handle_at", 342), ("setns", 346), ("bpf", 357),
                ("userfaultfd", 374), ("fsopen", 430), ("settimeofday", 79), ("stime", 25), ("iopl", 110), ("acct", 51),
                ("sethostname", 74), ("swapon", 87), ("syslog", 103),
            ]
            // getpid first: a kernel without 32-bit calls kills the program.
            let results = try answers([[20]] + legacy.map { [$0.number] }, legacy: true)
            if results.first ?? 0 > 0 {
                for (call, result) in zip(legacy, results.dropFirst()) {
                    #expect(result == -Int64(EPERM), "\(call.name): \(result)")
                }
            }
            let x32: Int64 = 0x4000_0000
            for (call, result) in zip(Self.blocked, try answers(Self.blocked.map { [$0.number | x32] })) {
                #expect(result == -Int64(EPERM) || result == -Int64(ENOSYS), "x32 \(call.name): \(result)")
            }
        }

        /// Calls of which only some arguments are refused.
        @Test func argumentsAreLookedAt() throws {
            let (newUser, vsock, alg): (Int64, Int64, Int64) = (0x1000_0000, 40, 38)
            let calls: [(call: [Int64], refused: Bool)] = [
                ([56, newUser | 17, 0, 0, 0], true), ([56, 0x2000_0000 | 17, 0, 0, 0], true),
                ([41, vsock, 1, 0, 0], true), ([41, 1, 1, 0, 0], false), ([135, 0xFFFF_FFFF, 0, 0, 0], false),
                ([135, 0x0800_0000, 0, 0, 0], true), ([41, alg, 5, 0, 0], false), ([39, 0, 0, 0, 0], false),
            ]
            let results = try answers(calls.map(\.call))
            for (call, result) in zip(calls, results) where call.refused {
                #expect(result == -Int64(EPERM), "\(call.call): \(result)")
            }
            #expect(results.count == calls.count && results[3] > 0 && results[4] >= 0 && results[7] > 0)
        }

        /// A set-user-id program is its owner, unless the container says that rights only shrink.
        @Test(.enabled(if: ContainerFixture.hasManyIDs, "there is one id alone here"))
        func setUserID() throws {
            let ask: [[Int64]] = [[107, 0, 0, 0, 0], [102, 0, 0, 0, 0]]
            #expect(try answers(ask) { $0.user = "ann" } == [0, 1000])
            let shrinking = try answers(ask) { spec in
                spec.user = "ann"
                spec.noNewPrivileges = true
            }
            #expect(shrinking == [1000, 1000])
        }

        /// Two containers have keyrings of their own, also where the filter would let them ask.
        @Test func keyrings() throws {
            let ask: [[Int64]] = [[250, 0, -3, 0, 0]]
            let serials = try (0..<2).flatMap { _ in try answers(ask) { $0.seccomp = .unconfined } }
            // A kernel without keyrings has none to share: it answers ENOSYS to both.
            #expect(Set(serials).count == 2 || serials == [-Int64(ENOSYS), -Int64(ENOSYS)])
        }
        #endif
    }
}
