import CDCMTK
import FoundationEssentials
import Glibc
import Imaging

/// The decoding process: waits for files and decodes each in a process of its own.
///
/// The first process loads the libraries once and never looks into a file. For each file it forks a process that has
/// limits, decodes the file and ends. If that process fails, the first one ends in the same way, and
/// ``DecodingProcess`` starts another.
public enum DecodingWorker {
    /// The subcommand that executables reserve for ``main()``.
    public static let subcommand = "decode-dicom"

    /// The descriptor of the socket.
    private static let socket: Int32 = 0

    /// Calls ``main()`` if the arguments of the program are its name and ``subcommand``.
    ///
    /// Programs call this before anything that starts threads, because only the calling thread survives a fork.
    public static func runIfRequested(_ arguments: [String]) {
        if arguments.count == 2, arguments[1] == subcommand { main() }
    }

    /// Serves the socket on standard input until it is closed; never returns.
    public static func main() -> Never {
        signal(SIGPIPE, SIG_DFL)
        dia_dicom_initialize()
        while true {
            var message = [UInt8](repeating: 0, count: DecodingRequest.size)
            var descriptor: Int32 = -1
            let received = unsafe message.withUnsafeMutableBytes { message in
                unsafe dia_receive_descriptor(socket, message.baseAddress, message.count, &descriptor)
            }
            guard received == 1 else { exit(received == 0 ? 0 : 2) }
            let child = dia_fork()
            if child == 0 { decode(message, descriptor) }
            close(descriptor)
            guard child > 0 else { exit(3) }
            wait(for: child)
        }
    }

    /// Waits for the process of a file; if it has failed, ends this process in the same way.
    private static func wait(for child: pid_t) {
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) == -1 {
            guard errno == EINTR else { exit(4) }
        }
        let number = status & 0x7F
        if number != 0 {
            signal(number, SIG_DFL)
            raise(number)
            exit(128 + number)
        }
        let code = status >> 8 & 0xFF
        if code != 0 { exit(code) }
    }

    /// Decodes one file; runs in the process of that file.
    private static func decode(_ message: [UInt8], _ descriptor: Int32) -> Never {
        guard let request = try? DecodingRequest(message: message) else { exitNow(5) }
        var limits = dia_limits(
            address_space: UInt64(max(0, request.limits.memoryBytes)),
            open_files: UInt64(max(0, descriptor)) + 16
        )
        guard unsafe dia_restrict(&limits) == 0 else { exitNow(6) }
        startFrame(request.limits)
        do {
            do throws(DICOMError) {
                try answer(request, path: "/proc/self/fd/\(descriptor)")
            } catch {
                alarm(0)
                try send(DecodingRecord.encode(.error, error))
            }
            try send(DecodingRecord.header(.end, length: 0))
        } catch {
            exitNow(7)
        }
        exitNow(0)
    }

    /// Sends the metadata and the frames.
    private static func answer(_ request: DecodingRequest, path: String) throws(DICOMError) {
        let file = try DICOMFile(path: path)
        sendOrExit { try DecodingRecord.encode(.metadata, file.metadata) }
        if request.includesStudy { sendOrExit { try DecodingRecord.encode(.study, file.studyAttributes) } }
        guard !request.metadataOnly else { return }
        try file.render(request.options, willDecode: { _ in startFrame(request.limits) }) { frame in
            // Sending waits for the parent, which may be busy.
            alarm(0)
            let image = frame.image
            sendOrExit {
                let header = DecodingRecord.Frame(height: image.height, width: image.width, record: frame.record)
                return try DecodingRecord.encode(.frame, header)
                    + DecodingRecord.header(.samples, length: 2 * image.samples.count)
            }
            unsafe image.samples.withUnsafeBytes { samples in
                guard unsafe write(samples) else { exitNow(7) }
            }
        }
    }

    /// Starts the clocks; the alarm is for the case that the parent, which watches the time, has ended.
    private static func startFrame(_ limits: DecodingLimits) {
        _ = dia_limit_processor_time(UInt64(max(0, limits.processorSeconds)))
        alarm(UInt32(clamping: 10 + 2 * max(1, min(limits.seconds, 1 << 30))))
    }

    private static func sendOrExit(_ bytes: () throws -> [UInt8]) {
        do {
            try send(bytes())
        } catch {
            exitNow(7)
        }
    }

    private static func send(_ bytes: [UInt8]) throws(CancellationError) {
        let isComplete = unsafe bytes.withUnsafeBytes { unsafe write($0) }
        if !isComplete { throw CancellationError() }
    }

    /// Writes all bytes to the socket; returns false if it is closed.
    private static func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = unsafe bytes[...]
        while unsafe !rest.isEmpty {
            let count = unsafe Glibc.write(socket, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count > 0 {
                unsafe rest = unsafe rest.dropFirst(count)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Ends the process without running the exit handlers of the libraries.
    private static func exitNow(_ status: Int32) -> Never { _exit(status) }
}
