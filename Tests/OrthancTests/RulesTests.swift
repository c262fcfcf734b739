import DICOM
import Foundation
import Orthanc
import Testing

struct RulesTests {
    private static let text = """
        {"rules": [
          {"name": "no scouts", "when": {"series_description": ["*scout*", "*localizer*"]}, "skip": true},
          {"name": "chest", "when": {"modality": ["CR", "DX"], "body_part": "CHEST*", "view_position": "?A"},
           "model": "pneumonia", "window": "full", "frame": 2, "outputs": ["sr", "sc"]},
          {"name": "ward", "when": {"ae_title": "WARD?"}, "model": "other"}
        ]}
        """

    private func metadata(_ change: (inout DICOMMetadata) -> Void) -> DICOMMetadata {
        var metadata = DICOMMetadata()
        change(&metadata)
        return metadata
    }

    @Test func `the first rule whose conditions are met applies`() throws {
        let rules = try Rules(json: Data(Self.text.utf8))
        var chest = metadata { ($0.modality, $0.bodyPart, $0.viewPosition) = ("dx", "Chest wall", "PA") }
        let rule = try #require(rules.rule(for: chest, remoteAETitle: ""))
        #expect(rule.name == "chest" && rule.model == "pneumonia" && rule.frame == 2)
        #expect(rule.window == .full && rule.outputs == [.structuredReport, .secondaryCapture])
        chest.seriesDescription = "AP Scout view"
        #expect(rules.rule(for: chest, remoteAETitle: "")?.model == nil)
        #expect(rules.rule(for: chest, remoteAETitle: "")?.name == "no scouts")
        #expect(rules.rule(for: metadata { $0.modality = "CT" }, remoteAETitle: "ward7")?.name == "ward")
        #expect(rules.rule(for: metadata { $0.modality = "CT" }, remoteAETitle: "") == nil)
        #expect(rules.problem(models: ["other", "pneumonia", "x"]) == nil)
        #expect(
            rules.problem(models: ["x", "pneumonia"])
                == "rule 'ward' has the model 'other', but the server has pneumonia, x"
        )
    }

    @Test func `the explanation names the condition that is not met`() throws {
        let rules = try Rules(json: Data(Self.text.utf8))
        let texts = rules.explanation(for: metadata { $0.modality = "CT" }, remoteAETitle: "X")
        #expect(texts.count == 4 && texts.last == "no rule applies")
        #expect(texts[1] == "rule 'chest' does not apply: body_part is missing, not CHEST*")
        #expect(texts[2] == "rule 'ward' does not apply: ae_title is 'X', not WARD?")
    }

    @Test(arguments: [
        ("", "not valid JSON"), ("[]", "one member"), (#"{"rules": []}"#, "no rules"),
        (#"{"rules": [{"model": "m", "modell": 1}]}"#, #"unknown member "modell""#),
        (#"{"rules": [{"when": {}}]}"#, "either"), (#"{"rules": [{"model": "m", "skip": true}]}"#, "either"),
        (#"{"rules": [{"model": "m", "when": {"modalty": "CT"}}]}"#, #"condition "modalty""#),
        (#"{"rules": [{"model": "m", "outputs": ["pdf"]}]}"#, #"output "pdf""#),
        (#"{"rules": [{"model": "m", "window": "40,0"}]}"#, "window must be"),
        (#"{"rules": [{"model": "m", "frame": 0}]}"#, "frame"),
        (#"{"rules": [{"model": "m", "when": {"modality": []}}]}"#, "no pattern"),
    ])
    func `an invalid file is rejected with the place of the fault`(text: String, message: String) {
        let error = #expect(throws: RulesError.self) { try Rules(json: Data(text.utf8)) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `patterns take no longer than the product of the lengths`() throws {
        let pattern = String(repeating: "*a", count: 90)
        let rules = try Rules(
            json: Data(#"{"rules": [{"model": "m", "when": {"manufacturer": "\#(pattern)b"}}]}"#.utf8)
        )
        let text = String(repeating: "a", count: 4096)
        #expect(rules.rule(for: metadata { $0.manufacturer = text }, remoteAETitle: "") == nil)
        #expect(rules.rule(for: metadata { $0.manufacturer = text + "B" }, remoteAETitle: "") != nil)
    }
}
