import Codecs
import Engine
import Foundation
import HTTP
import Imaging
import InferenceService
import ModelFile
import OpenSSL
import TestSupport
import Testing

/// What a score object says about the pixels and the model that it comes from.
@Suite struct ProvenanceTests {
    /// Files, each after its name and the SHA-256 of its samples; written by Tests/Reference/pixel_digests.py.
    static let cases: [String] = [
        """
        gray 8
        0722dcf52e15b53f6903a255c7b5e059b692b936c7fe664e892b26bc74642154
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFCAAAAACyOJm3AAAAPUlEQVR42gEyAM3/AABlyi+U+V7DKACrEHXaP6QJbtMAVrsghepP
        tBl+AAFmyzCV+l/EKQCsEXbbQKUKb9QLGhUjbk/xMQAAAABJRU5ErkJggg==
        """,
        """
        gray 8 interlaced
        0722dcf52e15b53f6903a255c7b5e059b692b936c7fe664e892b26bc74642154
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFCAAAAAHFP6khAAAAQ0lEQVR42gE4AMf/AAAoAJQArEDUAMpeAHYKAFYg6rR+AGUv+cMA
        u4VPGQAR26VvAKsQddo/pAlu0wABZsswlfpfxCke7hUjZxmhvQAAAABJRU5ErkJggg==
        """,
        """
        gray 16
        43a30205720275183871b2a3ed17ab39c0eb9ae6c0021664ba7b525fab7c36bc
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFEAAAAADiqEX0AAAAaklEQVR42gFfAKD/AAAAHmU8ylsveZSX+bZe1MPzKAAQqy8QTXVr
        2oo/qKTHCeVuA9MAIVY/u14gfIWa6rlP17T2GRR+ADIBUGZuy40wq5XJ+uhfBsQlKQBCrGERf3ad27xA2qX5ChdvNdSirCpJ1BhN
        SQAAAABJRU5ErkJggg==
        """,
        """
        gray 16 interlaced
        43a30205720275183871b2a3ed17ab39c0eb9ae6c0021664ba7b525fab7c36bc
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFEAAAAAGVr3ViAAAAcElEQVR42gFlAJr/AAAA8ygAeZQAQqy8QDXUADzKtl4Af3b5CgAh
        Vl4gmurXtBR+AB5lWy+X+dTDAD+7fIW5T/YZAGERndvapRdvABCrLxBNdWvaij+opMcJ5W4D0wAyAVBmbsuNMKuVyfroXwbEJSn9
        jipJj2LP0wAAAABJRU5ErkJggg==
        """,
        """
        gray-alpha 8
        82ebfc93536a95fd3e94ac4f55a83472525b71063035ca496193396d4668f718
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFCAQAAAA9Wg7gAAAAaklEQVR42gFfAKD/AADZZT7Koy8IlG350l43w5woAQCrhBDpdU7a
        sz8YpH0J4m5H06wAVi+7lCD5hV7qw08otI0Z8n5XAAHaZj/LpDAJlW760184xJ0pAgCshRHqdk/btEAZpX4K429I1K33TStqWh60
        kAAAAABJRU5ErkJggg==
        """,
        """
        gray-alpha 8 interlaced
        82ebfc93536a95fd3e94ac4f55a83472525b71063035ca496193396d4668f718
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFCAQAAAFKXT52AAAAcElEQVR42gFlAJr/AADZKAEAlG0ArIVAGdStAMqjXjcAdk8K4wBW
        LyD56sO0jX5XAGU+Lwj50sOcALuUhV5PKBnyABHq27Slfm9IAKuEEOl1TtqzPxikfQnibkfTrAAB2mY/y6QwCZVu+tNfOMSdKQI0
        nytqWRsz9QAAAABJRU5ErkJggg==
        """,
        """
        gray-alpha 16
        78c2b91c323dc5db849a3fe98a9298e5459af9430f86c10d5d7fc48062b41224
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFEAQAAABtytKjAAAAxElEQVR42gG5AEb/AAAAOdkeZVg+PMp2o1svlQh5lLNtl/nR0rZe
        8DfUww6c8ygtAQAQq0qELxBo6U11h05r2qWzij/EGKik4n3HCQDi5W4fRwPTPawAIVZbLz+7eZReIJf5fIW2Xprq1MO5T/Mo17QR
        jfYZL/IUfk5XADIBa9pQZoo/bsuopI0wxwmrleVuyfoD0+hfIjgGxECdJSlfAgBCrHyFYRGa6n92uU+d29e0vED2GdqlFH75CjLj
        F29RSDXUb62K01Xga4zGIwAAAABJRU5ErkJggg==
        """,
        """
        gray-alpha 16 interlaced
        78c2b91c323dc5db849a3fe98a9298e5459af9430f86c10d5d7fc48062b41224
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFEAQAAAEazeI1AAAAyklEQVR42gG/AED/AAAAOdnzKC0BAHmUs20AQqx8hbxA9hk11G+t
        ADzKdqO2XvA3AH92uU/5CjLjACFWWy9eIJf5murUw9e0EY0Ufk5XAB5lWD5bL5UIl/nR0tTDDpwAP7t5lHyFtl65T/Mo9hkv8gBh
        EZrqndvXtNqlFH4Xb1FIABCrSoQvEGjpTXWHTmvapbOKP8QYqKTifccJAOLlbh9HA9M9rAAyAWvaUGaKP27LqKSNMMcJq5Xlbsn6
        A9PoXyI4BsRAnSUpXwKxnFXgftYEvAAAAABJRU5ErkJggg==
        """,
        """
        rgb 8
        d59874434ac04b1b2ebc8a9ed16d6c0242aa32c3ee81602e7addd75c14d830b3
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFCAIAAAAYMVE8AAAAl0lEQVR42gGMAHP/AADZsmU+F8qjfC8I4ZRtRvnSq143EMOcdSgB
        2gCrhF0Q6cJ1Tifas4w/GPGkfVYJ4rtuRyDTrIUAVi8Iu5RtIPnShV436sOcTygBtI1mGfLLflcwAAHas2Y/GMukfTAJ4pVuR/rT
        rF84EcSddikC2wCshV4R6sN2TyjbtI1AGfKlflcK47xvSCHUrYaSa0DW4YEH+wAAAABJRU5ErkJggg==
        """,
        """
        rgb 8 interlaced
        d59874434ac04b1b2ebc8a9ed16d6c0242aa32c3ee81602e7addd75c14d830b3
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFCAIAAAFvNmGqAAAAnUlEQVR42gGSAG3/AADZsigB2gCUbUYArIVeQBny1K2GAMqjfF43
        EAB2TygK47wAVi8IIPnS6sOctI1mflcwAGU+Fy8I4fnSq8OcdQC7lG2FXjdPKAEZ8ssAEerD27SNpX5Xb0ghAKuEXRDpwnVOJ9qz
        jD8Y8aR9Vgniu25HINOshQAB2rNmPxjLpH0wCeKVbkf606xfOBHEnXYpAtv5vkDWfFj7cQAAAABJRU5ErkJggg==
        """,
        """
        rgb 16
        f4d33c3b20592021ac4244c28da9e60a046073b7850f7f93f914ab733e011894
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFEAIAAABIoY1/AAABAklEQVR42mNgYLC8WbxJLjXCbpK4zamyxRtqovWncpx7WDllc+5b
        t+k/L17iXr0t7oO5lsCVw3xzPEo/a+gypt1iEFjt1dISqy+Q8XLRId/Sdr+D6tm3lm6+39Nlf0Ti78cVSx7VyoQd52R4ZLX7aZ68
        e6QC82XbNeWtDIphINPtd4NMj1MAmV7TCjJ91iuQ6Tv9QaZf3yLY6532TVL/U+ZpkTq/8A4DBiNGkOkBaSDT806DTO81AJm+eirI
        9JO/QKa/iFeyiBFkO+Iwt6pMVTOeacZtBqc1INMTBUGm15eBTJ97G2T6HgeQ6beWgkz/yWX0OGePeH6gR7ei6ZX8tSvbAD/QgcgU
        m9dRAAAAAElFTkSuQmCC
        """,
        """
        rgb 16 interlaced
        f4d33c3b20592021ac4244c28da9e60a046073b7850f7f93f914ab733e011894
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFEAIAAAE/pr3pAAABC0lEQVR42mNgYLC8Wbzps4YuY9othsopm3PfujE4ralp3Ra3x+Gb
        pP4n0yv5a1e2MdicKlu8oWZb3AdzLQGG+rKd/p81fnIZPc7Zw6AYFq0/lSNOYfrPi5dmvbpymG/O9S2Cvd5pInV+4R0GDHKpEXaT
        xEFKzj0EKeFeDVLiUcpgvxtkG8iiD+Yg43QZQdZlnmZIFAQZM/c2yJhbS0HGiOcHenQrMgis9mppidUXyHi56JBvabvfQfXsW0s3
        3+/psj8i8ffjiiWPamXCjnMyPLLa/TRP3j1Sgfmy7ZryVgYjRpCygDSQsrzTIGW9BiBlq6eClJ38BVL2Il7JIkaQ7YjD3KoyVc14
        phm3ASejgcgrd1t1AAAAAElFTkSuQmCC
        """,
        """
        rgb-alpha 8
        15504a4cb1c9a6b377cb624ecf1fb069ebd8b24510b63608850286ff5021bae4
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFCAYAAACXU8ZrAAAAtklEQVR42mNguLmpO9VO/MOpxTWh+hwPd03JdZP/eWl1S5y5wMvD
        c0r9NBhvbWZY3RJrJvDy0OxSP3WGW5t7Uu0lPp5aUhumz/lo95Q8d4Wfl9e0xjGEAbXvBmpXAGpvBWp/BdTuD9S+pTfNXvLT6SV1
        4QacDEDTetKA2k8DtRsAtU8Fav8F1B5vIfjqyNwyf02m21sYgKaZCwK1lwG13wZqdwBqXwrUzvV4z9R8D8VfV9a2xQMAdhRXZ6kS
        GhQAAAAASUVORK5CYII=
        """,
        """
        rgb-alpha 8 interlaced
        15504a4cb1c9a6b377cb624ecf1fb069ebd8b24510b63608850286ff5021bae4
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFCAYAAAHgVPb9AAAAvElEQVR42mNguLmpW4Px1maGKblu8gxrWuPMHSQ/nb6yti2e4dTi
        mtA4c4GXDGX+Goxcj/dMZQjT53io8PPS6leH55Ru6U2zrws34GRItRP/ABTfBRRvAYr7MewGGgU0RwCo6xbQrCUMgkD1t4HqlwLV
        53so/mJY3RJrJvDy0OxSP3WGW5t7Uu0lPp5aUhumz/lo95Q8d4Wfl4HuYAA6qicNKHMaKGMAlJkKlPkFlIm3EHx1ZG6ZvybT7S0A
        qRhXZ0BQ3UAAAAAASUVORK5CYII=
        """,
        """
        rgb-alpha 16
        8ccb950c46845c4f10b01fa3d5a464fc10f7e2693472ac3be73f9c5c55171f38
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFEAYAAADHwxooAAABPElEQVR42mNgYLC8WbxpbbdcaoTdJPHTH2xOlS3eUPMqNFp/Kse5
        hxy7Kqdszn3rpi4//efFS9yrXVu2xX0w1xJIfnnlMN8cj9Imv88auoxptxZsZhBY7dXSErvPTF8g4+WiQ3dm+5a2+x1U/82QfWvp
        5vs9kqld9kck/n40P7ViyaNambAw/eOcDI+sdpdMeZon7x6pMOkn82XbNeWtG+MYFMMgdtvvhtgdpwCxu6YVYvesVxC7d/pD7L6+
        RbDXO63V/puk/qfM04uXiNT5hXcYHOJkMGKE2B2QBrE77zTE7l4DiN2rp0LsPvkLYveLeCWLGMGpr9iOOMytKtvir6oZzzTj9qUt
        DE5rIHYnCkLsri+D2D33NsTuPQ4Qu28thdj9k8vocc6eZVPF8wM9uhWP/DK9kr92ZdvjeADIZ6//xAfA+gAAAABJRU5ErkJggg==
        """,
        """
        rgb-alpha 16 interlaced
        8ccb950c46845c4f10b01fa3d5a464fc10f7e2693472ac3be73f9c5c55171f38
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFEAYAAAGwxCq+AAABRUlEQVR42mNgYLC8WbxpbfdnDV3GtFsLNjNUTtmc+9ZNXZ7BaU1N
        67a4D+Z7HL5J6n/KPG16JX/tyrbH8Qw2p8oWb6h5FQqS1BJIfslQX7bTH6T/J5fR45w9y6YyKIZF60/lOPcwTmH6z4uXuFfPenXl
        MN8cj9LrWwR7vdNa7UXq/MI7DA5xMsilRthNEj/9AaKcYxdEuWsLRHmTH4P9boh7IE7REoBYlHYL4qTFSxgSBSGGz70NMfzWUojh
        4vmBHt2KR34xCKz2ammJ3WemL5DxctGhO7N9S9v9Dqr/Zsi+tXTz/R7J1C77IxJ/P5qfWrHkUa1MWJj+cU6GR1a7S6Y8zZN3j1SY
        9JP5su2a8taNcQxGjBAtAWkQLXmnIVp6DSBaVk+FaDn5C6LlRbySRYzg1FdsRxzmVpVt8VfVjGeacfvSFgDbEa//0Z3UwwAAAABJ
        RU5ErkJggg==
        """,
        """
        gray 2
        55bc894ecec79e542d2fc930192c6d6ad15dd8c086cbbbadada21e28835e7564
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFAgAAAAD4iIEWAAAAG0lEQVR42mOQlmZgOHbsAMPGjQ0MOTkODEA+AD5xBbPBhnMYAAAA
        AElFTkSuQmCC
        """,
        """
        palette
        2b606ae10f672887751e59704cdf9927e4f240f19b07199f3637c55459e1908a
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFAgMAAAGdOh5uAAAADFBMVEUHUMj/AAEhLDdaWvpktZujAAAAHUlEQVR42mNgAIMFQNjR
        wFDOcBeIjx07wJCT4wAAS74HeG6Ims0AAAAASUVORK5CYII=
        """,
        """
        palette with alpha
        b83614b1fbd0108d7f6269f4ef5f42dad5d61499315e2f96217166450567e8be
        iVBORw0KGgoAAAANSUhEUgAAAAkAAAAFAgMAAADqPS74AAAADFBMVEUHUMj/AAEhLDdaWvpktZujAAAAAnRSTlMAgJsrThgAAAAb
        SURBVHjaY5CWZmA4duwAw8aNDQw5OQ4MQD4APnEFs8GGcxgAAAAASUVORK5CYII=
        """,
    ]

