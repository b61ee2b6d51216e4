import Basics
import Glibc

/// One thread that runs one closure and is waited for.
struct WorkerThread: ~Copyable {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private var handle = pthread_t()

    /// Starts it; the closure may use what its creator leaves alone until `join`.
    init(_ body: @escaping () -> Void) throws(ShaleError) {
        let work = Unmanaged.passRetained(Work(body))
        let result = pthread_create(
            &handle, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        guard result == 0 else {
            work.release()
            throw ShaleError(.io, "cannot start a thread", cause: String(cString: strerror(result)))
        }
    }

    consuming func join() { pthread_join(handle, nil) }
}
