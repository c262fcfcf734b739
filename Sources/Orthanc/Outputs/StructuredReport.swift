import Client
import DICOM

/// The result as a structured report: TID 1500, with one measurement group (TID 1501) about the image.
enum StructuredReport {
    /// Comprehensive SR Storage.
    private static let sopClass = "1.2.840.10008.5.1.4.1.1.88.33"
    private static let scheme = "99DIA"

    /// Returns the report.
    static func object(_ finding: Finding, _ source: ResultSource) -> InstanceResult.Object {
        var (set, series) = source.dataSet(finding, kind: "sr", sopClass: sopClass, modality: "SR")
        var identification = DataSet()
        identification.set(0x0008_0102, "SH", scheme)
        identification.set(0x0008_0115, "ST", "Results of DIA")
        set.set(0x0008_0110, [identification])
        // Type 2: no performed procedure step is known.
        set.set(0x0008_1111, [])
        set.set(0x0040_A372, [])
        set.set(0x0040_A491, "CS", "COMPLETE")
        set.set(0x0040_A493, "CS", "UNVERIFIED")
        set.set(0x0040_A375, [evidence(source)])
        fill(&set, root(finding, source))
        return InstanceResult.Object(
            kind: "sr",
            series: series,
            file: set.file(implementation: DerivedUID.implementation)
        )
    }

    /// Current Requested Procedure Evidence: the image.
    private static func evidence(_ source: ResultSource) -> DataSet {
        var instance = DataSet()
        instance.set(0x0008_1150, "UI", source.metadata.sopClassUID)
        instance.set(0x0008_1155, "UI", source.metadata.sopInstanceUID)
        var series = DataSet()
        series.set(0x0008_1199, [instance])
        series.set(0x0020_000E, "UI", source.metadata.seriesInstanceUID)
        var study = DataSet()
        study.set(0x0008_1115, [series])
        study.set(0x0020_000D, "UI", source.metadata.studyInstanceUID)
        return study
    }

    private static func root(_ finding: Finding, _ source: ResultSource) -> ContentItem {
        let device = DerivedUID.make("device", finding.answer.score.model.digest)
        let observer = [
            ContentItem.code(
                "HAS OBS CONTEXT",
                Code("121005", "DCM", "Observer Type"),
                Code("121007", "DCM", "Device")
            ),
            .uid("HAS OBS CONTEXT", Code("121012", "DCM", "Device Observer UID"), device),
            .text("HAS OBS CONTEXT", Code("121013", "DCM", "Device Observer Name"), "DIA"),
        ]
        let language = ContentItem.code(
            "HAS CONCEPT MOD",
            Code("121049", "DCM", "Language of Content Item and Descendants"),
            Code("en-US", "RFC5646", "English (United States)")
        )
        let procedure = ContentItem.code(
            "HAS CONCEPT MOD",
            Code("121058", "DCM", "Procedure reported"),
            Code("363679005", "SCT", "Imaging procedure")
        )
        let library = ContentItem.container(
            "CONTAINS",
            Code("111028", "DCM", "Image Library"),
            [
                .container(
                    "CONTAINS",
                    Code("126200", "DCM", "Image Library Group"),
                    [.image("CONTAINS", nil, source.reference)]
                )
            ]
        )
        let measurements = ContentItem.container(
            "CONTAINS",
            Code("126010", "DCM", "Imaging Measurements"),
            [group(finding, source)]
        )
        return .container(
            nil,
            Code("126000", "DCM", "Imaging Measurement Report"),
            [language] + observer + [procedure, library, measurements],
            template: "1500"
        )
    }

    private static func group(_ finding: Finding, _ source: ResultSource) -> ContentItem {
        let score = finding.answer.score
        let tracking = DerivedUID.make("tracking", source.metadata.sopInstanceUID, source.pixels, score.model.digest)
        var items = [
            ContentItem.text("HAS OBS CONTEXT", Code("112039", "DCM", "Tracking Identifier"), "DIA anomaly score"),
            .uid("HAS OBS CONTEXT", Code("112040", "DCM", "Tracking Unique Identifier"), tracking),
            .text("HAS CONCEPT MOD", Code("111001", "DCM", "Algorithm Name"), score.model.name),
            .text("HAS CONCEPT MOD", Code("111003", "DCM", "Algorithm Version"), score.model.version),
            .text("HAS CONCEPT MOD", Code("111002", "DCM", "Algorithm Parameters"), "digest \(score.model.digest)"),
            .text("HAS CONCEPT MOD", Code("111002", "DCM", "Algorithm Parameters"), finding.program),
            .image("CONTAINS", Code("260753009", "SCT", "Source"), source.reference),
        ]
        let measurements: [(String, String, Double?)] = [
            ("score", "Anomaly score", score.score), ("p-value", "Conformal p-value", score.pValue),
            ("normality", "Normality", score.normality),
        ]
        for (value, meaning, number) in measurements {
            guard let number, number.isFinite else { continue }
            items.append(.number("CONTAINS", Code(value, scheme, meaning), number))
        }
        if let verdict = score.verdict {
            let meaning = verdict.replacing("_", with: " ")
            items.append(
                .code("CONTAINS", Code("verdict", scheme, "Verdict"), Code(verdict, scheme, meaning))
            )
        }
        items.append(.text("CONTAINS", Code("121106", "DCM", "Comment"), Notice.text))
        return .container("CONTAINS", Code("125007", "DCM", "Measurement Group"), items, template: "1501")
    }

    /// Writes the root item into the data set of the report.
    private static func fill(_ set: inout DataSet, _ item: ContentItem) { item.write(to: &set) }
}
