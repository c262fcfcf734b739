import CDCMTK

/// Decodes JPEG 2000 with OpenJPEG.
enum JPEG2000 {
    /// The header of a codestream.
    struct Header: Sendable, Hashable {
        let width, height, components, precision: Int
    }

    /// What the callback of the decoder needs, and its results.
    ///
    /// `@safe` because it owns the samples, which are read only while it is in use.
    @safe private final class Context {
        let check: (Header) throws(DICOMError) -> Void
        var header: Header?
        var error: DICOMError?
        var samples: UnsafeMutableBufferPointer<UInt16>?

        init(_ check: @escaping (Header) throws(DICOMError) -> Void) { self.check = check }

        deinit { unsafe samples?.deallocate() }
    }

    /// Returns the header and the interleaved samples, masked to the precision.
    ///
    /// `check` is called with the header before memory is allocated for the pixels.
    static func decode(
        _ bytes: [UInt8],
        number: Int,
        check: (Header) throws(DICOMError) -> Void
    ) throws(DICOMError) -> (header: Header, samples: [UInt16]) {
        let result = withoutActuallyEscaping(check) { check in
            Result { () throws(DICOMError) in try decode(bytes, number: number, Context(check)) }
        }
        return try result.get()
    }

    private static func decode(
        _ bytes: [UInt8],
        number: Int,
        _ context: Context
    ) throws(DICOMError) -> (header: Header, samples: [UInt16]) {
        let failure = unsafe withMessage { message in
            unsafe dia_jpeg2000_decode(
                bytes,
                bytes.count,
                { raw, context in
                    guard let raw = unsafe raw?.pointee, let context = unsafe context else { return nil }
                    let target = unsafe Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
                    return unsafe JPEG2000.accept(raw, target)
                },
                Unmanaged.passUnretained(context).toOpaque(),
                message
            )
        }
        if let error = context.error { throw error }
        guard failure == nil, let header = context.header, let samples = unsafe context.samples else {
            throw .corruptFrame(frame: number, reason: failure ?? "the codestream is invalid")
        }
        return (header, unsafe Array(samples))
    }

    /// Checks a header and allocates the samples.
    private static func accept(_ raw: dia_jpeg2000_header, _ context: Context) -> UnsafeMutablePointer<UInt16>? {
        let header = Header(
            width: Int(raw.width),
            height: Int(raw.height),
            components: Int(raw.components),
            precision: Int(raw.precision)
        )
        do throws(DICOMError) {
            try context.check(header)
        } catch {
            context.error = error
            return nil
        }
        // The sides and the number of components are those of the attributes, so the product does not overflow.
        let count = header.width * header.height * header.components
        let samples = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: count)
        unsafe samples.initialize(repeating: 0)
        context.header = header
        unsafe context.samples = unsafe samples
        return samples.baseAddress
    }
}
