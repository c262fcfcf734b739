/// The work on one instance, from its file to the mark.
///
/// It may end at any point and begin again: the steps before the mark write the same bytes in the same places, and the
/// mark, which comes last, says that nothing is left to do. The digest of the stored file is compared before anything is
/// written and after the mark, so that a result is never left on a file that replaced the one it belongs to.
public struct InstanceJob: Sendable {
    /// How the work ended.
    public enum Outcome: Sendable, Equatable {
        /// The result was written.
        case written
        /// It was there.
        case alreadyWritten
        /// No result is wanted, with the reason.
        case skipped(String)
        /// The instance was deleted.
        case gone
        /// A service cannot be used.
        case unavailable(String)
        /// The instance failed.
        case failed(String, isPermanent: Bool)
    }

    private let store: any InstanceStore
    private let scorer: any InstanceScorer
    private let receiver: (any ObjectReceiver)?
    /// The name and version of this program.
    private let program: String

    /// Creates the work with its services.
    public init(
        store: any InstanceStore,
        scorer: any InstanceScorer,
        receiver: (any ObjectReceiver)? = nil,
        program: String
    ) {
        (self.store, self.scorer, self.receiver, self.program) = (store, scorer, receiver, program)
    }

    /// How often the work begins again because the file was replaced during it.
    private static let rounds = 5

    /// Works on an instance until it has its result, or fails.
    public func run(_ instance: String) -> Outcome {
        do {
            for _ in 0..<Self.rounds { if let outcome = try attempt(instance) { return outcome } }
            return .failed("the file was replaced again and again while it was scored", isPermanent: false)
        } catch let error as StoreError {
            if case .unavailable(let reason) = error { return .unavailable(reason) }
            return .failed("\(error)", isPermanent: false)
        } catch let error as ScoringError {
            switch error {
            case .unavailable(let reason): return .unavailable(reason)
            case .temporary(let reason): return .failed(reason, isPermanent: false)
            case .permanent(let reason): return .failed(reason, isPermanent: true)
            }
        } catch {
            return .failed("an unknown error", isPermanent: false)
        }
    }

    /// Why an instance is not scored whatever the rules say, as far as the store knows; nil if there is no such reason.
    public static func reasonToSkip(_ record: InstanceRecord) -> String? { SOPClass.reasonToSkip(record.sopClassUID) }

    /// Returns nil if the file was replaced.
    private func attempt(_ instance: String) throws -> Outcome? {
        guard let record = try store.record(of: instance) else { return .gone }
        if let reason = Self.reasonToSkip(record) { return .skipped(reason) }
        guard let digest = try store.digest(of: instance) else { return .gone }
        if let mark = record.mark.flatMap(Mark.parse), mark.source == digest { return .alreadyWritten }
        guard let file = try store.file(of: instance) else { return .gone }
        let result: InstanceResult
        switch try scorer.evaluate(file, record) {
        case .skip(let reason): return .skipped(reason)
        case .result(let evaluated): result = evaluated
        }
        guard let current = try store.digest(of: instance) else { return .gone }
        guard current == digest else { return nil }
        guard try store.write(attachment: result.attachment, of: instance) else { return .gone }
        if let receiver, !result.objects.isEmpty { try receiver.store(result.objects.map(\.file)) }
        var added: [String] = []
        do {
            return try commit(result, instance, digest, &added)
        } catch {
            // Nothing is left of an instance that was deleted meanwhile.
            guard try store.digest(of: instance) == nil else { throw error }
            return try undo(added, instance)
        }
    }

    /// Writes the objects and the mark; returns nil if the file was replaced.
    private func commit(
        _ result: InstanceResult,
        _ instance: String,
        _ digest: String,
        _ added: inout [String]
    ) throws -> Outcome? {
        try add(result.objects, &added)
        let mark = self.mark(result, digest).text
        guard try store.digest(of: instance) == digest, try store.write(mark: mark, of: instance) else {
            return try undo(added, instance)
        }
        // Read back: Orthanc without revisions would not notice another writer, and the file may just have been replaced.
        guard let written = try store.mark(of: instance), let after = try store.digest(of: instance) else {
            return try undo(added, instance)
        }
        // A file that was replaced by the same bytes has the same digest, but the attachment was lost with the first one.
        guard after == digest, try store.attachment(of: instance) == result.attachment else {
            try store.removeMark(of: instance)
            return try undo(added, instance)
        }
        guard written == mark else { throw StoreError.conflict }
        return .written
    }

    /// Adds objects, and removes others of their series, which belong to a file that was replaced.
    private func add(_ objects: [InstanceResult.Object], _ added: inout [String]) throws {
        for object in objects {
            let new = try store.add(file: object.file)
            added.append(new)
            for old in try store.instances(ofSeries: object.series) where old != new {
                try store.remove(instance: old)
            }
        }
    }

    /// Removes what was added for a file that is not there any more.
    private func undo(_ added: [String], _ instance: String) throws -> Outcome? {
        for each in added { try store.remove(instance: each) }
        return try store.digest(of: instance) == nil ? .gone : nil
    }

    private func mark(_ result: InstanceResult, _ digest: String) -> Mark {
        Mark(
            program: program,
            source: digest,
            rule: result.rule,
            model: result.model,
            verdict: result.verdict,
            score: result.score,
            normality: result.normality,
            p_value: result.pValue,
            outputs: result.objects.map(\.kind),
            notice: Notice.text
        )
    }
}

/// What every result says.
public enum Notice {
    /// The text.
    public static let text = "Research use only, not for diagnosis"
}

/// Storage SOP classes that have no image to score.
enum SOPClass {
    private static let storage = "1.2.840.10008.5.1.4.1.1."

    /// Why instances of a class are skipped; nil if they may be images.
    static func reasonToSkip(_ uid: String) -> String? {
        let others = [
            ("88.", "a structured report"), ("11.", "a presentation state"), ("104.", "an encapsulated document"),
            ("66", "raw or derived data"), ("481.", "a radiotherapy object"), ("9.", "a waveform"),
        ]
        // RT images are images.
        guard uid.hasPrefix(storage), uid != storage + "481.1" else { return nil }
        let rest = uid.dropFirst(storage.count)
        return others.first { rest.hasPrefix($0.0) }.map { "\($0.1), not an image" }
    }
}
