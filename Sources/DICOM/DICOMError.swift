/// Why a DICOM file cannot be rendered: what is wrong, and what to do about it.
public enum DICOMError: Error, Codable, Sendable, Hashable {
    /// The file cannot be opened or read.
    case unreadable(String)
    /// The file does not start like a DICOM file.
    case notDICOM
    /// The structure of the file is invalid, or the file is truncated.
    case invalidFile(String)
    /// An attribute that is needed is missing.
    case missing(String)
    /// An attribute has a value that contradicts others or the standard.
    case inconsistent(String)
    /// The file holds no image.
    case noPixelData
    /// The pixel data are floating-point numbers.
    case floatPixelData
    /// No decoder for the transfer syntax.
    case unsupportedTransferSyntax(uid: String, name: String)
    /// No conversion to gray from this photometric interpretation.
    case unsupportedPhotometricInterpretation(String)
    /// The pixel data end before the last pixel of a frame.
    case truncatedPixelData(frame: Int, bytes: Int, expected: Int)
    /// A compressed frame cannot be decompressed.
    case corruptFrame(frame: Int, reason: String)
    /// The frames of compressed pixel data cannot be distinguished.
    case ambiguousFragments(fragments: Int, frames: Int)
    /// A frame has more pixels than allowed.
    case tooManyPixels(rows: Int, columns: Int, limit: Int)
    /// The chosen frame does not exist.
    case frameOutOfRange(frame: Int, frames: Int)
    /// The chosen VOI LUT or window does not exist.
    case windowOutOfRange(index: Int, count: Int)
    /// A window with a width that its function does not allow.
    case invalidWindow(center: Double, width: Double, function: String)
    /// An image of more than 8 bits cannot be rendered as it is.
    case needsWindow(bits: Int)
    /// The file needs more memory than the decoding process may have.
    case outOfMemory
    /// The decoding process ended without a result.
    case processFailed(DecodingFailure)
}

/// How a decoding process failed.
public enum DecodingFailure: Codable, Sendable, Hashable {
    /// It could not be started, or a call for talking to it failed.
    case systemCall(String)
    /// A signal ended it.
    case signal(Int32)
    /// It exited with a status.
    case exit(Int32)
    /// It took longer than allowed.
    case timeout(seconds: Int)
    /// Its answer was not valid.
    case invalidAnswer(String)
}

extension DICOMError: CustomStringConvertible {
    /// The message for the user.
    public var description: String {
        switch self {
        case .unreadable(let reason): "the file cannot be read: \(reason)"
        case .notDICOM: "the file is not a DICOM file: it has neither the prefix DICM nor a data set at its start"
        case .invalidFile(let reason): "the DICOM file is invalid or truncated: \(reason); retrieve it again"
        case .missing(let attribute): "the attribute \(attribute) is missing; without it the pixels have no meaning"
        case .inconsistent(let reason): "the attributes of the image contradict each other: \(reason)"
        case .noPixelData: "the file has no pixel data; only images can be rendered"
        case .floatPixelData: "the pixel data are floating-point numbers, which is not supported; only integers are"
        case .unsupportedTransferSyntax(let uid, let name):
            "the transfer syntax \(uid) (\(name)) is not supported; convert the file to another one, for instance to "
                + "Explicit VR Little Endian"
        case .unsupportedPhotometricInterpretation(let name):
            "the photometric interpretation \(name) is not supported; supported are MONOCHROME1, MONOCHROME2, RGB, "
                + "YBR_FULL, YBR_FULL_422, YBR_ICT, YBR_RCT and PALETTE COLOR"
        case .truncatedPixelData(let frame, let bytes, let expected):
            "the pixel data are truncated: frame \(frame) has \(bytes) of \(expected) bytes; retrieve the file again"
        case .corruptFrame(let frame, let reason): "frame \(frame) cannot be decompressed: \(reason)"
        case .ambiguousFragments(let fragments, let frames):
            "the pixel data have \(fragments) fragments for \(frames) frames, and no offset table tells where a frame "
                + "begins"
        case .tooManyPixels(let rows, let columns, let limit):
            "a frame has \(columns) x \(rows) pixels, the limit is \(limit) pixels"
        case .frameOutOfRange(let frame, let frames):
            "there is no frame \(frame); the file has \(frames), counted from 1"
        case .windowOutOfRange(let index, let count):
            "there is no VOI LUT or window \(index); the file has \(count), counted from 1"
        case .invalidWindow(let center, let width, let function):
            "the window with center \(center) and width \(width) is invalid: the function \(function) needs a finite "
                + "center and a width of \(function == "LINEAR" ? "at least 1" : "more than 0")"
        case .needsWindow(let bits):
            "the image has \(bits) bits, and only images of up to 8 bits can be rendered without a window; choose the "
                + "window voi or full"
        case .outOfMemory: "the file needs more memory than allowed; allow the decoding process more if it is trusted"
        case .processFailed(let failure): failure.description
        }
    }
}

extension DecodingFailure: CustomStringConvertible {
    /// The message for the user.
    public var description: String {
        switch self {
        case .systemCall(let reason): "the decoding process cannot be used: \(reason)"
        case .signal(let number):
            "the decoding process was ended by \(Self.name(ofSignal: number)); the file is defective or needs too much memory"
        case .exit(let status): "the decoding process ended unexpectedly with status \(status)"
        case .timeout(let seconds): "decoding took longer than \(seconds) s and was ended"
        case .invalidAnswer(let reason): "the answer of the decoding process is invalid: \(reason)"
        }
    }

    private static func name(ofSignal number: Int32) -> String {
        let names: [Int32: String] = [
            4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV",
            14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
        ]
        return names[number] ?? "signal \(number)"
    }
}
