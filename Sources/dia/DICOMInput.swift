import Client

/// How `dia` reads DICOM files.
enum DICOMInput {
    /// Renders the images of a file; nil if this `dia` does not read DICOM.
    static let rendering: InputReader.DICOMRendering? = nil
}
