import Client

extension ScoreAnswer {
    /// A score as a server sends it.
    static func example(digest: String = "sha256:ab", version: String = "1.0.0", verdict: String = "normal")
        -> ScoreAnswer
    {
        let text = """
            {"anomalous":false,"input_check":{"p_value":0.5,"reasons":[],"typical":true},\
            "model":{"digest":"\(digest)","name":"phantom","version":"\(version)"},"normality":2.0546563267707825,\
            "p_value":1,"score":0.25,"verdict":"\(verdict)"}

            """
        guard let answer = try? ScoreAnswer(Array(text.utf8)) else { preconditionFailure("the example is not valid") }
        return answer
    }
}

extension Record {
    /// The record of a scored image.
    static func scored(_ path: InputPath, _ index: Int = 0, frame: Int? = nil) -> Record {
        Record(path: path, index: index, frame: frame, .success(.example()))
    }

    /// The record of a failed image.
    static func failed(_ path: InputPath, _ index: Int = 0) -> Record {
        Record(
            path: path,
            index: index,
            .failure(Failure(.problem(Problem(status: 422, detail: "too \"large\",\nreally"))))
        )
    }
}
