import Client
import DICOM
import Imaging
import OpenSSL

/// The image that a result is about, as far as the objects with the result need it.
struct ResultSource {
    let metadata: DICOMMetadata
    let record: InstanceRecord
    let study: StudyAttributes
    let frame: RenderedFrame
    /// The digest of the rendered pixels.
    let pixels: String

    init(metadata: DICOMMetadata, record: InstanceRecord, study: StudyAttributes, frame: RenderedFrame) {
        (self.metadata, self.record, self.study, self.frame) = (metadata, record, study, frame)
        let size = "\(frame.image.width)x\(frame.image.height)"
        let samples = frame.image.samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        pixels = size + SHA256.hexadecimal(samples)
    }

    /// A data set with the attributes that all objects have.
    ///
    /// The date and the time are those of the arrival of the image, so that writing again gives the same bytes.
    func dataSet(_ finding: Finding, kind: String, sopClass: String, modality: String) -> (DataSet, series: String) {
        let instance = metadata.sopInstanceUID
        let model = finding.answer.score.model
        let series = DerivedUID.make("series", kind, instance, model.name)
        var set = DataSet()
        set.add(study)
        set.set(0x0008_0016, "UI", sopClass)
        set.set(0x0008_0018, "UI", DerivedUID.make(kind, instance, pixels, model.digest))
        set.set(0x0008_0023, "DA", date)
        set.set(0x0008_0033, "TM", time)
        set.set(0x0008_0060, "CS", modality)
        set.set(0x0008_0070, "LO", DICOMScorer.manufacturer)
        set.set(0x0008_103E, "LO", "\(Notice.text)")
        set.set(0x0008_1090, "LO", "\(finding.program)")
        set.set(0x0018_1000, "LO", "1")
        set.set(0x0018_1020, "LO", "\(model.name) \(model.version)".filter { $0 != "\\" })
        set.set(0x0020_000E, "UI", series)
        set.set(0x0020_0011, "IS", "9001")
        set.set(0x0020_0013, "IS", "1")
        return (set, series)
    }

    private var isDated: Bool {
        let text = record.receptionDate.utf8
        return text.count == 15 && text.dropFirst(8).first == UInt8(ascii: "T")
            && text.enumerated().allSatisfy { $0.offset == 8 || (0x30...0x39).contains($0.element) }
    }
    private var date: String { isDated ? String(record.receptionDate.prefix(8)) : "19000101" }
    private var time: String { isDated ? String(record.receptionDate.suffix(6)) : "000000" }

    /// The ends of the UIDs of Storage SOP classes whose images have one frame, so that a frame must not be named.
    private static let singleFrameClasses: Set<String> = [
        "1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "2", "4", "6.1", "7", "20", "128",
    ]

    private var isMultiFrame: Bool {
        metadata.numberOfFrames > 1
            && !Self.singleFrameClasses.contains(
                String(metadata.sopClassUID.dropFirst("1.2.840.10008.5.1.4.1.1.".count))
            )
    }

    /// The item that refers to the image, with the frame if there are several.
    var reference: DataSet {
        var item = DataSet()
        item.set(0x0008_1150, "UI", metadata.sopClassUID)
        item.set(0x0008_1155, "UI", metadata.sopInstanceUID)
        if isMultiFrame { item.set(0x0008_1160, "IS", "\(frame.record.frame)") }
        return item
    }
}

/// The result of the service, for objects.
struct Finding {
    let answer: ScoreAnswer
    /// The name and version of this program.
    let program: String
}
