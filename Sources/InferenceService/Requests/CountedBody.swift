import HTTP
import Synchronization

/// A body that counts what has been read of it.
final class CountedBody: BodySource {
    private let source: any BodySource
    private let total = Atomic<Int>(0)
    private let fields = Atomic<Int>(0)

    init(_ source: any BodySource) { self.source = source }

    /// Bytes read so far.
    var count: Int { total.load(ordering: .relaxed) }
    /// Number of fields of a form that were ignored so far.
    var ignoredFields: Int { fields.load(ordering: .relaxed) }

    /// Notes that `count` fields were ignored in all.
    func note(ignoredFields count: Int) { fields.store(count, ordering: .relaxed) }

    func next() async throws(RequestError) -> [UInt8]? {
        let bytes = try await source.next()
        total.add(bytes?.count ?? 0, ordering: .relaxed)
        return bytes
    }
}
