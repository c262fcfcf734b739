import HTTP

/// Memory for images or lines of a batch, counted in the part of the budget for batches and in that for all requests.
struct BatchMemory: Sendable {
    let reservations: [MemoryBudget.Reservation]

    /// Releases the memory before the value is destroyed.
    func release() { for reservation in reservations { reservation.release() } }
}
