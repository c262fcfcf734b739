import Glibc

/// A window of values that is mapped onto black to white (PS3.3, C.11.2.1.2 and C.11.2.1.3).
public struct Window: Codable, Sendable, Hashable {
    /// The functions of VOI LUT Function (0028,1056).
    public enum Function: String, Codable, Sendable, Hashable {
        /// Linear between `center - width / 2` and `center + width / 2 - 1`; the default of the standard.
        case linear = "LINEAR"
        /// Linear between `center - width / 2` and `center + width / 2`.
        case linearExact = "LINEAR_EXACT"
        /// The logistic function, steepest in the center.
        case sigmoid = "SIGMOID"
    }

    /// The center and width, in values of the modality.
    public let center, width: Double
    /// The function.
    public let function: Function

    /// Creates a window; an invalid width is an error.
    public init(center: Double, width: Double, function: Function = .linear) throws(DICOMError) {
        guard center.isFinite, width.isFinite, function == .linear ? width >= 1 : width > 0 else {
            throw .invalidWindow(center: center, width: width, function: function.rawValue)
        }
        (self.center, self.width, self.function) = (center, width, function)
    }

    /// The brightness of a value, from 0 for black to 1 for white.
    public func callAsFunction(_ value: Double) -> Double {
        switch function {
        case .linear: Self.ramp(value, center: center - 0.5, width: width - 1)
        case .linearExact: Self.ramp(value, center: center, width: width)
        case .sigmoid: 1 / (1 + exp(-4 * (value - center) / width))
        }
    }

    private static func ramp(_ value: Double, center: Double, width: Double) -> Double {
        if value <= center - width / 2 { return 0 }
        if value > center + width / 2 { return 1 }
        return (value - center) / width + 0.5
    }
}
