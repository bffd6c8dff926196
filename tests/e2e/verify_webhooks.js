// Reads {secret, headers, body} a line from standard input and verifies each with the package
// `standardwebhooks`; prints how many were good, or fails at the first that is not.
const { Webhook } = require("standardwebhooks");
const lines = require("readline").createInterface({ input: process.stdin });
let good = 0;
lines.on("line", (line) => {
  const { secret, headers, body } = JSON.parse(line);
  new Webhook(secret).verify(body, headers);
  good++;
});
lines.on("close", () => console.log(good));
