import ArgumentParser
import Console
import DICOM
import Orthanc

/// Command that explains what the rules would do with the images of a study.
struct CheckRulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-rules",
        abstract: "Says what the rules would do with each instance of a study, and why. Nothing is scored or written."
    )

    @Argument(help: "The file with the rules.", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Id of the study in Orthanc; without it only the file is checked.", valueName: "id"))
    var study: String?

    @OptionGroup(title: "Orthanc options") var orthanc: OrthancOptions

    func run() throws {
        let rules = try Rules(path: file)
        guard let study else {
            return try StandardStream.output.write("\(file): \(rules.rules.count) rules, valid\n")
        }
        let client = try orthanc.client(seconds: 60)
        let process = DecodingProcess()
        for instance in try client.instances(ofStudy: study) {
            guard let record = try client.record(of: instance), let bytes = try client.file(of: instance) else {
                continue
            }
            try StandardStream.output.write("\(instance)\n")
            for line in explanation(rules, record, bytes, process) { try StandardStream.output.write("  \(line)\n") }
        }
    }

    private func explanation(
        _ rules: Rules,
        _ record: InstanceRecord,
        _ bytes: [UInt8],
        _ process: DecodingProcess
    ) -> [String] {
        let metadata: DICOMMetadata
        do {
            metadata = try process.metadata(bytes: bytes)
        } catch {
            return ["not scored: \(error)"]
        }
        if let reason = InstanceJob.reasonToSkip(record) ?? DICOMScorer.reasonToSkip(metadata) {
            return ["not scored: \(reason)"]
        }
        var lines = rules.explanation(for: metadata, remoteAETitle: record.remoteAETitle)
        if let mark = record.mark.flatMap(Mark.parse) {
            lines.append("has a result already, by \(mark.model.name) \(mark.model.version)")
        }
        guard let rule = rules.rule(for: metadata, remoteAETitle: record.remoteAETitle), let model = rule.model else {
            return lines + ["not scored"]
        }
        let outputs = ["metadata", "attachment"] + rule.outputs.map(\.rawValue)
        return lines + ["scored by \(model), frame \(rule.frame); written: \(outputs.joined(separator: ", "))"]
    }
}
