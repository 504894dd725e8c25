"use strict";
// The secret stands behind the "#", which browsers never send. It is taken out of the address, so that it doesn't stay in
// the history.
const token = new URLSearchParams(location.hash.slice(1)).get("token") || "";
history.replaceState(null, "", location.pathname);

for (const form of document.forms) {
  form.action = "/v1/unsubscribe/" + encodeURIComponent(token);
  form.hidden = !token;
}
document.getElementById("answer").hidden = Boolean(token);
