public import Client
import HTTP

/// Sends objects to an archive by DICOMweb (STOW-RS, PS3.18 section 10.5).
public struct StowClient: ObjectReceiver {
    private let transport: any Transport

    /// Creates a client of the archive at the address of the transport, such as http://127.0.0.1:8042/dicom-web.
    public init(_ transport: any Transport) { self.transport = transport }

    /// Sends files in one request.
    public func store(_ files: [[UInt8]]) throws(ScoringError) {
        // The boundary depends on the files, so it is not in one of them.
        let boundary = "dia-\(FileDigest.hexadecimal(files.flatMap { $0 }).prefix(32))"
        var body: [UInt8] = []
        for file in files {
            body += Array("--\(boundary)\r\nContent-Type: application/dicom\r\n\r\n".utf8) + file + Array("\r\n".utf8)
        }
        body += Array("--\(boundary)--\r\n".utf8)
        var request = ServiceRequest(path: "/studies")
        request.body = body
        request.headers = [
            "User-Agent": "dia", "Accept": "application/dicom+json",
            "Content-Type": "multipart/related; type=\"application/dicom\"; boundary=\(boundary)",
        ]
        let response: Response
        do {
            response = try transport.send(request)
        } catch {
            throw .unavailable("STOW-RS: \(error)")
        }
        switch response.status {
        case 200: return
        case 202:
            // Warnings alone, or also failures (Failed SOP Sequence).
            guard !String(decoding: response.body, as: UTF8.self).contains("00081198") else {
                throw .temporary("STOW-RS: the archive did not store all objects")
            }
        case 409: throw .temporary("STOW-RS: the archive did not store all objects")
        case 401, 403, 429, 502, 503, 504: throw .unavailable("STOW-RS: status \(response.status)")
        default: throw .temporary("STOW-RS: status \(response.status)")
        }
    }
}
