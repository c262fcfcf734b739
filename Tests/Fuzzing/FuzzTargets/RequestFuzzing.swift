import HTTP

extension FuzzTarget {
    /// What a parser returned for part of the input.
    private enum Outcome: Equatable {
        case head(RequestHead, BodyFraming)
        case request(Request)
        case rejected(RequestError)
    }

    /// Requests on a connection: the split of reads does not matter, and a parsed request can be written and read
    /// again.
    static func runRequest(_ bytes: [UInt8]) {
        var limits = RequestLimits()
        // Low enough for short inputs to reach.
        (limits.requestLineBytes, limits.headerBytes, limits.headerCount, limits.bodyBytes) = (256, 512, 10, 1000)
        let whole = outcomes(bytes, limits) { bytes.count }
        require(outcomes(bytes, limits) { 1 } == whole, "parsing byte by byte gives the same result")
        var pieces = Pieces(of: bytes, longest: 40)
        require(outcomes(bytes, limits) { pieces.next() } == whole, "parsing in pieces gives the same result")
        for case .request(let request) in whole {
            require(request.body.count <= limits.bodyBytes, "a body stays within its limit")
            let written = RequestWriter.bytes(request)
            let again = outcomes(written, RequestLimits()) { written.count }
            require(again.last == .request(request), "a written request is read again, not as \(again)")
            require(again.count <= 2, "a written request is read as exactly one request")
        }
    }

    private static func outcomes(_ bytes: [UInt8], _ limits: RequestLimits, by length: () -> Int) -> [Outcome] {
        var parser = RequestParser(limits: limits)
        var outcomes: [Outcome] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(length())
            rest = rest.dropFirst(piece.count)
            parser.append(piece)
            do throws(RequestError) {
                while let event = try parser.next() {
                    switch event {
                    case .head(let head, let framing): outcomes.append(.head(head, framing))
                    case .request(let request): outcomes.append(.request(request))
                    case .bytes: fatalError("broken: a body is streamed without being asked for")
                    }
                }
            } catch {
                require((400...599).contains(error.status), "an error has a valid status")
                return outcomes + [.rejected(error)]
            }
        }
        return outcomes
    }
}
