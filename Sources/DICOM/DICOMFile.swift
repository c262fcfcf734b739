import CDCMTK

/// An open DICOM file.
///
/// Used in the decoding process only: parsing hostile files may crash.
///
/// `@safe` because the handle never escapes, and is closed once.
@safe package struct DICOMFile: ~Copyable {
    let transferSyntax: TransferSyntax
    private let file: OpaquePointer

    /// Opens a file, which must not change while it is open.
    package init(path: String) throws(DICOMError) {
        var status: Int32 = 0
        var opened: OpaquePointer?
        let failure = unsafe withMessage { message in
            unsafe opened = unsafe dia_dicom_open(path, &status, message)
            return unsafe opened == nil ? -1 : 0
        }
        guard let pointer = unsafe opened else {
            switch status {
            case DICOMFile.status(DIA_DICOM_UNREADABLE): throw .unreadable("it cannot be opened")
            case DICOMFile.status(DIA_DICOM_NOT_DICOM): throw .notDICOM
            case DICOMFile.status(DIA_DICOM_NO_MEMORY): throw .outOfMemory
            default: throw .invalidFile(failure ?? "")
            }
        }
        unsafe file = unsafe pointer
        let declared = unsafe DICOMItem(dia_dicom_meta(pointer))?.text(.transferSyntaxUID)
        // A file without meta information: DCMTK has recognized one of the native transfer syntaxes.
        transferSyntax = unsafe TransferSyntax(uid: declared ?? String(cString: dia_dicom_transfer_syntax(pointer)))
    }

    deinit { unsafe dia_dicom_close(file) }

    private static func status(_ value: some BinaryInteger) -> Int32 { Int32(value) }

    /// The data set.
    var dataSet: DICOMItem {
        get throws(DICOMError) {
            guard let item = unsafe DICOMItem(dia_dicom_data_set(file)) else { throw .invalidFile("no data set") }
            return item
        }
    }

    /// The metadata; works for files without an image too.
    package var metadata: DICOMMetadata {
        get throws(DICOMError) {
            let item = try dataSet
            let meta = unsafe DICOMItem(dia_dicom_meta(file))
            func text(_ tag: DICOMTag) -> String { item.text(tag) ?? "" }
            var metadata = DICOMMetadata()
            metadata.sopClassUID = text(.sopClassUID)
            metadata.sopInstanceUID = text(.sopInstanceUID)
            metadata.studyInstanceUID = text(.studyInstanceUID)
            metadata.seriesInstanceUID = text(.seriesInstanceUID)
            metadata.modality = text(.modality)
            metadata.bodyPart = text(.bodyPartExamined)
            metadata.viewPosition = text(.viewPosition)
            metadata.manufacturer = text(.manufacturer)
            metadata.sourceApplicationEntityTitle = meta?.text(.sourceApplicationEntityTitle) ?? ""
            metadata.seriesDescription = text(.seriesDescription)
            metadata.numberOfFrames = max(1, Int(text(.numberOfFrames)) ?? 1)
            metadata.bitsStored = Int(item.word(.bitsStored) ?? 0)
            metadata.photometricInterpretation = text(.photometricInterpretation)
            metadata.transferSyntaxUID = transferSyntax.uid
            metadata.rows = Int(item.word(.rows) ?? 0)
            metadata.columns = Int(item.word(.columns) ?? 0)
            return metadata
        }
    }

    /// Whether pixel data are missing, native or encapsulated.
    func requirePixels() throws(DICOMError) -> (isEncapsulated: Bool, Void) {
        let kind = unsafe dia_dicom_pixel_kind(file)
        if kind == Self.status(DIA_DICOM_FLOAT) { throw .floatPixelData }
        guard transferSyntax.kind != .unsupported else {
            throw .unsupportedTransferSyntax(uid: transferSyntax.uid, name: transferSyntax.name)
        }
        guard kind != Self.status(DIA_DICOM_NO_PIXELS) else { throw .noPixelData }
        let isEncapsulated = kind == Self.status(DIA_DICOM_ENCAPSULATED)
        guard isEncapsulated == (transferSyntax.kind != .native) else {
            throw .inconsistent("the pixel data do not have the form of the transfer syntax \(transferSyntax.name)")
        }
        return (isEncapsulated, ())
    }

    /// Reads bytes of native pixel data.
    func nativeBytes(_ range: Range<Int>) throws(DICOMError) -> [UInt8] {
        guard let count = UInt32(exactly: range.count) else { throw .invalidFile("a frame has more than 4 GB") }
        var bytes = [UInt8](repeating: 0, count: range.count)
        let status = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            unsafe dia_dicom_read_native(file, UInt64(range.lowerBound), count, bytes.baseAddress)
        }
        guard status == 0 else { throw .invalidFile("the pixel data cannot be read") }
        return bytes
    }

    /// The number of bytes of native pixel data, and whether they are big-endian words.
    var nativeSize: (bytes: Int, isBigEndianWords: Bool) {
        var isWords: Int32 = 0
        let size = unsafe dia_dicom_native_size(file, &isWords)
        return (Int(clamping: size), unsafe isWords != 0 && dia_dicom_is_big_endian(file) != 0)
    }

    /// The sizes of all fragments.
    var fragmentSizes: [Int] {
        let count = unsafe dia_dicom_fragment_count(file)
        var sizes = [UInt32](repeating: 0, count: Int(count))
        unsafe sizes.withUnsafeMutableBufferPointer { unsafe dia_dicom_fragment_sizes(file, $0.baseAddress, count) }
        return sizes.map(Int.init)
    }

    /// The bytes of a fragment from 0; -1 is the basic offset table.
    func fragment(_ index: Int) throws(DICOMError) -> [UInt8] {
        let size = unsafe dia_dicom_fragment_size(file, Int64(index))
        guard size > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        let status = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            unsafe dia_dicom_read_fragment(file, Int64(index), bytes.baseAddress, size)
        }
        guard status == 0 else { throw .invalidFile("a fragment of the pixel data cannot be read") }
        return bytes
    }
}
