import ArgumentParser
import Client
import Foundation
import Orthanc

/// The options that say how Orthanc is reached.
struct OrthancOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Address of Orthanc's REST API.", valueName: "address"))
    var orthanc: String = "http://127.0.0.1:8042"

    @Option(
        help: ArgumentHelp("File with the user name and the password of Orthanc, as user:password.", valueName: "file"),
        completion: .file()
    )
    var orthancUserFile: String?

    @Option(
        help: ArgumentHelp("Certificate authority of Orthanc (PEM), in place of the system's.", valueName: "file"),
        completion: .file()
    )
    var orthancCa: String?

    @Option(help: ArgumentHelp("Number of the user-defined metadata with the result.", valueName: "number"))
    var metadata: Int = 4101

    @Option(help: ArgumentHelp("Number of the user-defined attachment with the complete result.", valueName: "number"))
    var attachment: Int = 4101

    func validate() throws {
        for (name, number) in [("metadata", metadata), ("attachment", attachment)]
        where !(1024...65_535).contains(number) {
            throw ValidationError("--\(name) must be from 1024 to 65535, which Orthanc leaves to users")
        }
    }

    /// Returns the client; requests take at most `seconds`.
    func client(seconds: Double) throws -> OrthancClient {
        let address: ServerAddress
        do {
            address = try ServerAddress(orthanc)
        } catch {
            throw ValidationError(
                "--orthanc: \(error)".replacingOccurrences(of: "--key-file", with: "--orthanc-user-file")
            )
        }
        if address.isExposed {
            Messages.warn("\(address) is not encrypted: passwords and images can be read on the way; use https")
        }
        var configuration = CurlTransport.Configuration(address)
        try FileOption.requireReadable(orthancCa, option: "orthanc-ca")
        configuration.authority = orthancCa
        configuration.seconds = seconds
        var slots = OrthancClient.Slots()
        (slots.metadata, slots.attachment) = (metadata, attachment)
        return OrthancClient(CurlTransport(configuration), credentials: try credentials(), slots: slots)
    }

    private func credentials() throws -> OrthancClient.Credentials? {
        guard let orthancUserFile else { return nil }
        guard let data = FileManager.default.contents(atPath: orthancUserFile) else {
            throw ValidationError("--orthanc-user-file \(orthancUserFile): cannot read the file")
        }
        guard let credentials = OrthancClient.Credentials(String(decoding: data, as: UTF8.self)) else {
            throw ValidationError("--orthanc-user-file \(orthancUserFile): expected one line, user:password")
        }
        return credentials
    }
}

extension Rules {
    /// Reads the file of rules at `path`.
    init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("\(path): cannot read the file")
        }
        do {
            try self.init(json: data)
        } catch {
            throw ValidationError("\(path): \(error)")
        }
    }
}
