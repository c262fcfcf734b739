/// The range of the numbers of an .npz file's images, which NumPy's types do not define.
///
/// 8-bit integers are in 0 to 255. For other integers it is 0 to 255 if no number of any split is larger, otherwise 0 to
/// 65,535. For floating-point numbers it is 0 to 1 if no number of any split is larger, otherwise 0 to 255.
struct SampleRange {
    private var integers: Float = 255
    private var floats: Float = 1

    /// Finds the range of `arrays`; throws an error that names the array with a number outside all ranges.
    init(_ arrays: [(place: String, images: NumPyArray)]) throws(DataError) {
        for (place, images) in arrays {
            if images.elementSize == 1, images.kind == .unsigned || images.kind == .boolean { continue }
            let isFloat = images.kind == .float
            let limit = isFloat ? 255.0 : 65_535
            guard images.kind != .bytes, images.kind != .unicode else {
                throw DataError(place, "holds text, not numbers")
            }
            var largest = 0.0
            for position in 0..<images.count {
                let number = images.number(at: position)
                // Written so that NaN fails.
                guard number >= 0, number <= limit else {
                    let ranges = isFloat ? "0 to 1 or 0 to 255" : "0 to 255 or 0 to 65,535"
                    throw DataError(place, "has the number \(number); scale the numbers to \(ranges)")
                }
                largest = max(largest, number)
            }
            if isFloat, largest > 1 { floats = 255 }
            if !isFloat, largest > 255 { integers = 65_535 }
        }
    }

    /// Returns the number that is white in `images`.
    func scale(of images: NumPyArray) -> Float {
        switch images.kind {
        case .boolean: 1
        case .float: floats
        default: images.elementSize == 1 && images.kind == .unsigned ? 255 : integers
        }
    }
}
