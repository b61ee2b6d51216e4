import Glibc
import Synchronization

/// Runs a body on several threads at once and throws the first error.
func withThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    final class Job: Sendable {
        let number: Int
        let body: @Sendable (Int) throws -> Void
        let failure = Mutex<(any Error)?>(nil)

        init(_ number: Int, _ body: @escaping @Sendable (Int) throws -> Void) {
            self.number = number
            self.body = body
        }
    }
    let jobs = (0..<count).map { Job($0, body) }
    let threads = jobs.map { job in
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let job = Unmanaged<Job>.fromOpaque(argument).takeRetainedValue()
                do { try job.body(job.number) } catch { job.failure.withLock { $0 = error } }
                return nil
            }, Unmanaged.passRetained(job).toOpaque())
        return thread
    }
    for thread in threads { pthread_join(thread, nil) }
    for job in jobs {
        if let failure = job.failure.withLock({ $0 }) { throw failure }
    }
}
