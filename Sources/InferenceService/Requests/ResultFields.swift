/// The members of a score object that a client asked for, in its order.
struct ResultFields: Sendable {
    /// One chosen member.
    struct Field: Sendable {
        /// The name in the query.
        let name: String
        /// The names from the score object to the member; empty for a member of the line itself.
        let path: [String]
    }

    /// The chosen fields.
    let fields: [Field]

    /// The members of a score object, with their own members if they always have the same.
    static let members: [(name: String, members: [String])] = [
        ("model", ["name", "version", "digest"]),
        ("verdict", []), ("score", []), ("normality", []), ("p_value", []), ("anomalous", []),
        ("input_check", ["typical", "p_value", "reasons"]),
        ("rendering", ["bits", "window_center", "window_width", "photometric"]),
        ("threshold", ["alpha", "normality"]),
        ("components", ["contrastive", "shift", "parts"]),
        ("image", ["width", "height", "bit_depth", "color", "warnings"]),
        ("result_key", []), ("notice", []), ("request_id", []),
        (
            "provenance",
            [
                "model_digest", "server_version", "pixel_sha256", "width", "height", "bit_depth", "color", "rendering",
                "resizing", "views", "seed", "threshold",
            ]
        ),
    ]
    /// The columns of a table that are not members of the score object.
    static let lineMembers = ["id", "filename", "index", "error"]
    /// Other names of members, which a table uses.
    static let aliases = ["version": ["model", "version"], "input_p_value": ["input_check", "p_value"]]
    /// All names, in the order of the score object.
    static let known: [String] =
        lineMembers + members.flatMap { part in [part.name] + part.members.map { "\(part.name).\($0)" } }
        + aliases.keys.sorted()

    private static let knownNames = Set(known)

    /// Parses a comma-separated list; throws if a name is unknown or appears twice.
    init(_ list: String) throws(ServiceError) {
        var fields: [Field] = []
        var found: Set<String> = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let name = part.trimmingPrefix { $0 == " " }
            guard Self.knownNames.contains(String(name)) else {
                throw ServiceError(
                    400,
                    "'fields' has an unknown name; the known ones are \(Self.known.joined(separator: ", "))"
                )
            }
            guard found.insert(String(name)).inserted else {
                throw ServiceError(400, "'fields' has '\(name)' more than once")
            }
            let path = name.split(separator: ".").map(String.init)
            let isOfLine = Self.lineMembers.contains(String(name))
            fields.append(Field(name: String(name), path: isOfLine ? [] : Self.aliases[String(name)] ?? path))
        }
        self.fields = fields
    }

    /// Whether a field is part of the provenance.
    var includesProvenance: Bool { fields.contains { $0.path.first == "provenance" } }

    /// Returns the chosen members of `score`, the text of a score object.
    func selection(from score: ResultMembers) -> [UInt8] {
        var order: [String] = []
        var inner: [String: [String]] = [:]
        var whole: Set<String> = []
        for field in fields where !field.path.isEmpty {
            let name = field.path[0]
            if inner[name] == nil { order.append(name) }
            inner[name, default: []] += field.path.dropFirst()
            if field.path.count == 1 { whole.insert(name) }
        }
        let parts = order.compactMap { name -> [UInt8]? in
            guard let text = score[[name]] else { return nil }
            guard !whole.contains(name), text.first == UInt8(ascii: "{") else { return Self.member(name, text) }
            let chosen = (inner[name] ?? []).compactMap { part in score[[name, part]].map { Self.member(part, $0) } }
            return Self.member(name, Self.object(chosen)[...])
        }
        return Self.object(parts)
    }

    private static func member(_ name: String, _ value: ArraySlice<UInt8>) -> [UInt8] {
        Array("\"\(name)\":".utf8) + value
    }

    private static func object(_ members: [[UInt8]]) -> [UInt8] {
        Array("{".utf8) + Array(members.joined(separator: ",".utf8)) + Array("}".utf8)
    }
}

/// The texts of the members of a JSON object, and of the members of these.
struct ResultMembers {
    private var texts: [[String]: ArraySlice<UInt8>] = [:]

    /// Reads `object`, which the service has encoded.
    init(_ object: [UInt8]) {
        var outer: [(String, ArraySlice<UInt8>)] = []
        Self.forEachMember(object[...]) { outer.append(($0, $1)) }
        for (name, text) in outer {
            texts[[name]] = text
            guard text.first == UInt8(ascii: "{") else { continue }
            Self.forEachMember(text) { texts[[name, $0]] = $1 }
        }
    }

    /// The text of the member at `path`, of one or two names; nil if there is none.
    subscript(path: [String]) -> ArraySlice<UInt8>? { texts[path] }

    private static func forEachMember(_ object: ArraySlice<UInt8>, _ body: (String, ArraySlice<UInt8>) -> Void) {
        var reader = JSONReader(object)
        do throws(JSONError) {
            try reader.object(orThrow: { $0 }) { (name, reader) throws(JSONError) in body(name, try reader.text()) }
        } catch {
            preconditionFailure("the service has encoded invalid JSON: \(error)")
        }
    }
}
