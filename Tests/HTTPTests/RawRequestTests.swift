import Foundation
import HTTP
import Testing

/// The required result for each fixture in Fixtures/raw-requests.json, with the rule of the RFC behind it.
@Suite struct RawRequestTests {
    /// A fixture: bytes on a fresh connection, one per character, and the expected outcomes in order.
    struct Fixture: Decodable, CustomTestStringConvertible, Sendable {
        struct Repetition: Decodable, Sendable {
            let of, text: String
            let count: Int
        }

        struct Outcome: Decodable, Sendable {
            struct Accepted: Decodable, Sendable {
                let method, target, body: String
                let keepAlive: Bool
                /// The decoded path, if it differs from the target's.
                let path: String?
            }

            let accept: Accepted?
            let status: Int?
            let incomplete, `continue`, mayOmit: Bool?
        }

        let name, group, raw, rule: String
        let `repeat`: Repetition?
        let expect: [Outcome]

        var testDescription: String { name }

        func bytes(_ text: String) -> [UInt8] {
            var text = text
            if let part = self.repeat {
                text = text.replacing(part.of, with: String(repeating: part.text, count: part.count))
            }
            return text.unicodeScalars.map { UInt8($0.value) }
        }
    }

    static let fixtures: [Fixture] = {
        guard let url = Bundle.module.url(forResource: "raw-requests", withExtension: "json", subdirectory: "Fixtures"),
            let data = try? Data(contentsOf: url)
        else { return [] }
        do {
            return try JSONDecoder().decode([Fixture].self, from: data)
        } catch {
            Issue.record("the fixtures cannot be read: \(error)")
            return []
        }
    }()

    /// What a connection did with the bytes.
    private enum Event: Equatable {
        case handled(method: String, path: String, query: String, body: [UInt8], keepAlive: Bool)
        case rejected(Int)
        case continued
    }

    /// All events for `bytes`, fed in pieces of `size`, when every request is answered as soon as it is complete; with
    /// `streams`, bodies are read as they arrive.
    private func events(_ bytes: [UInt8], by size: Int, streams: Bool = false) -> [Event] {
        var limits = RequestLimits()
        limits.bodyBytes = 1 << 20
        var state = HTTP1ConnectionState(limits: limits, deadlines: .init(), now: .zero)
        var events: [Event] = []
        var isClosed = false
        var streamed: Request?
        func perform(_ actions: [HTTP1ConnectionState.Action]) {
            for action in actions {
                switch action {
                case .headReceived(let head) where streams:
                    streamed = Request(head: head)
                    perform(state.proceedStreaming(now: .zero))
                case .headReceived: perform(state.proceed(now: .zero))
                case .body(let bytes): streamed?.body += bytes
                case .bodyEnded(nil): if let streamed { handle(streamed) }
                case .bodyEnded(let error?):
                    events.append(.rejected(error.status))
                    perform(state.respond(Response(error.status), date: "", now: .zero))
                    perform(state.sent(now: .zero))
                case .handle(let request): handle(request)
                case .reject(let error):
                    events.append(.rejected(error.status))
                    perform(state.respond(Response(error.status), date: "", now: .zero))
                    perform(state.sent(now: .zero))
                case .send(let bytes):
                    if bytes.starts(with: Array("HTTP/1.1 100".utf8)) { events.append(.continued) }
                case .pullBody: break
                case .closeSending, .close: isClosed = true
                }
            }
        }
        func handle(_ request: Request) {
            let head = request.head
            let event = Event.handled(
                method: head.method,
                path: head.path,
                query: head.rawQuery,
                body: request.body,
                keepAlive: head.keepsAlive
            )
            events.append(event)
            perform(state.respond(Response(204), date: "", now: .zero))
            perform(state.sent(now: .zero))
        }
        var rest = bytes[...]
        while !rest.isEmpty, !isClosed {
            perform(state.received(rest.prefix(size), now: .zero))
            rest = rest.dropFirst(size)
        }
        return events
    }

    private func matches(_ fixture: Fixture, _ events: [Event]) -> Bool {
        var rest = events[...]
        for outcome in fixture.expect {
            if let accepted = outcome.accept {
                guard case .handled(let method, let path, let query, let body, let keepAlive) = rest.popFirst(),
                    method == accepted.method, body == fixture.bytes(accepted.body), keepAlive == accepted.keepAlive
                else { return false }
                let parts = String(decoding: fixture.bytes(accepted.target), as: UTF8.self)
                    .split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
                guard query == (parts.count > 1 ? parts[1] : "") else { return false }
                let expected = accepted.path.map { String(decoding: fixture.bytes($0), as: UTF8.self) }
                guard path == expected ?? parts[0].removingPercentEncoding else { return false }
            } else if let status = outcome.status {
                guard rest.popFirst() == .rejected(status), rest.isEmpty else { return false }
            } else if outcome.continue == true {
                if rest.first == .continued { rest = rest.dropFirst() } else if outcome.mayOmit != true { return false }
            }
        }
        return rest.isEmpty
    }

    @Test("The fixture set is complete, and each fixture names its rule")
    func complete() {
        #expect(Self.fixtures.count > 1000)
        #expect(Self.fixtures.allSatisfy { !$0.rule.isEmpty && !$0.expect.isEmpty })
        #expect(Set(Self.fixtures.map(\.name)).count == Self.fixtures.count)
    }

    @Test("A body that is read as it arrives is framed in the same way", arguments: fixtures)
    func streamed(_ fixture: Fixture) {
        let bytes = fixture.bytes(fixture.raw)
        // A streamed body has no limit.
        guard !fixture.expect.contains(where: { $0.status == 413 }) else { return }
        for size in bytes.count > 100_000 ? [.max, 4096] : [.max, 1] {
            let events = events(bytes, by: size, streams: true)
            #expect(matches(fixture, events), "by \(size): \(String(describing: events).prefix(300)); \(fixture.rule)")
        }
    }

    @Test("Input gives the outcome that the RFC requires, whole and byte by byte", arguments: fixtures)
    func fixture(_ fixture: Fixture) {
        let bytes = fixture.bytes(fixture.raw)
        // Feeding a megabyte byte by byte would take too long.
        for size in bytes.count > 100_000 ? [.max, 4096] : [.max, 1] {
            let events = events(bytes, by: size)
            #expect(matches(fixture, events), "by \(size): \(String(describing: events).prefix(300)); \(fixture.rule)")
        }
    }
}
