public import Client
import Foundation
import HTTP

/// The REST API of Orthanc, as far as the sidecar uses it.
public struct OrthancClient: InstanceStore {
    /// The numbers under which results are stored; Orthanc leaves those from 1024 to 65535 to users.
    public struct Slots: Sendable {
        /// The number of the metadata with the mark, and of the attachment with the complete result.
        public var metadata = 4101, attachment = 4101

        /// The defaults.
        public init() {}
    }

    /// The user name and the password of Orthanc, which no message shows.
    public struct Credentials: Sendable, CustomStringConvertible {
        let authorization: String

        /// Reads `text`, "user:password" on one line; nil if it is not that.
        public init?(_ text: String) {
            let lines = text.split(whereSeparator: \.isNewline)
            guard lines.count == 1, lines[0].contains(":") else { return nil }
            authorization = "Basic " + Data(lines[0].utf8).base64EncodedString()
        }

        /// No secret.
        public var description: String { "(credentials)" }
    }

    private let transport: any Transport
    private let credentials: Credentials?
    private let slots: Slots
    /// The limit of a file, in bytes.
    private let maximumFile: Int

    /// Creates a client; nothing is sent yet.
    public init(
        _ transport: any Transport,
        credentials: Credentials? = nil,
        slots: Slots = Slots(),
        maximumFile: Int = 1 << 31
    ) {
        (self.transport, self.credentials, self.slots) = (transport, credentials, slots)
        self.maximumFile = maximumFile
    }

    private struct Changes: Decodable {
        struct Change: Decodable {
            let ChangeType: String, ID: String, Seq: Int, Date: String
        }
        let Changes: [Change], Done: Bool

        var changes: [ChangePage.Change] {
            Changes.map { change in
                let isNew = change.ChangeType == "NewInstance" && OrthancClient.isIdentifier(change.ID)
                return ChangePage.Change(
                    sequence: change.Seq,
                    instance: isNew ? change.ID : nil,
                    date: change.Date
                )
            }
        }
    }

    /// Reads a page of `/changes`.
    public func changes(since: Int, limit: Int) throws(StoreError) -> ChangePage {
        let response = try get("/changes", query: "since=\(since)&limit=\(limit)")
        let body = try json(Changes.self, response, "/changes")
        let changes = body.changes
        guard zip(changes, changes.dropFirst()).allSatisfy({ $0.sequence < $1.sequence }),
            changes.first.map({ $0.sequence > since }) != false
        else { throw .failed("/changes is not in order") }
        return ChangePage(changes: changes, isLast: body.Done)
    }

    /// Reads the last change.
    public func lastChange() throws(StoreError) -> ChangePage.Change? {
        try json(Changes.self, get("/changes", query: "last"), "/changes").changes.last
    }

    /// Reads a page of `/instances`.
    public func instances(from position: Int, limit: Int) throws(StoreError) -> [String] {
        let response = try get("/instances", query: "since=\(position)&limit=\(limit)")
        return try json([String].self, response, "/instances").filter(Self.isIdentifier)
    }

    /// Reads all metadata of an instance.
    public func record(of instance: String) throws(StoreError) -> InstanceRecord? {
        guard let response = try found(get("\(Self.path(instance))/metadata", query: "expand")) else { return nil }
        let values = try json([String: String].self, response, "the metadata")
        var record = InstanceRecord()
        record.mark = values["\(slots.metadata)"]
        record.sopClassUID = values["SopClassUid"] ?? ""
        record.remoteAETitle = values["RemoteAET"] ?? ""
        record.receptionDate = values["ReceptionDate"] ?? ""
        return record
    }

    /// Reads the MD5 digest that Orthanc has computed, or computes one.
    public func digest(of instance: String) throws(StoreError) -> String? {
        let response = try send("GET", "\(Self.path(instance))/attachments/dicom/md5")
        if response.status == 200 { return "md5:" + String(decoding: response.body, as: UTF8.self).trimmed }
        // Orthanc computes no digests if StoreMD5ForAttachments is off.
        guard let file = try file(of: instance) else { return nil }
        return "sha256:" + FileDigest.hexadecimal(file)
    }

    /// Reads the DICOM file.
    public func file(of instance: String) throws(StoreError) -> [UInt8]? {
        try found(send("GET", "\(Self.path(instance))/file", maximum: maximumFile))?.body
    }

    /// Stores the user-defined attachment.
    public func write(attachment: [UInt8], of instance: String) throws(StoreError) -> Bool {
        let path = "\(Self.path(instance))/attachments/\(slots.attachment)"
        // With CheckRevisions, an attachment is replaced only with its entity tag.
        let old = try send("GET", "\(path)/md5")
        return try put(path, attachment, tag: old.status == 200 ? old.headers["etag"] : nil)
    }

    /// Reads the user-defined attachment.
    public func attachment(of instance: String) throws(StoreError) -> [UInt8]? {
        try found(send("GET", "\(Self.path(instance))/attachments/\(slots.attachment)/data"))?.body
    }

    /// Stores the user-defined metadata.
    public func write(mark: String, of instance: String) throws(StoreError) -> Bool {
        let path = "\(Self.path(instance))/metadata/\(slots.metadata)"
        let old = try send("GET", path)
        return try put(path, Array(mark.utf8), tag: old.status == 200 ? old.headers["etag"] : nil)
    }

