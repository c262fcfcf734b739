/// The samples of a frame as bit patterns of the stored bits, not yet interpreted as signed or unsigned.
package enum SampleCodes: Sendable, Hashable {
    /// Samples of up to 16 bits.
    case narrow([UInt16])
    /// Samples of 17 to 32 bits.
    case wide([UInt32])

    /// The number of samples.
    package var count: Int {
        switch self {
        case .narrow(let codes): codes.count
        case .wide(let codes): codes.count
        }
    }

    /// Unpacks little-endian samples of `bitsAllocated` bits, of which the `bitsStored` up to `highBit` are kept.
    ///
    /// All other bits are dropped: old files hold overlays there. With 1 bit allocated, eight samples share a byte, the
    /// first in the lowest bit, and `skippedBits` says how many of the first byte belong to the frame before. `bytes` must
    /// be long enough for `count` samples.
    package init(
        unpacking bytes: [UInt8],
        count: Int,
        bitsAllocated: Int,
        bitsStored: Int,
        highBit: Int,
        skippedBits: Int = 0
    ) {
        let shift = highBit + 1 - bitsStored
        switch bitsAllocated {
        case 1:
            self = .narrow(
                (skippedBits..<skippedBits + count).map { UInt16(bytes[$0 >> 3] >> UInt8($0 & 7) & 1) }
            )
        case 8:
            let mask = UInt8(truncatingIfNeeded: 1 << bitsStored - 1)
            self = .narrow(bytes.prefix(count).map { UInt16($0 >> shift & mask) })
        case 16:
            let mask = UInt16(truncatingIfNeeded: 1 << bitsStored - 1)
            self = .narrow(
                (0..<count).map { (UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8) >> shift & mask }
            )
        default:
            let mask = UInt32(truncatingIfNeeded: 1 << bitsStored - 1)
            let codes = (0..<count).map { index -> UInt32 in
                let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[4 * index + $1]) << UInt32(8 * $1) }
                return word >> UInt32(shift) & mask
            }
            self = bitsStored <= 16 ? .narrow(codes.map { UInt16(truncatingIfNeeded: $0) }) : .wide(codes)
        }
    }
}

/// A frame as stored: its samples, and how to read them as numbers.
package struct StoredFrame: Sendable, Hashable {
    package var codes: SampleCodes
    /// The bits of a code; the highest is the sign of a signed sample.
    package var bits: Int
    package var isSigned: Bool
    package var photometric: PhotometricInterpretation
    package var isPlanar: Bool

    /// Creates a frame.
    package init(
        codes: SampleCodes,
        bits: Int,
        isSigned: Bool,
        photometric: PhotometricInterpretation,
        isPlanar: Bool = false
    ) {
        (self.codes, self.bits, self.isSigned) = (codes, bits, isSigned)
        (self.photometric, self.isPlanar) = (photometric, isPlanar)
    }

    /// The number that a code stands for.
    package func value(_ code: UInt32) -> Int {
        let value = Int(code)
        return isSigned && value >> (bits - 1) & 1 == 1 ? value - 1 << bits : value
    }

    /// The lowest and highest number of this many bits.
    package var range: ClosedRange<Int> {
        isSigned ? -(1 << (bits - 1))...(1 << (bits - 1)) - 1 : 0...(1 << bits) - 1
    }
}
