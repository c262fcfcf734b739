import HTTP

extension FuzzTarget {
    /// All that a parser made of some bytes.
    private enum Outcome: Equatable {
        case head(RequestHead, BodyFraming)
        case request(Request)
        case refused(RequestError)
    }

    /// Requests on a connection: where reads are split does not matter, and what was read can be written and read
    /// again.
    static func runRequest(_ bytes: [UInt8]) {
        var limits = RequestLimits()
        // Within reach of short inputs.
        (limits.requestLineBytes, limits.headerBytes, limits.headerCount, limits.bodyBytes) = (256, 512, 10, 1000)
        let whole = outcomes(bytes, limits) { bytes.count }
        require(outcomes(bytes, limits) { 1 } == whole, "byte by byte means the same")
        var pieces = Pieces(of: bytes, longest: 40)
        require(outcomes(bytes, limits) { pieces.next() } == whole, "in pieces means the same")
        for case .request(let request) in whole {
            require(request.body.count <= limits.bodyBytes, "bodies have a limit")
            let written = RequestWriter.bytes(request)
            let again = outcomes(written, RequestLimits()) { written.count }
            require(again.last == .request(request), "what was read and written is read again, not \(again)")
            require(again.count <= 2, "one request is written as one")
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
                    }
                }
            } catch {
                require((400...599).contains(error.status), "an error has a status")
                return outcomes + [.refused(error)]
            }
        }
        return outcomes
    }
}
