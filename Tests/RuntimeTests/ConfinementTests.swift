import Basics
import FoundationEssentials
import Glibc
import Linux
import OCI
import Runtime
import TestSupport
import Testing

extension RunTests {
    /// What an image or a program in a container may try, and what is left when things end badly.
    @Suite(.serialized, .enabled(if: ContainerFixture.isPossible, "containers cannot run here"))
    struct ConfinementTests {
        let fixture = ContainerFixture()

        /// A container whose top layer holds what the script makes.
        private func layered(layer: (String) -> Void, _ arguments: String...) -> LaunchSpec {
            var spec = fixture.spec("x")
            spec.arguments = arguments
            let path = spec.socketDirectory + "/layer"
            mkdir(path, 0o755)
            layer(path)
            spec.lowerPaths = [path, ContainerFixture.lower]
            return spec
        }

        private func makeFolders(_ root: String, _ names: String...) {
            for name in names {
                try? FileManager.default.createDirectory(
                    atPath: root + "/" + name, withIntermediateDirectories: true)
            }
        }

        @Test func workingDirectoryCannotBeADescriptor() throws {
            for number in 3..<20 {
                var spec = fixture.spec("pwd")
                spec.workingDirectory = "/proc/self/fd/\(number)"
                #expect(throws: ShaleError.self) { try fixture.run(spec) }
            }
        }

        @Test func workingDirectoryLinkStaysInside() throws {
            let spec = {
                var spec = layered(layer: { symlink("/tmp/shale-escape-\(getpid())", $0 + "/w") }, "pwd")
                spec.workingDirectory = "/w/deep"
                return spec
            }()
            #expect(try fixture.run(spec).output == "/tmp/shale-escape-\(getpid())/deep\n")
            #expect(access("/tmp/shale-escape-\(getpid())", F_OK) != 0)
        }

        @Test func linksAtSystemPlacesAreRefused() throws {
            for name in ["proc", "dev", "sys"] {
                let spec = layered(layer: { symlink("/tmp", $0 + "/" + name) }, "true")
                let error = #expect(throws: ShaleError.self) { try fixture.run(spec) }
                #expect(error?.message == "mount /\(name)")
            }
        }

        @Test func linkedResolverIsBoundInside() throws {
            let target = "/run/systemd/resolve/stub-resolv.conf"
            let spec = layered(
                layer: {
                    makeFolders($0, "etc")
                    symlink("../" + target, $0 + "/etc/resolv.conf")
                    symlink("/../../../../tmp/shale-hosts-\(getpid())", $0 + "/etc/hosts")
                }, "sh", "-c",
                "readlink /etc/resolv.conf; cat /etc/hosts | grep -c localhost; grep -c . /proc/self/mountinfo")
            let result = try fixture.run(spec)
            #expect(result.status == 0)
            #expect(result.output.hasPrefix("..//run/systemd/resolve/stub-resolv.conf\n"))
            #expect(access("/tmp/shale-hosts-\(getpid())", F_OK) != 0)
            let stubs = String(decoding: try WholeFile.read(spec.socketDirectory + "/stubs.json"), as: UTF8.self)
            #expect(stubs.contains("\"\(target)\""))
        }

        @Test func bindDestinationLinkStaysInside() throws {
            let outside = TemporaryDirectory()
            ContainerFixture.write(outside.path + "/f", "secret\n")
            var spec = layered(layer: { symlink("/../../etc", $0 + "/link") }, "cat", "/etc/place/f")
            spec.mounts = [BindMount(source: outside.path, destination: "/link/place")]
            #expect(try fixture.run(spec).output == "secret\n")
            #expect(access("/etc/place", F_OK) != 0)
        }

        @Test(arguments: ["/", "/proc", "/proc/sys", "relative", "/a/../proc/x"])
        func destinationsThatAreRefused(_ destination: String) throws {
            var spec = fixture.spec("true")
            spec.mounts = [BindMount(source: "/tmp", destination: destination)]
            let error = #expect(throws: ShaleError.self) { try fixture.run(spec) }
            #expect(error?.code == .invalid)
        }

        @Test(.enabled(if: ContainerFixture.hasManyIDs, "there is one id alone here"))
        func hostileAccounts() throws {
            let spec = {
                var spec = layered(
                    layer: {
                        makeFolders($0, "etc")
                        ContainerFixture.write(
                            $0 + "/etc/passwd", "::::\nann\nann:x:-1:99999999999:\nann:x:7:8::/h:\n\u{0}\n")
                        symlink("/proc/self/environ", $0 + "/etc/group")
                    }, "sh", "-c", "id -u; id -g; echo $HOME")
                spec.user = "ann"
                return spec
            }()
            #expect(try fixture.run(spec).output == "7\n8\n/h\n")
        }

