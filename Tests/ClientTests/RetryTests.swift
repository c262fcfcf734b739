import Client
import Testing

/// When requests are repeated, without waiting.
@Suite struct RetryTests {
    private func problem(_ status: Int, retryAfter: Double? = nil) -> ClientError {
        .problem(Problem(status: status, detail: nil, retryAfter: retryAfter))
    }

    /// Returns the pauses of a request that fails with `error` each time.
    private func pauses(_ error: ClientError, _ policy: RetryPolicy = RetryPolicy(), random: Double) -> [Double] {
        var schedule = RetrySchedule(policy)
        var (elapsed, pauses) = (0.0, [Double]())
        while case .wait(let seconds) = schedule.decision(after: error, elapsed: elapsed, random: random) {
            pauses.append(seconds)
            elapsed += seconds
        }
        return pauses
    }

    @Test("Pauses double up to a limit, and a random part of each is waited")
    func backoff() {
        #expect(pauses(.connectionLost("reset"), random: 1) == [0.5, 1, 2, 4, 8, 15, 15])
        #expect(pauses(.connectionLost("reset"), random: 0) == [0.25, 0.5, 1, 2, 4, 7.5, 7.5])
    }

    @Test("The number of attempts is limited", arguments: [1, 2, 5])
    func attempts(limit: Int) {
        var policy = RetryPolicy()
        policy.attempts = limit
        #expect(pauses(.connectionLost(""), policy, random: 0).count == limit - 1)
        #expect(pauses(problem(503), policy, random: 0).count == limit - 1)
    }

    @Test("Attempts to connect have a limit of their own")
    func connecting() {
        var policy = RetryPolicy()
        policy.connectionAttempts = 2
        #expect(pauses(.cannotConnect("refused"), policy, random: 0).count == 1)
        #expect(pauses(problem(503), policy, random: 0).count == 7)
    }

    @Test("No attempt begins after the total time")
    func totalTime() {
        var policy = RetryPolicy()
        policy.totalSeconds = 10
        let all = pauses(problem(503), policy, random: 1)
        #expect(all == [0.5, 1, 2, 4])
        var schedule = RetrySchedule(policy)
        #expect(schedule.decision(after: problem(503), elapsed: 9.9, random: 1) == .giveUp)
    }

    @Test("Retry-After is waited for, and a little more, so that clients do not return together")
    func retryAfter() {
        var schedule = RetrySchedule(RetryPolicy())
        #expect(schedule.decision(after: problem(503, retryAfter: 8), elapsed: 0, random: 0) == .wait(seconds: 8))
        #expect(schedule.decision(after: problem(429, retryAfter: 8), elapsed: 0, random: 1) == .wait(seconds: 10))
        // The exponential pause is longer.
        #expect(schedule.decision(after: problem(503, retryAfter: 0), elapsed: 0, random: 1) == .wait(seconds: 2))
    }

    @Test("A server that works and is busy is waited for longer than one that does not answer")
    func busy() {
        #expect(pauses(problem(503, retryAfter: 1), random: 1).count == 39)
        #expect(pauses(problem(503, retryAfter: 30), random: 0).count == 20)
        #expect(pauses(problem(503), random: 0).count == 7)
    }

    @Test("A server cannot make a client wait for hours")
    func longRetryAfter() {
        var schedule = RetrySchedule(RetryPolicy())
        #expect(schedule.decision(after: problem(503, retryAfter: 1e9), elapsed: 0, random: 0) == .wait(seconds: 60))
        #expect(schedule.decision(after: problem(503, retryAfter: 1e9), elapsed: 541, random: 0) == .giveUp)
        #expect(pauses(problem(429, retryAfter: 1e9), random: 0).count == 10)
    }

    @Test(
        "Only failures that can pass are repeated",
        arguments: [
            (ClientError.cannotConnect(""), true), (.connectionLost(""), true), (.tls(""), false),
            (.timeout(seconds: 1), false), (.invalidResponse(""), false),
        ]
    )
    func kinds(error: ClientError, repeats: Bool) { #expect(pauses(error, random: 0).isEmpty == !repeats) }

    @Test(
        "Only statuses that can pass are repeated",
        arguments: [400, 401, 403, 404, 413, 422, 429, 500, 502, 503, 504]
    )
    func statuses(status: Int) {
        #expect(pauses(problem(status), random: 0).isEmpty == ![429, 502, 503, 504].contains(status))
    }

    @Test(
        "Retry-After is read as seconds or as a date",
        arguments: [
            ("0", 0.0), ("120", 120), ("99999999999999999999", 1e9),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 37), ("Sunday, 06-Nov-94 08:49:37 GMT", 37),
            ("Sun Nov  6 08:49:37 1994", 37), ("Sun, 06 Nov 1994 08:48:59 GMT", 0),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Tue, 29 Feb 2000 00:00:00 GMT", 167_670_660),
        ]
    )
    func retryAfterValues(value: String, seconds: Double) {
        // Sun, 06 Nov 1994 08:49:00 GMT
        #expect(RetryAfter.seconds(value, now: 784_111_740) == seconds)
    }

    @Test(
        "Anything else as Retry-After is ignored",
        arguments: [
            "", " ", "-1", "1.5", "1e3", "+5", "0x10", "soon", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT", "Sun, 06 Nov 199 08:49:37 GMT",
            "Sun, 99999999999999999999 Nov 1994 08:49:37 GMT",
        ]
    )
    func invalidRetryAfter(value: String) { #expect(RetryAfter.seconds(value, now: 0) == nil) }
}
