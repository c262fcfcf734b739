#!/usr/bin/env bash
# Regenerates the certificates of the tests. They protect nothing, and their keys are not secret.
set -euo pipefail
cd "$(dirname "$0")"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
for name in authority client-authority; do
    key "$name"
    openssl req -x509 -new -key "$name.key" -subj "/CN=DIA test $name" -days 36500 -out "$name.pem" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign"
done
sign() { # name authority extension
    key "$1"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -days 36500 -out "$1.pem" -extfile <(echo "$3")
    rm "$1.csr"
}
names="subjectAltName=DNS:localhost,IP:127.0.0.1"
sign server authority "$names"
sign second authority "$names"
sign client client-authority "extendedKeyUsage=clientAuth"
# A certificate with a key of another type than server.key, and an expired certificate for server.key.
openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj "/CN=rsa" -days 36500 -out rsa.pem
openssl req -new -key server.key -subj "/CN=expired" -out expired.csr
openssl x509 -req -in expired.csr -signkey server.key -days -1 -out expired.pem
rm expired.csr
openssl ec -in server.key -aes256 -passout pass:secret -out server-passphrase.key
rm -f ./*.srl authority.key client-authority.key