        /// CVE-2019-5736: a container whose program is the runner itself, or that holds it open, must not change it.
        @Test func runnerCannotBeOverwritten() throws {
            let before = try WholeFile.read(ContainerFixture.runnerPath, limit: 64 << 20).count
            let status = try FileStatus.of(hostPath: ContainerFixture.runnerPath)
            let script = layered(
                layer: {
                    makeFolders($0, "bin")
                    ContainerFixture.write($0 + "/bin/attack", "#!/proc/self/exe\n")
                    chmod($0 + "/bin/attack", 0o755)
                }, "/bin/attack")
            _ = try? fixture.run(script)
            // From within: the joining process's program, for as long as it can be caught.
            let running = fixture.spec(
                "sh", "-c",
                """
                while :; do for p in /proc/[0-9]*; do
                case "$p" in /proc/1|/proc/$$) continue;; esac
                echo x 2>/dev/null >> $p/exe; chmod 4777 $p/exe 2>/dev/null; done; done
                """)
            _ = try fixture.runtime.start(running, attach: nil)
            for _ in 0..<30 { _ = try fixture.exec(running, ExecSpec(arguments: ["true"])) }
            _ = try fixture.runtime.stop(socketDirectory: running.socketDirectory, timeout: 0)
            #expect(try WholeFile.read(ContainerFixture.runnerPath, limit: 64 << 20).count == before)
            let after = try FileStatus.of(hostPath: ContainerFixture.runnerPath)
            #expect(after.permissions == status.permissions)
            #expect(after.modified == status.modified)
        }

        @Test func nothingIsInherited() throws {
            let extra = try (0..<20).map { _ in try OwnedFD.open("/etc", O_RDONLY).release() }
            for fd in extra { _ = fcntl(fd, F_SETFD, 0) }
            defer { for fd in extra { close(fd) } }
            let spec = fixture.spec(
                "sh", "-c", "ls /proc/self/fd | wc -l; grep -E 'SigBlk|SigIgn' /proc/self/status; umask")
            let expected = "4\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0022\n"
            #expect(try fixture.run(spec).output == expected)
            _ = try fixture.runtime.start(fixture.spec("sleep", "0.1"), attach: nil)
        }

        @Test func namespacesCannotBeMade() throws {
            let spec = fixture.spec(
                "sh", "-c",
                "unshare -m true 2>/dev/null || echo refused"
            )
            #expect(try fixture.run(spec).output.contains("refused"))
        }

        @Test func privilegedLiftsIt() throws {
            var spec = fixture.spec(
                "sh", "-c",
                "grep Seccomp: /proc/self/status; mount -t tmpfs none /tmp && echo mounted"
            )
            spec.host.privileged = true
            let output = try fixture.run(spec).output
            #expect(output.contains("Seccomp:\t0"))
            #expect(output.contains("mounted"))
        }

        @Test func readOnlyRoot() throws {
            var spec = fixture.spec("sh", "-c", "touch /x || echo ro; touch /dev/shm/x && touch /scratch/x && echo rw")
            spec.host.readOnlyRoot = true
            spec.temporaryMounts = [TemporaryMount(destination: "/scratch")]
            #expect(try fixture.run(spec).output == "ro\nrw\n")
        }

        @Test func capabilitiesAndProfilesAsAsked() throws {
            var spec = fixture.spec("sh", "-c", "grep CapEff /proc/self/status; chmod 600 /etc/passwd || echo refused")
            spec.capabilities = try #require(Capabilities(name: "CHOWN"))
            let profile = spec.socketDirectory + "/profile.json"
            ContainerFixture.write(
                profile,
                """
                {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
                {"names":["chmod","fchmod","fchmodat","fchmodat2"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}
                """)
            spec.seccomp = .profile(path: profile)
            let output = try fixture.run(spec).output
            #expect(output == "CapEff:\t0000000000000001\nrefused\n")
            spec.seccomp = .unconfined
            #expect(!(try fixture.run(spec).output.contains("refused")))
            ContainerFixture.write(profile, "{\"defaultAction\": 3}")
            spec.seccomp = .profile(path: profile)
            #expect(throws: ShaleError.self) { try fixture.run(spec) }
        }

