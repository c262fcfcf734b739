import Client
import Foundation
import Testing

/// What is written for an image.
@Suite struct ResultFormatTests {
    /// Names that break careless writers.
    static let names = [
        "plain.png", "comma,name.png", "quote\"name.png", "line\nname.png", "cr\rname.png", " space.png ", "tab\t.png",
        "back\\slash.png", "literal\\xFF.png", "äöü.png", "\u{1}\u{1F}.png", "", "a,\"b\"\r\n",
    ]

    private func csv(_ record: Record) -> String { String(decoding: ResultFormat.csv.text(of: record), as: UTF8.self) }

    @Test("CSV has the columns of the server's, with the path")
    func columns() {
        #expect(
            ResultFormat.csv.header.elementsEqual(
                "path,index,model,version,verdict,score,normality,p_value,anomalous,input_p_value,frame,error\r\n".utf8
            )
        )
        #expect(
            csv(.scored(InputPath("a.png"), 7))
                == "a.png,7,phantom,1.0.0,normal,0.25,2.0546563267707825,1,false,0.5,,\r\n"
        )
        #expect(csv(.scored(InputPath("a"), 7, frame: 3)).hasSuffix(",false,0.5,3,\r\n"))
        #expect(csv(.failed(InputPath("a"))) == "a,0,,,,,,,,,,\"422 too \"\"large\"\",\nreally\"\r\n")
    }

    @Test("A CSV reader gets every name back", arguments: names)
    func csvNames(name: String) throws {
        let record = ResultFormat.csv.text(of: .scored(InputPath(name)))
        let fields = try #require(CSV.fields(in: record.dropLast(2)))
        #expect(fields.count == CSV.columns.count && fields[0] == InputPath(name).text)
    }

    @Test("A JSON reader gets every name back, from one line", arguments: names)
    func jsonNames(name: String) throws {
        struct Line: Decodable { let path: String }
        for record in [Record.scored(InputPath(name)), .failed(InputPath(name))] {
            let text = ResultFormat.jsonl.text(of: record)
            #expect(text.count { $0 == 0x0A } == 1 && text.last == 0x0A)
            #expect(try JSONDecoder().decode(Line.self, from: Data(text)).path == InputPath(name).text)
        }
    }

    @Test("A JSON line holds the object as the server sent it")
    func jsonObject() {
        let answer = ScoreAnswer.example()
        let text = String(decoding: ResultFormat.jsonl.text(of: .scored(InputPath("a"), 2)), as: UTF8.self)
        #expect(
            text
                == "{\"path\":\"a\",\"index\":2,\"frame\":null,\"result\":\(String(decoding: answer.json, as: UTF8.self))}\n"
        )
    }

    @Test("A row of the table is one line without control characters", arguments: names)
    func tableNames(name: String) {
        for record in [Record.scored(InputPath(name)), .failed(InputPath(name))] {
            let row = String(decoding: ResultFormat.table.text(of: record), as: UTF8.self)
            #expect(row.unicodeScalars.dropLast().allSatisfy { $0.properties.generalCategory != .control })
            #expect(row.hasSuffix("\n"))
        }
    }

    @Test("Different paths have different texts, also if they are not UTF-8")
    func pathTexts() {
        let paths: [[UInt8]] = [
            [0x61, 0xFF], [0x61, 0xFE], Array("a\\xFF".utf8), Array("a\\\\xFF".utf8), [0x61, 0x5C, 0xFF], [0x61, 0xC3],
            Array("ä".utf8), [0xC3], [0xA4], [0xC3, 0xA4, 0xFF], Array("a\\".utf8), Array("a\\\\".utf8),
        ]
        let texts = paths.map { InputPath($0).text }
        #expect(Set(texts).count == paths.count)
        #expect(texts[0] == "a\\xFF" && texts[2] == "a\\\\xFF" && texts[9] == "ä\\xFF")
    }

    @Test("A spreadsheet does not take a path for a formula", arguments: ["=1+1.png", "+1", "-1.png", "@SUM(A1)"])
    func formulas(name: String) { #expect(InputPath(name).text == "./\(name)") }

    @Test("A picture's name tells inputs of the same name apart and has only plain characters")
    func pictureNames() {
        let first = PictureFile.name(of: InputPath("a/scan 1;rm.png"), frame: nil, kind: "dissolve-t50")
        let second = PictureFile.name(of: InputPath("b/scan 1;rm.png"), frame: nil, kind: "dissolve-t50")
        #expect(first != second && first.hasPrefix("scan_1_rm-") && first.hasSuffix("-dissolve-t50.png"))
        let long = PictureFile.name(of: InputPath([UInt8](repeating: 0xFF, count: 250)), frame: 12, kind: "heatmap")
        #expect(long.utf8.count < 200 && long.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x2F })
        #expect(PictureFile.name(of: .standardInput, frame: nil, kind: "heatmap").hasPrefix("-") == false)
    }
}
