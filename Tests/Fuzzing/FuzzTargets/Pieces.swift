/// Lengths of the pieces that an input is split into; the same input always gives the same lengths.
struct Pieces {
    private var state: UInt64
    private let longest: UInt64

    /// Lengths from 1 to `longest`, derived from `bytes`.
    init(of bytes: [UInt8], longest: Int) {
        // FNV-1a.
        state = bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        self.longest = UInt64(longest)
    }

    mutating func next() -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % longest) + 1
    }
}
