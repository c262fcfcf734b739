/// The number of an attribute.
struct DICOMTag: Sendable, Hashable {
    let group, element: UInt16

    init(_ group: UInt16, _ element: UInt16) { (self.group, self.element) = (group, element) }

    static let sourceApplicationEntityTitle = Self(0x0002, 0x0016)
    static let transferSyntaxUID = Self(0x0002, 0x0010)
    static let sopClassUID = Self(0x0008, 0x0016)
    static let sopInstanceUID = Self(0x0008, 0x0018)
    static let modality = Self(0x0008, 0x0060)
    static let manufacturer = Self(0x0008, 0x0070)
    static let seriesDescription = Self(0x0008, 0x103E)
    static let bodyPartExamined = Self(0x0018, 0x0015)
    static let viewPosition = Self(0x0018, 0x5101)
    static let studyInstanceUID = Self(0x0020, 0x000D)
    static let seriesInstanceUID = Self(0x0020, 0x000E)

    static let samplesPerPixel = Self(0x0028, 0x0002)
    static let photometricInterpretation = Self(0x0028, 0x0004)
    static let planarConfiguration = Self(0x0028, 0x0006)
    static let numberOfFrames = Self(0x0028, 0x0008)
    static let rows = Self(0x0028, 0x0010)
    static let columns = Self(0x0028, 0x0011)
    static let bitsAllocated = Self(0x0028, 0x0100)
    static let bitsStored = Self(0x0028, 0x0101)
    static let highBit = Self(0x0028, 0x0102)
    static let pixelRepresentation = Self(0x0028, 0x0103)
    static let pixelPaddingValue = Self(0x0028, 0x0120)
    static let pixelPaddingRangeLimit = Self(0x0028, 0x0121)

    static let windowCenter = Self(0x0028, 0x1050)
    static let windowWidth = Self(0x0028, 0x1051)
    static let rescaleIntercept = Self(0x0028, 0x1052)
    static let rescaleSlope = Self(0x0028, 0x1053)
    static let voiLUTFunction = Self(0x0028, 0x1056)
    static let modalityLUTSequence = Self(0x0028, 0x3000)
    static let lutDescriptor = Self(0x0028, 0x3002)
    static let lutData = Self(0x0028, 0x3006)
    static let voiLUTSequence = Self(0x0028, 0x3010)

    static let frameVOILUTSequence = Self(0x0028, 0x9132)
    static let pixelValueTransformationSequence = Self(0x0028, 0x9145)
    static let sharedFunctionalGroupsSequence = Self(0x5200, 0x9229)
    static let perFrameFunctionalGroupsSequence = Self(0x5200, 0x9230)

    /// The descriptor of the palette of a color, 0 for red, 1 for green, 2 for blue.
    static func paletteDescriptor(_ color: Int) -> Self { Self(0x0028, 0x1101 + UInt16(color)) }
    /// The data of the palette of a color.
    static func paletteData(_ color: Int) -> Self { Self(0x0028, 0x1201 + UInt16(color)) }
    /// The segmented data of the palette of a color.
    static func segmentedPaletteData(_ color: Int) -> Self { Self(0x0028, 0x1221 + UInt16(color)) }
}
