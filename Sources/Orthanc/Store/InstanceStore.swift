/// What the sidecar needs from Orthanc.
///
/// All calls block.  An instance that does not exist any more is nil or false, not an error.
public protocol InstanceStore: Sendable {
    /// Returns at most `limit` changes with numbers above `since`.
    func changes(since: Int, limit: Int) throws(StoreError) -> ChangePage
    /// Returns the last change of those that are left; nil if there is none.
    func lastChange() throws(StoreError) -> ChangePage.Change?
    /// Returns at most `limit` ids of instances from a position in the list of all.
    func instances(from position: Int, limit: Int) throws(StoreError) -> [String]
    /// Returns what is recorded about an instance.
    func record(of instance: String) throws(StoreError) -> InstanceRecord?
    /// Returns a digest of the stored file, which changes with its bytes.
    func digest(of instance: String) throws(StoreError) -> String?
    /// Returns the file.
    func file(of instance: String) throws(StoreError) -> [UInt8]?
    /// Stores or replaces the attachment with the complete result.
    func write(attachment: [UInt8], of instance: String) throws(StoreError) -> Bool
    /// Returns the attachment with the complete result.
    func attachment(of instance: String) throws(StoreError) -> [UInt8]?
    /// Stores or replaces the mark.
    func write(mark: String, of instance: String) throws(StoreError) -> Bool
    /// Returns the text of the mark.
    func mark(of instance: String) throws(StoreError) -> String?
    /// Removes the mark.
    func removeMark(of instance: String) throws(StoreError)
    /// Adds a DICOM file to the store and returns its id there.
    func add(file: [UInt8]) throws(StoreError) -> String
    /// Removes an instance.
    func remove(instance: String) throws(StoreError)
    /// Returns the ids of the instances of the series with a Series Instance UID.
    func instances(ofSeries uid: String) throws(StoreError) -> [String]
}

/// A page of the changes of a store.
public struct ChangePage: Sendable {
    /// A change.
    public struct Change: Sendable {
        /// The number; numbers increase, with gaps.
        public let sequence: Int
        /// The instance, if the change is a new instance; otherwise nil.
        public let instance: String?

        /// The time in a form that sorts by time, such as "20261126T211841".
        public let date: String

        /// Creates a change.
        public init(sequence: Int, instance: String?, date: String) {
            (self.sequence, self.instance, self.date) = (sequence, instance, date)
        }
    }

    /// The changes in order.
    public let changes: [Change]
    /// Whether there are no more at this time.
    public let isLast: Bool

    /// Creates a page.
    public init(changes: [Change], isLast: Bool) { (self.changes, self.isLast) = (changes, isLast) }
}

/// What a store has recorded about an instance, beside its file.
public struct InstanceRecord: Sendable {
    /// The text of the mark; nil if there is none.
    public var mark: String?
    /// The SOP class; empty if unknown.
    public var sopClassUID = ""
    /// The AE title of the sender; empty if it did not come by DICOM.
    public var remoteAETitle = ""
    /// The time of its arrival, such as "20261126T211841"; empty if unknown.
    public var receptionDate = ""

    /// Creates an empty record.
    public init() {}
}

/// Why a call failed.
///
/// The messages have no text from the store, which could contain data of patients.
public enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The store cannot be reached or used at this time; this is not about the instance.
    case unavailable(String)
    /// The store has another revision of what is written: there is another writer.
    case conflict
    /// This call failed.
    case failed(String)

    /// The message for the log.
    public var description: String {
        switch self {
        case .unavailable(let reason): "Orthanc is not available: \(reason)"
        case .conflict: "another program has written the result in Orthanc at the same time"
        case .failed(let reason): "Orthanc: \(reason)"
        }
    }
}
