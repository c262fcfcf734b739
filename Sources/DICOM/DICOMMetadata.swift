/// What is known about an image beside its pixels.
///
/// Nothing in it identifies the patient by name, number or date.
/// A text is empty if the file does not have it. All texts come from the file and are untrusted.
public struct DICOMMetadata: Codable, Sendable, Hashable {
    /// SOP Class UID (0008,0016).
    public var sopClassUID = ""
    /// SOP Instance UID (0008,0018).
    public var sopInstanceUID = ""
    /// Study Instance UID (0020,000D).
    public var studyInstanceUID = ""
    /// Series Instance UID (0020,000E).
    public var seriesInstanceUID = ""
    /// Modality (0008,0060).
    public var modality = ""
    /// Body Part Examined (0018,0015).
    public var bodyPart = ""
    /// View Position (0018,5101).
    public var viewPosition = ""
    /// Manufacturer (0008,0070).
    public var manufacturer = ""
    /// Source Application Entity Title (0002,0016).
    public var sourceApplicationEntityTitle = ""
    /// Series Description (0008,103E).
    public var seriesDescription = ""
    /// Number of Frames (0028,0008), 1 if the file does not say.
    public var numberOfFrames = 1
    /// Bits Stored (0028,0101).
    public var bitsStored = 0
    /// Photometric Interpretation (0028,0004).
    public var photometricInterpretation = ""
    /// The UID of the transfer syntax.
    public var transferSyntaxUID = ""
    /// Rows (0028,0010) and Columns (0028,0011).
    public var rows = 0, columns = 0

    /// Creates metadata without any text.
    public init() {}
}
