/// The parameters of a score or batch request that concern each image.
struct ScoreQuery: Sendable {
    /// The names of the parameters.
    static let names = Rendering.names + ["provenance"]

    /// How samples become gray levels.
    let rendering: Rendering
    /// Whether the response tells what the score was computed from.
    let hasProvenance: Bool

    /// Creates the query of an image that is scored without a response of its own.
    init(_ rendering: Rendering) { (self.rendering, hasProvenance) = (rendering, false) }

    /// Reads the parameters of a response with `fields`, or all members; throws if one is invalid.
    init(_ parameters: QueryParameters, _ fields: ResultFields? = nil) throws(ServiceError) {
        rendering = try Rendering(parameters)
        let isWanted = try parameters.boolean("provenance") ?? false
        hasProvenance = isWanted || fields?.includesProvenance == true
    }
}
