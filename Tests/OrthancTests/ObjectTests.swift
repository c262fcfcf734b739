import Orthanc
import Testing

struct ObjectTests {
    @Test func `only ids of Orthanc's form are used in paths and names of files`() {
        #expect(OrthancClient.isIdentifier(identifier(3)))
        for text in [
            "", "..", "aaaaaaaa-bbbbbbbb-cccccccc-dddddddd", identifier(3) + "/",
            "a/aaaaaa-bbbbbbbb-cccccccc-dddddddd-eeeeeeee",
        ] {
            #expect(!OrthancClient.isIdentifier(text))
        }
    }

    @Test func `credentials are one line with a colon, and are not shown`() throws {
        #expect(OrthancClient.Credentials("user") == nil)
        #expect(OrthancClient.Credentials("a:b\nc:d\n") == nil)
        let credentials = try #require(OrthancClient.Credentials("user:secret\n"))
        #expect(!"\(credentials)".contains("secret"))
    }

    @Test func `a mark is read as it was written, and other text is not a mark`() {
        let text = """
            {"program":"p","source":"md5:1","rule":"r","model":{"name":"n","version":"1","digest":"d"},"normality":1.5,\
            "outputs":[],"notice":"n"}
            """
        let mark = Mark.parse(text)
        #expect(mark?.normality == 1.5 && mark?.p_value == nil)
        #expect(mark.flatMap { Mark.parse($0.text) } == mark)
        #expect(Mark.parse("{}") == nil && Mark.parse("1") == nil)
    }
}
