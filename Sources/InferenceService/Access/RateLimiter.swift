/// Token buckets that limit each key's requests per second, with bursts of up to one second's worth.
struct RateLimiter {
    private struct Bucket {
        var tokens: Double
        var filled: ContinuousClock.Instant
    }

    private var buckets: [String: Bucket] = [:]

    /// Takes a token of `key`; if there is none, returns the seconds until there is one.
    mutating func take(_ key: APIKeys.Key, now: ContinuousClock.Instant) -> Double? {
        guard let rate = key.rate else { return nil }
        let capacity = max(1, rate)
        var bucket = buckets[key.name] ?? Bucket(tokens: capacity, filled: now)
        bucket.tokens = min(capacity, bucket.tokens + (now - bucket.filled) / .seconds(1) * rate)
        bucket.filled = now
        defer { buckets[key.name] = bucket }
        guard bucket.tokens >= 1 else { return (1 - bucket.tokens) / rate }
        bucket.tokens -= 1
        return nil
    }
}
