import Client
import Foundation

/// The table of `dia models`.
enum ModelTable {
    private static let columns = [
        "name", "version", "input", "AUROC", "sensitivity", "false positives", "rendering", "largest file", "pixels",
    ]

    /// Returns the table of `models`; the default model has a star.
    static func text(_ models: [ModelSummary]) -> String {
        let rows = [columns] + models.map(row)
        let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(
                separator: "  "
            )
            return String(cells.reversed().drop { $0 == " " }.reversed())
        }
        return lines.joined(separator: "\n") + "\n\n* default model. \(Messages.notice)\n"
    }

    private static func row(_ model: ModelSummary) -> [String] {
        let input = model.input
        let rendering = [model.rendering?.photometric, model.rendering?.window].compactMap { $0 }
        let evaluation = model.evaluation
        return [
            model.name + (model.isDefault ? "*" : ""), model.version,
            "\(input.width) x \(input.height) \(input.channels == 1 ? "gray" : "color")",
            evaluation?.auroc.map { String(format: "%.3f", $0) } ?? "-", percent(evaluation?.sensitivity),
            percent(evaluation?.falsePositiveRate), rendering.isEmpty ? "-" : rendering.joined(separator: " "),
            String(format: "%.1f MB", Double(model.limits.bodyBytes) / 1e6),
            String(format: "%.1f million", Double(model.limits.pixels) / 1e6),
        ].map { $0.filter { !$0.unicodeScalars.contains { $0.properties.generalCategory == .control } } }
    }

    private static func percent(_ value: Double?) -> String { value.map { String(format: "%.1f%%", 100 * $0) } ?? "-" }
}
