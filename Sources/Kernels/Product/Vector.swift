import CVector

/// The vector type of the engine: eight floats, usually eight channels.
typealias Vector = SIMD8<Float>

/// Loads eight floats, aligned or not.
@inline(__always)
func load(_ source: Floats) -> Vector {
    UnsafeRawPointer(source).loadUnaligned(as: Vector.self)
}

/// Loads the first `count` (1 to 8) floats and sets the other lanes to zero.
@inline(__always)
func load(_ source: Floats, _ count: Int) -> Vector {
    count == 8 ? load(source) : loadPart(source, count)
}

/// Not inlined, like ``storePart(_:_:_:)``: both are rare, and would make the loops that call them larger.
@inline(never)
private func loadPart(_ source: Floats, _ count: Int) -> Vector {
    var vector = Vector.zero
    for lane in 0..<count { vector[lane] = source[lane] }
    return vector
}

/// Stores eight floats, aligned or not.
@inline(__always)
func store(_ vector: Vector, _ target: MutableFloats) {
    UnsafeMutableRawPointer(target).storeBytes(of: vector, as: Vector.self)
}

/// Stores the first `count` (1 to 8) lanes.
@inline(__always)
func store(_ vector: Vector, _ target: MutableFloats, _ count: Int) {
    if count == 8 { store(vector, target) } else { storePart(vector, target, count) }
}

@inline(never)
private func storePart(_ vector: Vector, _ target: MutableFloats, _ count: Int) {
    for lane in 0..<count { target[lane] = vector[lane] }
}

/// Prefetches the cache line at `place`, which can be any address.
@inline(__always)
func prefetch(_ place: Floats) { dia_prefetch(place) }

/// a·b + c, rounded once.
@inline(__always)
func fused(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { dia_fused(a, b, c) }

/// a·b + c for a scalar a, rounded once.
@inline(__always)
func fused(_ a: Float, _ b: Vector, _ c: Vector) -> Vector { dia_fused(Vector(repeating: a), b, c) }

/// exp(x) to about 2 ulp for x in [-87, 88], clamped outside.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2. exp(r) is the degree-6 polynomial of Cephes' `expf`, and 2^n is built from
/// its bits.
@inline(__always)
func exp(_ argument: Vector) -> Vector {
    let x = smaller(larger(argument, Vector(repeating: -87)), Vector(repeating: 88))
    // Adding 1.5 · 2^23 rounds to an integer, which is then in the low bits.
    let shifted = fused(1.442_695_04, x, Vector(repeating: 12_582_912))
    let n = shifted - 12_582_912
    let r = fused(2.121_944_4e-4, n, fused(-0.693_359_375, n, x))
    var p = Vector(repeating: 1.987_569_2e-4)
    p = fused(p, r, Vector(repeating: 1.398_199_95e-3))
    p = fused(p, r, Vector(repeating: 8.333_451_9e-3))
    p = fused(p, r, Vector(repeating: 4.166_579_6e-2))
    p = fused(p, r, Vector(repeating: 1.666_666_6e-1))
    p = fused(p, r, Vector(repeating: 5.000_000_1e-1))
    let e = fused(p * r, r, r + 1)
    let bits = (unsafeBitCast(shifted, to: SIMD8<Int32>.self) &- (0x4B40_0000 - 127)) &<< 23
    return e * unsafeBitCast(bits, to: Vector.self)
}

/// 1 / (1 + exp(-x)).
@inline(__always)
func sigmoid(_ x: Vector) -> Vector { 1 / (1 + exp(-x)) }

/// Calls `body(start, lanes)` for `0..<count` in steps of eight; the last step may have fewer lanes.
@inline(__always)
func forEachVector(_ count: Int, _ body: (_ start: Int, _ lanes: Int) -> Void) {
    var start = 0
    while start < count {
        body(start, min(8, count - start))
        start += 8
    }
}

/// The larger of each pair of lanes. (The library's `pointwiseMax` is not inlined across modules.)
@inline(__always)
func larger(_ a: Vector, _ b: Vector) -> Vector { a.replacing(with: b, where: a .< b) }

/// The smaller of each pair of lanes.
@inline(__always)
func smaller(_ a: Vector, _ b: Vector) -> Vector { a.replacing(with: b, where: a .> b) }

extension SIMD8<Float> {
    /// The sum of all lanes, in halves. (The library's `sum()` goes lane by lane.)
    var total: Float {
        @inline(__always)
        get {
            let four = lowHalf + highHalf
            let two = four.lowHalf + four.highHalf
            return two.x + two.y
        }
    }

    /// The largest lane.
    var largest: Float {
        @inline(__always)
        get {
            let four = lowHalf.replacing(with: highHalf, where: lowHalf .< highHalf)
            let two = four.lowHalf.replacing(with: four.highHalf, where: four.lowHalf .< four.highHalf)
            return two.x < two.y ? two.y : two.x
        }
    }
}
