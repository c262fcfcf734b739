/// A transformation of the values of interest to brightness: a lookup table or a window (PS3.3, C.11.2).
package enum VOITransformation: Sendable, Hashable {
    case table(LookupTable)
    case window(Window)

    /// The brightness of a value, from 0 for black to 1 for white.
    package func callAsFunction(_ value: Double) -> Double {
        switch self {
        case .table(let table): Double(table(value)) / Double(table.maximum)
        case .window(let window): window(value)
        }
    }

    /// One of the transformations of a file, which are counted from 1: first the tables, then the windows.
    ///
    /// Only the chosen one is read, so that a defect of another does not matter. Returns nil if the file has none at all
    /// and `index` is nil, which stands for the first. `functional` is the frame's own VOI, which precedes the others.
    static func read(
        _ index: Int?,
        of item: DICOMItem,
        functional: DICOMItem?,
        inputs: ClosedRange<Double>
    ) throws(DICOMError) -> Self? {
        let source = functional ?? item
        let tables = source.items(.voiLUTSequence)
        let windows = try windows(source)
        let count = tables.count + windows.count
        if index == nil, count == 0 { return nil }
        let place = (index ?? 1) - 1
        guard (0..<count).contains(place) else { throw .windowOutOfRange(index: place + 1, count: count) }
        if place < tables.count {
            return .table(try LookupTable(tables[place], inputs: inputs, name: "VOI LUT"))
        }
        let (center, width) = windows[place - tables.count]
        return .window(try Window(center: center, width: width, function: function(source)))
    }

    private static func windows(_ item: DICOMItem) throws(DICOMError) -> [(Double, Double)] {
        guard let centers = try item.decimals(.windowCenter, name: "Window Center"),
            let widths = try item.decimals(.windowWidth, name: "Window Width")
        else { return [] }
        return Array(zip(centers, widths))
    }

    private static func function(_ item: DICOMItem) throws(DICOMError) -> Window.Function {
        guard let name = item.text(.voiLUTFunction) else { return .linear }
        guard let function = Window.Function(rawValue: name.uppercased()) else {
            throw .inconsistent("the VOI LUT function \(name.prefix(32)) is unknown")
        }
        return function
    }
}
