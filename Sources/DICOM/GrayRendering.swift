/// The rendering of a monochrome frame: modality transformation, values of interest, inversion (PS3.4, N.2).
package struct GrayRendering: Sendable {
    /// How values become brightness, resolved for a frame.
    package enum Mapping: Sendable, Hashable {
        case voi(VOITransformation)
        case full
        case asIs
        case minimumToMaximum
    }

    package let modality: ModalityTransformation
    package let mapping: Mapping
    /// The stored values of padding pixels.
    package let padding: ClosedRange<Int>?

    /// Creates a rendering.
    package init(modality: ModalityTransformation, mapping: Mapping, padding: ClosedRange<Int>? = nil) {
        (self.modality, self.mapping, self.padding) = (modality, mapping, padding)
    }

    /// Returns the gray levels of a frame, and how they came about.
    package func render(_ frame: StoredFrame, number: Int) -> (samples: [UInt16], record: RenderingRecord) {
        var record = RenderingRecord(frame: number, method: method)
        record.inverted = frame.photometric == .monochrome1
        let brightness = brightness(frame, &record)
        func level(_ code: UInt32) -> UInt16? {
            let stored = frame.value(code)
            if let padding, padding.contains(stored) { return nil }
            let level = UInt16((max(0, min(brightness(stored), 1)) * 65_535).rounded())
            return record.inverted ? 65_535 - level : level
        }
        var samples: [UInt16] = []
        var padded = 0
        switch frame.codes {
        case .narrow(let codes):
            // There are at most 65,536 codes, usually fewer than pixels.
            let levels = (0..<1 << min(frame.bits, 16)).map { level(UInt32($0)) }
            samples = codes.map { code in
                guard let level = levels[Int(code)] else {
                    padded += 1
                    return 0
                }
                return level
            }
        case .wide(let codes):
            samples = codes.map { code in
                guard let level = level(code) else {
                    padded += 1
                    return 0
                }
                return level
            }
        }
        record.paddingPixels = padded
        return (samples, record)
    }

    private var method: RenderingRecord.Method {
        switch mapping {
        case .voi(.table): .voiLUT
        case .voi(.window): .window
        case .full: .full
        case .asIs: .asIs
        case .minimumToMaximum: .minimumToMaximum
        }
    }

    /// The brightness of stored values, from 0 to 1, before the inversion.
    private func brightness(_ frame: StoredFrame, _ record: inout RenderingRecord) -> (Int) -> Double {
        switch mapping {
        case .voi(let voi):
            record.modality = modality.record
            if case .window(let window) = voi { record.window = window }
            return { voi(modality($0)) }
        case .full, .asIs:
            let range = frame.range
            return Self.ramp(Double(range.lowerBound), Double(range.upperBound), &record) { Double($0) }
        case .minimumToMaximum:
            record.modality = modality.record
            let (minimum, maximum) = extremes(frame)
            return Self.ramp(minimum, maximum, &record) { modality($0) }
        }
    }

    private static func ramp(
        _ minimum: Double,
        _ maximum: Double,
        _ record: inout RenderingRecord,
        _ value: @escaping (Int) -> Double
    ) -> (Int) -> Double {
        (record.minimum, record.maximum) = (minimum, maximum)
        let width = maximum - minimum
        return { width > 0 ? (value($0) - minimum) / width : 0 }
    }

    /// The lowest and highest value of the pixels that are not padding; 0 and 0 if all are.
    private func extremes(_ frame: StoredFrame) -> (Double, Double) {
        var (minimum, maximum) = (Double.infinity, -Double.infinity)
        func take(_ code: UInt32) {
            let stored = frame.value(code)
            if let padding, padding.contains(stored) { return }
            let value = modality(stored)
            (minimum, maximum) = (min(minimum, value), max(maximum, value))
        }
        switch frame.codes {
        case .narrow(let codes):
            var isPresent = [Bool](repeating: false, count: 1 << 16)
            for code in codes { isPresent[Int(code)] = true }
            for code in isPresent.indices where isPresent[code] { take(UInt32(code)) }
        case .wide(let codes):
            for code in codes { take(code) }
        }
        return minimum <= maximum ? (minimum, maximum) : (0, 0)
    }
}

extension ModalityTransformation {
    /// The transformation as it is recorded.
    var record: RenderingRecord.Modality {
        switch self {
        case .identity: .none
        case .rescale(let slope, let intercept): .rescale(slope: slope, intercept: intercept)
        case .table: .table
        }
    }
}