    /// Reads the user-defined metadata.
    public func mark(of instance: String) throws(StoreError) -> String? {
        try found(send("GET", "\(Self.path(instance))/metadata/\(slots.metadata)")).map {
            String(decoding: $0.body, as: UTF8.self)
        }
    }

    /// Removes the user-defined metadata.
    public func removeMark(of instance: String) throws(StoreError) {
        let path = "\(Self.path(instance))/metadata/\(slots.metadata)"
        let old = try send("GET", path)
        guard old.status == 200 else { return }
        _ = try found(send("DELETE", path, tag: old.headers["etag"]))
    }

    /// Adds a file (`POST /instances`).
    public func add(file: [UInt8]) throws(StoreError) -> String {
        struct Body: Decodable { let ID: String }
        let response = try send("POST", "/instances", body: file, type: "application/dicom")
        let body = try json(Body.self, checked(response, "adding a result"), "the answer to a new instance")
        guard Self.isIdentifier(body.ID) else { throw .failed("the answer to a new instance has no valid id") }
        return body.ID
    }

    /// Removes an instance.
    public func remove(instance: String) throws(StoreError) {
        _ = try found(send("DELETE", Self.path(instance)))
    }

    /// Looks up a series by its UID (`/tools/lookup`).
    public func instances(ofSeries uid: String) throws(StoreError) -> [String] {
        struct Found: Decodable { let `Type`: String, ID: String }
        struct Series: Decodable { let Instances: [String] }
        let response = try checked(send("POST", "/tools/lookup", body: Array(uid.utf8)), "looking up a series")
        var instances: [String] = []
        for each in try json([Found].self, response, "the answer to a lookup")
        where each.Type == "Series" && Self.isIdentifier(each.ID) {
            guard let series = try found(get("/series/\(each.ID)")) else { continue }
            instances += try json(Series.self, series, "a series").Instances.filter(Self.isIdentifier)
        }
        return instances
    }

    /// Returns the ids of the instances of a study.
    public func instances(ofStudy study: String) throws(StoreError) -> [String] {
        struct Instance: Decodable { let ID: String }
        guard Self.isIdentifier(study) else { throw .failed("'\(study)' is not the id of a study in Orthanc") }
        guard let response = try found(get("/studies/\(study)/instances")) else {
            throw .failed("there is no study \(study)")
        }
        return try json([Instance].self, response, "a study").map(\.ID).filter(Self.isIdentifier)
    }

    /// Whether `text` has the form of an id: five groups of eight hexadecimal digits.
    public static func isIdentifier(_ text: String) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.count == 5
            && groups.allSatisfy { $0.utf8.count == 8 && $0.allSatisfy { $0.isASCII && $0.isHexDigit } }
    }

    private static func path(_ instance: String) -> String { "/instances/\(instance)" }

    private func put(_ path: String, _ body: [UInt8], tag: String?) throws(StoreError) -> Bool {
        try found(send("PUT", path, body: body, tag: tag)) != nil
    }

    private func get(_ path: String, query: String = "") throws(StoreError) -> Response {
        try send("GET", path, query: query, maximum: 256 << 20)
    }

    private func send(
        _ method: String,
        _ path: String,
        query: String = "",
        body: [UInt8]? = nil,
        type: String = "application/octet-stream",
        tag: String? = nil,
        maximum: Int = 16 << 20
    ) throws(StoreError) -> Response {
        var request = ServiceRequest(path: path)
        (request.query, request.body, request.maximumResponse) = (query, body, maximum)
        request.method = method == "PUT" || method == "DELETE" ? method : nil
        request.headers = ["User-Agent": "dia", "Accept": "*/*"]
        if body != nil { request.headers.append("Content-Type", type) }
        if let tag { request.headers.append("If-Match", tag) }
        if let credentials { request.headers.append("Authorization", credentials.authorization) }
        do {
            let response = try transport.send(request)
            switch response.status {
            case 401, 403: throw StoreError.unavailable("it does not accept the user name and the password")
            case 429, 502, 503, 504, 507: throw StoreError.unavailable("status \(response.status)")
            case 409, 412: throw StoreError.conflict
            default: return response
            }
        } catch let error as StoreError {
            throw error
        } catch let error as ClientError {
            if case .invalidResponse(let reason) = error { throw .failed(reason) }
            throw .unavailable("\(error)")
        } catch {
            throw .failed("an unknown error")
        }
    }

    /// Returns `response` if it succeeded, and nil if what it is about does not exist.
    private func found(_ response: Response) throws(StoreError) -> Response? {
        response.status == 404 ? nil : try checked(response, "a request")
    }

    private func checked(_ response: Response, _ what: String) throws(StoreError) -> Response {
        guard response.status == 200 else { throw .failed("\(what) failed with status \(response.status)") }
        return response
    }

    private func json<Value: Decodable>(
        _ type: Value.Type,
        _ response: Response,
        _ what: String
    ) throws(StoreError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(try checked(response, what).body))
        } catch let error as StoreError {
            throw error
        } catch {
            throw .failed("\(what) does not have the expected form; is it the address of an Orthanc?")
        }
    }
}
