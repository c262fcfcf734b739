import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;

/** HttpClient against the URL in the first argument; the second one is a PNG file. Prints lines as http_clients.py does. */
public class Client {
    public static void main(String[] arguments) throws Exception {
        byte[] image = Files.readAllBytes(Path.of(arguments[1]));
        var body = HttpRequest.BodyPublishers.ofByteArray(image);
        var chunks = HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(image));
        // The client tries to upgrade to HTTP/2 unless it is told not to.
        for (var version : HttpClient.Version.values()) {
            var client = HttpClient.newBuilder().version(version).build();
            send(client, arguments[0], version + " body", body);
            send(client, arguments[0], version + " chunked", chunks);
        }
    }

    private static void send(HttpClient client, String url, String way, HttpRequest.BodyPublisher body)
            throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", "image/png").POST(body).build();
        var response = client.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) throw new IllegalStateException(response.body());
        System.out.println("HttpClient of Java " + Runtime.version() + "\t" + way + "\t" + response.body().strip());
    }
}