    private let service: DocumentedService

    init() throws { service = DocumentedService(phantom: try Engine.phantom()) }

    private func score(_ png: [UInt8], _ query: String = "", id: String = "a") async throws -> JSONValue {
        let headers: HeaderFields = ["Host": "a", "Content-Length": String(png.count), "X-Request-ID": id]
        let head = RequestHead(method: "POST", path: "/v1/score", rawQuery: query, headers: headers)
        let response = await service.respond(to: Request(head: head, body: png))
        #expect(response.status == 200)
        return try JSONDecoder().decode(JSONValue.self, from: Data(response.body))
    }

    private func gray(_ height: Int, _ width: Int, _ level: Float = 0.5) -> [UInt8] {
        PNG.encode(
            Image(height: height, width: width, channels: 1, samples: Array(repeating: level, count: height * width))
        )
    }

    @Test(
        "pixel_sha256 is the digest of the decoded samples, whatever the color type and interlacing",
        arguments: cases
    )
    func pixels(_ text: String) async throws {
        let lines = text.split(separator: "\n")
        let png = try #require(Data(base64Encoded: lines.dropFirst(2).joined()))
        let object = try await score(Array(png), "provenance=true")
        #expect(object["provenance"]["pixel_sha256"] == .string(String(lines[1])), "\(lines[0])")
    }

