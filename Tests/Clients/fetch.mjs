// Node's fetch against the URL in the first argument; the second one is a PNG file. Prints lines as http_clients.py does.
import { readFile } from "node:fs/promises";

const [url, path] = process.argv.slice(2);
const image = await readFile(path);
const form = new FormData();
form.append("image", new Blob([image], { type: "image/png" }), "image.png");
const ways = {
  body: { body: image, headers: { "Content-Type": "image/png" } },
  chunked: { body: new Blob([image]).stream(), duplex: "half", headers: { "Content-Type": "image/png" } },
  form: { body: form },
};
for (const [way, options] of Object.entries(ways)) {
  const response = await fetch(url, { method: "POST", ...options });
  if (!response.ok) throw new Error(await response.text());
  console.log(`fetch of node ${process.versions.node}\t${way}\t${JSON.stringify(await response.json())}`);
}
