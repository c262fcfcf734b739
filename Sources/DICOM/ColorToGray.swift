/// The conversion of color samples to gray.
package enum ColorToGray {
    /// The gray level of 16 bits for samples of `bits` bits.
    ///
    /// It is the luma of Rec. 601, as for PNG files.
    package static func luma(red: Double, green: Double, blue: Double, bits: Int) -> UInt16 {
        let luma = (0.299 * red + 0.587 * green + 0.114 * blue) * 65_535 / Double(1 << bits - 1)
        return UInt16(max(0, min(luma.rounded(), 65_535)))
    }

    /// The red, green and blue samples for samples of YBR_FULL, rounded and clamped to `bits` bits, as viewers do it
    /// (PS3.3, C.7.6.3.1.2).
    package static func rgb(y: Float, cb: Float, cr: Float, bits: Int) -> (red: Double, green: Double, blue: Double) {
        let half = Float(1 << (bits - 1))
        let (cb, cr) = (cb - half, cr - half)
        func sample(_ value: Float) -> Double {
            Double(max(0, min((value + 0.5).rounded(.down), Float(1 << bits - 1))))
        }
        return (
            sample(y + 1.402 * cr), sample(y - 0.114 * 1.772 / 0.587 * cb - 0.299 * 1.402 / 0.587 * cr),
            sample(y + 1.772 * cb)
        )
    }

    /// The gray levels of `pixels` pixels of three samples each, interleaved or one color after the other.
    package static func render(
        _ samples: [some FixedWidthInteger],
        pixels: Int,
        bits: Int,
        isPlanar: Bool,
        isYBR: Bool
    ) -> [UInt16] {
        let (step, plane) = isPlanar ? (1, pixels) : (3, 1)
        return (0..<pixels).map { pixel in
            let place = pixel * step
            let (one, two, three) = (samples[place], samples[place + plane], samples[place + 2 * plane])
            guard isYBR else {
                return luma(red: Double(one), green: Double(two), blue: Double(three), bits: bits)
            }
            let (red, green, blue) = rgb(y: Float(one), cb: Float(two), cr: Float(three), bits: bits)
            return luma(red: red, green: green, blue: blue, bits: bits)
        }
    }

    /// Interleaved samples for YBR_FULL_422 as stored uncompressed: two luma samples, then the color of both pixels.
    ///
    /// `samples` has an even number of pixels, that is a multiple of four samples.
    package static func expanded422(_ samples: [UInt16]) -> [UInt16] {
        var expanded: [UInt16] = []
        expanded.reserveCapacity(samples.count / 2 * 3)
        for place in stride(from: 0, to: samples.count - 3, by: 4) {
            let (cb, cr) = (samples[place + 2], samples[place + 3])
            expanded += [samples[place], cb, cr, samples[place + 1], cb, cr]
        }
        return expanded
    }
}