        @Test func limitsAreBorneOrSet() throws {
            var spec = fixture.spec("sh", "-c", "ulimit -n; ulimit -c")
            spec.host.ulimits = [
                "nofile=100:200", "core=0",
            ]
            #expect(try fixture.run(spec).output.hasPrefix("100\n"))
            // Beyond what the kernel gives anyone: not kept as if it held.
            spec.host.ulimits = ["nofile=-1"]
            let refusal = #expect(throws: ShaleError.self) { _ = try fixture.run(spec) }
            #expect(refusal.map { "\($0)" }?.contains("error setting rlimit type 7: operation not permitted") == true)
        }

        @Test(.enabled(if: !UserNamespace.isInside, "cgroups need real root")) func resourcesAreLimited() throws {
            var spec = fixture.spec("sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 0.2 & done; wait")
            spec.host.pidsLimit = 4
            #expect(try fixture.run(spec).errors.contains("can't fork"))
            spec = fixture.spec("sh", "-c", "dd if=/dev/zero of=/dev/null bs=64M count=1; echo $?")
            spec.host.memory = 16 << 20
            spec.host.memorySwap = 16 << 20
            spec.arguments = ["dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"]
            #expect(try fixture.run(spec).status == 137)
            #expect(fixture.state(spec)?["oomKilled"]?.bool == true)
        }

        @Test func reaperReapsAndForwards() throws {
            var spec = fixture.spec(
                "sh", "-c",
                "cat /proc/1/comm; (sleep 0.01 & ) ; trap 'exit 8' TERM; echo ready; while :; do sleep 0.05; done")
            spec.host.useInit = true
            _ = try fixture.runtime.start(spec, attach: nil)
            #expect(ContainerFixture.eventually { fixture.log(spec).count == 2 })
            // The loop's own sleep is one too, until the shell has waited for it.
            #expect(
                ContainerFixture.eventually {
                    let count = ["sh", "-c", "ps | grep -c '[Zz]ombie\\|\\[sleep\\]'"]
                    return (try? fixture.exec(spec, ExecSpec(arguments: count)))?.output == "0\n"
                })
            #expect(try fixture.runtime.stop(socketDirectory: spec.socketDirectory) == 8)
            var failing = fixture.spec("nada")
            failing.host.useInit = true
            let error = #expect(throws: ShaleError.self) { try fixture.run(failing) }
            #expect(error?.code == .commandNotFound)
        }

        // MARK: What is left

        /// Whether anything of this test's is in the mount table.
        private func isMounted() throws -> Bool {
            String(decoding: try WholeFile.read("/proc/self/mountinfo"), as: UTF8.self)
                .contains(fixture.directory.path)
        }

        private func isGone(_ pid: Int32) -> Bool { kill(pid, 0) != 0 && errno == ESRCH }

        private func runner(_ spec: LaunchSpec) -> Int32 { Int32(fixture.state(spec)?["runnerPid"]?.int ?? 0) }

        @Test func detachedRunnerIsItsOwnMaster() throws {
            let spec = fixture.spec("sleep", "5")
            _ = try fixture.runtime.start(spec, attach: nil)
            let pid = runner(spec)
            let stat = String(decoding: try WholeFile.read("/proc/\(pid)/stat", limit: 4096), as: UTF8.self)
            let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
            // Not this process's child, not in its session.
            #expect(fields[2] != "\(getpid())")
            #expect(fields[4] != "\(getsid(0))")
            #expect(try fixture.runtime.stop(socketDirectory: spec.socketDirectory, timeout: 0) == 137)
        }

        @Test func killedRunnerTakesItsContainerAlong() throws {
            let spec = fixture.spec("sh", "-c", "sleep 100 & sleep 100")
            let container = try fixture.runtime.start(spec, attach: nil)
            kill(runner(spec), SIGKILL)
            #expect(ContainerFixture.eventually { isGone(container.pid) })
            #expect(try recover(spec))
            #expect(fixture.state(spec)?["exitCode"]?.int == 137)
            #expect(fixture.state(spec)?["status"]?.string == "exited")
            #expect(try !recover(spec))
        }

        private func recover(_ spec: LaunchSpec) throws -> Bool {
            try ContainerRuntime.recover(
                containerID: spec.containerID, socketDirectory: spec.socketDirectory, statePath: spec.statePath)
        }

        @Test(.enabled(if: ContainerFixture.hasManyIDs, "there is one id alone here"))
        func recoveryEndsWhatOutlivedItsRunner() throws {
            // A change of ids loses the death signal.
            let spec = fixture.spec("busybox", "start-stop-daemon", "-S", "-c", "ann", "-x", "/bin/sleep", "--", "100")
            let container = try fixture.runtime.start(spec, attach: nil)
            usleep(200_000)
            #expect(try !recover(spec))
            kill(runner(spec), SIGKILL)
            #expect(ContainerFixture.eventually { !ContainerRuntime.isAlive(socketDirectory: spec.socketDirectory) })
            #expect(try recover(spec))
            #expect(ContainerFixture.eventually { isGone(container.pid) })
        }

