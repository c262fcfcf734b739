/// The stored values of pixels outside of the image (PS3.3, C.7.5.1.1.2).
enum PaddingRange {
    /// The range between Pixel Padding Value and Pixel Padding Range Limit, in either order; nil if there is none.
    static func read(_ item: DICOMItem, isSigned: Bool) -> ClosedRange<Int>? {
        func number(_ tag: DICOMTag) -> Int? {
            item.word(tag).map { isSigned ? Int(Int16(bitPattern: $0)) : Int($0) }
        }
        guard let value = number(.pixelPaddingValue) else { return nil }
        let limit = number(.pixelPaddingRangeLimit) ?? value
        return min(value, limit)...max(value, limit)
    }
}
