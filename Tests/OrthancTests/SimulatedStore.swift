import Orthanc
import Synchronization

/// A store in memory that can end any call as a crash would: before or after its effect.
final class SimulatedStore: InstanceStore {
    struct Instance {
        var file: [UInt8]
        var mark: String?
        var attachment: [UInt8]?
        var marks = 0
    }

    struct State {
        var instances: [String: Instance] = [:]
        var changes: [(sequence: Int, instance: String)] = []
        var calls = 0
        /// The time of all changes.
        var era = 1
        /// The number of marks written.
        var marks = 0
        /// The number of the call that fails, and whether it has its effect.
        var crash: (call: Int, afterwards: Bool)?
        /// Called before a call with its number.
        var interference: [Int: @Sendable (inout State) -> Void] = [:]
        var series: [String: Set<String>] = [:]
        var largestPage = 0
    }

    let state = Mutex(State())

    /// A crash of the process.
    static let crash = StoreError.unavailable("crash")

    func add(_ instance: String, _ file: [UInt8]) { state.withLock { Self.add(instance, file, &$0) } }

    /// Adds or replaces an instance as Orthanc does: everything recorded about it is lost.
    static func add(_ instance: String, _ file: [UInt8], _ state: inout State) {
        state.instances[instance] = Instance(file: file)
        state.changes.append(((state.changes.last?.sequence ?? 0) + 2, instance))
    }

    private func call<Value>(_ body: (inout State) -> Value) throws(StoreError) -> Value {
        let (value, isCrash) = state.withLock { state -> (Value?, Bool) in
            state.calls += 1
            state.interference[state.calls]?(&state)
            guard let crash = state.crash, crash.call == state.calls else { return (body(&state), false) }
            return (crash.afterwards ? body(&state) : nil, true)
        }
        guard let value, !isCrash else { throw Self.crash }
        return value
    }

    func changes(since: Int, limit: Int) throws(StoreError) -> ChangePage {
        try call { state in
            // Numbers are 2, 4, 6, ...
            let start = min(state.changes.count, since / 2)
            let page = state.changes[start..<min(start + limit, state.changes.count)]
            state.largestPage = max(state.largestPage, page.count)
            return ChangePage(
                changes: page.map { .init(sequence: $0.sequence, instance: $0.instance, date: "\(state.era)") },
                isLast: page.endIndex == state.changes.count
            )
        }
    }

    func lastChange() throws(StoreError) -> ChangePage.Change? {
        try call { state in
            state.changes.last.map { .init(sequence: $0.sequence, instance: $0.instance, date: "\(state.era)") }
        }
    }

    func instances(from position: Int, limit: Int) throws(StoreError) -> [String] {
        try call { Array($0.instances.keys.sorted().dropFirst(position).prefix(limit)) }
    }

    func record(of instance: String) throws(StoreError) -> InstanceRecord? {
        try call { state in
            guard let found = state.instances[instance] else { return nil }
            var record = InstanceRecord()
            record.mark = found.mark
            return record
        }
    }

    func digest(of instance: String) throws(StoreError) -> String? {
        try call { $0.instances[instance].map { "digest \($0.file)" } }
    }

    func file(of instance: String) throws(StoreError) -> [UInt8]? { try call { $0.instances[instance]?.file } }

    func write(attachment: [UInt8], of instance: String) throws(StoreError) -> Bool {
        try call { state in
            state.instances[instance]?.attachment = attachment
            return state.instances[instance] != nil
        }
    }

    func attachment(of instance: String) throws(StoreError) -> [UInt8]? {
        try call { $0.instances[instance]?.attachment }
    }

    func write(mark: String, of instance: String) throws(StoreError) -> Bool {
        try call { state in
            state.instances[instance]?.mark = mark
            state.instances[instance]?.marks += 1
            if state.instances[instance] != nil { state.marks += 1 }
            return state.instances[instance] != nil
        }
    }

    func mark(of instance: String) throws(StoreError) -> String? { try call { $0.instances[instance]?.mark } }

    func removeMark(of instance: String) throws(StoreError) { try call { $0.instances[instance]?.mark = nil } }

    func add(file: [UInt8]) throws(StoreError) -> String {
        let name = identifier(file.reduce(1_000_000) { ($0 * 31 + Int($1)) % 99_999_989 })
        return try call { state in
            guard state.instances[name] == nil else { return name }
            Self.add(name, file, &state)
            state.series["series \(file.first ?? 0)", default: []].insert(name)
            return name
        }
    }

    func remove(instance: String) throws(StoreError) { try call { $0.instances[instance] = nil } }

    func instances(ofSeries uid: String) throws(StoreError) -> [String] {
        try call { state in state.series[uid, default: []].filter { state.instances[$0] != nil }.sorted() }
    }
}

/// Returns an id of the form of Orthanc's.
func identifier(_ number: Int) -> String {
    let digits = String(number)
    let last = String(repeating: "0", count: 8 - digits.count) + digits
    return "aaaaaaaa-bbbbbbbb-cccccccc-dddddddd-\(last)"
}

/// Gives each file a result that only depends on its bytes; the first byte names the series of its report.
struct SimulatedScorer: InstanceScorer {
    var hasReport = true
    var failure: @Sendable ([UInt8]) -> ScoringError? = { _ in nil }

    func evaluate(_ file: [UInt8], _ record: InstanceRecord) throws(ScoringError) -> Evaluation {
        if let failure = failure(file) { throw failure }
        guard file.last != 255 else { return .skip("a result") }
        return .result(Self.result(file, hasReport: hasReport))
    }

    static func result(_ file: [UInt8], hasReport: Bool) -> InstanceResult {
        let object = InstanceResult.Object(kind: "sr", series: "series \(file[0])", file: file + [255])
        return InstanceResult(
            rule: "rule",
            model: Mark.Model(name: "model", version: "1", digest: "d"),
            verdict: nil,
            score: nil,
            normality: Double(file.reduce(0) { $0 + Int($1) }),
            pValue: nil,
            attachment: [1] + file,
            objects: hasReport ? [object] : []
        )
    }
}
