// Go's net/http against the URL in the first argument; the second one is a PNG file. Prints lines as http_clients.py does.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"runtime"
	"strings"
)

func send(url string, way string, contentType string, body io.Reader) {
	response, err := http.Post(url, contentType, body)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		log.Fatal(err, string(text))
	}
	fmt.Printf("net/http of %s\t%s\t%s\n", runtime.Version(), way, strings.TrimSpace(string(text)))
}

func main() {
	url := os.Args[1]
	image, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	send(url, "body", "image/png", bytes.NewReader(image))
	// A reader of unknown length is sent in chunks.
	send(url, "chunked", "image/png", io.MultiReader(bytes.NewReader(image)))
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, err := writer.CreateFormFile("image", "image.png")
	if err != nil {
		log.Fatal(err)
	}
	part.Write(image)
	writer.Close()
	send(url, "form", writer.FormDataContentType(), &form)
}