        @Test func manyLeaveNothing() throws {
            let fixture = fixture
            let specs = (0..<50).map { number in
                var spec = fixture.spec("sh", "-c", "sleep 0.2; echo \(number); exit \(number)")
                spec.volatile = true
                return spec
            }
            let runs = specs.map { spec in Background { try fixture.run(spec) } }
            for (number, run) in runs.enumerated() {
                let result = try run.get()
                #expect(result == ContainerFixture.Result(status: Int32(number), output: "\(number)\n", errors: ""))
            }
            #expect(try !isMounted())
            for spec in specs {
                #expect(access(spec.socketDirectory + "/control.sock", F_OK) != 0)
                #expect(
                    ContainerFixture.eventually {
                        !ContainerRuntime.isAlive(socketDirectory: spec.socketDirectory) && isGone(runner(spec))
                            || isZombie(runner(spec))
                    })
                for group in ControlGroups.current.legacy.values + [ControlGroups.current.unified ?? ""] {
                    #expect(access("\(group)/shale/\(spec.containerID.prefix(32))", F_OK) != 0)
                }
            }
        }

        /// Ended, and waiting for this process to start another container.
        private func isZombie(_ pid: Int32) -> Bool {
            let stat = (try? WholeFile.read("/proc/\(pid)/stat", limit: 4096)) ?? []
            return String(decoding: stat, as: UTF8.self).contains(") Z ")
        }

        @Test func startedAgain() throws {
            let spec = fixture.spec("sh", "-c", "cat /mark 2>/dev/null; echo x > /mark; sleep 0.05")
            #expect(try fixture.run(spec).output == "")
            #expect(try fixture.run(spec).output == "x\n")
            var volatile = spec
            volatile.volatile = true
            #expect(try fixture.run(volatile).output == "x\n")
            #expect(try fixture.run(spec).output == "x\n")
            _ = try fixture.runtime.start(spec, attach: nil)
            let waited = try fixture.runtime.wait(socketDirectory: spec.socketDirectory)
            #expect(waited == 0)
            #expect(try fixture.run(spec).output == "x\n")
        }

        @Test func afterExitRuns() throws {
            var spec = fixture.spec("true")
            spec.afterExit = ["/bin/busybox", "touch", spec.socketDirectory + "/after"]
            _ = try fixture.runtime.start(spec, attach: nil)
            #expect(ContainerFixture.eventually { access(spec.socketDirectory + "/after", F_OK) == 0 })
            // In the foreground it is the shell's business.
            var seen = fixture.spec("true")
            seen.afterExit = ["/bin/busybox", "touch", seen.socketDirectory + "/after"]
            #expect(try fixture.run(seen).status == 0)
            // Unless the shell has gone.
            var left = fixture.spec("sleep", "0.2")
            left.afterExit = ["/bin/busybox", "touch", left.socketDirectory + "/after"]
            do { _ = try fixture.runtime.start(left, attach: Collector().streams(input: nil)) }
            #expect(ContainerFixture.eventually { access(left.socketDirectory + "/after", F_OK) == 0 })
            #expect(access(seen.socketDirectory + "/after", F_OK) != 0)
        }

        @Test func brokenStartsLeaveNothing() throws {
            var spec = fixture.spec("true")
            spec.lowerPaths = ["/no/such/layer"]
            let error = #expect(throws: ShaleError.self) { try fixture.run(spec) }
            #expect(error?.code == .engine)
            spec = fixture.spec("true")
            spec.mounts = [BindMount(source: "/no/such/source", destination: "/x")]
            #expect(throws: ShaleError.self) { try fixture.run(spec) }
            #expect(!ContainerRuntime.isAlive(socketDirectory: spec.socketDirectory))
            #expect(access(spec.socketDirectory + "/control.sock", F_OK) != 0)
            #expect(try !isMounted())
        }

        @Test func manyLayers() throws {
            var spec = fixture.spec("sh", "-c", "cat /layers/* | wc -l")
            var lowers: [String] = []
            for number in 0..<120 {
                let path = "\(spec.socketDirectory)/a-rather-long-name-for-a-layer-as-digests-are-\(number)"
                makeFolders(path, "layers")
                ContainerFixture.write("\(path)/layers/\(number)", "\(number)\n")
                lowers.append(path)
            }
            spec.lowerPaths = lowers + [ContainerFixture.lower]
            #expect(try fixture.run(spec).output == "120\n")
        }
    }
}
