import Glibc
import RunnerProtocol

extension Supervisor {
    /// Starts another process in the container, for a client that is attached to it then.
    func exec(_ process: ProcessPlan, detached: Bool, for client: Client) {
        do throws(StepFailure) {
            guard first.exitCode == nil else {
                throw StepFailure(step: "exec", errno: ESRCH, words: "container \(plan.containerID) is not running")
            }
            guard !isPaused else {
                throw StepFailure(
                    step: "exec", errno: EBUSY,
                    words: "Container \(plan.containerID) is paused, unpause the container before exec")
            }
            let toolbox = process.toolbox.isEmpty ? nil : ToolboxMount(path: process.toolboxPlace, plan: plan)
            try toolbox?.make(in: first.pid)
            let started = try ExecStart(plan: plan, process: process, container: first.pid, cgroup: cgroup)
                .run(input: process.openStdin && !detached, outputs: !detached)
            started.toolbox = toolbox
            add(started)
            client.send(.started(pid: started.pid))
            if detached {
                client.conclude(.ok)
            } else {
                attach(client, to: started, input: process.openStdin)
            }
        } catch {
            client.conclude(.failed(error))
        }
    }

    /// When the last process that was given tools has ended.
    func removeToolboxes() {
        let given = processes.filter { $0.toolbox != nil }
        guard let place = given.first?.toolbox, given.allSatisfy(\.isFinished) else { return }
        place.remove(from: first.exitCode == nil ? first.pid : nil)
    }
}
