/// Assigns offsets in one block of memory to buffers with known lifetimes; buffers with disjoint lifetimes can
/// overlap.
struct MemoryPlan {
    private struct Request {
        let count: Int
        let lifetime: ClosedRange<Int>
    }

    private var requests: [Request] = []

    /// Requests `count` floats for `lifetime` (steps of the plan) and returns the index of the request.
    mutating func add(count: Int, lifetime: ClosedRange<Int>) -> Int {
        requests.append(Request(count: (count + 15) / 16 * 16, lifetime: lifetime))
        return requests.count - 1
    }

    /// Returns the offset of each request, and the size of the block in floats.
    ///
    /// Places the largest request first, each at the lowest offset that is free during its lifetime; O(n²).
    func place() -> (offsets: [Int], total: Int) {
        var offsets = Array(repeating: 0, count: requests.count)
        var placed: [Int] = []
        var total = 0
        let order = requests.indices.sorted { (requests[$0].count, $1) > (requests[$1].count, $0) }
        for index in order {
            let request = requests[index]
            let neighbors =
                placed
                .filter { requests[$0].lifetime.overlaps(request.lifetime) }
                .map { offsets[$0]..<offsets[$0] + requests[$0].count }
                .sorted { $0.lowerBound < $1.lowerBound }
            var start = 0
            for neighbor in neighbors {
                if start + request.count <= neighbor.lowerBound { break }
                start = max(start, neighbor.upperBound)
            }
            offsets[index] = start
            placed.append(index)
            total = max(total, start + request.count)
        }
        return (offsets, total)
    }
}
