import CDCMTK

/// A data set, or an item of a sequence.
///
/// `@safe` because items are used only within the calls of ``DICOMFile``, whose handle outlives them. Values are copied.
@safe struct DICOMItem {
    private let pointer: OpaquePointer

    /// Wraps an item; nil for a null pointer.
    init?(_ pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe self.pointer = pointer
    }

    /// Whether the attribute is present.
    func has(_ tag: DICOMTag) -> Bool { unsafe dia_dicom_has(pointer, tag.group, tag.element) != 0 }

    /// The item of a sequence, counted from 0.
    func item(_ tag: DICOMTag, _ index: Int = 0) -> DICOMItem? {
        guard let index = UInt32(exactly: index) else { return nil }
        return unsafe DICOMItem(dia_dicom_child(pointer, tag.group, tag.element, index))
    }

    /// All items of a sequence.
    func items(_ tag: DICOMTag) -> [DICOMItem] {
        var found: [DICOMItem] = []
        while let next = item(tag, found.count) { found.append(next) }
        return found
    }

    /// The text of an attribute without padding; nil if missing or empty.
    ///
    /// Bytes that are not UTF-8 are taken as Latin-1. Control characters are left out: the text is shown on terminals.
    func text(_ tag: DICOMTag) -> String? {
        var size = 0
        guard let start = unsafe dia_dicom_text(pointer, tag.group, tag.element, &size) else { return nil }
        // Longer values than any VR of the attributes here allows are cut off.
        let bytes = unsafe Array(UnsafeRawBufferPointer(start: start, count: min(size, 4096)).prefix { $0 != 0 })
        let text = String(validating: bytes, as: UTF8.self) ?? String(String.UnicodeScalarView(bytes.map { .init($0) }))
        let shown = text.unicodeScalars.filter { $0.properties.generalCategory != .control }
        var trimmed = String(String.UnicodeScalarView(shown))[...]
        while trimmed.first == " " { trimmed.removeFirst() }
        while trimmed.last == " " { trimmed.removeLast() }
        return trimmed.isEmpty ? nil : String(trimmed)
    }

    /// The bytes of a text attribute as stored; nil if it is missing or not text.
    func rawText(_ tag: DICOMTag) -> [UInt8]? {
        var size = 0
        guard let start = unsafe dia_dicom_text(pointer, tag.group, tag.element, &size) else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: min(size, 4096)))
    }

    /// The decimal numbers of an attribute (VR DS); nil if it is missing or empty.
    func decimals(_ tag: DICOMTag, name: String) throws(DICOMError) -> [Double]? {
        guard let text = text(tag) else { return nil }
        var numbers: [Double] = []
        for value in text.split(separator: "\\") {
            guard let number = Double(value.filter { $0 != " " }), number.isFinite else {
                throw .inconsistent("\(name) is not a list of decimal numbers")
            }
            numbers.append(number)
        }
        return numbers.isEmpty ? nil : numbers
    }

    /// The 16-bit numbers of an attribute (VR US, SS or OW), at most `limit`.
    func words(_ tag: DICOMTag, limit: Int = 1 << 17) -> [UInt16]? {
        var count = 0
        guard let start = unsafe dia_dicom_words(pointer, tag.group, tag.element, &count) else { return nil }
        // Bytes of an unknown VR are not aligned.
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: 2 * min(count, limit))
        return stride(from: 0, to: bytes.count, by: 2).map {
            unsafe bytes.loadUnaligned(fromByteOffset: $0, as: UInt16.self)
        }
    }

    /// Whether the 16-bit numbers of an attribute are stored as signed ones (VR SS).
    func isSigned(_ tag: DICOMTag) -> Bool { unsafe dia_dicom_is_signed(pointer, tag.group, tag.element) != 0 }

    /// The first 16-bit number of an attribute.
    func word(_ tag: DICOMTag) -> UInt16? { words(tag, limit: 1)?.first }
}
