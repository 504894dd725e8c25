"use strict";
// The secret stands behind the "#", which browsers never send. It is taken out of the address, so that it doesn't stay in
// the history.
const token = new URLSearchParams(location.hash.slice(1)).get("token") || "";
history.replaceState(null, "", location.pathname);

const form = document.querySelector("form");
const password = document.getElementById("password");
const born = document.getElementById("born");
const answer = document.getElementById("answer");

function say(text, isWrong) {
  answer.textContent = text;
  answer.className = isWrong ? "wrong" : "right";
}

document.getElementById("show").addEventListener("change", (event) => {
  password.type = event.target.checked ? "text" : "password";
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  say("One moment …", false);
  const body = { token, [form.dataset.member]: password.value };
  if (born && born.value) body.date_of_birth = born.value;
  try {
    const reply = await fetch(form.dataset.operation, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (reply.ok) {
      form.hidden = true;
      say(form.dataset.done, false);
      document.getElementById("next").hidden = false;
      return;
    }
    const problem = await reply.json();
    if ((problem.type || "").endsWith("/link-not-valid")) {
      form.hidden = true;
      say("", false);
      document.getElementById("again").hidden = false;
      return;
    }
    const faults = (problem.errors || []).map((fault) => fault.detail).filter(Boolean);
    say(faults.length ? faults.join(" ") : problem.detail || problem.title, true);
  } catch {
    say("That didn't work. Look at your connection and try again.", true);
  }
  button.disabled = false;
});

if (!token) say("The link isn't whole. Copy all of it from the e-mail.", true);
