/// The attributes of the patient and the study of a file, as stored, for objects that are added to the study.
///
/// They identify the patient: they are written to such objects and to nothing else. The description has no value.
public struct StudyAttributes: Codable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// An attribute.
    struct Attribute: Codable, Sendable {
        let group, element: UInt16
        /// The value representation.
        let vr: String
        /// The bytes in the character set of the file, without padding.
        let value: [UInt8]
    }

    /// The attributes, sorted by their numbers.
    let attributes: [Attribute]

    /// "(attributes of a study)".
    public var description: String { "(attributes of a study)" }
    /// The same.
    public var debugDescription: String { description }

    /// Creates attributes; tests use it.
    init(attributes: [Attribute]) { self.attributes = attributes }

    /// The attributes that are copied, with their value representations and whether an object must have them, if need be
    /// without a value (type 2 of the Patient and General Study modules).
    static let copied: [(tag: DICOMTag, vr: String, isRequired: Bool)] = [
        (DICOMTag(0x0008, 0x0005), "CS", false), (DICOMTag(0x0008, 0x0020), "DA", true),
        (DICOMTag(0x0008, 0x0030), "TM", true), (DICOMTag(0x0008, 0x0050), "SH", true),
        (DICOMTag(0x0008, 0x0090), "PN", true), (DICOMTag(0x0008, 0x0201), "SH", false),
        (DICOMTag(0x0008, 0x1030), "LO", false), (DICOMTag(0x0010, 0x0010), "PN", true),
        (DICOMTag(0x0010, 0x0020), "LO", true), (DICOMTag(0x0010, 0x0021), "LO", false),
        (DICOMTag(0x0010, 0x0030), "DA", true), (DICOMTag(0x0010, 0x0032), "TM", false),
        (DICOMTag(0x0010, 0x0040), "CS", true), (DICOMTag(0x0010, 0x1010), "AS", false),
        (DICOMTag(0x0010, 0x1020), "DS", false), (DICOMTag(0x0010, 0x1030), "DS", false),
        (DICOMTag(0x0020, 0x000D), "UI", true), (DICOMTag(0x0020, 0x0010), "SH", true),
    ]

    /// Reads the attributes of a data set; values that are longer than any of these may be are left out.
    init(_ item: DICOMItem) {
        attributes = Self.copied.compactMap { tag, vr, isRequired in
            let value = item.bytes(tag)
            guard isRequired || value != nil else { return nil }
            return Attribute(group: tag.group, element: tag.element, vr: vr, value: value ?? [])
        }
    }

    /// The value of an attribute of ASCII characters; nil if it has none.
    func text(_ group: UInt16, _ element: UInt16) -> String? {
        let found = attributes.first { $0.group == group && $0.element == element }?.value ?? []
        return found.isEmpty ? nil : String(decoding: found, as: UTF8.self)
    }
}

extension DICOMFile {
    /// The attributes of the patient and the study.
    package var studyAttributes: StudyAttributes { get throws(DICOMError) { StudyAttributes(try dataSet) } }
}

extension DICOMItem {
    /// The bytes of a text attribute without padding; nil if it is missing, empty or longer than 1,024 bytes.
    func bytes(_ tag: DICOMTag) -> [UInt8]? {
        guard let stored = rawText(tag), stored.count <= 1024 else { return nil }
        var value = stored.prefix { $0 != 0 }
        while value.last == 0x20 { value.removeLast() }
        return value.isEmpty ? nil : Array(value)
    }
}