    @Test("Provenance has what the score was computed from, and only on request")
    func members() async throws {
        let png = gray(20, 30)
        let object = try await score(png, "provenance=true&photometric=MONOCHROME1")
        let part = object["provenance"]
        #expect(part["model_digest"] == object["model"]["digest"])
        #expect(part["server_version"] == .string(InferenceService.version))
        #expect(part["width"] == .number(30) && part["height"] == .number(20) && part["bit_depth"] == .number(8))
        #expect(part["color"] == .string("gray") && part["rendering"] == object["rendering"])
        #expect(part["resizing"]["width"] == .number(128) && part["resizing"]["height"] == .number(128))
        #expect(part["threshold"] == object["threshold"])
        #expect(try await score(png)["provenance"] == nil)
        #expect(try await score(png, "provenance=false")["provenance"] == nil)
    }

    @Test("result_key depends on the pixels, their format and the rendering, not on the request")
    func resultKey() async throws {
        let png = gray(20, 30)
        let key = try await score(png)["result_key"]
        #expect(key?.text?.count == 64)
        #expect(try await score(png, "provenance=true", id: "b")["result_key"] == key)
        var others: Set<String?> = [key?.text]
        // The same samples in another size, other samples, and another rendering.
        others.insert(try await score(gray(30, 20))["result_key"]?.text)
        others.insert(try await score(gray(20, 30, 0.25))["result_key"]?.text)
        others.insert(try await score(png, "photometric=MONOCHROME1")["result_key"]?.text)
        #expect(others.count == 4)
    }

    @Test("result_key can be computed by a client from the rest of the object")
    func documentedKey() async throws {
        let object = try await score(gray(20, 30), "provenance=true")
        let digests = [object["model"]["digest"], object["provenance"]["pixel_sha256"]].map { $0?.text ?? "" }
        let text = (digests + ["30x20 8 gray", "null"]).joined(separator: "\n")
        #expect(object["result_key"] == .string(SHA256.hexadecimal(text.utf8)))
    }

    @Test("'provenance' must be a Boolean")
    func invalid() async throws {
        let png = gray(2, 2)
        let headers: HeaderFields = ["Host": "a", "Content-Length": String(png.count)]
        let head = RequestHead(method: "POST", path: "/v1/score", rawQuery: "provenance=yes", headers: headers)
        #expect(await service.respond(to: Request(head: head, body: png)).status == 400)
    }
}
