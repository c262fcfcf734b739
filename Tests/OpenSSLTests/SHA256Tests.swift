import OpenSSL
import Testing

@Suite struct CryptographyTests {
    @Test("SHA-256 matches the FIPS 180-2 test vectors")
    func digest() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(SHA256.hexadecimal("abc".utf8) == abc)
        #expect(SHA256.digest("abc".utf8).count == 32)
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(SHA256.hexadecimal([]) == empty)
    }

    @Test("Secrets are equal only if every byte is equal")
    func comparison() {
        #expect(equalInConstantTime([1, 2, 3], [1, 2, 3]) && equalInConstantTime([], []))
        #expect(!equalInConstantTime([1, 2, 3], [1, 2, 4]) && !equalInConstantTime([1, 2, 3], [1, 2]))
    }
}
