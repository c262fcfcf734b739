import CDCMTK
import Glibc

/// A started decoding process and the socket to it; when released, the process is killed.
///
/// `@safe` and immutable after init; used by one thread at a time, see ``DecodingProcess``.
@safe final class WorkerConnection: Sendable {
    private let process: pid_t
    private let socket: Int32

    /// Starts `executable` with one end of a socket pair as its standard input, and nothing else of this process.
    init(executable: String, arguments: [String]) throws(DICOMError) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw .processFailed(.systemCall(SystemCallText.current("socketpair")))
        }
        defer { close(ends[1]) }
        var started: pid_t = 0
        let number = Self.spawn(executable, arguments, standardInput: ends[1], &started)
        guard number == 0 else {
            close(ends[0])
            throw .processFailed(.systemCall(SystemCallText.text("posix_spawn", number)))
        }
        (process, socket) = (started, ends[0])
    }

    deinit {
        // The group includes the process of the file that is being decoded.
        kill(-process, SIGKILL)
        close(socket)
        while waitpid(process, nil, 0) == -1, errno == EINTR {}
    }

    /// Starts the process; returns an error number.
    private static func spawn(
        _ executable: String,
        _ arguments: [String],
        standardInput: Int32,
        _ process: inout pid_t
    ) -> Int32 {
        // What the loader and sanitizers need; nothing else of this process's environment is passed on.
        let names = ["LD_LIBRARY_PATH", "ASAN_OPTIONS"]
        let inherited = names.compactMap { name -> String? in
            guard let value = unsafe getenv(name) else { return nil }
            return unsafe "\(name)=\(String(cString: value))"
        }
        // The process must have a single thread, and OpenBLAS starts others when it is loaded.
        let environment = inherited + ["OPENBLAS_NUM_THREADS=1"]
        let argumentStrings = unsafe ([executable] + arguments).map { unsafe strdup($0) }
        let environmentStrings = unsafe environment.map { unsafe strdup($0) }
        defer { unsafe (argumentStrings + environmentStrings).forEach { unsafe free($0) } }
        return unsafe dia_spawn(
            executable,
            argumentStrings + [nil],
            environmentStrings + [nil],
            standardInput,
            &process
        )
    }

    /// Sends a request with the descriptor of its file.
    func send(_ message: [UInt8], _ descriptor: Int32) throws(DICOMError) {
        let status = unsafe message.withUnsafeBytes { message in
            unsafe dia_send_descriptor(socket, message.baseAddress, message.count, descriptor)
        }
        guard status == 0 else { throw failure() }
    }

    /// Receives exactly as many bytes as `target` has.
    func receive(into target: UnsafeMutableRawBufferPointer, before deadline: Deadline) throws(DICOMError) {
        var received = 0
        while received < target.count {
            try wait(until: deadline)
            let count = unsafe recv(socket, target.baseAddress.map { unsafe $0 + received }, target.count - received, 0)
            if count > 0 {
                received += count
            } else if count == 0 || errno != EINTR && errno != EAGAIN {
                throw failure()
            }
        }
    }

    /// Receives `count` bytes.
    func receive(_ count: Int, before deadline: Deadline) throws(DICOMError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let outcome = unsafe bytes.withUnsafeMutableBytes { bytes in
            Result { () throws(DICOMError) in try unsafe receive(into: bytes, before: deadline) }
        }
        try outcome.get()
        return bytes
    }

    private func wait(until deadline: Deadline) throws(DICOMError) {
        while true {
            let milliseconds = deadline.remainingMilliseconds
            guard milliseconds > 0 else { throw .processFailed(.timeout(seconds: deadline.seconds)) }
            var wanted = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&wanted, 1, milliseconds) > 0 { return }
        }
    }

    /// Whether the process still runs; it may have been ended from outside.
    var isAlive: Bool {
        var (isSignal, code): (Int32, Int32) = (0, 0)
        return unsafe dia_wait_for_end(process, 0, &isSignal, &code) == 0
    }

    /// Why the process has closed its socket.
    private func failure() -> DICOMError {
        var (isSignal, code): (Int32, Int32) = (0, 0)
        guard unsafe dia_wait_for_end(process, 2000, &isSignal, &code) == 1 else {
            return .processFailed(.invalidAnswer("the connection was closed"))
        }
        return .processFailed(isSignal != 0 ? .signal(code) : .exit(code))
    }
}
