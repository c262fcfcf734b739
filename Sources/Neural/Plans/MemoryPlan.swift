/// Places buffers with known lifetimes in one block of memory, so that buffers that never live at the
/// same time share it.
struct MemoryPlan {
    private struct Request {
        let count: Int
        let lifetime: ClosedRange<Int>
    }

    private var requests: [Request] = []

    /// Asks for `count` floats alive during `lifetime` (steps of the plan); returns the request's number.
    mutating func add(count: Int, lifetime: ClosedRange<Int>) -> Int {
        requests.append(Request(count: (count + 15) / 16 * 16, lifetime: lifetime))
        return requests.count - 1
    }

    /// Where each request starts, and the floats of the whole block.
    ///
    /// Largest first, each at the lowest place that is free during its lifetime; O(n²).
    func place() -> (offsets: [Int], total: Int) {
        var offsets = Array(repeating: 0, count: requests.count)
        var placed: [Int] = []
        var total = 0
        let order = requests.indices.sorted { (requests[$0].count, $1) > (requests[$1].count, $0) }
        for index in order {
            let request = requests[index]
            let neighbours =
                placed
                .filter { requests[$0].lifetime.overlaps(request.lifetime) }
                .map { offsets[$0]..<offsets[$0] + requests[$0].count }
                .sorted { $0.lowerBound < $1.lowerBound }
            var start = 0
            for neighbour in neighbours {
                if start + request.count <= neighbour.lowerBound { break }
                start = max(start, neighbour.upperBound)
            }
            offsets[index] = start
            placed.append(index)
            total = max(total, start + request.count)
        }
        return (offsets, total)
    }
}
