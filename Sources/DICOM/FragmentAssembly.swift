/// The assignment of the fragments of compressed pixel data to frames (PS3.5, A.4).
package enum FragmentAssembly {
    /// Returns the fragments of each frame, as indices into `sizes`.
    ///
    /// `offsets` is the basic offset table, often empty: the distance of each frame from the first fragment. Without it,
    /// there is one fragment per frame, or a frame begins where `startsFrame` says so. Empty fragments are dropped. If there
    /// are fewer fragments than frames, the last frames get none.
    package static func frames(
        _ frames: Int,
        sizes: [Int],
        offsets: [UInt32],
        startsFrame: (Int) -> Bool
    ) throws(DICOMError) -> [[Int]] {
        let used = sizes.indices.filter { sizes[$0] > 0 }
        if frames == 1 { return [used] }
        if used.count <= frames { return used.map { [$0] } }
        if offsets.count == frames, let found = byOffset(used, sizes: sizes, offsets: offsets) { return found }
        var found: [[Int]] = []
        for fragment in used {
            if found.isEmpty || startsFrame(fragment) {
                found.append([fragment])
            } else {
                found[found.count - 1].append(fragment)
            }
        }
        guard found.count == frames else { throw .ambiguousFragments(fragments: used.count, frames: frames) }
        return found
    }

    /// The fragments between the offsets; nil if an offset is not the beginning of a fragment.
    private static func byOffset(_ used: [Int], sizes: [Int], offsets: [UInt32]) -> [[Int]]? {
        var starts: [Int: Int] = [:]
        var place = 0
        for fragment in sizes.indices {
            starts[place] = fragment
            // The tag and the length of an item.
            place += sizes[fragment] + 8
        }
        let first = offsets.compactMap { starts[Int($0)] }
        guard first.count == offsets.count, zip(first, first.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
        return first.indices.map { frame in
            let end = frame + 1 < first.count ? first[frame + 1] : sizes.count
            return used.filter { (first[frame]..<end).contains($0) }
        }
    }
}
