/// A search for images that are equal or nearly equal.
struct DuplicateSearch {
    /// The largest root mean square difference of the block means of near-duplicates, of the range from black to white.
    static let threshold: Float = 7 / 255

    /// Two images, by index.
    struct Pair: Hashable {
        let first, second: Int
    }

    /// Pairs of images with equal pixels; an image that appears n times makes n - 1 pairs with its first appearance.
    private(set) var exact: [Pair] = []
    /// Pairs of different images with nearly equal block means.
    private(set) var near: [Pair] = []

    /// The largest number of pairs that are kept: a folder of black images would have millions.
    private static let maximumPairs = 100_000

    /// Compares all `images` with each other; throws ``Interrupted`` if `isInterrupted` returns true.
    init(_ images: [BlockMeans], isInterrupted: () -> Bool) throws {
        var first: [Int: Int] = [:]
        var distinct: [Int] = []
        for (index, image) in images.enumerated() {
            if let earlier = first[image.digest] {
                exact.append(Pair(first: earlier, second: index))
            } else {
                first[image.digest] = index
                distinct.append(index)
            }
        }
        // The difference of the means is at most the root mean square difference, so only a window must be compared.
        distinct.sort { (images[$0].mean, $0) < (images[$1].mean, $1) }
        let limit = Self.threshold * Self.threshold
        for (place, index) in distinct.enumerated() {
            if place % 64 == 0, isInterrupted() { throw Interrupted(.inspection) }
            for other in distinct[(place + 1)...] {
                guard images[other].mean - images[index].mean <= Self.threshold else { break }
                guard images[index].meanSquaredDifference(to: images[other]) <= limit else { continue }
                near.append(Pair(first: min(index, other), second: max(index, other)))
                if near.count >= Self.maximumPairs { break }
            }
            if near.count >= Self.maximumPairs { break }
        }
        near.sort { ($0.first, $0.second) < ($1.first, $1.second) }
    }
}
