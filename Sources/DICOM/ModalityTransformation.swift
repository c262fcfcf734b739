/// The transformation of stored values to values of the modality, such as Hounsfield units (PS3.3, C.11.1).
package enum ModalityTransformation: Sendable, Hashable {
    case identity
    case rescale(slope: Double, intercept: Double)
    case table(LookupTable)

    /// The value for a stored value.
    package func callAsFunction(_ stored: Int) -> Double {
        switch self {
        case .identity: Double(stored)
        case .rescale(let slope, let intercept): Double(stored) * slope + intercept
        case .table(let table): Double(table(Double(stored)))
        }
    }

    /// The range of the values for stored values in `range`.
    package func range(_ range: ClosedRange<Int>) -> ClosedRange<Double> {
        if case .table(let table) = self { return 0...Double(table.maximum) }
        let (one, other) = (self(range.lowerBound), self(range.upperBound))
        return min(one, other)...max(one, other)
    }

    /// Reads the transformation of a data set; `functional` is the frame's pixel value transformation, which precedes it.
    init(_ item: DICOMItem, functional: DICOMItem?, stored: ClosedRange<Int>) throws(DICOMError) {
        if let functional, let rescale = try Self.rescale(functional) {
            self = rescale
        } else if let table = item.item(.modalityLUTSequence) {
            let inputs = Double(stored.lowerBound)...Double(stored.upperBound)
            self = .table(try LookupTable(table, inputs: inputs, name: "modality LUT"))
        } else {
            self = try Self.rescale(item) ?? .identity
        }
    }

    private static func rescale(_ item: DICOMItem) throws(DICOMError) -> Self? {
        guard let slope = try item.decimals(.rescaleSlope, name: "Rescale Slope")?.first,
            let intercept = try item.decimals(.rescaleIntercept, name: "Rescale Intercept")?.first
        else { return nil }
        // Far larger numbers than any file needs; the arithmetic stays finite.
        guard abs(slope) <= 1e30, abs(intercept) <= 1e30 else {
            throw .inconsistent("the rescale slope \(slope) or the intercept \(intercept) is too large")
        }
        return .rescale(slope: slope, intercept: intercept)
    }
}
